package dev.caisson.rpc;

import dev.caisson.scope.Kind;
import dev.caisson.scope.LazyScope;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a server's call, told to its listener one event after another: where the call runs inline, on the loop
 * and at once; otherwise from a queue, by one thread of the executor at a time.
 *
 * <p>Guarantees: start comes first; messages come in order and never more than were asked for; half-close follows the last
 * message; after cancel or complete nothing comes, and exactly one of the two does.
 */
final class CallEvents<Q, R> extends LazyScope implements Runnable {
    /*
     * Fed by the loop only. With an executor, `queue`, `scheduled`, `wanted` and `runner` are guarded by `queue`; `listener`
     * and `over` belong to whoever dispatches, which `scheduled` hands from thread to thread. No callback runs under the
     * lock. Inline, all of it is the loop's, and `scheduled` says that it dispatches just now.
     *
     * A call whose client sends one message has it fetched ahead, and held here until the application asks: so a unary
     * call needs no hop back to the loop between start and message. Inline it starts when the request is whole, so that
     * start, message, half-close and completion enter the call's context and scope once.
     */
    private static final System.Logger LOG = System.getLogger(CallEvents.class.getName());
    private static final Object HALF_CLOSE = new Object();
    private static final Object READY = new Object();
    private static final Object COMPLETE = new Object();

    private record Cancel(Status status) {}

    private final ServerStreamCall<Q, R> call;
    private final ServerStream stream;
    private final boolean fetchAhead;
    private @Nullable Executor executor;
    private final ArrayDeque<Object> queue = new ArrayDeque<>(4);
    private boolean scheduled;
    private boolean startsWithBurst;
    private int wanted;
    private @Nullable Thread runner;
    private ServerCall.@Nullable Listener<Q> listener;
    private boolean started;
    private boolean over;
    private final Runnable dispatchAll = this::dispatchAll;

    CallEvents(ServerStreamCall<Q, R> call, ServerStream stream) {
        this.call = call;
        this.stream = stream;
        this.fetchAhead = call.getMethodDescriptor().getType().clientSendsOneMessage();
    }

    boolean inline() {
        return executor == null;
    }

    // ---- from the loop

    void start(@Nullable Executor runsOn, Metadata headers) {
        executor = runsOn;
        if (fetchAhead) {
            stream.request(2); // a second one, if it comes, is the client's error and must be seen
        }
        tell(headers);
    }

    void message(MessageBytes message) {
        tell(message);
    }

    void halfClose() {
        tell(HALF_CLOSE);
    }

    void ready() {
        tell(READY);
    }

    void complete() {
        last(COMPLETE);
    }

    /** After the end nothing else matters, a message that nobody asked for least of all. */
    private void last(Object event) {
        if (executor == null) {
            queue.clear();
        } else {
            synchronized (queue) {
                queue.clear();
            }
        }
        tell(event);
    }

    void cancel(Status status) {
        if (executor == null) {
            last(new Cancel(status));
            return;
        }
        // Whoever runs the handler may be busy, or wait for just this: the context is cancelled beside it.
        stream.owner().server().offload(() -> call.cancelContext(status));
        if (stream.owner().server().options().interruptHandlers()) {
            synchronized (queue) {
                if (runner != null) {
                    runner.interrupt();
                }
            }
        }
        last(new Cancel(status));
    }

    private void tell(Object event) {
        if (executor == null) {
            queue.add(event);
            boolean incomplete = fetchAhead && !started && (event instanceof Metadata || event instanceof MessageBytes);
            if (!scheduled && !incomplete) {
                drainInline();
            }
            return;
        }
        synchronized (queue) {
            queue.add(event);
            if (scheduled || startsWithBurst) {
                return;
            }
            startsWithBurst = true;
        }
        stream.owner().afterBurst(this::schedule);
    }

    /** Once per read burst, so that a thread that starts finds all that came. */
    private void schedule() {
        synchronized (queue) {
            startsWithBurst = false;
            if (scheduled || queue.isEmpty()) {
                return;
            }
            scheduled = true;
        }
        execute();
    }

    private void execute() {
        Executor e = executor;
        if (e == null) {
            throw new IllegalStateException("an inline call has no executor");
        }
        stream.owner().server().handlerStarts();
        try {
            e.execute(this);
        } catch (RejectedExecutionException rejected) {
            stream.owner().server().handlerEnds();
            synchronized (queue) {
                queue.clear();
            }
            call.fail(Status.UNAVAILABLE
                    .withDescription("the server's executor takes no more work")
                    .withCause(rejected));
        }
    }

    // ---- from the application

    /** Counts what the application asked for. True if the call's messages are held here and not on the loop. */
    boolean want(int n) {
        if (!fetchAhead) {
            return false;
        }
        if (executor == null) {
            wantInline(n);
            return true;
        }
        synchronized (queue) {
            wanted = wanted + n < 0 ? Integer.MAX_VALUE : wanted + n;
            if (scheduled || queue.isEmpty()) {
                return true;
            }
            scheduled = true;
        }
        execute();
        return true;
    }

    private void wantInline(int n) {
        Connection connection = stream.owner();
        if (!connection.inBurst()) {
            connection.submit(new Connection.Task() {
                @Override
                void run(boolean open) {
                    if (open) {
                        wantInline(n);
                    }
                }
            });
            return;
        }
        wanted = wanted + n < 0 ? Integer.MAX_VALUE : wanted + n;
        if (!scheduled && !queue.isEmpty()) {
            drainInline();
        }
    }

    // ---- dispatch

    private void drainInline() {
        scheduled = true;
        try {
            call.inContext(dispatchAll);
        } finally {
            scheduled = false;
        }
    }

    private void dispatchAll() {
        for (Object event = queue.peek(); event != null; event = queue.peek()) {
            if (event instanceof MessageBytes && fetchAhead) {
                if (wanted == 0) {
                    return;
                }
                wanted--;
            }
            queue.poll();
            dispatch(event);
        }
    }

    @Override
    public void run() {
        try {
            call.inContext(this::drain);
        } finally {
            stream.owner().server().handlerEnds();
        }
    }

    private void drain() {
        synchronized (queue) {
            runner = Thread.currentThread();
        }
        while (true) {
            Object event;
            synchronized (queue) {
                event = queue.peek();
                if (event == null || event instanceof MessageBytes && fetchAhead && wanted == 0) {
                    if (event == null && !over && listener != null && call.repliedWhole()) {
                        event = COMPLETE; // told by the thread that replied, not by another one later
                    } else {
                        scheduled = false;
                        runner = null;
                        return;
                    }
                } else {
                    queue.poll();
                    if (event instanceof MessageBytes && fetchAhead) {
                        wanted--;
                    }
                }
            }
            dispatch(event);
        }
    }

    private void dispatch(Object event) {
        if (over) {
            return;
        }
        try {
            switch (event) {
                case MessageBytes message -> {
                    if (listener != null) { // null: the handler failed to start, and the call is being closed
                        listener.onMessage(call.getMethodDescriptor().parseRequest(message));
                    }
                }
                case Metadata headers -> {
                    started = true;
                    ServerCall.Listener<Q> l = call.startHandler(headers);
                    listener = l;
                    l.onReady();
                }
                case Cancel cancel -> {
                    over = true;
                    try {
                        if (listener != null) {
                            listener.onCancel();
                        }
                    } finally {
                        call.cancelContext(cancel.status());
                    }
                }
                default -> {
                    if (event == HALF_CLOSE) {
                        if (listener != null) {
                            listener.onHalfClose();
                        }
                    } else if (event == READY) {
                        if (listener != null) {
                            listener.onReady();
                        }
                    } else {
                        over = true;
                        try {
                            if (listener != null) {
                                listener.onComplete();
                            }
                        } finally {
                            call.endContext();
                        }
                    }
                }
            }
        } catch (Throwable t) {
            failed(t);
        }
    }

    /** The handler threw: the peer learns that, and no more (gRPC's rule), the log learns all. */
    private void failed(Throwable t) {
        if (over) {
            LOG.log(Level.WARNING, () -> stream.describe() + ": the listener failed after the end of the call", t);
            return;
        }
        Status status = Status.fromThrowable(t);
        if (t instanceof io.grpc.StatusRuntimeException && status.getCode() == Status.Code.INTERNAL) {
            LOG.log(Level.DEBUG, () -> stream.describe() + ": the message could not be read", t);
            call.fail(status);
            return;
        }
        LOG.log(Level.WARNING, () -> stream.describe() + ": the handler threw", t);
        Metadata trailers = Status.trailersFromThrowable(t);
        call.fail(
                Status.UNKNOWN
                        .withDescription("Application error processing RPC")
                        .withCause(t),
                trailers == null ? new Metadata() : trailers);
    }

    // ---- the call's scope, made when somebody asks for it

    @Override
    protected Scope parent() {
        return stream.owner().scope();
    }

    @Override
    protected String scopeName() {
        return stream.describe();
    }

    @Override
    protected ScopeOptions options() {
        ScopeOptions options = ScopeOptions.defaults().kind(CALL).carrier(ContextCarrier.INSTANCE);
        Deadline deadline = call.deadline();
        return deadline == null
                ? options
                : options.timeout(Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    }

    private static final Kind CALL = Kind.of("call-scope", Origins.OFF);
}
