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
     * Fed by the loop only. `queue`, `scheduled`, `wanted` and `runner` are guarded by `queue`; `listener`, `over` belong to
     * whoever dispatches, which `scheduled` hands from thread to thread. No callback runs under the lock.
     *
     * A call whose client sends one message has it fetched ahead, and held here until the application asks: so a unary
     * call needs no hop back to the loop between start and message.
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
    private boolean over;

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
        if (runsOn != null && fetchAhead) {
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
        tell(COMPLETE);
    }

    void cancel(Status status) {
        if (executor == null) {
            tell(new Cancel(status));
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
        tell(new Cancel(status));
    }

    private void tell(Object event) {
        if (executor == null) {
            call.inContext(() -> dispatch(event));
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
        if (executor == null || !fetchAhead) {
            return false;
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

    // ---- dispatch

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
                    if (event instanceof MessageBytes) {
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
                case MessageBytes message ->
                    listening().onMessage(call.getMethodDescriptor().parseRequest(message));
                case Metadata headers -> {
                    listener = call.startHandler(headers);
                    listener.onReady();
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
                        listening().onHalfClose();
                    } else if (event == READY) {
                        listening().onReady();
                    } else {
                        over = true;
                        try {
                            listening().onComplete();
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

    private ServerCall.Listener<Q> listening() {
        ServerCall.Listener<Q> l = listener;
        if (l == null) {
            throw new IllegalStateException("the call's handler gave no listener");
        }
        return l;
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
