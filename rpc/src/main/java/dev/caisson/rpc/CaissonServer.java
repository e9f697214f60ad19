package dev.caisson.rpc;

import dev.caisson.scope.Closer;
import dev.caisson.scope.Drainable;
import dev.caisson.scope.Hold;
import dev.caisson.scope.Kind;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.Scoped;
import io.grpc.Context;
import io.grpc.HandlerRegistry;
import io.grpc.InternalServer;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A gRPC server on our own HTTP/2 engine; made by {@link CaissonServerBuilder}.
 *
 * <pre>
 *   built ── start() ──► serving ── shutdown() ──► draining ── last call ends, or shutdownNow() ──► terminated
 * </pre>
 *
 * <p>From {@link #start} the server has a scope, a child of the builder's or a root of its own, that owns the listening
 * socket, its connections and its share in the {@link EventLoops}; it is terminated when all of them have ended, and
 * {@link #awaitTermination} returns after that. Whoever starts a server closes it; {@code scope.own(server)} puts it under
 * another scope.
 *
 * <p>Thread-safety: all methods may be called from any thread.
 */
public final class CaissonServer extends Server implements Drainable, Scoped {
    /*
     * Lock: `this` guards `scope`, `stopping`, `listening`. Connections come and go on their loops, through the scope's own
     * lock. `running` counts handlers on threads, so that the scope's end waits for them.
     */
    private static final System.Logger LOG = System.getLogger(CaissonServer.class.getName());
    private static final Kind SERVER = Kind.of("server", Origins.ALWAYS);
    private static final Kind CONNECTION = Kind.of("connection", Origins.OFF);
    private static final Kind SOCKET = Kind.of("listening-socket", Origins.ALWAYS);

    /** How long {@link #close} lets calls finish before it cuts them. */
    public static final Duration CLOSE_GRACE = Duration.ofSeconds(5);

    private final List<SocketAddress> addresses;
    private final ServerOptions options;
    private final @Nullable SslContext tls;
    private final List<ServerServiceDefinition> services;
    private final Map<String, ServerMethod<?, ?>> methods;
    private final List<ServerInterceptor> interceptors;
    private final @Nullable Scope parent;
    private final int maxConnections;
    private final Context context;

    private @Nullable Scope scope;
    private boolean stopping;
    private List<Channel> listening = List.of();
    private final CountDownLatch terminated = new CountDownLatch(1);
    private final Set<ServerConnection> connections = ConcurrentHashMap.newKeySet();
    private final Set<Channel> accepted = ConcurrentHashMap.newKeySet();
    private volatile boolean refusing;
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger calls = new AtomicInteger();

    /** What the builder made ready. */
    record Blueprint(
            List<SocketAddress> addresses,
            ServerOptions options,
            @Nullable SslContext tls,
            List<ServerServiceDefinition> services,
            Map<String, ServerMethod<?, ?>> methods,
            List<ServerInterceptor> interceptors,
            @Nullable Scope parent,
            int maxConnections) {}

    CaissonServer(Blueprint b) {
        addresses = b.addresses();
        options = b.options();
        tls = b.tls();
        services = b.services();
        methods = b.methods();
        interceptors = b.interceptors();
        parent = b.parent();
        maxConnections = b.maxConnections();
        context = Context.ROOT.withValue(InternalServer.SERVER_CONTEXT_KEY, this);
    }

    // ---- life cycle

    /**
     * Binds and serves.
     *
     * @throws IOException if an address cannot be bound; the message names it, and nothing stays open
     * @throws IllegalStateException if the server was started before
     */
    @Override
    public synchronized CaissonServer start() throws IOException {
        if (scope != null || stopping) {
            throw new IllegalStateException(stopping ? "the server was shut down" : "the server was started already");
        }
        String name = "server " + addresses.getFirst();
        Scope s = parent == null ? Scope.open(name) : parent.child(name);
        boolean started = false;
        try {
            s.onClose("terminated", terminated::countDown);
            EventLoops.Lease loops = s.own("event loops", EventLoops::acquire);
            s.own(new Accepted(loops), "accepted channels");
            // not the server itself, which is its user's to own
            s.hold(SERVER, "handlers", running, (count, within) -> awaitHandlers(within));
            List<Channel> bound = new ArrayList<>();
            for (SocketAddress address : addresses) {
                Channel socket = bind(loops, address);
                bound.add(socket);
                s.hold(SOCKET, String.valueOf(socket.localAddress()), socket, LISTENING);
            }
            listening = List.copyOf(bound);
            scope = s;
            started = true;
            return this;
        } finally {
            if (!started) {
                s.close();
            }
        }
    }

    private static final Closer<Channel> LISTENING = new Closer<>() {
        @Override
        public void drain(Channel socket, Duration within) throws InterruptedException {
            socket.close().await(within.toMillis());
        }

        @Override
        public void close(Channel socket, Duration within) throws InterruptedException {
            socket.close().await(within.toMillis());
        }
    };

    private static final Closer<ServerConnection> CONNECTIONS = new Closer<>() {
        @Override
        public void drain(ServerConnection connection, Duration within) throws InterruptedException {
            connection.drain();
            connection.channel().closeFuture().await(within.toMillis());
        }

        /** Waits for nothing: a loop may stand behind this whose connection came while the scope was closing. */
        @Override
        public void close(ServerConnection connection, Duration within) {
            connection.cut(); // Accepted sees to its end
        }
    };

    private Channel bind(EventLoops.Lease loops, SocketAddress address) throws IOException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .channelFactory(loops.serverChannel())
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(64 << 10, 256 << 10))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "cannot listen on " + address + ": " + bound.cause().getMessage()
                            + "; choose another port, 0 for any free one",
                    bound.cause());
        }
        return bound.channel();
    }

    /**
     * Every channel from its acceptance on, be it in a TLS handshake or not yet a connection: closed after the listening
     * sockets and before the loops are given back, because a loop that ends forgets what is registered late.
     */
    private final class Accepted implements AutoCloseable {
        private final EventLoops.Lease loops;

        Accepted(EventLoops.Lease loops) {
            this.loops = loops;
        }

        @Override
        public void close() throws InterruptedException {
            refusing = true;
            // One may be accepted and not registered yet. The first round ends what the acceptor is at, the second what
            // it
            // has given to other loops: then accept() has seen them all.
            for (int round = 0; round < 2; round++) {
                for (EventExecutor loop : loops.group()) {
                    loop.submit(() -> {}).await();
                }
            }
            // Connections were told to go, and are given the time to say so; the rest is closed.
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Connection.LINGER_MILLIS);
            for (Channel channel : accepted) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0 || !channel.closeFuture().await(left)) {
                    channel.close().await();
                }
            }
        }
    }

    private void accept(Channel channel) {
        accepted.add(channel);
        channel.closeFuture().addListener(closed -> accepted.remove(channel));
        if (refusing) {
            channel.close();
            return;
        }
        if (accepted.size() > maxConnections) {
            LOG.log(Level.WARNING, "refused a connection: {0} are open, the most allowed", maxConnections);
            channel.close();
            return;
        }
        ServerConnection connection = new ServerConnection(this);
        if (tls == null) {
            channel.pipeline().addLast(connection);
            return;
        }
        SslHandler handler = tls.newHandler(channel.alloc());
        handler.setHandshakeTimeoutMillis(options.timeouts().handshake().toMillis());
        channel.pipeline().addLast(handler, new TlsGate(connection));
    }

    /** {@inheritDoc} Calls under way go on; new ones are refused. */
    @Override
    public CaissonServer shutdown() {
        Scope s;
        List<Channel> sockets;
        synchronized (this) {
            if (stopping) {
                return this;
            }
            stopping = true;
            s = scope;
            sockets = listening;
            if (s == null) {
                terminated.countDown();
                return this;
            }
        }
        for (Channel socket : sockets) {
            socket.close();
        }
        for (ServerConnection connection : connections) {
            connection.drain();
        }
        endIfDrained();
        return this;
    }

    /** The last connection of a stopping server takes its scope with it. */
    private void endIfDrained() {
        Scope s;
        synchronized (this) {
            s = stopping ? scope : null;
        }
        if (s != null && connections.isEmpty()) {
            s.closeInBackground();
        }
    }

    /** {@inheritDoc} Calls under way end with UNAVAILABLE at their clients and are cancelled here. */
    @Override
    public CaissonServer shutdownNow() {
        shutdown();
        Scope s;
        synchronized (this) {
            s = scope;
        }
        if (s != null) {
            s.closeInBackground();
        }
        return this;
    }

    @Override
    public synchronized boolean isShutdown() {
        return stopping || scope != null && (scope.draining() || scope.closed());
    }

    @Override
    public boolean isTerminated() {
        return terminated.getCount() == 0;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        return terminated.await(timeout, unit);
    }

    @Override
    public void awaitTermination() throws InterruptedException {
        terminated.await();
    }

    /** Takes no new calls, and waits until those under way have ended or {@code within} has passed. */
    @Override
    public void drain(Duration within) throws InterruptedException {
        shutdown();
        awaitTermination(within.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Drains for {@link #CLOSE_GRACE}, then cuts what is left, and returns when all has ended. */
    @Override
    public void close() throws InterruptedException {
        shutdown();
        if (!awaitTermination(CLOSE_GRACE.toNanos(), TimeUnit.NANOSECONDS)) {
            shutdownNow();
            awaitTermination();
        }
    }

    private void awaitHandlers(Duration within) throws InterruptedException {
        synchronized (running) {
            long end = System.nanoTime() + within.toNanos();
            while (running.get() > 0) {
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                if (left <= 0) {
                    throw new IllegalStateException(
                            running.get() + " handlers still run after their calls were cancelled");
                }
                running.wait(left);
            }
        }
    }

    // ---- what io.grpc.Server tells

    /** The scope the server runs in. */
    @Override
    public synchronized Scope scope() {
        Scope s = scope;
        if (s == null) {
            throw new IllegalStateException("the server has no scope before start()");
        }
        return s;
    }

    @Override
    public synchronized int getPort() {
        for (Channel socket : listening) {
            if (socket.localAddress() instanceof InetSocketAddress inet) {
                return inet.getPort();
            }
        }
        return -1;
    }

    @Override
    public synchronized List<SocketAddress> getListenSockets() {
        return listening.stream().map(Channel::localAddress).toList();
    }

    @Override
    public List<ServerServiceDefinition> getServices() {
        HandlerRegistry fallback = options.fallback();
        if (fallback == null || fallback.getServices().isEmpty()) {
            return services;
        }
        List<ServerServiceDefinition> all = new ArrayList<>(services);
        all.addAll(fallback.getServices());
        return List.copyOf(all);
    }

    @Override
    public List<ServerServiceDefinition> getImmutableServices() {
        return services;
    }

    @Override
    public List<ServerServiceDefinition> getMutableServices() {
        HandlerRegistry fallback = options.fallback();
        return fallback == null ? List.of() : List.copyOf(fallback.getServices());
    }

    /** Calls under way. */
    public int openCalls() {
        return calls.get();
    }

    /** Clients' connections that are open. */
    public int openConnections() {
        return connections.size();
    }

    // ---- for connections, and tests

    Set<ServerConnection> connections() {
        return connections;
    }

    ServerOptions options() {
        return options;
    }

    Context context() {
        return context;
    }

    /** Null if the server is closing: the connection must end. */
    @Nullable
    Hold<ServerConnection> connectionOpened(ServerConnection connection, String peer) {
        try {
            Hold<ServerConnection> hold = scope().hold(CONNECTION, peer, connection, CONNECTIONS);
            connections.add(connection);
            if (isShutdown()) {
                connection.drain(); // it came while shutdown() went through the others
            }
            return hold;
        } catch (IllegalStateException closing) {
            return null;
        }
    }

    void connectionClosed(ServerConnection connection, Hold<ServerConnection> hold) {
        hold.release();
        connections.remove(connection);
        endIfDrained();
    }

    void callStarted() {
        calls.incrementAndGet();
    }

    void callEnded() {
        calls.decrementAndGet();
    }

    @Nullable
    ServerMethod<?, ?> method(String path, @Nullable String authority) {
        String name = path.substring(1);
        ServerMethod<?, ?> known = methods.get(name);
        HandlerRegistry fallback = options.fallback();
        if (known != null || fallback == null) {
            return known;
        }
        ServerMethodDefinition<?, ?> found = fallback.lookupMethod(name, authority);
        return found == null ? null : intercepted(found, interceptors, false);
    }

    /** True if {@code method} is looked up the same way each time. */
    boolean fixed(@Nullable ServerMethod<?, ?> method) {
        return method != null && options.fallback() == null;
    }

    static <Q, R> ServerMethod<Q, R> intercepted(
            ServerMethodDefinition<Q, R> definition, List<ServerInterceptor> interceptors, boolean nonBlocking) {
        ServerCallHandler<Q, R> handler = definition.getServerCallHandler();
        for (ServerInterceptor interceptor : interceptors) {
            handler = io.grpc.InternalServerInterceptors.interceptCallHandlerCreate(interceptor, handler);
        }
        MethodDescriptor<Q, R> descriptor = definition.getMethodDescriptor();
        return new ServerMethod<>(descriptor, handler, nonBlocking);
    }

    /** Null where the call runs on its loop. */
    <Q, R> @Nullable Executor executorFor(ServerMethod<Q, R> method, ServerStreamCall<Q, R> call, Metadata headers) {
        if (options.direct() || method.nonBlocking()) {
            return null;
        }
        ServerCallExecutorSupplier supplier = options.executorSupplier();
        Executor chosen = supplier == null ? null : supplier.getExecutor(call, headers);
        if (chosen == null) {
            chosen = options.executor();
        }
        return chosen == null ? this::onVirtualThread : chosen;
    }

    private void onVirtualThread(Runnable work) {
        Thread.ofVirtual().start(work);
    }

    void handlerStarts() {
        running.incrementAndGet();
    }

    void handlerEnds() {
        if (running.decrementAndGet() == 0) {
            synchronized (running) {
                running.notifyAll();
            }
        }
    }

    /** Runs short work beside the loop. */
    void offload(Runnable work) {
        handlerStarts();
        Thread.ofVirtual().start(() -> {
            try {
                work.run();
            } finally {
                handlerEnds();
            }
        });
    }

    @Override
    public String toString() {
        return "CaissonServer" + addresses;
    }
}
