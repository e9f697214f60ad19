package dev.caisson.rpc;

import io.grpc.ChannelLogger;
import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext;
import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a channel: resolves its target, keeps connections through a balancer, and gives each call to one.
 *
 * <pre>
 *            a call, or getState(true)           resolved, connected
 *   IDLE ────────────────────────────► CONNECTING ──────────────► READY
 *    ▲  ▲                                 │  ▲                      │
 *    │  │ no call for the idle time       ▼  │ back-off is over     │ connection lost: IDLE (pick_first)
 *    │  └─ any of them             TRANSIENT_FAILURE                │ or CONNECTING (round_robin)
 *    └──────────────────────────────────────────────────────────────┘
 *   any ── shutdown ──► SHUTDOWN ── last call and connection ended ──► terminated
 * </pre>
 *
 * <p>Timers and connections hold the core; only calls in flight and the user hold the channel, its handle.
 */
final class ChannelCore implements Balancer.Host {
    /* What changes is confined to `sync`, but for:
     *   picker, state, config, shutdown, dead: volatile, written in sync (picker under `pending` too)
     *   pending: its own monitor; no callback and no dispatch happens under it
     */

    private static final System.Logger LOG = System.getLogger(ChannelCore.class.getName());

    /** Calls that wait for a connection; one more fails with RESOURCE_EXHAUSTED. */
    static final int MAX_PENDING_CALLS = 65_536;

    /** Makes a transport to an address; nothing happens before its start. */
    @FunctionalInterface
    interface TransportFactory {
        Transport transport(ChannelCore core, Subchannel.Address address);
    }

    /** Where time, chance and connections come from, and what happens at the end. */
    record Outside(
            ScheduledExecutorService timers,
            LongSupplier clock,
            DoubleSupplier chance,
            TransportFactory transports,
            Executor callbacks,
            Executor offload,
            Runnable onTerminated) {}

    final String target;
    final ChannelSettings settings;
    final Outside outside;
    private final SynchronizationContext sync;
    private final NameResolver.Args resolverArgs;
    private final String authority;
    private final Set<ChannelCall<?, ?>> pending = new LinkedHashSet<>();
    final Gathering gathering;
    /** What the channel's calls have sent and no peer has taken, be it on a connection or before there is one. */
    final Unsent unsent;

    private final Set<Transport> transports = new LinkedHashSet<>();
    private final List<Runnable> stateListeners = new ArrayList<>();

    private volatile Picker picker = Picker.idlePicker();
    private volatile ConnectivityState state = ConnectivityState.IDLE;
    private volatile ServiceConfig config = ServiceConfig.EMPTY;
    private volatile boolean shutdown;
    private volatile @Nullable Status dead;
    private final AtomicLong keepAliveNanos;

    private @Nullable NameResolver resolver;
    private boolean resolving;
    private @Nullable Balancer balancer;
    private String policy = "";
    private @Nullable ScheduledFuture<?> idleTimer;
    private @Nullable ScheduledFuture<?> resolverRetry;
    private final Backoff resolverBackoff;
    private long activeSinceNanos;
    private boolean terminated;

    /** @throws IllegalArgumentException if nobody resolves the target, saying why */
    ChannelCore(String target, ChannelSettings settings, Outside outside) {
        this.target = target;
        this.settings = settings;
        this.outside = outside;
        this.config = settings.defaultConfig();
        this.keepAliveNanos = new AtomicLong(settings.keepAliveNanos());
        this.unsent = new Unsent(settings.unsent(), "the channel");
        this.gathering = new Gathering(outside.timers());
        this.resolverBackoff = new Backoff(outside.chance());
        this.sync = new SynchronizationContext((thread, e) -> failed(e));
        this.resolverArgs = resolverArgs();
        NameResolver first = newResolver();
        this.resolver = first;
        String override = settings.authority();
        this.authority = override == null ? first.getServiceAuthority() : override;
    }

    private void failed(Throwable e) {
        LOG.log(
                System.Logger.Level.ERROR,
                "channel " + target + ": unexpected error, calls may be stuck; please report",
                e);
        publish(
                ConnectivityState.TRANSIENT_FAILURE,
                Picker.failing(Status.INTERNAL
                        .withDescription("channel " + target + ": unexpected error in the channel")
                        .withCause(e)));
    }

    private NameResolver.Args resolverArgs() {
        NameResolver.Args.Builder args = NameResolver.Args.newBuilder()
                .setDefaultPort(settings.defaultPort())
                .setProxyDetector(address -> null)
                .setSynchronizationContext(sync)
                .setScheduledExecutorService(Executors.unconfigurableScheduledExecutorService(outside.timers()))
                .setServiceConfigParser(new NameResolver.ServiceConfigParser() {
                    @Override
                    public NameResolver.ConfigOrError parseServiceConfig(Map<String, ?> json) {
                        try {
                            return NameResolver.ConfigOrError.fromConfig(ServiceConfig.parse(json));
                        } catch (RuntimeException e) {
                            return NameResolver.ConfigOrError.fromError(Status.UNAVAILABLE
                                    .withDescription(e.getMessage())
                                    .withCause(e));
                        }
                    }
                })
                .setChannelLogger(new Log(target))
                .setOffloadExecutor(outside.offload())
                .setNameResolverRegistry(settings.resolvers());
        String override = settings.authority();
        if (override != null) {
            args.setOverrideAuthority(override);
        }
        settings.resolverArgs().forEach((key, value) -> setArg(args, key, value));
        return args.build();
    }

    @SuppressWarnings("unchecked") // the builder took key and value of one type
    private static <T> void setArg(NameResolver.Args.Builder args, NameResolver.Args.Key<T> key, Object value) {
        args.setArg(key, (T) value);
    }

    private NameResolver newResolver() {
        return Resolvers.resolver(target, settings, resolverArgs, outside.offload());
    }

    String authority() {
        return authority;
    }

    ServiceConfig config() {
        return config;
    }

    boolean isShutdown() {
        return shutdown;
    }

    /** How long a connection made now may be silent before it is asked for a sign of life. */
    long keepAliveNanos() {
        return keepAliveNanos.get();
    }

    /**
     * A server ended a connection whose keep-alive was {@code nanos}: it takes pings for a nuisance. Later connections ask half
     * as often (gRFC A8). Any thread.
     */
    void tooManyPings(long nanos) {
        long doubled = Math.max(nanos, 2 * nanos);
        if (keepAliveNanos.compareAndSet(nanos, doubled)) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "channel {0}: the server says too_many_pings; keepAliveTime is {1} ms from now on",
                    target,
                    TimeUnit.NANOSECONDS.toMillis(doubled));
        }
    }

    // ---- calls

    /** Gives the call to a transport, or keeps it until there is one, or fails it. Any thread. */
    void dispatch(ChannelCall<?, ?> call) {
        while (true) {
            Picker p = picker;
            Transport transport = p.pick();
            if (transport != null) {
                call.attach(transport);
                return;
            }
            Status end = dead;
            if (end != null) {
                call.fail(end);
                return;
            }
            Status failure = p.failure();
            if (failure != null && !call.waitsForReady()) {
                call.fail(failure);
                return;
            }
            boolean room;
            synchronized (pending) {
                if (!same(p, picker) || dead != null) {
                    continue;
                }
                room = pending.size() < MAX_PENDING_CALLS;
                if (room) {
                    pending.add(call);
                }
            }
            if (!room) {
                call.fail(Status.RESOURCE_EXHAUSTED.withDescription("channel " + target + ": " + MAX_PENDING_CALLS
                        + " calls wait for a connection already; it is " + state));
                return;
            }
            call.pending();
            if (p.idle()) {
                sync.execute(this::leaveIdle);
            }
            return;
        }
    }

    /** Forgets a call that waits; it ended otherwise. Any thread. */
    void forget(ChannelCall<?, ?> call) {
        synchronized (pending) {
            if (!pending.remove(call) || !pending.isEmpty()) {
                return;
            }
        }
        if (shutdown) {
            sync.execute(this::endIfDone);
        }
    }

    /** Dispatches again a call whose transport did not take it, after what the transport told the channel before. */
    void redispatch(ChannelCall<?, ?> call) {
        sync.execute(() -> dispatch(call));
    }

    /** A call's deadline while it is on no transport. */
    ScheduledFuture<?> timer(long nanos, Runnable task) {
        return outside.timers().schedule(task, Math.max(0, nanos), TimeUnit.NANOSECONDS);
    }

    @SuppressWarnings("ReferenceEquality") // a picker is a snapshot; another one means that something changed
    private static boolean same(Picker a, Picker b) {
        return a == b;
    }

    @Override
    public void publish(ConnectivityState newState, Picker newPicker) {
        if (dead != null) {
            return;
        }
        Picker told = newPicker.failure() == null ? newPicker : Picker.failing(explained(newPicker.failure()));
        List<ChannelCall<?, ?>> waiting = List.of();
        synchronized (pending) {
            picker = told;
            if (!pending.isEmpty() && (newState == ConnectivityState.READY || told.failure() != null)) {
                waiting = new ArrayList<>(pending);
                pending.clear();
            }
        }
        state(newState);
        waiting.forEach(this::dispatch);
        boolean stillPending;
        synchronized (pending) {
            stillPending = !pending.isEmpty();
        }
        if (told.idle() && stillPending) {
            sync.execute(this::leaveIdle);
        }
        endIfDone();
    }

    private Status explained(Status failure) {
        String reason = failure.getDescription();
        Throwable cause = failure.getCause();
        return Status.UNAVAILABLE
                .withDescription("cannot reach " + target + ": " + (reason == null ? failure.getCode() : reason))
                .withCause(cause);
    }

    // ---- states

    ConnectivityState state(boolean connect) {
        if (connect && !shutdown) {
            sync.execute(this::leaveIdle);
        }
        return state;
    }

    void whenStateChanged(ConnectivityState from, Runnable callback) {
        sync.execute(() -> {
            if (state != from) {
                outside.callbacks().execute(callback);
            } else {
                stateListeners.add(callback);
            }
        });
    }

    private void state(ConnectivityState newState) {
        ConnectivityState visible = shutdown ? ConnectivityState.SHUTDOWN : newState;
        if (state == visible || state == ConnectivityState.SHUTDOWN) {
            return;
        }
        state = visible;
        List<Runnable> listeners = List.copyOf(stateListeners);
        stateListeners.clear();
        listeners.forEach(outside.callbacks()::execute);
    }

    void resetBackoff() {
        sync.execute(() -> {
            if (dead != null) {
                return;
            }
            resolverBackoff.reset();
            stopResolverRetry();
            refresh();
            if (balancer != null) {
                balancer.resetBackoff();
            }
        });
    }

    void enterIdle() {
        sync.execute(this::idle);
    }

    private void idle() {
        if (shutdown || !resolving) {
            return;
        }
        stopIdleTimer();
        stopResolver();
        stopBalancer(Status.UNAVAILABLE.withDescription("the channel is idle"));
        publish(ConnectivityState.IDLE, Picker.idlePicker());
    }

    private void leaveIdle() {
        if (dead != null) {
            return;
        }
        if (!resolving) {
            activeSinceNanos = outside.clock().getAsLong();
            resolving = true;
            publish(ConnectivityState.CONNECTING, Picker.queue());
            startResolver();
            armIdleTimer(settings.idleTimeoutNanos());
        } else if (balancer != null) {
            balancer.connect();
        }
    }

    private void armIdleTimer(long nanos) {
        if (settings.idleTimeoutNanos() != Long.MAX_VALUE && !shutdown) {
            idleTimer = after(nanos, this::idleIfUnused);
        }
    }

    private void stopIdleTimer() {
        if (idleTimer != null) {
            idleTimer.cancel(false);
            idleTimer = null;
        }
    }

    private void idleIfUnused() {
        if (idleTimer == null || shutdown) {
            return;
        }
        long now = outside.clock().getAsLong();
        long unused = now - activeSinceNanos;
        boolean used;
        synchronized (pending) {
            used = !pending.isEmpty();
        }
        for (Transport transport : transports) {
            used |= transport.calls() > 0;
            unused = Math.min(unused, now - transport.freeSinceNanos());
        }
        long left = settings.idleTimeoutNanos() - unused;
        if (used || left > 0) {
            armIdleTimer(used ? settings.idleTimeoutNanos() : left);
        } else {
            idle();
        }
    }

    // ---- resolution

    private void startResolver() {
        NameResolver r = resolver;
        if (r == null) {
            r = newResolver();
            resolver = r;
        }
        NameResolver started = r;
        started.start(new NameResolver.Listener2() {
            @Override
            public void onResult(NameResolver.ResolutionResult result) {
                sync.execute(() -> {
                    var _ = onResult2(result);
                });
            }

            @Override
            public Status onResult2(NameResolver.ResolutionResult result) {
                return same(started) ? resolved(result) : Status.OK;
            }

            @Override
            public void onError(Status error) {
                sync.execute(() -> {
                    if (same(started)) {
                        unresolved(error);
                    }
                });
            }

            @SuppressWarnings("ReferenceEquality") // is it the resolver we have now?
            private boolean same(NameResolver other) {
                return resolver == other && resolving;
            }
        });
    }

    private void stopResolver() {
        resolving = false;
        stopResolverRetry();
        if (resolver != null) {
            resolver.shutdown();
            resolver = null;
        }
    }

    private void stopResolverRetry() {
        if (resolverRetry != null) {
            resolverRetry.cancel(false);
            resolverRetry = null;
        }
    }

    @Override
    public void refresh() {
        if (resolving && resolver != null && resolverRetry == null) {
            resolver.refresh();
        }
    }

    private Status resolved(NameResolver.ResolutionResult result) {
        StatusOr<List<EquivalentAddressGroup>> addresses = result.getAddressesOrError();
        if (!addresses.hasValue()) {
            return unresolved(addresses.getStatus());
        }
        List<EquivalentAddressGroup> groups = addresses.getValue();
        if (groups.isEmpty()) {
            return unresolved(Status.UNAVAILABLE.withDescription("the name resolver found no address"));
        }
        NameResolver.ConfigOrError given = settings.lookUpServiceConfig() ? result.getServiceConfig() : null;
        if (given == null) {
            config = settings.defaultConfig();
        } else if (given.getConfig() instanceof ServiceConfig parsed) {
            config = parsed;
        } else if (given.getError() != null && balancer == null) {
            return unresolved(Status.UNAVAILABLE
                    .withDescription(String.valueOf(given.getError().getDescription()))
                    .withCause(given.getError().getCause()));
        }
        stopResolverRetry();
        resolverBackoff.reset();
        return balance(groups);
    }

    private Status balance(List<EquivalentAddressGroup> groups) {
        String asked = config.policy();
        String wanted = asked == null ? settings.policy() : asked;
        if (!ServiceConfig.POLICIES.contains(wanted)) {
            stopBalancer(Status.UNAVAILABLE.withDescription("the balancing policy changed"));
            Status unknown = Status.UNAVAILABLE.withDescription("unknown balancing policy \"" + wanted
                    + "\"; built in are "
                    + String.join(
                            " and ", ServiceConfig.POLICIES.stream().sorted().toList()));
            publish(ConnectivityState.TRANSIENT_FAILURE, Picker.failing(unknown));
            return unknown;
        }
        Balancer current = balancer;
        if (current == null || !policy.equals(wanted)) {
            stopBalancer(Status.UNAVAILABLE.withDescription("the balancing policy changed"));
            current = Balancer.of(wanted, new Guard());
            balancer = current;
            policy = wanted;
        }
        current.addresses(groups);
        return Status.OK;
    }

    private Status unresolved(Status error) {
        if (balancer == null) {
            publish(ConnectivityState.TRANSIENT_FAILURE, Picker.failing(error));
        } else {
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "channel {0}: keeps its addresses, resolving failed: {1}",
                    target,
                    error);
        }
        if (!(resolver instanceof DnsResolver) && resolving && resolverRetry == null) {
            resolverRetry = after(resolverBackoff.nextNanos(), () -> {
                resolverRetry = null;
                refresh();
            });
        }
        return error;
    }

    private void stopBalancer(Status why) {
        Balancer old = balancer;
        balancer = null;
        if (old != null) {
            old.shutdown(why);
        }
    }

    /** What a balancer sees of the channel: nothing any more once another one took its place. */
    private final class Guard implements Balancer.Host {
        @SuppressWarnings("ReferenceEquality")
        private boolean current() {
            Balancer b = balancer;
            return b == null || b.host == this;
        }

        @Override
        public void publish(ConnectivityState newState, Picker newPicker) {
            if (current() && resolving) {
                ChannelCore.this.publish(newState, newPicker);
            }
        }

        @Override
        public void refresh() {
            if (current()) {
                ChannelCore.this.refresh();
            }
        }

        @Override
        public int random(int bound) {
            return ChannelCore.this.random(bound);
        }

        @Override
        public Transport transport(Subchannel.Address address) {
            return ChannelCore.this.transport(address);
        }

        @Override
        public ScheduledFuture<?> after(long nanos, Runnable task) {
            return ChannelCore.this.after(nanos, task);
        }

        @Override
        public void execute(Runnable task) {
            ChannelCore.this.execute(task);
        }

        @Override
        public long nanoTime() {
            return ChannelCore.this.nanoTime();
        }

        @Override
        public Backoff newBackoff() {
            return ChannelCore.this.newBackoff();
        }
    }

    // ---- what balancers need

    @Override
    public int random(int bound) {
        return Math.min(bound - 1, (int) (outside.chance().getAsDouble() * bound));
    }

    @Override
    public Transport transport(Subchannel.Address address) {
        Transport made = new Tracked(outside.transports().transport(this, address));
        transports.add(made);
        return made;
    }

    @Override
    public ScheduledFuture<?> after(long nanos, Runnable task) {
        return outside.timers().schedule(() -> sync.execute(task), nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void execute(Runnable task) {
        sync.execute(task);
    }

    @Override
    public long nanoTime() {
        return outside.clock().getAsLong();
    }

    @Override
    public Backoff newBackoff() {
        return new Backoff(outside.chance());
    }

    // ---- the end

    /** Takes no new calls; those that are open or wait go on. Idempotent, any thread. */
    void shutdown() {
        shutdown = true;
        sync.execute(() -> {
            stopIdleTimer();
            state(ConnectivityState.SHUTDOWN);
            endIfDone();
        });
    }

    /** Ends all calls. Idempotent, any thread. */
    void shutdownNow() {
        shutdown();
        sync.execute(() -> {
            Status why = Status.UNAVAILABLE.withDescription("channel " + target + ": shutdownNow was called");
            die(why);
            List.copyOf(transports).forEach(transport -> transport.shutdownNow(why));
            endIfDone();
        });
    }

    private void die(Status why) {
        if (dead == null) {
            List<ChannelCall<?, ?>> waiting;
            synchronized (pending) {
                dead = why;
                picker = Picker.failing(why);
                waiting = new ArrayList<>(pending);
                pending.clear();
            }
            stopResolver();
            stopBalancer(why);
            waiting.forEach(call -> call.fail(why));
        }
    }

    private void endIfDone() {
        if (!shutdown) {
            return;
        }
        synchronized (pending) {
            if (!pending.isEmpty()) {
                return;
            }
        }
        die(Status.UNAVAILABLE.withDescription("channel " + target + " is shut down"));
        if (transports.isEmpty() && !terminated) {
            terminated = true;
            outside.onTerminated().run();
        }
    }

    /** A transport that the channel counts until it has terminated. */
    private final class Tracked implements Transport {
        private final Transport transport;

        Tracked(Transport transport) {
            this.transport = transport;
        }

        @Override
        public void start(Listener listener) {
            transport.start(new Listener() {
                @Override
                public void ready() {
                    listener.ready();
                }

                @Override
                public void draining(Status why) {
                    listener.draining(why);
                }

                @Override
                public void terminated(Status why) {
                    listener.terminated(why);
                    sync.execute(() -> {
                        transports.remove(Tracked.this);
                        endIfDone();
                    });
                }
            });
        }

        @Override
        public Attempt attempt(ChannelCall<?, ?> call) {
            return transport.attempt(call);
        }

        @Override
        public io.grpc.Attributes attributes() {
            return transport.attributes();
        }

        @Override
        public void shutdown(Status why) {
            transport.shutdown(why);
        }

        @Override
        public void shutdownNow(Status why) {
            transport.shutdownNow(why);
        }

        @Override
        public int calls() {
            return transport.calls();
        }

        @Override
        public long freeSinceNanos() {
            return transport.freeSinceNanos();
        }
    }

    @Override
    public String toString() {
        return "channel " + target + " " + state;
    }

    /** What name resolvers log. */
    private static final class Log extends ChannelLogger {
        private final String target;

        Log(String target) {
            this.target = target;
        }

        @Override
        public void log(ChannelLogLevel level, String message) {
            LOG.log(
                    switch (level) {
                        case DEBUG -> System.Logger.Level.TRACE;
                        case INFO -> System.Logger.Level.DEBUG;
                        case WARNING -> System.Logger.Level.WARNING;
                        case ERROR -> System.Logger.Level.ERROR;
                    },
                    () -> "channel " + target + ": " + message);
        }

        @Override
        public void log(ChannelLogLevel level, String format, Object... args) {
            log(level, MessageFormat.format(format, args));
        }
    }
}
