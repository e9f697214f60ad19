package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

@NoLeaks(
        ignoreNames = { // grpc-java's shared executor keeps idle threads for 60 s, and closes its loops and timers late
            "grpc-default-executor-*",
            "grpc-shared-destroyer-*",
            "grpc-default-worker-*",
            "grpc-default-boss-*",
            "grpc-timer-*"
        })
class ChannelCloseRacesIT {
    private static final int ROUNDS = 100;
    private static final int CALLS = 1000;

    @Test
    void everyCallEndsWithAStatusWhenTheChannelIsClosedAmongThem() throws Exception {
        Echo echo = new Echo();
        closeAmongCalls(
                echo,
                NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                        .directExecutor()
                        .addService(echo)
                        .build());
    }

    @Test
    void soItDoesOverOurOwnServer() throws Exception {
        Echo echo = new Echo();
        closeAmongCalls(echo, CaissonServerBuilder.forPort(0).addService(echo).build());
    }

    private static void closeAmongCalls(Echo echo, Server server) throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        server.start();
        try {
            Map<String, Long> before = Scope.census().counts();
            for (int round = 0; round < ROUNDS; round++) {
                oneRound(server.getPort(), random);
            }
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(Scope.census().counts()).isEqualTo(before));
            await().atMost(Duration.ofSeconds(30)).until(echo.open::isEmpty);
        } finally {
            server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        }
    }

    private static void oneRound(int port, Random random) throws Exception {
        Scope scope = Scope.open("race");
        CaissonChannel channel = CaissonChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .scope(scope)
                .build();
        CountDownLatch ended = new CountDownLatch(CALLS);
        AtomicInteger answered = new AtomicInteger();
        int closeAt = random.nextInt(CALLS);
        int how = random.nextInt(4);
        boolean waitForReady = random.nextBoolean();
        Thread closer = null;
        for (int i = 0; i < CALLS; i++) {
            if (i == closeAt) {
                closer = Thread.ofVirtual().start(() -> {
                    switch (how) {
                        case 0 -> channel.shutdown();
                        case 1 -> channel.shutdownNow();
                        case 2 -> scope.close();
                        default -> scope.drainAndClose(Duration.ofSeconds(20));
                    }
                });
            }
            start(channel, i, waitForReady, ended, answered);
        }
        assertThat(ended.await(60, TimeUnit.SECONDS))
                .as("calls without a status: %s of %s, closed by %s", ended.getCount(), CALLS, how)
                .isTrue();
        if (closer != null) {
            closer.join();
        }
        assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        scope.close();
    }

    private static void start(
            CaissonChannel channel, int i, boolean waitForReady, CountDownLatch ended, AtomicInteger answered) {
        CallOptions options = waitForReady ? CallOptions.DEFAULT.withWaitForReady() : CallOptions.DEFAULT;
        var method = i % 3 == 0 ? Echo.BIDI : Echo.UNARY;
        ClientCall<String, String> call = channel.newCall(method, options);
        call.start(
                new ClientCall.Listener<>() {
                    private boolean closed;

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        assertThat(closed).isFalse();
                        closed = true;
                        if (status.isOk()) {
                            answered.incrementAndGet();
                        } else if (status.getCode() != Status.Code.UNAVAILABLE) {
                            System.out.println("unexpected " + status);
                        }
                        ended.countDown();
                    }
                },
                new Metadata());
        call.request(2);
        call.sendMessage("message " + i);
        call.halfClose();
    }
}
