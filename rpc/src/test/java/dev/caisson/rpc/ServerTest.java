package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthGrpc;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Iterator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The server against grpc-java's own client. */
@NullUnmarked
class ServerTest {
    enum Where {
        VIRTUAL_THREADS,
        EVENT_LOOP
    }

    private CaissonServer server;
    private ManagedChannel channel;

    private void start(Where where, HealthGrpc.HealthImplBase service) throws Exception {
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(service);
        if (where == Where.EVENT_LOOP) {
            builder.directExecutor();
        }
        server = builder.build().start();
        channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .build();
    }

    @AfterEach
    void stop() throws Exception {
        if (channel != null) {
            channel.shutdownNow();
            assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
        if (server != null) {
            server.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void answersUnaryCalls(Where where) throws Exception {
        AtomicReference<Thread> ranOn = new AtomicReference<>();
        start(where, new HealthGrpc.HealthImplBase() {
            @Override
            public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                ranOn.set(Thread.currentThread());
                reply.onNext(HealthCheckResponse.newBuilder()
                        .setStatusValue(request.getService().length())
                        .build());
                reply.onCompleted();
            }
        });
        HealthGrpc.HealthBlockingStub stub =
                HealthGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
        for (int i = 0; i < 100; i++) {
            HealthCheckResponse response = stub.check(HealthCheckRequest.newBuilder()
                    .setService("x".repeat(i * 50))
                    .build());
            assertThat(response.getStatusValue()).isEqualTo(i * 50);
        }
        assertThat(ranOn.get().isVirtual()).isEqualTo(where == Where.VIRTUAL_THREADS);
    }

    @ParameterizedTest
    @EnumSource
    void streamsToTheClient(Where where) throws Exception {
        start(where, new HealthGrpc.HealthImplBase() {
            @Override
            public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                for (int i = 0; i < 10_000; i++) {
                    reply.onNext(
                            HealthCheckResponse.newBuilder().setStatusValue(i).build());
                }
                reply.onCompleted();
            }
        });
        Iterator<HealthCheckResponse> all = HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .watch(HealthCheckRequest.getDefaultInstance());
        int n = 0;
        while (all.hasNext()) {
            assertThat(all.next().getStatusValue()).isEqualTo(n++);
        }
        assertThat(n).isEqualTo(10_000);
    }

    @ParameterizedTest
    @EnumSource
    void tellsTheStatusOfWhatAHandlerThrows(Where where) throws Exception {
        start(where, new HealthGrpc.HealthImplBase() {
            @Override
            public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                if (request.getService().isEmpty()) {
                    throw new IllegalStateException("a secret");
                }
                reply.onError(Status.NOT_FOUND.withDescription("né pas: 100 %").asRuntimeException());
            }
        });
        HealthGrpc.HealthBlockingStub stub =
                HealthGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
        assertThatThrownBy(() -> stub.check(HealthCheckRequest.getDefaultInstance()))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessage("UNKNOWN: Application error processing RPC");
        assertThatThrownBy(() -> stub.check(
                        HealthCheckRequest.newBuilder().setService("a").build()))
                .hasMessage("NOT_FOUND: né pas: 100 %");
    }

    @ParameterizedTest
    @EnumSource
    void tellsTheHandlerThatItsCallerLeft(Where where) throws Exception {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(2);
        start(where, new HealthGrpc.HealthImplBase() {
            @Override
            public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                ((ServerCallStreamObserver<HealthCheckResponse>) reply).setOnCancelHandler(cancelled::countDown);
                Context.current().addListener(c -> cancelled.countDown(), Runnable::run);
                started.countDown();
            }
        });
        Context.CancellableContext caller = Context.current().withCancellation();
        caller.run(() -> HealthGrpc.newStub(channel)
                .watch(HealthCheckRequest.getDefaultInstance(), new StreamObserver<>() {
                    @Override
                    public void onNext(HealthCheckResponse value) {}

                    @Override
                    public void onError(Throwable t) {}

                    @Override
                    public void onCompleted() {}
                }));
        assertThat(started.await(30, TimeUnit.SECONDS)).isTrue();
        caller.cancel(null);
        assertThat(cancelled.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void namesAMethodItDoesNotKnow() throws Exception {
        start(Where.VIRTUAL_THREADS, new HealthGrpc.HealthImplBase() {});
        assertThatThrownBy(() -> HealthGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(30, TimeUnit.SECONDS)
                        .list(dev.caisson.rpc.health.v1.HealthListRequest.getDefaultInstance()))
                .hasMessageStartingWith("UNIMPLEMENTED");
    }

    @Test
    void runsOnTheTransportThatFits() {
        String expected = System.getProperty("caisson.expect.transport");
        try (EventLoops.Lease loops = EventLoops.acquire()) {
            if (expected != null) {
                assertThat(loops.transport()).isEqualTo(expected);
            } else if (System.getProperty("os.name").equals("Linux")) {
                assertThat(loops.transport()).isEqualTo("epoll");
            }
        }
    }
}
