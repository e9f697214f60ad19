package dev.caisson.rpc;

import dev.caisson.scope.Scope;
import io.grpc.Attributes;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Codec;
import io.grpc.CompositeCallCredentials;
import io.grpc.Compressor;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One call: what the caller wants is gathered here and handed to whichever connection carries it; what comes back is
 * handed to the listener, one callback at a time.
 *
 * <pre>
 *            dispatched         attached to a transport       status known
 *   made ──► waiting ─────────────► carried ──────────────► closed ──► told (onClose)
 *               ▲   └── deadline, cancel, no connection ──────▲
 *               └────── the peer surely did not see it ──┘
 * </pre>
 *
 * <p>A call holds the channel's handle, so that a channel with calls in flight is never taken for abandoned.
 */
final class ChannelCall<ReqT, RespT> extends ClientCall<ReqT, RespT> implements Runnable, Context.CancellationListener {
    /* Lock: `lock` guards all fields that are not final. No callback, no wake-up and no serialization happens under it.
     *
     * Out: messages are serialized on the caller's thread and queue in `outbox`; the transport's thread takes them in
     * drain(). A call whose method sends one message is handed over whole, at half-close: one wake-up per unary call.
     *
     * In: the transport leaves headers, messages, readiness and the end here and schedules run(), which tells the listener
     * until nothing is left.
     */

    /** A call may be sent again this often after it may have reached the peer (gRFC A6 says once). */
    static final int MAX_RESENDS = 1;

    /** A call may find this many transports that end before they took it. */
    static final int MAX_REFUSALS = 100;

    /** The longest message taken where nobody says otherwise, bytes. */
    static final int DEFAULT_MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

    /** More than this queued and not sent means not ready. */
    static final int READY_BYTES = Unsent.FREE_BYTES;

    /** The channel's handle: held until the call has ended, and not used otherwise. */
    @SuppressWarnings("UnusedVariable")
    private @Nullable Object handle;

    private final ChannelCore core;
    private final MethodDescriptor<ReqT, RespT> method;
    private final CallOptions options;
    private final @Nullable Executor executor;
    private final Context context;
    private final Object lock = new Object();
    private final long startedNanos = System.nanoTime();

    // set by start, before the call is seen by another thread
    private @Nullable Listener<RespT> listener;
    private @Nullable Metadata headers;
    private @Nullable Deadline deadline;
    private String deadlineOf = "CallOptions";
    private Compressor compressor = Codec.Identity.NONE;
    private boolean waitForReady;
    private int maxRequestBytes = Integer.MAX_VALUE;
    private int maxResponseBytes;

    // out
    private boolean compress = true;
    private boolean gathering;
    private int gatheringPlace = -1;
    private final Outbox outbox;
    private int requested;
    private int requestedTaken;
    private boolean streamOpen;
    private boolean wasReady;
    private Transport.@Nullable Attempt attempt;
    private @Nullable Metadata headersToSend;
    private boolean waking;
    private boolean waiting;
    private int resends;
    private int refusals;
    private @Nullable ScheduledFuture<?> waitTimer;

    // in
    private @Nullable Metadata inHeaders;
    private @Nullable MessageBytes inMessage;
    private @Nullable ArrayDeque<MessageBytes> inMessages;
    private boolean inReady;
    private boolean telling;
    private @Nullable Status closed;
    private @Nullable Metadata trailers;
    private boolean cancelled;
    private int told;
    private boolean closeTold;

    ChannelCall(Object handle, ChannelCore core, MethodDescriptor<ReqT, RespT> method, CallOptions options) {
        this.handle = handle;
        this.core = core;
        this.method = method;
        this.options = options;
        Executor own = options.getExecutor();
        this.executor = own == null ? core.settings.executor() : own;
        this.context = Context.current();
        this.outbox = new Outbox(core.settings.retryBufferBytes(), core.unsent);
    }

    // ---- the caller's side

    @Override
    public void start(Listener<RespT> newListener, Metadata newHeaders) {
        synchronized (lock) {
            if (listener != null) {
                throw new IllegalStateException("the call has been started already");
            }
            if (cancelled) {
                throw new IllegalStateException("the call was cancelled before it was started");
            }
            listener = newListener;
        }
        headers = newHeaders;
        boolean sendsOne = method.getType().clientSendsOneMessage();
        String problem = prepare();
        if (context.isCancelled()) {
            fail(Contexts.statusFromCancelled(context));
            return;
        }
        if (problem != null) {
            fail(Status.INTERNAL.withDescription(problem));
            return;
        }
        Deadline d = deadline;
        if (d != null && d.isExpired()) {
            fail(Status.DEADLINE_EXCEEDED.withDescription(String.format(
                    Locale.ROOT,
                    "ClientCall started after %s deadline was exceeded %.9f seconds ago",
                    deadlineOf,
                    -d.timeRemaining(TimeUnit.NANOSECONDS) / 1e9)));
            return;
        }
        if (core.isShutdown()) {
            fail(Status.UNAVAILABLE.withDescription("channel " + core.target + ": shutdown was called"));
            return;
        }
        if (sendsOne) {
            int place = core.gathering.begin(this);
            synchronized (lock) {
                gatheringPlace = place;
                gathering = place >= 0;
            }
        }
        context.addListener(this, Runnable::run);
        core.dispatch(this);
    }

    /** Works out the deadline and what else does not change any more. Returns what is wrong, or null. */
    private @Nullable String prepare() {
        Deadline d = options.getDeadline();
        Deadline contexts = context.getDeadline();
        if (contexts != null && (d == null || contexts.isBefore(d))) {
            d = contexts;
            deadlineOf = "Context";
        }
        Optional<Duration> left = Scope.currentRemaining();
        if (left.isPresent()) {
            Deadline scopes = Deadline.after(left.get().toNanos(), TimeUnit.NANOSECONDS);
            if (d == null || scopes.isBefore(d)) {
                d = scopes;
                deadlineOf = "Scope";
            }
        }
        waitForReady = options.isWaitForReady();
        ServiceConfig.MethodConfig config = core.config().method(method.getFullMethodName());
        if (config != null) {
            if (config.timeout() != null) {
                Deadline configured = Deadline.after(config.timeout().toNanos(), TimeUnit.NANOSECONDS);
                if (d == null || configured.isBefore(d)) {
                    d = configured;
                    deadlineOf = "ServiceConfig";
                }
            }
            waitForReady |= Boolean.TRUE.equals(config.waitForReady());
        }
        deadline = d;
        Integer ownResponse = options.getMaxInboundMessageSize();
        maxResponseBytes = least(
                ownResponse == null ? core.settings.maxInboundMessageBytes() : ownResponse,
                config == null ? null : config.maxResponseBytes(),
                DEFAULT_MAX_RESPONSE_BYTES);
        maxRequestBytes = least(
                options.getMaxOutboundMessageSize(),
                config == null ? null : config.maxRequestBytes(),
                Integer.MAX_VALUE);
        String name = options.getCompressor();
        if (name != null) {
            Compressor found = core.settings.compressors().lookupCompressor(name);
            if (found == null) {
                return "Unable to find compressor by name " + name;
            }
            compressor = found;
        }
        return null;
    }

    /** As service_config.proto has it: the least of what is set, else what is built in. */
    private static int least(@Nullable Integer application, @Nullable Integer config, int builtIn) {
        if (application == null) {
            return config == null ? builtIn : config;
        }
        return config == null ? application : Math.min(application, config);
    }

    @Override
    public void request(int n) {
        if (n < 0) {
            throw new IllegalArgumentException("cannot request " + n + " messages");
        }
        requireStarted();
        Transport.Attempt to = null;
        boolean tell = false;
        synchronized (lock) {
            requested = requested + n < 0 ? Integer.MAX_VALUE : requested + n;
            if (closed == null) {
                to = toWake();
            } else {
                tell = inMessage != null && schedule(); // came before the end, and was not asked for until now
            }
        }
        wake(to);
        if (tell) {
            notifyListener();
        }
    }

    @Override
    public void sendMessage(ReqT message) {
        requireStarted();
        Compressor with;
        Status refused;
        synchronized (lock) {
            if (outbox.halfClosed()) {
                throw new IllegalStateException("the call was half-closed; nothing can be sent any more");
            }
            if (cancelled) {
                throw new IllegalStateException("the call was cancelled");
            }
            if (closed != null) {
                return;
            }
            with = compress ? compressor : Codec.Identity.NONE;
            refused = core.unsent.refusal(outbox.waiting(), readyBytes());
        }
        if (refused != null) {
            abort(refused);
            return;
        }
        ByteBuf framed;
        try {
            framed =
                    MessageFramer.frame(method.streamRequest(message), with, maxRequestBytes, ByteBufAllocator.DEFAULT);
        } catch (RuntimeException e) {
            abort(Status.CANCELLED.withDescription("Failed to stream message").withCause(e));
            return;
        } catch (Error e) {
            abort(Status.CANCELLED
                    .withDescription("Client sendMessage() failed with Error")
                    .withCause(e));
            throw e;
        }
        Transport.Attempt to = null;
        synchronized (lock) {
            if (closed == null) {
                outbox.add(framed, gathering ? 1 : 4);
                wasReady &= readyNow();
                to = toWake();
                framed = null;
            }
        }
        if (framed != null) {
            framed.release();
        }
        wake(to);
    }

    @Override
    public void halfClose() {
        requireStarted();
        Transport.Attempt to;
        synchronized (lock) {
            if (cancelled) {
                throw new IllegalStateException("the call was cancelled");
            }
            if (outbox.halfClosed()) {
                throw new IllegalStateException("the call was half-closed already");
            }
            outbox.halfClose();
            gathering = false;
            to = toWake();
        }
        wake(to);
        gathered();
    }

    @Override
    public void cancel(@Nullable String message, @Nullable Throwable cause) {
        Throwable why = cause;
        if (message == null && cause == null) {
            why = new CancellationException("Cancelled without a message or cause");
        }
        Status status = Status.CANCELLED.withDescription(message == null ? "Call cancelled without message" : message);
        synchronized (lock) {
            if (cancelled) {
                return;
            }
            cancelled = true;
            if (listener == null) {
                return;
            }
        }
        abort(why == null ? status : status.withCause(why));
    }

    @Override
    public boolean isReady() {
        Transport.Attempt to = null;
        boolean ready;
        synchronized (lock) {
            if (gathering && attempt != null) {
                gathering = false; // somebody cares: hand over what there is
                to = toWake();
            }
            ready = readyNow();
            wasReady |= ready;
        }
        wake(to);
        return ready;
    }

    @Override
    public void setMessageCompression(boolean enabled) {
        requireStarted();
        synchronized (lock) {
            compress = enabled;
        }
    }

    @Override
    public Attributes getAttributes() {
        Transport.Attempt a;
        synchronized (lock) {
            a = attempt;
        }
        return a == null ? Attributes.EMPTY : a.attributes();
    }

    @Override
    public void cancelled(Context cancelledContext) {
        Deadline contexts = context.getDeadline();
        if (contexts != null && contexts.isExpired()) {
            expired();
        } else {
            abort(Contexts.statusFromCancelled(context));
        }
    }

    private void requireStarted() {
        synchronized (lock) {
            if (listener == null) {
                throw new IllegalStateException("the call has not been started");
            }
        }
    }

    private boolean readyNow() {
        return streamOpen && closed == null && outbox.waiting() < readyBytes();
    }

    private int readyBytes() {
        Integer own = options.getOnReadyThreshold();
        return own == null ? READY_BYTES : Math.min(own, core.unsent.limits().call());
    }

    /** The attempt to wake, if it must be woken now. Under the lock. */
    private Transport.@Nullable Attempt toWake() {
        if (attempt == null || waking || gathering) {
            return null;
        }
        waking = true;
        return attempt;
    }

    private static void wake(Transport.@Nullable Attempt attempt) {
        if (attempt != null) {
            attempt.wake();
        }
    }

    // ---- the channel's side

    MethodDescriptor<ReqT, RespT> method() {
        return method;
    }

    CallOptions options() {
        return options;
    }

    /** Since it was made. */
    Duration age() {
        return Duration.ofNanos(System.nanoTime() - startedNanos);
    }

    /** The channel's, unless the call has one of its own. */
    String authority() {
        String own = options.getAuthority();
        return own == null ? core.authority() : own;
    }

    Compressor compressor() {
        return compressor;
    }

    @Nullable
    Deadline deadline() {
        return deadline;
    }

    int previousAttempts() {
        synchronized (lock) {
            return resends + refusals;
        }
    }

    int maxInboundMessageBytes() {
        return maxResponseBytes;
    }

    boolean waitsForReady() {
        return waitForReady;
    }

    /** The channel keeps the call until there is a connection. */
    void pending() {
        synchronized (lock) {
            waiting = true;
        }
        watchDeadline();
        // It may have ended before it began to wait.
        if (ended()) {
            core.forget(this);
        }
    }

    private boolean ended() {
        synchronized (lock) {
            return closed != null;
        }
    }

    /* While no connection's wheel watches the deadline, a timer of the channel does. */
    private void watchDeadline() {
        Deadline d = deadline;
        if (d == null) {
            return;
        }
        synchronized (lock) {
            if (waitTimer != null || closed != null) {
                return;
            }
            waitTimer = core.timer(d.timeRemaining(TimeUnit.NANOSECONDS), this::expired);
        }
    }

    private void stopWaitTimer() {
        ScheduledFuture<?> timer;
        synchronized (lock) {
            timer = waitTimer;
            waitTimer = null;
        }
        if (timer != null) {
            timer.cancel(false);
        }
    }

    /** Goes onto a transport, after the credentials have had their say. */
    void attach(Transport to) {
        Metadata original = headers;
        if (original == null) {
            throw new IllegalStateException("dispatched before start");
        }
        CallCredentials credentials = core.settings.callCredentials();
        if (options.getCredentials() != null) {
            credentials = credentials == null
                    ? options.getCredentials()
                    : new CompositeCallCredentials(credentials, options.getCredentials());
        }
        if (credentials == null) {
            attach(to, original);
            return;
        }
        watchDeadline();
        Metadata merged = new Metadata();
        merged.merge(original);
        CallCredentials.MetadataApplier applier = new CallCredentials.MetadataApplier() {
            private boolean done;

            private synchronized void once() {
                if (done) {
                    throw new IllegalStateException("apply() or fail() was called already");
                }
                done = true;
            }

            @Override
            public void apply(Metadata more) {
                once();
                merged.merge(more);
                attach(to, merged);
            }

            @Override
            public void fail(Status status) {
                once();
                if (status.isOk()) {
                    throw new IllegalArgumentException("call credentials must not fail with OK");
                }
                abort(status);
            }
        };
        try {
            credentials.applyRequestMetadata(new Request(to), core.outside.offload(), applier);
        } catch (Throwable t) {
            abort(Status.UNAUTHENTICATED
                    .withDescription("Credentials should use fail() instead of throwing exceptions")
                    .withCause(t));
        }
    }

    private void attach(Transport to, Metadata with) {
        Transport.Attempt made = to.attempt(this);
        Transport.Attempt wake;
        synchronized (lock) {
            waiting = false;
            if (closed != null) {
                return;
            }
            headersToSend = with;
            attempt = made;
            waking = false;
            wake = toWake();
        }
        wake(wake);
    }

    /** The headers of the current attempt, credentials included. */
    Metadata headers() {
        Metadata h;
        synchronized (lock) {
            h = headersToSend;
        }
        if (h == null) {
            throw new IllegalStateException("the call is on no transport");
        }
        return h;
    }

    /** Ends the call without or instead of its transport. */
    void fail(Status status) {
        abort(status);
    }

    /** The call's time is over, as a connection's wheel or the channel's timer says. */
    void expired() {
        abort(expiredStatus());
    }

    private Status expiredStatus() {
        String where;
        synchronized (lock) {
            Transport.Attempt a = attempt;
            where = a != null
                    ? "remote_addr=" + a.attributes().get(io.grpc.Grpc.TRANSPORT_ATTR_REMOTE_ADDR)
                    : waiting
                            ? "waiting for a connection to " + core.target + ", which is " + core.state(false)
                            : "not sent yet";
        }
        return Status.DEADLINE_EXCEEDED.withDescription(String.format(
                Locale.ROOT,
                "%s deadline exceeded after %.9fs. [%s]",
                deadlineOf,
                (System.nanoTime() - startedNanos) / 1e9,
                where));
    }

    // ---- the transport's side

    /** Where a transport takes what is new. On the transport's thread. */
    interface Sink {
        /** A framed message; ownership passes. {@code last} if half-close follows at once. */
        void message(ByteBuf framed, boolean last);

        void halfClose();

        void requestMessages(int n);

        /** Bytes that were taken and not yet sent. */
        long unsentBytes();
    }

    /**
     * Hands what is new to {@code sink}. Returns why the stream must be reset: the call has ended, or is on another
     * transport; null if it goes on. On the transport's thread.
     */
    @SuppressWarnings("ReferenceEquality") // is it the attempt we have now?
    @Nullable
    Status drain(Transport.Attempt from, Sink sink) {
        while (true) {
            ByteBuf message;
            boolean last = false;
            boolean half = false;
            int n;
            synchronized (lock) {
                if (attempt != from) {
                    return Status.CANCELLED.withDescription("the call went on elsewhere");
                }
                if (closed != null) {
                    return closed;
                }
                waking = false;
                n = requested - requestedTaken;
                requestedTaken = requested;
                message = outbox.take();
                if (message != null) {
                    last = outbox.takeEnd();
                } else {
                    half = outbox.takeEnd();
                }
            }
            if (message != null) {
                sink.message(message, last);
            }
            if (half) {
                sink.halfClose();
            }
            if (n > 0) {
                sink.requestMessages(n);
            }
            if (message == null) {
                sent(from, sink.unsentBytes());
                return null;
            }
        }
    }

    /** Why the call needs no stream here any more; null if it does. */
    @SuppressWarnings("ReferenceEquality") // is it the attempt we have now?
    @Nullable
    Status ended(Transport.Attempt from) {
        synchronized (lock) {
            return attempt == from ? closed : Status.CANCELLED.withDescription("the call went on elsewhere");
        }
    }

    /** As {@link #ended}, for a transport that takes nothing yet: it is woken again by what comes next. */
    @Nullable
    Status parked(Transport.Attempt from) {
        synchronized (lock) {
            if (isCurrent(from)) {
                waking = false;
            }
        }
        return ended(from);
    }

    /** The stream is open: headers are written. */
    void opened(Transport.Attempt from) {
        synchronized (lock) {
            if (isCurrent(from)) {
                streamOpen = true;
            }
        }
    }

    /** So much of what was taken waits to be sent; the caller may be told that there is room. */
    void sent(Transport.Attempt from, long queuedBytes) {
        boolean tell = false;
        synchronized (lock) {
            if (!isCurrent(from)) {
                return;
            }
            outbox.sent(queuedBytes);
            boolean ready = readyNow();
            if (ready && !wasReady && !method.getType().clientSendsOneMessage()) {
                inReady = true;
                tell = schedule();
            }
            wasReady = ready;
        }
        if (tell) {
            from.notifyAfterBurst();
        }
    }

    void headers(Transport.Attempt from, Metadata received) {
        boolean tell;
        synchronized (lock) {
            if (!isCurrent(from)) {
                return;
            }
            outbox.commit();
            inHeaders = received;
            tell = schedule();
        }
        if (tell) {
            from.notifyAfterBurst();
        }
    }

    void message(Transport.Attempt from, MessageBytes message) {
        boolean tell;
        synchronized (lock) {
            if (!isCurrent(from)) {
                return;
            }
            if (inMessage == null && (inMessages == null || inMessages.isEmpty())) {
                inMessage = message;
            } else {
                if (inMessages == null) {
                    inMessages = new ArrayDeque<>();
                }
                inMessages.add(message);
            }
            tell = schedule();
        }
        if (tell) {
            from.notifyAfterBurst();
        }
    }

    /** The stream has ended with a status; messages before it are told first. */
    void closed(Transport.Attempt from, Status status, Metadata received) {
        Status known = status;
        Deadline d = deadline;
        boolean late = status.getCode() == Status.Code.CANCELLED || status.getCode() == Status.Code.DEADLINE_EXCEEDED;
        if (late && d != null && d.isExpired()) {
            // The peer noticed a little before our timer.
            known = Status.DEADLINE_EXCEEDED.withDescription("ClientCall was cancelled at or after deadline. "
                    + expiredStatus().getDescription()
                    + (status.getDescription() == null ? "" : " The server said: " + status.getDescription()));
        }
        boolean tell;
        synchronized (lock) {
            if (!isCurrent(from)) {
                return;
            }
            closed = known;
            trailers = received;
            outbox.release();
            tell = schedule();
        }
        cleanUp();
        if (tell) {
            from.notifyAfterBurst();
        }
    }

    /**
     * The transport did not carry the call: it goes to another one if it may, else it ends with {@code why}.
     *
     * @param seen false if the peer cannot have seen it, true if it says that it did not look at it
     */
    void refused(Transport.Attempt from, Status why, boolean seen) {
        boolean again;
        synchronized (lock) {
            if (!isCurrent(from)) {
                return;
            }
            again = !outbox.committed() && (seen ? mayResend() : refusals < MAX_REFUSALS);
            if (again) {
                if (seen) {
                    resends++;
                } else {
                    refusals++;
                }
                attempt = null;
                waking = false;
                streamOpen = false;
                outbox.rewind();
                requestedTaken = 0;
            }
        }
        if (again) {
            watchDeadline();
            core.redispatch(this);
        } else {
            closed(from, why, new Metadata());
        }
    }

    /** Under the lock. */
    private boolean mayResend() {
        return core.settings.retryBufferBytes() > 0 && resends < MAX_RESENDS;
    }

    @SuppressWarnings("ReferenceEquality")
    private boolean isCurrent(Transport.Attempt from) {
        return attempt == from && closed == null;
    }

    private void abort(Status status) {
        Transport.Attempt wake;
        boolean tell;
        boolean wasWaiting;
        synchronized (lock) {
            if (closed != null || listener == null) {
                return;
            }
            closed = status;
            trailers = new Metadata();
            inMessage = null;
            inMessages = null;
            outbox.release();
            gathering = false;
            wake = toWake();
            wasWaiting = waiting;
            tell = schedule();
        }
        wake(wake);
        if (wasWaiting) {
            core.forget(this);
        }
        cleanUp();
        if (tell) {
            notifyListener();
        }
    }

    /** The caller paused while its call was gathered: what there is goes out now. */
    void handOver() {
        Transport.Attempt to;
        synchronized (lock) {
            gathering = false;
            to = toWake();
        }
        wake(to);
    }

    private void gathered() {
        int place = gatheringPlace;
        if (place >= 0) {
            core.gathering.done(place, this);
        }
    }

    private void cleanUp() {
        gathered();
        stopWaitTimer();
        context.removeListener(this);
    }

    // ---- callbacks

    /** Under the lock: true if run() must be put onto the executor. */
    private boolean schedule() {
        if (telling || closeTold) {
            return false;
        }
        telling = true;
        return true;
    }

    /** Puts run() onto the call's executor. */
    void notifyListener() {
        try {
            if (executor == null) {
                Thread.ofVirtual().name("caisson-call").start(this);
            } else {
                executor.execute(this);
            }
        } catch (RuntimeException e) {
            // The executor takes nothing more. The listener is told here rather than never.
            run();
        }
    }

    @Override
    public void run() {
        Listener<RespT> to = listener;
        if (to == null) {
            throw new IllegalStateException("told before start");
        }
        Context previous = context.attach();
        try {
            while (tellNext(to)) {
                // The next one.
            }
        } finally {
            context.detach(previous);
        }
    }

    /** Tells one event; false if there was none. */
    private boolean tellNext(Listener<RespT> to) {
        Metadata h = null;
        MessageBytes m = null;
        Status end = null;
        Metadata endTrailers = null;
        synchronized (lock) {
            if (inHeaders != null) {
                h = inHeaders;
                inHeaders = null;
            } else if (inMessage != null && told < requested) {
                told++;
                m = inMessage;
                inMessage = inMessages == null ? null : inMessages.poll();
            } else if (inReady && closed == null) {
                inReady = false;
            } else if (closed != null && inMessage == null && !closeTold) {
                closeTold = true;
                end = closed;
                endTrailers = trailers;
            } else {
                telling = false;
                return false;
            }
        }
        if (end != null) {
            tellClose(to, end, endTrailers == null ? new Metadata() : endTrailers);
            return true;
        }
        String what = h != null ? "read headers" : m != null ? "read message." : "call onReady.";
        try {
            if (h != null) {
                to.onHeaders(h);
            } else if (m != null) {
                to.onMessage(method.parseResponse(m));
            } else {
                to.onReady();
            }
        } catch (Throwable t) {
            listenerFailed(Status.CANCELLED.withCause(t).withDescription("Failed to " + what));
        }
        return true;
    }

    /** A callback threw: the call is cancelled, and ends with that even if the peer's status has come already. */
    private void listenerFailed(Status status) {
        Transport.Attempt wake = null;
        synchronized (lock) {
            if (closeTold) {
                return;
            }
            boolean open = closed == null;
            closed = status;
            trailers = new Metadata();
            inHeaders = null;
            inMessage = null;
            inMessages = null;
            outbox.release();
            gathering = false;
            if (open) {
                wake = toWake();
            }
        }
        wake(wake);
        cleanUp();
    }

    private void tellClose(Listener<RespT> to, Status status, Metadata with) {
        handle = null;
        try {
            to.onClose(status, with);
        } catch (RuntimeException e) {
            System.getLogger(ChannelCall.class.getName())
                    .log(System.Logger.Level.WARNING, "the listener of " + this + " threw from onClose", e);
        }
    }

    @Override
    public String toString() {
        return "call " + method.getFullMethodName() + " to " + core.target;
    }

    /** What call credentials are told of the call. */
    private final class Request extends CallCredentials.RequestInfo {
        private final Transport to;

        Request(Transport to) {
            this.to = to;
        }

        @Override
        public MethodDescriptor<?, ?> getMethodDescriptor() {
            return method;
        }

        @Override
        public CallOptions getCallOptions() {
            return options;
        }

        @Override
        public SecurityLevel getSecurityLevel() {
            return core.settings.tls() == null ? SecurityLevel.NONE : SecurityLevel.PRIVACY_AND_INTEGRITY;
        }

        @Override
        public String getAuthority() {
            return authority();
        }

        @Override
        public Attributes getTransportAttrs() {
            return to.attributes();
        }
    }
}
