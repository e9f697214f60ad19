package dev.caisson.rpc;

import dev.caisson.rpc.http2.ErrorCode;
import dev.caisson.rpc.http2.Header;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HpackEncoder;
import dev.caisson.rpc.http2.Http2Exception;
import dev.caisson.rpc.http2.Http2Options;
import dev.caisson.rpc.http2.Http2Stream;
import dev.caisson.scope.Census;
import dev.caisson.scope.CensusSource;
import dev.caisson.scope.Hold;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeClosedException;
import io.grpc.Attributes;
import io.grpc.ClientTransportFilter;
import io.grpc.Codec;
import io.grpc.Decompressor;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Grpc;
import io.grpc.Status;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One connection of a channel: TCP, TLS where wanted, HTTP/2.
 *
 * <pre>
 *   made ── start ──► connecting ── TLS and ALPN done, peer's SETTINGS seen ──► ready
 *                         │                                                      │ GOAWAY, shutdown
 *                         │ refused, timed out, not HTTP/2                       ▼
 *                         └──────────────────► terminated ◄── last call ended ── draining
 * </pre>
 */
final class ClientConnection extends Connection implements Transport, CensusSource {
    /* All fields are the loop's but those marked volatile, final, or guarded by `this` (the hand-over between start and
     * shutdown, which come from other threads before there is a loop to confine to).
     */

    /** How long the TCP connection may take, and the handshakes after it. */
    static final int CONNECT_TIMEOUT_MILLIS = 20_000;

    /** Calls that wait because the peer allows no more streams; one more fails with RESOURCE_EXHAUSTED. */
    static final int MAX_WAITING_CALLS = 65_536;

    /** Methods whose request headers are kept encoded; past that all are forgotten and gathered anew. */
    private static final int MAX_KEPT_HEADERS = 1024;

    /** What GOAWAY says besides ENHANCE_YOUR_CALM (gRFC A8). */
    private static final String TOO_MANY_PINGS = "too_many_pings";

    private static final byte[] POST = MetadataCodec.ascii("POST");
    private static final byte[] TRAILERS = MetadataCodec.ascii("trailers");
    private static final long KEEP_ALIVE_PING = 0xca15_5055L;

    private final ChannelCore core;
    private final SocketAddress address;
    private final long keepAliveNanos;
    private final String authority;
    private final EventLoop loop;
    private final ChannelFactory<? extends Channel> channels;
    private final Scope scope;
    private final byte[] scheme;
    private final byte[] acceptEncoding;
    private final byte[] userAgent;
    private final Map<String, KeptBlock> kept = new HashMap<>();
    private final ArrayDeque<ClientStream> waiting = new ArrayDeque<>();
    private final AtomicInteger calls = new AtomicInteger();
    private volatile Attributes attributes;
    private volatile long freeSinceNanos;
    private volatile @Nullable Status ending;
    private volatile boolean greeted;

    // guarded by this
    private @Nullable Listener listener;
    private @Nullable Channel netty;
    private boolean terminated;
    private @Nullable Hold<ClientConnection> hold;

    private boolean ready;
    private boolean draining;
    private boolean shutdown;
    private boolean hasTls;
    private @Nullable String mismatch;
    private @Nullable ScheduledFuture<?> timer;
    private boolean sawFrame;
    private boolean pinging;

    ClientConnection(
            ChannelCore core,
            Subchannel.Address to,
            EventLoop loop,
            ChannelFactory<? extends Channel> channels,
            Scope scope) {
        super(false, Http2Options.DEFAULT.withMaxHeaderListSize(core.settings.maxInboundMetadataBytes()));
        this.core = core;
        this.address = to.socket();
        this.keepAliveNanos = core.keepAliveNanos();
        String override = to.attributes().get(EquivalentAddressGroup.ATTR_AUTHORITY_OVERRIDE);
        this.authority = override == null || core.settings.authority() != null ? core.authority() : override;
        this.loop = loop;
        this.channels = channels;
        this.scope = scope;
        this.scheme = MetadataCodec.ascii(core.settings.tls() == null ? "http" : "https");
        this.acceptEncoding = MetadataCodec.ascii(
                String.join(",", core.settings.decompressors().getAdvertisedMessageEncodings()));
        this.userAgent = MetadataCodec.ascii(core.settings.userAgent());
        this.attributes = Attributes.newBuilder()
                .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, address)
                .build();
        this.freeSinceNanos = core.nanoTime();
    }

    // ---- the channel's side

    @Override
    public void start(Listener to) {
        Status gone = ending;
        synchronized (this) {
            listener = to;
        }
        if (gone != null) {
            terminate(gone);
            return;
        }
        try {
            Hold<ClientConnection> held =
                    scope.hold(CaissonChannel.CONNECTION, address.toString(), this, (self, within) -> self.endNow());
            synchronized (this) {
                hold = held;
            }
        } catch (ScopeClosedException e) {
            terminate(
                    Status.UNAVAILABLE.withDescription("the channel is closed").withCause(e));
            return;
        }
        if (!(address instanceof InetSocketAddress inet)) {
            terminate(Status.UNAVAILABLE.withDescription(
                    "addresses of the type " + address.getClass().getName() + " are not supported: " + address));
            return;
        }
        if (inet.isUnresolved()) {
            terminate(Status.UNAVAILABLE.withDescription("the resolver gave a host name, not an address: " + inet));
            return;
        }
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channelFactory(channels)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.AUTO_READ, false) // until the pipeline is whole: connected() may run late
                .option(ChannelOption.SO_KEEPALIVE, true)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel c) {
                        if (core.settings.tls() == null) {
                            c.pipeline().addLast(new FirstBytes());
                        }
                    }
                })
                .connect(address);
        synchronized (this) {
            netty = connecting.channel();
        }
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                connected(connecting.channel());
            } else {
                terminate(cannotConnect(done.cause()));
            }
        });
        if (ending != null) {
            connecting.channel().close();
        }
    }

    private void connected(Channel c) {
        Status gone = ending;
        c.closeFuture().addListener(closed -> {
            if (!inPipeline()) { // else closed() follows, when the streams have ended
                terminate(whyClosed("the peer closed the connection"));
            }
        });
        if (gone != null) {
            c.close();
            return;
        }
        timer = loop.schedule(
                () -> {
                    mismatch = "no HTTP/2 greeting within " + CONNECT_TIMEOUT_MILLIS / 1000 + " s";
                    c.close();
                },
                CONNECT_TIMEOUT_MILLIS,
                TimeUnit.MILLISECONDS);
        SslContext tls = core.settings.tls();
        if (tls == null) {
            c.pipeline().addLast(this);
            c.config().setAutoRead(true);
            return;
        }
        hasTls = true;
        Target.HostPort peer = peer();
        SslHandler ssl = tls.newHandler(c.alloc(), peer.host(), peer.port());
        ssl.setHandshakeTimeoutMillis(CONNECT_TIMEOUT_MILLIS);
        c.pipeline().addLast(ssl, new Handshake(ssl));
        c.config().setAutoRead(true);
    }

    private Target.HostPort peer() {
        try {
            return Target.HostPort.parse(authority, 443);
        } catch (IllegalArgumentException e) {
            return new Target.HostPort(authority, 443);
        }
    }

    @Override
    public Attempt attempt(ChannelCall<?, ?> call) {
        return new ClientAttempt(this, call);
    }

    @Override
    public Attributes attributes() {
        return attributes;
    }

    @Override
    public int calls() {
        return calls.get();
    }

    @Override
    public long freeSinceNanos() {
        return freeSinceNanos;
    }

    @Override
    public void shutdown(Status why) {
        Channel c;
        synchronized (this) {
            c = netty;
            if (c == null) {
                ending = why;
                return;
            }
        }
        loop.execute(() -> {
            if (ready) {
                shutdown = true;
                finishIfNobodyWaits();
            } else {
                ending = why;
                c.close();
            }
        });
    }

    @Override
    public void shutdownNow(Status why) {
        Channel c;
        synchronized (this) {
            ending = why;
            c = netty;
        }
        if (c != null) {
            c.close();
        }
    }

    private void endNow() {
        shutdownNow(Status.UNAVAILABLE.withDescription("the channel's scope was closed"));
    }

    /* Calls that wait for room were taken before the shutdown; they still get their streams. */
    private void finishIfNobodyWaits() {
        if (shutdown && waiting.isEmpty()) {
            burst(() -> http2().shutdown(""));
        }
    }

    // ---- calls

    /** Opens the stream, now or when the peer has room for it. On the loop. */
    void admit(ClientStream stream) {
        if (http2().mayOpen()) {
            count(1);
            stream.open(http2());
        } else if (http2().exhausted()) {
            drain(Status.UNAVAILABLE.withDescription("the connection to " + address + " takes no more calls"));
            stream.refuse(Status.UNAVAILABLE.withDescription("the connection to " + address + " takes no more calls"));
        } else if (waiting.size() >= MAX_WAITING_CALLS) {
            stream.fail(Status.RESOURCE_EXHAUSTED.withDescription(
                    MAX_WAITING_CALLS + " calls wait already because " + address + " allows no more streams at once"));
        } else if (stream.park()) {
            count(1);
            waiting.add(stream);
        }
    }

    /** A stream that waited needs no room any more. On the loop. */
    void withdraw(ClientStream stream) {
        if (waiting.remove(stream)) {
            count(-1);
            finishIfNobodyWaits();
        }
    }

    private void count(int by) {
        int now = calls.get() + by;
        if (now == 0) {
            freeSinceNanos = core.nanoTime();
        }
        calls.lazySet(now);
    }

    @Override
    public void onStreamClosed(Http2Stream stream) {
        count(-1);
        admitWaiting();
    }

    private void admitWaiting() {
        while (!waiting.isEmpty() && http2().mayOpen()) {
            ClientStream next = waiting.remove();
            next.unpark();
            next.open(http2());
            if (next.id() == 0) {
                count(-1); // it ended while it waited
            }
        }
        if (shutdown) {
            finishIfNobodyWaits();
        }
    }

    private void refuseWaiting(Status why) {
        for (ClientStream next = waiting.poll(); next != null; next = waiting.poll()) {
            count(-1);
            next.unpark();
            next.refuse(why);
        }
    }

    /** Writes the part of the request headers that is the same for each call of a method (gRPC over HTTP2, Requests). */
    void writeHeaders(HpackEncoder encoder, ByteBuf out, ChannelCall<?, ?> call) {
        String method = call.method().getFullMethodName();
        String own = call.options().getAuthority();
        if (own != null) {
            encodeHeaders(encoder, out, method, own);
            return;
        }
        KeptBlock block = kept.get(method);
        if (block == null) {
            if (kept.size() >= MAX_KEPT_HEADERS) {
                kept.clear();
            }
            block = new KeptBlock((e, to) -> encodeHeaders(e, to, method, authority));
            kept.put(method, block);
        }
        block.write(encoder, out);
    }

    private void encodeHeaders(HpackEncoder encoder, ByteBuf out, String method, String to) {
        encoder.encode(out, Header.METHOD, POST, true);
        encoder.encode(out, Header.SCHEME, scheme, true);
        encoder.encode(out, Header.PATH, MetadataCodec.ascii("/" + method), true);
        encoder.encode(out, Header.AUTHORITY, to.getBytes(StandardCharsets.UTF_8), true);
        encoder.encode(out, Header.CONTENT_TYPE, MetadataCodec.APPLICATION_GRPC, true);
        encoder.encode(out, Header.TE, TRAILERS, true);
        encoder.encode(out, Header.USER_AGENT, userAgent, true);
        if (acceptEncoding.length > 0) {
            encoder.encode(out, Header.GRPC_ACCEPT_ENCODING, acceptEncoding, true);
        }
    }

    int maxInboundMetadataBytes() {
        return core.settings.maxInboundMetadataBytes();
    }

    @Nullable
    Decompressor decompressor(String name) {
        return name.equals(Codec.Identity.NONE.getMessageEncoding())
                ? Codec.Identity.NONE
                : core.settings.decompressors().lookupDecompressor(name);
    }

    boolean running() {
        return http2().running();
    }

    /** On the loop. */
    void notifyAfterBurst(Runnable work) {
        afterBurst(work);
    }

    // ---- HTTP/2's events

    @Override
    void opened() {
        // Ready when the peer has greeted: only then is it known to speak HTTP/2, and how many streams it allows.
    }

    @Override
    public void onSettings() {
        if (ready) {
            admitWaiting();
            return;
        }
        ready = true;
        greeted = true;
        stopTimer();
        freeSinceNanos = core.nanoTime();
        Attributes.Builder known = attributes.toBuilder()
                .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, channel().remoteAddress())
                .set(Grpc.TRANSPORT_ATTR_LOCAL_ADDR, channel().localAddress());
        SslHandler ssl = channel().pipeline().get(SslHandler.class);
        if (ssl != null) {
            known.set(Grpc.TRANSPORT_ATTR_SSL_SESSION, ssl.engine().getSession());
        }
        Attributes filtered = known.build();
        for (ClientTransportFilter filter : core.settings.transportFilters()) {
            filtered = filter.transportReady(filtered);
        }
        attributes = filtered;
        scheduleKeepAlive();
        listener().ready();
    }

    @Override
    public @Nullable Http2Stream accept(HeaderBlock headers) {
        return null; // servers open no streams: push is off (RFC 9113 section 8.4)
    }

    @Override
    public void onGoAway(int lastStreamId, int code, String debug) {
        if (code == ErrorCode.ENHANCE_YOUR_CALM && debug.equals(TOO_MANY_PINGS)) {
            core.tooManyPings(keepAliveNanos);
        }
        Status why = Status.UNAVAILABLE.withDescription(
                "the server at " + address + " went away" + (debug.isEmpty() ? "" : ": " + debug));
        drain(why);
        refuseWaiting(why);
        shutdown = true;
        loop.execute(this::finishIfNobodyWaits);
    }

    private void drain(Status why) {
        if (ready && !draining) {
            draining = true;
            listener().draining(why);
        }
    }

    @Override
    public void onFrame() {
        sawFrame = true;
    }

    @Override
    void closed(String reason, @Nullable Throwable cause) {
        Status why = whyClosed(reason);
        drain(why);
        refuseWaiting(why);
        terminate(why);
    }

    /** Why a stream ended with its connection. */
    Status whyLost(String reason) {
        Status why = ending;
        return why == null ? Status.UNAVAILABLE.withDescription("connection to " + address + " lost: " + reason) : why;
    }

    /** The open streams, for the census. */
    @Override
    public void census(Consumer<Census.Row> out) {
        if (!greeted) {
            return;
        }
        http2().peekStreams(stream -> {
            if (stream instanceof ClientStream call) {
                out.accept(Census.Row.of("call", call.describe(), call.age()));
            }
        });
    }

    // ---- keep-alive (gRPC's keepalive.md)

    private void scheduleKeepAlive() {
        if (keepAliveNanos != Long.MAX_VALUE) {
            sawFrame = false;
            timer = loop.schedule(this::keepAlive, keepAliveNanos, TimeUnit.NANOSECONDS);
        }
    }

    private void keepAlive() {
        if (sawFrame || (calls.get() == 0 && !core.settings.keepAliveWithoutCalls())) {
            scheduleKeepAlive();
            return;
        }
        pinging = true;
        burst(() -> http2().ping(KEEP_ALIVE_PING));
        timer = loop.schedule(
                () -> {
                    if (sawFrame) {
                        pinging = false;
                        scheduleKeepAlive();
                    } else {
                        ending = Status.UNAVAILABLE.withDescription(
                                "Keepalive failed: " + address + " did not answer within "
                                        + TimeUnit.NANOSECONDS.toMillis(core.settings.keepAliveTimeoutNanos())
                                        + " ms, the connection is likely gone");
                        abort();
                    }
                },
                core.settings.keepAliveTimeoutNanos(),
                TimeUnit.NANOSECONDS);
    }

    @Override
    public void onPong(long payload) {
        if (payload == KEEP_ALIVE_PING && pinging) {
            pinging = false;
            stopTimer();
            scheduleKeepAlive();
        }
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    // ---- the end

    private Listener listener() {
        synchronized (this) {
            if (listener == null) {
                throw new IllegalStateException("not started");
            }
            return listener;
        }
    }

    private void terminate(Status why) {
        Hold<ClientConnection> held;
        synchronized (this) {
            if (terminated) {
                return;
            }
            terminated = true;
            held = hold;
        }
        if (held != null) {
            held.release();
        }
        stopTimer();
        if (ready) {
            for (ClientTransportFilter filter : core.settings.transportFilters()) {
                filter.transportTerminated(attributes);
            }
        }
        listener().terminated(why);
    }

    private Status cannotConnect(Throwable cause) {
        Status why = ending;
        if (why != null) {
            return why;
        }
        String message = String.valueOf(cause.getMessage());
        if (cause instanceof ConnectException && cause.getCause() != null) {
            message = String.valueOf(cause.getCause().getMessage());
        }
        return Status.UNAVAILABLE
                .withDescription("cannot connect to " + address + ": " + message)
                .withCause(cause);
    }

    private Status whyClosed(String reason) {
        Status why = ending;
        if (why != null) {
            return why;
        }
        Http2Exception protocol = inPipeline() ? http2().failure() : null;
        if (ready) {
            return whyLost(protocol == null ? reason : String.valueOf(protocol.getMessage()));
        }
        String detail = mismatch;
        if (detail == null) {
            detail = protocol != null
                    ? "the peer does not speak HTTP/2: " + protocol.getMessage()
                    : reason + " before it greeted" + (hasTls ? "" : "; if it expects TLS, use TLS credentials");
        }
        return Status.UNAVAILABLE.withDescription("cannot connect to " + address + ": " + detail);
    }

    private boolean inPipeline() {
        Channel c;
        synchronized (this) {
            c = netty;
        }
        return loop.inEventLoop() && c != null && c.pipeline().context(this) != null;
    }

    @Override
    public String toString() {
        return "connection to " + address;
    }

    /** Looks at how a plaintext peer's first bytes begin, so that a mismatch can be named; then leaves the pipeline. */
    private final class FirstBytes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext c, Object message) {
            ByteBuf in = (ByteBuf) message;
            int first = in.isReadable() ? in.getUnsignedByte(in.readerIndex()) : -1;
            if (first == 0x15 || first == 0x16) { // RFC 8446 section 5.1: an alert or handshake record
                mismatch = "the peer speaks TLS and this channel plaintext; use TLS credentials";
            } else if (in.readableBytes() >= 5
                    && in.toString(in.readerIndex(), 5, StandardCharsets.US_ASCII)
                            .equals("HTTP/")) {
                mismatch = "the peer answered in HTTP/1.1, it does not speak HTTP/2 in plaintext on this port";
            }
            c.pipeline().remove(this);
            c.fireChannelRead(message);
        }
    }

    /** Waits for the TLS handshake, checks that it agreed on HTTP/2, and makes way for the connection. */
    private final class Handshake extends ChannelInboundHandlerAdapter {
        private final SslHandler ssl;

        Handshake(SslHandler ssl) {
            this.ssl = ssl;
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext c, Object event) {
            if (event instanceof SslHandshakeCompletionEvent done) {
                if (!done.isSuccess()) {
                    failed(c, done.cause());
                } else if (!Tls.H2.equals(ssl.applicationProtocol())) {
                    mismatch = "the peer speaks TLS but did not agree to HTTP/2 (ALPN h2)";
                    c.close();
                } else {
                    c.pipeline().replace(this, null, ClientConnection.this);
                }
            }
            c.fireUserEventTriggered(event);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext c, Throwable cause) {
            failed(c, cause);
        }

        private void failed(ChannelHandlerContext c, Throwable cause) {
            if (mismatch == null) {
                Throwable root = cause;
                while (root.getCause() != null && !(root instanceof NotSslRecordException)) {
                    root = root.getCause();
                }
                if (root instanceof NotSslRecordException) {
                    mismatch = "the peer answered in plaintext and this channel uses TLS; use plaintext credentials";
                } else if (cause instanceof SSLException) {
                    mismatch = "TLS handshake failed: " + root.getMessage();
                } else {
                    mismatch = "TLS handshake failed: " + root;
                }
            }
            c.close();
        }
    }
}
