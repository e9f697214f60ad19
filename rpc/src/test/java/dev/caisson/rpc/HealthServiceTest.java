package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthCheckResponse.ServingStatus;
import dev.caisson.rpc.health.v1.HealthGrpc;
import dev.caisson.rpc.health.v1.HealthListRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
class HealthServiceTest {
    private static final int MAX_WATCHES = 20;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Peer peer;
    private final HealthService health = new HealthService(MAX_WATCHES);
    private Server server;
    private ManagedChannel channel;

    HealthServiceTest(Peer peer) {
        this.peer = peer;
    }

    @BeforeEach
    void start() throws Exception {
        server = peer.server().addService(health).build().start();
        channel = peer.channelTo(server);
    }

    @AfterEach
    void stop() throws Exception {
        channel.shutdownNow();
        server.shutdownNow();
        assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(server.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        await().atMost(PATIENCE).until(() -> health.watches() == 0);
    }

    @Test
    void theServerIsServingFromTheStart() {
        assertThat(check("")).isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void anUnknownServiceIsNotFound() {
        StatusRuntimeException e = catchThrowableOfType(StatusRuntimeException.class, () -> check("shop.Orders"));
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(e.getStatus().getDescription()).contains("\"shop.Orders\"");
    }

    @Test
    void statusesAreSetAndCleared() {
        health.setStatus("shop.Orders", ServingStatus.NOT_SERVING);
        assertThat(check("shop.Orders")).isEqualTo(ServingStatus.NOT_SERVING);
        assertThat(HealthGrpc.newBlockingStub(channel)
                        .list(HealthListRequest.getDefaultInstance())
                        .getStatusesMap())
                .containsOnlyKeys("", "shop.Orders")
                .containsEntry(
                        "shop.Orders",
                        HealthCheckResponse.newBuilder()
                                .setStatus(ServingStatus.NOT_SERVING)
                                .build());
        health.clear("shop.Orders");
        assertThatThrownBy(() -> check("shop.Orders")).hasMessageContaining("NOT_FOUND");
    }

    @Test
    void unknownCannotBeSet() {
        assertThatThrownBy(() -> health.setStatus("a", ServingStatus.SERVICE_UNKNOWN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("clear(service)");
    }

    @Test
    void aWatchSeesEachStateInTurn() throws Exception {
        Watch watch = watch("shop.Orders");
        assertThat(watch.next()).isEqualTo(ServingStatus.SERVICE_UNKNOWN);
        health.setStatus("shop.Orders", ServingStatus.SERVING);
        assertThat(watch.next()).isEqualTo(ServingStatus.SERVING);
        health.setStatus("shop.Other", ServingStatus.NOT_SERVING);
        health.setStatus("shop.Orders", ServingStatus.SERVING); // no change, no message
        health.setStatus("shop.Orders", ServingStatus.NOT_SERVING);
        assertThat(watch.next()).isEqualTo(ServingStatus.NOT_SERVING);
        health.clear("shop.Orders");
        assertThat(watch.next()).isEqualTo(ServingStatus.SERVICE_UNKNOWN);
        watch.cancel();
        await().atMost(PATIENCE).until(() -> health.watches() == 0);
        assertThat(watch.statuses).isEmpty();
    }

    @Test
    void shutdownIsForGoodAndKeepsWatches() throws Exception {
        health.setStatus("shop.Orders", ServingStatus.SERVING);
        Watch watch = watch("shop.Orders");
        assertThat(watch.next()).isEqualTo(ServingStatus.SERVING);
        health.shutdown();
        assertThat(watch.next()).isEqualTo(ServingStatus.NOT_SERVING);
        health.setStatus("shop.Orders", ServingStatus.SERVING);
        health.clear("");
        assertThat(check("shop.Orders")).isEqualTo(ServingStatus.NOT_SERVING);
        assertThat(check("")).isEqualTo(ServingStatus.NOT_SERVING);
        assertThat(health.watches()).isEqualTo(1);
    }

    @Test
    void closeEndsTheWatchesSoThatADrainNeedNotWait() throws Exception {
        Watch watch = watch("");
        assertThat(watch.next()).isEqualTo(ServingStatus.SERVING);
        server.shutdown();
        health.close();
        assertThat(watch.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(server.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(health.watches()).isZero();
        health.close();
    }

    @Test
    void aWatchAfterCloseIsRefused() throws Exception {
        health.close();
        assertThat(watch("").end().getDescription()).isEqualTo("health: the server is closing");
        assertThat(health.watches()).isZero();
    }

    @Test
    void watchesBeyondTheLimitAreRefusedAndPlacesComeBack() throws Exception {
        List<Watch> watches = new ArrayList<>();
        for (int i = 0; i < MAX_WATCHES; i++) {
            Watch watch = watch("service-" + i % 3);
            watch.next();
            watches.add(watch);
        }
        Status refused = watch("").end();
        assertThat(refused.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(refused.getDescription()).contains("20 watches");
        watches.get(7).cancel();
        await().atMost(PATIENCE).until(() -> health.watches() == MAX_WATCHES - 1);
        assertThat(watch("").next()).isEqualTo(ServingStatus.SERVING);
    }

    @Test
    void nothingIsSentOnAWatchThatWasRefused() {
        HealthService closed = new HealthService();
        closed.close();
        ServerMethodDefinition<?, ?> watch = closed.bindService().getMethod("grpc.health.v1.Health/Watch");
        assertThat(watch).isNotNull();
        assertThat(startOn(watch)).containsExactly("close UNAVAILABLE");
    }

    /** Takes a call through its events, readiness included, and tells what was done to it. */
    private static <Q, R> List<String> startOn(ServerMethodDefinition<Q, R> method) {
        List<String> done = new ArrayList<>();
        ServerCall<Q, R> call = new ServerCall<>() {
            @Override
            public void request(int n) {}

            @Override
            public void sendHeaders(Metadata headers) {
                done.add("headers");
            }

            @Override
            public void sendMessage(R message) {
                done.add("message");
            }

            @Override
            public void close(Status status, Metadata trailers) {
                done.add("close " + status.getCode());
            }

            @Override
            public boolean isCancelled() {
                return false;
            }

            @Override
            public MethodDescriptor<Q, R> getMethodDescriptor() {
                return method.getMethodDescriptor();
            }
        };
        ServerCall.Listener<Q> listener = method.getServerCallHandler().startCall(call, new Metadata());
        listener.onMessage(method.getMethodDescriptor().parseRequest(InputStream.nullInputStream()));
        listener.onReady();
        listener.onHalfClose();
        listener.onReady();
        return done;
    }

    @Test
    void aLostConnectionLeavesNoWatch() throws Exception {
        watch("a").next();
        watch("b").next();
        channel.shutdownNow();
        await().atMost(PATIENCE).until(() -> health.watches() == 0);
    }

    @Test
    void watchersAlwaysEndUpWithTheLastOfManyConcurrentChanges() throws Exception {
        long seed = System.nanoTime();
        System.out.println("HealthServiceTest seed " + seed);
        List<Watch> watches = new ArrayList<>();
        for (int i = 0; i < MAX_WATCHES; i++) {
            watches.add(watch("x"));
        }
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            Random random = new Random(seed + t);
            threads.add(Thread.ofVirtual().start(() -> {
                for (int i = 0; i < 500; i++) {
                    health.setStatus("x", random.nextBoolean() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        health.setStatus("x", ServingStatus.UNKNOWN); // nobody else sets this one
        for (Watch watch : watches) {
            ServingStatus last = watch.next();
            while (last != ServingStatus.UNKNOWN) {
                ServingStatus next = watch.next();
                assertThat(next).isNotEqualTo(last);
                last = next;
            }
        }
    }

    private ServingStatus check(String service) {
        return HealthGrpc.newBlockingStub(channel).check(request(service)).getStatus();
    }

    private static HealthCheckRequest request(String service) {
        return HealthCheckRequest.newBuilder().setService(service).build();
    }

    private Watch watch(String service) {
        Watch watch = new Watch();
        HealthGrpc.newStub(channel).watch(request(service), watch);
        return watch;
    }

    private static final class Watch implements ClientResponseObserver<HealthCheckRequest, HealthCheckResponse> {
        final BlockingQueue<ServingStatus> statuses = new LinkedBlockingQueue<>();
        final BlockingQueue<Status> ended = new LinkedBlockingQueue<>();
        private volatile @Nullable ClientCallStreamObserver<HealthCheckRequest> call;

        ServingStatus next() throws InterruptedException {
            ServingStatus status = statuses.poll(30, TimeUnit.SECONDS);
            assertThat(status).as("a status; ended with %s", ended).isNotNull();
            return status;
        }

        Status end() throws InterruptedException {
            Status status = ended.poll(30, TimeUnit.SECONDS);
            assertThat(status).as("the end of the watch").isNotNull();
            return status;
        }

        void cancel() {
            assertThat(call).isNotNull();
            call.cancel("the test has seen enough", null);
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<HealthCheckRequest> newCall) {
            call = newCall;
        }

        @Override
        public void onNext(HealthCheckResponse response) {
            statuses.add(response.getStatus());
        }

        @Override
        public void onError(Throwable t) {
            ended.add(Status.fromThrowable(t));
        }

        @Override
        public void onCompleted() {
            ended.add(Status.OK);
        }
    }
}
