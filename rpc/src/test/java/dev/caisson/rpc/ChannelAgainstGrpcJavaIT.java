package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How a channel's connections come and go, as grpc-java's server has it and sees it. */
@NoLeaks(
        ignoreNames = { // grpc-java's shared executor keeps idle threads for 60 s, and closes its loops and timers late
            "grpc-default-executor-*",
            "grpc-shared-destroyer-*",
            "grpc-default-worker-*",
            "grpc-default-boss-*",
            "grpc-timer-*"
        })
class ChannelAgainstGrpcJavaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Scope scope = Scope.open("test");
    private final AtomicInteger connected = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private @Nullable Server server;

    @AfterEach
    void close() throws Exception {
        scope.close();
        Objects.requireNonNull(server).shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
    }

    private CaissonChannel connect(
            UnaryOperator<NettyServerBuilder> serving, UnaryOperator<CaissonChannelBuilder> calling) throws Exception {
        Server started = serving.apply(NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                        .addService(new Echo())
                        .addTransportFilter(new ServerTransportFilter() {
                            @Override
                            public Attributes transportReady(Attributes attributes) {
                                connected.incrementAndGet();
                                return attributes;
                            }

                            @Override
                            public void transportTerminated(Attributes attributes) {
                                ended.incrementAndGet();
                            }
                        }))
                .build()
                .start();
        server = started;
        return another(calling);
    }

    /** One more channel to the same server. */
    private CaissonChannel another(UnaryOperator<CaissonChannelBuilder> calling) {
        Server started = Objects.requireNonNull(server);
        return calling.apply(CaissonChannelBuilder.forAddress("127.0.0.1", started.getPort())
                        .usePlaintext()
                        .scope(scope))
                .build();
    }

    private static String call(ManagedChannel channel) {
        return ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "hello");
    }

    /** A stream over which one message has gone forth and back. */
    private record Stream(ChannelCallsIT.Recorder answers, StreamObserver<String> requests) {
        static Stream open(ManagedChannel channel) {
            ChannelCallsIT.Recorder recorder = new ChannelCallsIT.Recorder();
            Stream stream = new Stream(
                    recorder,
                    ClientCalls.asyncBidiStreamingCall(channel.newCall(Echo.BIDI, CallOptions.DEFAULT), recorder));
            stream.exchange();
            return stream;
        }

        void exchange() {
            int before = answers.values.size();
            requests.onNext("message");
            await().atMost(PATIENCE).until(() -> answers.values.size() == before + 1);
        }

        void finish() throws Exception {
            exchange();
            requests.onCompleted();
            answers.await();
            assertThat(answers.error).isNull();
        }
    }

    private static Status failure(ManagedChannel channel, CallOptions options, String message) {
        return assertThatExceptionOfType(StatusRuntimeException.class)
                .isThrownBy(() -> ClientCalls.blockingUnaryCall(channel, Echo.UNARY, options, message))
                .actual()
                .getStatus();
    }

    @Test
    void theServiceConfigLimitsMessagesOfItsMethods() throws Exception {
        Map<String, ?> config = Map.of(
                "methodConfig",
                List.of(Map.of(
                        "name",
                        List.of(Map.of("service", "test.Echo", "method", "Unary")),
                        "maxRequestMessageBytes",
                        10.0,
                        "maxResponseMessageBytes",
                        "8")));
        CaissonChannel channel = connect(b -> b, b -> b.defaultServiceConfig(config));
        CallOptions plain = CallOptions.DEFAULT;
        assertThat(ClientCalls.blockingUnaryCall(channel, Echo.UNARY, plain, "12345678"))
                .isEqualTo("12345678");
        Status tooLong = failure(channel, plain, "123456789");
        assertThat(tooLong.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(tooLong.getDescription()).contains("exceeds maximum size 8");
        Status unsent = failure(channel, plain, "12345678901");
        assertThat(Status.fromThrowable(unsent.getCause()).getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(unsent.getCause()).hasMessageContaining("message too large 11 > 10");

        // The least of what is set counts, whoever set it.
        assertThat(failure(channel, plain.withMaxInboundMessageSize(5), "123456")
                        .getDescription())
                .contains("maximum size 5");
        assertThat(failure(channel, plain.withMaxInboundMessageSize(100), "123456789")
                        .getDescription())
                .contains("maximum size 8");
        assertThat(failure(channel, plain.withMaxOutboundMessageSize(3), "1234").getCause())
                .hasMessageContaining("4 > 3");
        ManagedChannel tighter = another(b -> b.defaultServiceConfig(config).maxInboundMessageSize(4));
        assertThat(failure(tighter, plain, "12345").getDescription()).contains("maximum size 4");
        Stream.open(channel).finish(); // a method of another name
    }

    @Test
    void theServiceConfigMayRaiseTheDefaultLimitOfMessages() throws Exception {
        int size = 5 << 20;
        CaissonChannel channel = connect(
                b -> b.maxInboundMessageSize(size),
                b -> b.defaultServiceConfig(Map.of(
                        "methodConfig",
                        List.of(Map.of("name", List.of(Map.of()), "maxResponseMessageBytes", (double) size)))));
        assertThat(ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "x".repeat(size)))
                .hasSize(size);
        assertThat(failure(another(b -> b), CallOptions.DEFAULT, "x".repeat(size))
                        .getDescription())
                .contains("maximum size " + (4 << 20));
    }

    @Test
    void aServiceConfigWithASizeThatIsNoneIsRefused() throws Exception {
        CaissonChannel channel = connect(b -> b, b -> b);
        assertThat(call(channel)).isEqualTo("hello");
        for (Object bad : List.of(-1.0, 1.5, "many", List.of())) {
            Map<String, ?> config = Map.of("methodConfig", List.of(Map.of("maxRequestMessageBytes", bad)));
            assertThatThrownBy(() -> CaissonChannelBuilder.forTarget("x:1").defaultServiceConfig(config))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("maxRequestMessageBytes");
        }
    }

    @Test
    void anUnusedConnectionIsGivenUpAndMadeAgainWithTheNextCall() throws Exception {
        CaissonChannel channel = connect(b -> b, b -> b.idleTimeout(1, TimeUnit.SECONDS));
        assertThat(call(channel)).isEqualTo("hello");
        await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.IDLE && ended.get() == 1);
        assertThat(Scope.census().counts()).doesNotContainKey("connection");
        assertThat(call(channel)).isEqualTo("hello");
        assertThat(connected).hasValue(2);
    }

    @Test
    void aConnectionThatGrewOldKeepsItsCallsAndTakesNoMore() throws Exception {
        CaissonChannel channel = connect(b -> b.maxConnectionAge(100, TimeUnit.MILLISECONDS), b -> b);
        Stream stream = Stream.open(channel);
        await().atMost(PATIENCE).until(() -> {
            assertThat(call(channel)).isEqualTo("hello");
            return connected.get() > 1;
        });
        stream.finish();
        await().atMost(PATIENCE).until(() -> ended.get() > 0);
    }

    @Test
    void aServerThatShutsDownLetsCallsFinish() throws Exception {
        CaissonChannel channel = connect(b -> b, b -> b);
        Stream stream = Stream.open(channel);
        Objects.requireNonNull(server).shutdown();
        await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.IDLE);
        assertThatThrownBy(() -> call(channel)).hasMessageContaining("UNAVAILABLE: cannot reach");
        stream.finish();
        assertThat(Objects.requireNonNull(server).awaitTermination(30, TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void aServerThatForbidsPingsIsPingedLessAndLess() throws Exception {
        long first = TimeUnit.MILLISECONDS.toNanos(20);
        CaissonChannel channel = connect(
                b -> b.permitKeepAliveTime(1, TimeUnit.HOURS),
                b -> b.minKeepAlive(Duration.ofMillis(1)).keepAliveTime(first, TimeUnit.NANOSECONDS));
        for (long time = first; time < 8 * first; time *= 2) {
            long now = time;
            assertThat(channel.core().keepAliveNanos()).isEqualTo(now);
            Stream.open(channel); // under which pings go out, until the server ends it
            await().atMost(PATIENCE).until(() -> channel.core().keepAliveNanos() == 2 * now);
            await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.IDLE);
        }
        assertThat(call(channel)).isEqualTo("hello");
    }
}
