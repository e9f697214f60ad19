package dev.caisson.gateway;

import dev.caisson.rpc.EventLoops;
import dev.caisson.scope.Closer;
import dev.caisson.scope.Hold;
import dev.caisson.scope.Kind;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeClosedException;
import dev.caisson.scope.ScopeOptions;
import dev.caisson.scope.Scoped;
import io.grpc.Status;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An HTTP/1.1 server through which anybody with {@code curl} calls gRPC services, and the page that shows what lives in
 * this process.
 *
 * <pre>{@code
 * try (Scope app = Scope.open("app")) {
 *     Gateway gateway = Gateway.open(app, GatewayOptions.builder().allow("127.0.0.1:50051").build());
 *     app.awaitShutdown();
 * }
 * }</pre>
 *
 * <p>What it holds lives in a child of the scope it was opened in, and ends with it or by {@link #close}: the listening
 * socket, each connection, each call's thread, the channels to the targets and what is known of their methods. Draining
 * closes the listening socket and idle connections and lets calls end. Thread-safe.
 */
public final class Gateway implements Scoped {
    private static final Kind GATEWAY = Kind.of("gateway", Origins.ALWAYS);
    private static final Kind LISTENER = Kind.of("listener", Origins.ALWAYS);
    private static final Kind CONNECTION = Kind.of("http-connection", Origins.OFF);

    private static final Closer<Channel> CHANNEL_CLOSER = new Closer<>() {
        @Override
        public void close(Channel channel, Duration within) throws InterruptedException {
            channel.close().await(within.toMillis(), TimeUnit.MILLISECONDS);
        }
    };

    /** Waits for nothing: a loop may stand behind it whose connection came while the scope was closing. */
    private static final Closer<Channel> CONNECTION_CLOSER = (channel, within) -> channel.close();

    private final Scope scope;
    private final Scope calls;
    private final Scope connections;
    private final GatewayOptions options;
    private final GatewayMetrics metrics;
    private final Targets targets;
    private final TreeFeed tree = new TreeFeed();
    private final Map<HttpConnection, Hold<Channel>> open = new ConcurrentHashMap<>();
    private final AtomicInteger openConnections = new AtomicInteger();
    private final AtomicInteger callsInFlight = new AtomicInteger();
    private final AtomicInteger watchers = new AtomicInteger();
    private volatile boolean draining;
    private volatile InetSocketAddress address;

    private Gateway(Scope scope, GatewayOptions options) {
        // Ends in the reverse order: the listener (opened later), calls, connections, targets, metrics, event loops.
        this.scope = scope;
        this.options = options;
        this.address = options.address();
        this.metrics = scope.own(new GatewayMetrics(), "metrics");
        this.targets = new Targets(scope.child("targets"), options, metrics);
        this.connections = scope.child("connections");
        this.calls = scope.child("calls");
    }

    /**
     * Opens a gateway that listens when this returns.
     *
     * @param parent owns it
     * @throws IOException if the port cannot be had; the message names it. Nothing is left open then
     */
    public static Gateway open(Scope parent, GatewayOptions options) throws IOException {
        Scope scope = parent.child("gateway", ScopeOptions.defaults().kind(GATEWAY));
        try {
            EventLoops.Lease loops = scope.own("event loops", EventLoops::acquire);
            Gateway gateway = new Gateway(scope, options);
            gateway.start(loops);
            return gateway;
        } catch (IOException | RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    private void start(EventLoops.Lease loops) throws IOException {
        targets.start();
        metrics.gauge("caisson.gateway.connections", "Open HTTP connections", openConnections::get);
        metrics.gauge("caisson.gateway.streams", "Calls in flight", callsInFlight::get);
        metrics.gauge("caisson.gateway.watchers", "Pages that watch the tree", watchers::get);
        metrics.gauge("caisson.gateway.targets", "Targets with an open channel", targets::size);
        metrics.gauge("caisson.gateway.channels.opened", "Channels made since the start", targets::opened);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .channelFactory(loops.serverChannel())
                .option(ChannelOption.SO_BACKLOG, 1_024)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new Accept());
        ChannelFuture bound = bootstrap.bind(options.address()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw cannotListen(bound.cause());
        }
        Channel listener = bound.channel();
        scope.hold(LISTENER, listener.localAddress().toString(), listener, CHANNEL_CLOSER);
        address = (InetSocketAddress) listener.localAddress();
        scope.onDrain("drain gateway", () -> drain(listener));
    }

    private IOException cannotListen(Throwable cause) {
        InetSocketAddress wanted = options.address();
        String where = wanted.getHostString() + ":" + wanted.getPort();
        boolean taken = cause instanceof BindException
                || String.valueOf(cause.getMessage()).contains("in use");
        BindException told = new BindException(
                taken
                        ? "HTTP port " + wanted.getPort() + " on " + wanted.getHostString()
                                + " is taken by another process; choose another one, or 0 for any free one"
                        : "cannot listen on " + where + ": " + cause.getMessage());
        told.initCause(cause);
        return told;
    }

    /** Where it listens, with the port that was taken. */
    public InetSocketAddress address() {
        return address;
    }

    /** The first page. */
    public URI uri() {
        String host = address.getAddress().getHostAddress();
        return URI.create(
                "http://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.getPort() + "/");
    }

    @Override
    public Scope scope() {
        return scope;
    }

    /** Ends it: calls are cancelled, the rest is closed and waited for. Idempotent. */
    @Override
    public void close() {
        scope.close();
    }

    private void drain(Channel listener) {
        draining = true;
        listener.close().awaitUninterruptibly();
        open.keySet().forEach(HttpConnection::drain);
    }

    // ---------------------------------------------------------------- for connections and exchanges

    GatewayOptions options() {
        return options;
    }

    GatewayMetrics metrics() {
        return metrics;
    }

    Targets targets() {
        return targets;
    }

    TreeFeed tree() {
        return tree;
    }

    boolean draining() {
        return draining;
    }

    /** Makes the exchange for a request and starts its thread. On the connection's event loop; must not block. */
    Exchange exchange(HttpConnection connection, RequestHead head) {
        if (draining) {
            throw HttpError.busy("the gateway is shutting down");
        }
        String path = head.path();
        if (head.method().equals(HttpMethod.OPTIONS) && head.corsOrigin().isPresent()) {
            return run(new AtomicInteger(1), () -> new PageExchange(this, connection, head));
        }
        if (path.startsWith("/call/")) {
            only(HttpMethod.POST, head);
            if (callsInFlight.incrementAndGet() > options.maxCalls()) {
                callsInFlight.decrementAndGet();
                throw HttpError.busy(options.maxCalls() + " calls are in flight, the most this gateway takes");
            }
            return run(callsInFlight, () -> new CallExchange(this, connection, head));
        }
        boolean watch = path.equals("/api/tree/events");
        boolean known = watch || PageExchange.knows(path);
        if (!known || !(options.console() || path.equals("/healthz"))) {
            throw HttpError.of(
                    Status.Code.NOT_FOUND,
                    "no page " + TargetName.clipped(path)
                            + "; calls are POST /call/<host:port>/<package.Service>/<Method>");
        }
        only(HttpMethod.GET, head);
        if (watch) {
            if (watchers.incrementAndGet() > options.maxWatchers()) {
                watchers.decrementAndGet();
                throw HttpError.busy(options.maxWatchers() + " pages watch already, the most this gateway takes");
            }
            return run(watchers, () -> new WatchExchange(this, connection, head));
        }
        return run(new AtomicInteger(1), () -> new PageExchange(this, connection, head));
    }

    private static void only(HttpMethod method, RequestHead head) {
        if (!head.method().equals(method)) {
            throw HttpError.of(
                            HttpResponseStatus.METHOD_NOT_ALLOWED,
                            Status.Code.UNIMPLEMENTED,
                            TargetName.clipped(head.path()) + " takes " + method + ", not " + head.method())
                    .with("allow", method.name());
        }
    }

    private Exchange run(AtomicInteger counted, java.util.function.Supplier<Exchange> factory) {
        boolean started = false;
        try {
            Exchange exchange = factory.get();
            calls.fork(exchange.name(), exchange::run);
            started = true;
            return exchange;
        } catch (ScopeClosedException e) {
            throw HttpError.busy("the gateway is shutting down");
        } finally {
            if (!started) {
                counted.decrementAndGet();
            }
        }
    }

    void callEnded() {
        callsInFlight.decrementAndGet();
    }

    void watcherEnded() {
        watchers.decrementAndGet();
    }

    void closed(HttpConnection connection) {
        openConnections.decrementAndGet();
        Hold<Channel> hold = open.remove(connection);
        if (hold != null) {
            hold.release();
        }
    }

    /** Sets up each accepted connection, if there is a place for it. */
    private final class Accept extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel channel) {
            HttpConnection connection = new HttpConnection(Gateway.this, channel);
            channel.pipeline()
                    .addLast(new RequestDecoder(options, connection::bytesArrived))
                    .addLast(new HttpResponseEncoder())
                    .addLast(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelActive(ChannelHandlerContext ctx) {
                            ctx.pipeline().remove(this);
                            take(connection, channel);
                        }
                    });
        }

        private void take(HttpConnection connection, Channel channel) {
            if (openConnections.incrementAndGet() > options.maxConnections()) {
                openConnections.decrementAndGet();
                channel.writeAndFlush(Response.busy(options.maxConnections()))
                        .addListener(io.netty.channel.ChannelFutureListener.CLOSE);
                return;
            }
            try {
                open.put(
                        connection,
                        connections.hold(CONNECTION, channel.remoteAddress().toString(), channel, CONNECTION_CLOSER));
            } catch (ScopeClosedException e) {
                openConnections.decrementAndGet();
                return; // the scope has closed the channel
            }
            channel.pipeline().addLast(connection);
            connection.opened();
        }
    }
}
