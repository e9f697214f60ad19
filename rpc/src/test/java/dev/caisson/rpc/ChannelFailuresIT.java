package dev.caisson.rpc;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.CallCredentials;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.ConnectivityState;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@NoLeaks(
        ignoreNames = { // grpc-java's shared executor keeps idle threads for 60 s, and closes its loops and timers late
            "grpc-default-executor-*",
            "grpc-shared-destroyer-*",
            "grpc-default-worker-*",
            "grpc-default-boss-*",
            "grpc-timer-*"
        })
class ChannelFailuresIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

    private final Scope scope = Scope.open("test");
    private @Nullable Server server;

    @AfterEach
    void close() throws Exception {
        scope.close();
        if (server != null) {
            server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        }
    }

    private static String call(ManagedChannel channel) {
        return ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "hello");
    }

    private static Status failure(ManagedChannel channel) {
        return assertThatExceptionOfType(StatusRuntimeException.class)
                .isThrownBy(() -> call(channel))
                .actual()
                .getStatus();
    }

    private ManagedChannel channel(int port, ChannelCredentials credentials) {
        return CaissonChannelBuilder.forAddress("127.0.0.1", port, credentials)
                .overrideAuthority("localhost")
                .scope(scope)
                .build();
    }

    private int plaintextServer() throws Exception {
        Server made = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(new Echo())
                .build()
                .start();
        server = made;
        return made.getPort();
    }

    private int tlsServer(TlsServerCredentials.ClientAuth clients) throws Exception {
        Server made = NettyServerBuilder.forAddress(
                        new InetSocketAddress("127.0.0.1", 0),
                        TlsServerCredentials.newBuilder()
                                .keyManager(TestCertificates.open("server.pem"), TestCertificates.open("server.key"))
                                .trustManager(TestCertificates.open("ca.pem"))
                                .clientAuth(clients)
                                .build())
                .addService(new Echo())
                .build()
                .start();
        server = made;
        return made.getPort();
    }

    private static TlsChannelCredentials.Builder trusting(String ca) throws Exception {
        return TlsChannelCredentials.newBuilder().trustManager(TestCertificates.open(ca));
    }

    @Test
    void namesTargetAddressAndCauseWhenNobodyListens() throws Exception {
        int port;
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = taken.getLocalPort();
        }
        Status status = failure(channel(port, InsecureChannelCredentials.create()));
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription())
                .contains("127.0.0.1:" + port)
                .contains("cannot reach")
                .contains("Connection refused");
    }

    /** A listening socket whose queue is full: the system drops what asks to connect, and says nothing. */
    private static final class BlackHole implements AutoCloseable {
        private static final int MOST = 100;

        private final ServerSocket listener;
        private final List<SocketChannel> queued = new ArrayList<>();

        BlackHole() throws Exception {
            listener = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
            while (queued.isEmpty() || queued.getLast().isConnected()) {
                assertThat(queued).as("the queue does not fill").hasSizeLessThan(MOST);
                SocketChannel next = SocketChannel.open();
                queued.add(next);
                next.configureBlocking(false);
                next.connect(listener.getLocalSocketAddress()); // on loopback it is there at once, or not at all
            }
        }

        int port() {
            return listener.getLocalPort();
        }

        @Override
        public void close() throws Exception {
            for (SocketChannel each : queued) {
                each.close();
            }
            listener.close();
        }
    }

    @Test
    void anAddressThatSwallowsEverythingDoesNotHoldUpTheOthers() throws Exception {
        int port = plaintextServer();
        try (BlackHole hole = new BlackHole()) {
            ManagedChannel channel = CaissonChannelBuilder.forTarget(
                            "ipv4:127.0.0.1:" + hole.port() + ",127.0.0.1:" + port)
                    .usePlaintext()
                    .scope(scope)
                    .build();
            // Well before the first attempt is given up.
            CallOptions soon =
                    CallOptions.DEFAULT.withDeadlineAfter(ClientConnection.CONNECT_TIMEOUT_MILLIS / 2, MILLISECONDS);
            assertThat(ClientCalls.blockingUnaryCall(channel, Echo.UNARY, soon, "hello"))
                    .isEqualTo("hello");
            await().atMost(PATIENCE).until(() -> Scope.census().counts().getOrDefault("connection", 0L) == 1);
        }
    }

    @Test
    void callsOverTls() throws Exception {
        int port = tlsServer(TlsServerCredentials.ClientAuth.NONE);
        assertThat(call(channel(port, trusting("ca.pem").build()))).isEqualTo("hello");
    }

    @Test
    void callsOverMutualTls() throws Exception {
        int port = tlsServer(TlsServerCredentials.ClientAuth.REQUIRE);
        ChannelCredentials credentials = trusting("ca.pem")
                .keyManager(TestCertificates.open("client.pem"), TestCertificates.open("client.key"))
                .build();
        assertThat(call(channel(port, credentials))).isEqualTo("hello");
        assertThat(failure(channel(port, trusting("ca.pem").build())).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void refusesAServerItDoesNotTrust() throws Exception {
        int port = tlsServer(TlsServerCredentials.ClientAuth.NONE);
        Status status = failure(channel(port, trusting("other-ca.pem").build()));
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("TLS handshake failed");
    }

    @Test
    void refusesACertificateForAnotherName() throws Exception {
        int port = tlsServer(TlsServerCredentials.ClientAuth.NONE);
        ManagedChannel channel = CaissonChannelBuilder.forAddress(
                        "127.0.0.1", port, trusting("ca.pem").build())
                .overrideAuthority("elsewhere.example")
                .scope(scope)
                .build();
        assertThat(failure(channel).getDescription()).contains("elsewhere.example");
    }

    @Test
    void saysThatAPlaintextPeerDoesNotSpeakTls() throws Exception {
        int port = plaintextServer();
        Status status = failure(channel(port, trusting("ca.pem").build()));
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("plaintext");
    }

    @Test
    void saysThatATlsPeerDoesNotSpeakPlaintext() throws Exception {
        int port = tlsServer(TlsServerCredentials.ClientAuth.NONE);
        Status status = failure(channel(port, InsecureChannelCredentials.create()));
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("TLS");
    }

    @Test
    void saysThatAPeerSpeaksHttp1() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            var _ = scope.fork("http server", () -> {
                try (Socket socket = listener.accept()) {
                    socket.getInputStream().read(new byte[24]);
                    socket.getOutputStream()
                            .write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                    socket.getOutputStream().flush();
                    socket.getInputStream().read();
                }
            });
            Status status = failure(channel(listener.getLocalPort(), InsecureChannelCredentials.create()));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("HTTP/1.1");
        }
    }

    @Test
    void namesAnUnknownBalancingPolicy() throws Exception {
        int port = plaintextServer();
        ManagedChannel byBuilder = CaissonChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .defaultLoadBalancingPolicy("ring_hash")
                .scope(scope)
                .build();
        assertThat(failure(byBuilder).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(failure(byBuilder).getDescription()).contains("ring_hash");
        ManagedChannel byConfig = CaissonChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .defaultServiceConfig(Map.of("loadBalancingPolicy", "GRPCLB"))
                .scope(scope)
                .build();
        assertThat(failure(byConfig).getDescription()).contains("grpclb");
    }

    @Test
    void waitsForReadinessAndReconnects() throws Exception {
        int port = plaintextServer();
        ManagedChannel channel = channel(port, InsecureChannelCredentials.create());
        assertThat(call(channel)).isEqualTo("hello");
        Objects.requireNonNull(server).shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.IDLE);
        assertThat(failure(channel).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        var waiting = ClientCalls.futureUnaryCall(
                channel.newCall(Echo.UNARY, CallOptions.DEFAULT.withWaitForReady()), "patient");
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
                .addService(new Echo())
                .build()
                .start();
        channel.resetConnectBackoff();
        assertThat(waiting.get(30, TimeUnit.SECONDS)).isEqualTo("patient");
    }

    @Test
    void appliesCallCredentialsOfChannelAndCall() throws Exception {
        AtomicReference<Iterable<String>> seen = new AtomicReference<>();
        Server made = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(new Echo())
                .intercept(new ServerInterceptor() {
                    @Override
                    public <Q, R> ServerCall.Listener<Q> interceptCall(
                            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                        seen.set(headers.getAll(TOKEN));
                        return next.startCall(call, headers);
                    }
                })
                .build()
                .start();
        server = made;
        ManagedChannel channel = channel(
                made.getPort(),
                CompositeChannelCredentials.create(InsecureChannelCredentials.create(), new Token("a", null)));
        ClientCalls.blockingUnaryCall(
                channel, Echo.UNARY, CallOptions.DEFAULT.withCallCredentials(new Token("b", null)), "x");
        assertThat(seen.get()).containsExactly("a", "b");
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(
                        channel,
                        Echo.UNARY,
                        CallOptions.DEFAULT.withCallCredentials(
                                new Token("", Status.UNAUTHENTICATED.withDescription("no token"))),
                        "x"))
                .hasMessageContaining("UNAUTHENTICATED: no token");
    }

    private static final class Token extends CallCredentials {
        private final String value;
        private final @Nullable Status failure;

        Token(String value, @Nullable Status failure) {
            this.value = value;
            this.failure = failure;
        }

        @Override
        public void applyRequestMetadata(RequestInfo request, Executor executor, MetadataApplier applier) {
            executor.execute(() -> {
                if (failure != null) {
                    applier.fail(failure);
                    return;
                }
                Metadata headers = new Metadata();
                headers.put(TOKEN, value);
                applier.apply(headers);
            });
        }
    }

    @Test
    void anUnresolvableHostFailsCallsNamingIt() {
        ManagedChannel channel = CaissonChannelBuilder.forTarget("dns:///no-such-host.invalid:1")
                .usePlaintext()
                .scope(scope)
                .build();
        Status status = failure(channel);
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("no-such-host.invalid");
    }
}
