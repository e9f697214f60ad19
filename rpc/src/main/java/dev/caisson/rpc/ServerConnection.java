package dev.caisson.rpc;

import dev.caisson.rpc.http2.ErrorCode;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.Http2Stream;
import dev.caisson.scope.Census;
import dev.caisson.scope.CensusSource;
import dev.caisson.scope.Hold;
import dev.caisson.scope.Scope;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.ServerTransportFilter;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection to a {@link CaissonServer}: accepts its streams, and looks after its age, idleness and liveness.
 *
 * <p>Confined to its loop, but for {@link #census}.
 */
final class ServerConnection extends Connection implements CensusSource {
    private final CaissonServer server;
    private final Unsent unsent;
    private @Nullable Hold<ServerConnection> hold;
    private Attributes attributes = Attributes.EMPTY;
    private boolean secure;
    private int calls;
    private String peer = "?";

    // the last path seen, for callers that use one method again and again
    private byte @Nullable [] lastPathBytes;
    private @Nullable String lastPath;
    private @Nullable ServerMethod<?, ?> lastMethod;

    /** The head of an answer without metadata, and the trailers of success. */
    private final KeptBlock plainHead;

    private final KeptBlock okTrailers = new KeptBlock(ServerStream.OK_TRAILERS);

    private static final long PING = 0xca1550a11fe5L;
    private @Nullable ScheduledFuture<?> keepAlive;
    private @Nullable ScheduledFuture<?> idle;
    private @Nullable ScheduledFuture<?> age;
    private @Nullable ScheduledFuture<?> grace;
    /** Until the client has sent its preface and settings. */
    private @Nullable ScheduledFuture<?> greeting;

    private long lastFrameNanos = System.nanoTime();
    private boolean pinging;
    private boolean pingUnanswered;
    private long lastPingNanos;
    private int pingStrikes;

    /** Pings above the permitted rate that are forgiven; one more ends the connection (gRPC's keepalive.md). */
    static final int PING_STRIKES = 2;

    ServerConnection(CaissonServer server) {
        super(true, server.options().http2());
        this.server = server;
        byte[] encodings = server.options().advertisedEncodings();
        this.plainHead = new KeptBlock((encoder, out) -> ServerStream.writeHead(encoder, out, encodings));
        this.unsent = new Unsent(server.options().unsent(), "the connection");
    }

    CaissonServer server() {
        return server;
    }

    Scope scope() {
        return server.scope();
    }

    KeptBlock plainHead() {
        return plainHead;
    }

    KeptBlock okTrailers() {
        return okTrailers;
    }

    /** What handlers have sent over this connection and the client has not taken. */
    Unsent unsent() {
        return unsent;
    }

    Attributes attributes() {
        return attributes;
    }

    boolean secure() {
        return secure;
    }

    // ---- life

    @Override
    void opened() {
        Channel channel = channel();
        peer = String.valueOf(channel.remoteAddress());
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        SSLSession session = tls == null ? null : tls.engine().getSession();
        secure = session != null;
        Attributes.Builder a = Attributes.newBuilder()
                .set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, channel.remoteAddress())
                .set(Grpc.TRANSPORT_ATTR_LOCAL_ADDR, channel.localAddress());
        if (session != null) {
            a.set(Grpc.TRANSPORT_ATTR_SSL_SESSION, session);
        }
        Attributes made = a.build();
        for (ServerTransportFilter filter : server.options().filters()) {
            made = filter.transportReady(made);
        }
        attributes = made;
        hold = server.connectionOpened(this, peer);
        if (hold == null) {
            http2().shutdown("the server is shutting down");
            return;
        }
        ServerOptions.Timeouts t = server.options().timeouts();
        greeting = after(t.handshake(), this::abort);
        if (ServerOptions.Timeouts.limited(t.keepAliveTime())) {
            keepAlive = after(t.keepAliveTime(), this::checkAlive);
        }
        if (ServerOptions.Timeouts.limited(t.maxAge())) {
            // 10 % of jitter, so that connections made together do not end together (gRPC A9)
            double jitter = 0.9 + ThreadLocalRandom.current().nextDouble() * 0.2;
            age = after(Duration.ofNanos((long) (t.maxAge().toNanos() * jitter)), () -> leave("max_age"));
        }
        armIdle();
    }

    private ScheduledFuture<?> after(Duration delay, Runnable work) {
        return loop().schedule(() -> burst(work), delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void leave(String why) {
        http2().shutdown(why);
        Duration g = server.options().timeouts().maxAgeGrace();
        if (ServerOptions.Timeouts.limited(g) && grace == null) {
            grace = after(g, this::abort);
        }
    }

    /** Ends in order: streams go on, new ones are refused. Any thread. */
    void drain() {
        submit(new Task() {
            @Override
            void run(boolean open) {
                if (open) {
                    http2().shutdown("the server is shutting down");
                }
            }
        });
    }

    /** Ends every call and the connection. Any thread. */
    void cut() {
        submit(new Task() {
            @Override
            void run(boolean open) {
                if (open) {
                    http2().fail(ErrorCode.NO_ERROR, "the server was shut down");
                    closeAfterFlush();
                }
            }
        });
    }

    @Override
    void closed(String reason, @Nullable Throwable cause) {
        cancel(keepAlive);
        cancel(idle);
        cancel(age);
        cancel(grace);
        cancel(greeting);
        Hold<ServerConnection> h = hold;
        if (h != null) {
            hold = null;
            for (ServerTransportFilter filter : server.options().filters()) {
                filter.transportTerminated(attributes);
            }
            server.connectionClosed(this, h);
        }
    }

    private static void cancel(@Nullable ScheduledFuture<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    // ---- liveness

    @Override
    public void onSettings() {
        cancel(greeting);
        greeting = null;
    }

    @Override
    public void onFrame() {
        pingUnanswered = false;
        lastFrameNanos = 0; // read lazily: the clock is asked by the timer, not per frame
    }

    private void checkAlive() {
        ServerOptions.Timeouts t = server.options().timeouts();
        if (pingUnanswered) {
            abort();
        } else if (lastFrameNanos == 0) {
            lastFrameNanos = System.nanoTime();
            keepAlive = after(t.keepAliveTime(), this::checkAlive);
        } else {
            pinging = true;
            pingUnanswered = true;
            http2().ping(PING);
            keepAlive = after(t.keepAliveTimeout(), this::answered);
        }
    }

    @Override
    public void onPong(long payload) {
        if (payload == PING && pinging) {
            cancel(keepAlive);
            pingUnanswered = false;
            answered();
        }
    }

    private void answered() {
        pinging = false;
        if (pingUnanswered) {
            abort();
        } else {
            keepAlive = after(server.options().timeouts().keepAliveTime(), this::checkAlive);
        }
    }

    @Override
    public void onPing() {
        ServerOptions.Timeouts t = server.options().timeouts();
        long now = System.nanoTime();
        boolean permitted = calls > 0 || t.permitKeepAliveWithoutCalls();
        long least = permitted
                ? t.permitKeepAliveTime().toNanos()
                : Duration.ofHours(2).toNanos();
        boolean tooSoon = lastPingNanos != 0 && now - lastPingNanos < least;
        lastPingNanos = now;
        if (tooSoon && ++pingStrikes > PING_STRIKES) {
            http2().fail(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings");
        }
    }

    /** What we send allows the client to ping once more: it may measure the connection's bandwidth by it (grpc-java does). */
    void sent() {
        pingStrikes = 0;
        lastPingNanos = 0;
    }

    private void armIdle() {
        Duration limit = server.options().timeouts().maxIdle();
        if (ServerOptions.Timeouts.limited(limit) && calls == 0 && idle == null) {
            idle = after(limit, () -> leave("max_idle"));
        }
    }

    // ---- calls

    @Override
    public Http2Stream accept(HeaderBlock headers) {
        return new ServerStream(this);
    }

    void callStarted(ServerStream stream) {
        calls++;
        pingStrikes = 0;
        if (idle != null) {
            idle.cancel(false);
            idle = null;
        }
        server.callStarted();
    }

    void callEnded(ServerStream stream) {
        calls--;
        server.callEnded();
        armIdle();
    }

    @SuppressWarnings("ReferenceEquality") // the decoder gives the same array for the same literal, as a rule
    String path(byte[] bytes) {
        String last = lastPath;
        if (bytes == lastPathBytes && last != null) {
            return last;
        }
        String path = MetadataCodec.text(bytes);
        lastPathBytes = bytes;
        lastPath = path;
        lastMethod = null;
        return path;
    }

    /** The method at {@code path}, which {@link #path} has returned just now. */
    @Nullable
    ServerMethod<?, ?> method(byte[] bytes, String path, byte @Nullable [] authority) {
        ServerMethod<?, ?> m = lastMethod;
        if (m == null) {
            m = server.method(path, authority == null ? null : MetadataCodec.text(authority));
            lastMethod = server.fixed(m) ? m : null;
        }
        return m;
    }

    // ---- census

    @Override
    public void census(Consumer<Census.Row> out) {
        long now = System.nanoTime();
        http2().peekStreams(stream -> out.accept(Census.Row.of(
                "call", stream.describe(), Duration.ofNanos(now - ((ServerStream) stream).acceptedNanos()))));
    }

    @Override
    public String toString() {
        return "connection from " + peer;
    }
}
