package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthGrpc;
import dev.caisson.scope.Scope;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;

/** A server is closed in the middle of 1,000 calls, again and again. */
@NullUnmarked
class ServerCloseRaceTest {
    private static final int ROUNDS = 100;
    private static final int CALLS = 1_000;

    /** Answers some calls at once, some from another thread, some never. */
    private static final class Mixed extends HealthGrpc.HealthImplBase {
        @Override
        public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
            reply.onNext(HealthCheckResponse.getDefaultInstance());
            reply.onCompleted();
        }

        @Override
        public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
            for (int i = 0; i < 3; i++) {
                reply.onNext(HealthCheckResponse.getDefaultInstance());
            }
            if (request.getService().isEmpty()) {
                reply.onCompleted();
            }
        }
    }

    @Test
    void everyCallEndsWithAStatusAndNothingIsLeft() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int rootsBefore = Scope.census().rows().size();
        ManagedChannel[] channels = new ManagedChannel[4];
        Map<Status.Code, Integer> seen = new EnumMap<>(Status.Code.class);
        for (int round = 0; round < ROUNDS; round++) {
            CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .addService(new Mixed());
            if (round % 2 == 0) {
                builder.directExecutor();
            }
            CaissonServer server = builder.build().start();
            for (int i = 0; i < channels.length; i++) {
                channels[i] = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                        .usePlaintext()
                        .build();
            }
            int closeAfter = random.nextInt(CALLS);
            boolean hard = random.nextBoolean();
            CountDownLatch ended = new CountDownLatch(CALLS);
            for (int i = 0; i < CALLS; i++) {
                if (i == closeAfter) {
                    if (hard) {
                        server.shutdownNow();
                    } else {
                        server.shutdown();
                    }
                }
                start(channels[random.nextInt(channels.length)], random.nextInt(4), ended, seen);
            }
            server.shutdownNow();
            assertThat(ended.await(60, TimeUnit.SECONDS))
                    .as("seed %d, round %d: %d calls without a status", seed, round, ended.getCount())
                    .isTrue();
            assertThat(server.awaitTermination(60, TimeUnit.SECONDS))
                    .as(
                            "seed %d, round %d: the server did not terminate:%n%s",
                            seed, round, Scope.census().tree())
                    .isTrue();
            for (ManagedChannel channel : channels) {
                channel.shutdownNow();
                channel.awaitTermination(30, TimeUnit.SECONDS);
            }
        }
        assertThat(Scope.census().rows()).as("seed %d", seed).hasSize(rootsBefore);
        assertThat(seen).as("seed %d", seed).containsKeys(Status.Code.OK, Status.Code.UNAVAILABLE);
    }

    private static void start(ManagedChannel channel, int kind, CountDownLatch ended, Map<Status.Code, Integer> seen) {
        StreamObserver<HealthCheckResponse> observer = new StreamObserver<>() {
            @Override
            public void onNext(HealthCheckResponse value) {}

            @Override
            public void onError(Throwable t) {
                count(Status.fromThrowable(t).getCode());
            }

            @Override
            public void onCompleted() {
                count(Status.Code.OK);
            }

            private void count(Status.Code code) {
                synchronized (seen) {
                    seen.merge(code, 1, Integer::sum);
                }
                ended.countDown();
            }
        };
        HealthGrpc.HealthStub stub = HealthGrpc.newStub(channel);
        HealthCheckRequest request = HealthCheckRequest.newBuilder()
                .setService(kind == 0 ? "stay" : "")
                .build();
        if (kind < 2) {
            stub.watch(request, observer);
        } else {
            stub.check(request, observer);
        }
    }
}
