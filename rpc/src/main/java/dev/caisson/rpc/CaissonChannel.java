package dev.caisson.rpc;

import dev.caisson.scope.CloseReport;
import dev.caisson.scope.Closer;
import dev.caisson.scope.Drainable;
import dev.caisson.scope.Kind;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A channel to a target; made by {@link CaissonChannelBuilder}.
 *
 * <p>Its scope owns its connections and timers, and ends when the channel has terminated. A scope that closes ends the
 * channel at once, and its calls with UNAVAILABLE; one that drains first lets the calls finish. A channel that is dropped
 * without being shut down is found by the garbage collector when no call is in flight, reported once with the stack that
 * made it, and shut down.
 *
 * <p>Thread-safe.
 */
public final class CaissonChannel extends ManagedChannel implements Drainable {
    /* This is the handle: the user and calls in flight hold it, the core does not, until shutdown() was called. Its scope's
     * handle is held here only, so that the scope's safety net sees this object go.
     *
     *   unowned root ──► scope "channel" (handle: here) ──► scope "connections" (handle: the core's), look-ups included
     */

    static final Kind KIND = Kind.of("channel", Origins.ALWAYS);
    static final Kind CONNECTION = Kind.of("connection", Origins.OFF);
    static final Kind CONNECTIONS = Kind.of("connections", Origins.OFF);
    private static final Kind ENGINE = Kind.of("channel engine", Origins.OFF);

    private final ChannelCore core;
    private final Ending ending;
    private final Scope scope;
    private final Channel intercepted;

    private CaissonChannel(ChannelCore core, Ending ending, Scope scope, List<ClientInterceptor> interceptors) {
        this.core = core;
        this.ending = ending;
        this.scope = scope;
        this.intercepted = ClientInterceptors.intercept(new Direct(this), interceptors);
    }

    /**
     * Opens a channel; it connects with the first call. What was taken is given back if it fails half-way.
     *
     * @param owner the scope that owns it; null for a root of its own
     * @throws IllegalArgumentException if nobody resolves the target, saying why
     * @throws dev.caisson.scope.ScopeClosedException if the owner is closed
     */
    static CaissonChannel open(
            String target, ChannelSettings settings, List<ClientInterceptor> interceptors, @Nullable Scope owner) {
        EventLoops.Lease loops = EventLoops.acquire();
        Scope root = null;
        Scope scope = null;
        boolean opened = false;
        try {
            Scope parent = owner;
            if (parent == null) {
                root = Scope.open("unowned channels");
                parent = root;
            }
            scope = parent.child(target, ScopeOptions.defaults().kind(KIND).closeWhenDropped(true));
            Ending ending = new Ending(loops, root);
            ChannelCore core = new ChannelCore(target, settings, outside(settings, loops, scope, ending));
            scope.hold(ENGINE, target, core, new Engine(ending));
            CaissonChannel channel = new CaissonChannel(core, ending, scope, interceptors);
            opened = true;
            return channel;
        } finally {
            if (!opened) {
                giveBack(scope, root, loops);
            }
        }
    }

    private static void giveBack(@Nullable Scope scope, @Nullable Scope root, EventLoops.Lease loops) {
        if (scope != null) {
            scope.close();
        }
        if (root != null) {
            root.close();
        }
        loops.close();
    }

    private static ChannelCore.Outside outside(
            ChannelSettings settings, EventLoops.Lease loops, Scope scope, Ending ending) {
        Scope connections = scope.child("connections", ScopeOptions.defaults().kind(CONNECTIONS));
        return new ChannelCore.Outside(
                loops.group().next(),
                System::nanoTime,
                () -> ThreadLocalRandom.current().nextDouble(),
                new Connections(loops, connections),
                settings.executor() == null ? CaissonChannel::callBack : settings.executor(),
                settings.offloadExecutor() == null ? connections.executor() : settings.offloadExecutor(),
                ending::terminated);
    }

    /** Tells a state to somebody who asked, also when the scope is closing and takes no tasks. */
    private static void callBack(Runnable told) {
        Thread.ofVirtual().name("caisson-channel").start(told);
    }

    /** Makes connections; each is held by the channel's scope until it has ended. */
    private record Connections(EventLoops.Lease loops, Scope scope) implements ChannelCore.TransportFactory {
        @Override
        public Transport transport(ChannelCore core, Subchannel.Address address) {
            return new ClientConnection(core, address, loops.group().next(), loops.clientChannel(), scope);
        }
    }

    /** How the channel's scope ends its engine. Knows nothing of the handle. */
    private record Engine(Ending ending) implements Closer<ChannelCore> {
        @Override
        public void drain(ChannelCore core, Duration within) throws InterruptedException {
            core.shutdown();
            ending.quiet.await(within.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void close(ChannelCore core, Duration within) throws InterruptedException {
            ending.byScope = true;
            core.shutdownNow();
            ending.quiet.await(within.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** What is left to do when the last connection has ended: away from the loops, because it may join them. */
    private static final class Ending {
        /** Counted down when calls, connections and the lease on the loops are gone, before the scopes are closed. */
        final CountDownLatch quiet = new CountDownLatch(1);

        final CountDownLatch done = new CountDownLatch(1);
        private final EventLoops.Lease loops;
        private final @Nullable Scope root;
        private volatile @Nullable Scope channel;

        /** The scope is closing and ends the channel, not the other way round. */
        volatile boolean byScope;

        Ending(EventLoops.Lease loops, @Nullable Scope root) {
            this.loops = loops;
            this.root = root;
        }

        /** From now on the channel's end is under way, and its handle may be dropped without being missed. */
        void begun(Scope scope) {
            channel = scope;
        }

        void terminated() {
            Thread.ofVirtual().name("caisson-channel-end").start(() -> {
                try {
                    loops.close();
                    quiet.countDown();
                    Scope own = channel;
                    if (own != null && !byScope) {
                        logIfNotClean(own.close(ScopeOptions.CLOSE_WITHIN));
                    }
                    if (root != null) {
                        logIfNotClean(root.close(ScopeOptions.CLOSE_WITHIN));
                    }
                } finally {
                    quiet.countDown();
                    channel = null;
                    done.countDown();
                }
            });
        }
    }

    private static void logIfNotClean(CloseReport report) {
        if (!report.clean()) {
            System.getLogger(CaissonChannel.class.getName()).log(System.Logger.Level.WARNING, report.toString());
        }
    }

    /** The channel without its interceptors. */
    private static final class Direct extends Channel {
        private final CaissonChannel channel;

        Direct(CaissonChannel channel) {
            this.channel = channel;
        }

        @Override
        public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
            return new ChannelCall<>(channel, channel.core, method, options);
        }

        @Override
        public String authority() {
            return channel.core.authority();
        }
    }

    ChannelCore core() {
        return core;
    }

    @Override
    public <Q, R> ClientCall<Q, R> newCall(MethodDescriptor<Q, R> method, CallOptions options) {
        return intercepted.newCall(method, options);
    }

    @Override
    public String authority() {
        return core.authority();
    }

    /** Takes no new calls; those that are open go on. Returns at once; {@link #awaitTermination} waits. */
    @Override
    public CaissonChannel shutdown() {
        ending.begun(scope);
        core.shutdown();
        return this;
    }

    /** Ends all calls with UNAVAILABLE. Returns at once; {@link #awaitTermination} waits. */
    @Override
    public CaissonChannel shutdownNow() {
        ending.begun(scope);
        core.shutdownNow();
        return this;
    }

    @Override
    public boolean isShutdown() {
        return core.isShutdown();
    }

    @Override
    public boolean isTerminated() {
        // Not `done`: a scope that closes returns when its engine is quiet, and the channel must say so then.
        return ending.quiet.getCount() == 0;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return ending.done.await(timeout, unit);
    }

    @Override
    public ConnectivityState getState(boolean requestConnection) {
        return core.state(requestConnection);
    }

    @Override
    public void notifyWhenStateChanged(ConnectivityState source, Runnable callback) {
        core.whenStateChanged(source, callback);
    }

    @Override
    public void resetConnectBackoff() {
        core.resetBackoff();
    }

    @Override
    public void enterIdle() {
        core.enterIdle();
    }

    /** Takes no new calls and waits for those that are open. */
    @Override
    public void drain(Duration within) throws InterruptedException {
        shutdown();
        ending.quiet.await(within.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Ends all calls with UNAVAILABLE and waits until nothing is left, at most ten seconds. */
    @Override
    public void close() {
        shutdownNow();
        boolean interrupted = false;
        long deadline = System.nanoTime() + ScopeOptions.CLOSE_WITHIN.toNanos();
        while (true) {
            try {
                var _ = ending.done.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return core.toString();
    }
}
