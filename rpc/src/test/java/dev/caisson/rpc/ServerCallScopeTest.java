package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthGrpc;
import dev.caisson.rpc.health.v1.HealthListRequest;
import dev.caisson.scope.Census;
import dev.caisson.scope.Scope;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A call is a scope: what its handler started ends with it, however it ends. */
@NullUnmarked
class ServerCallScopeTest {
    private interface Use {
        void with(CaissonServer server, HealthGrpc.HealthBlockingStub stub) throws Exception;
    }

    private static void serve(ServerTest.Where where, HealthGrpc.HealthImplBase service, Use use) throws Exception {
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(service);
        if (where == ServerTest.Where.EVENT_LOOP) {
            builder.directExecutor();
        }
        try (CaissonServer server = builder.build().start()) {
            ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                    .usePlaintext()
                    .build();
            try {
                use.with(server, HealthGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS));
            } finally {
                channel.shutdownNow();
                channel.awaitTermination(30, TimeUnit.SECONDS);
            }
        }
    }

    private static final HealthCheckRequest REQUEST = HealthCheckRequest.getDefaultInstance();

    @ParameterizedTest
    @EnumSource
    void whatAHandlerForkedEndsWithTheReply(ServerTest.Where where) throws Exception {
        CompletableFuture<Thread> forked = new CompletableFuture<>();
        CountDownLatch interrupted = new CountDownLatch(1);
        serve(
                where,
                new HealthGrpc.HealthImplBase() {
                    @Override
                    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                        Scope.current().orElseThrow().fork("helper", () -> {
                            forked.complete(Thread.currentThread());
                            try {
                                new CountDownLatch(1).await();
                            } catch (InterruptedException e) {
                                interrupted.countDown();
                            }
                        });
                        forked.join(); // a task that has not begun when its scope ends never does
                        reply.onNext(HealthCheckResponse.getDefaultInstance());
                        reply.onCompleted();
                    }
                },
                (server, stub) -> {
                    stub.check(REQUEST);
                    assertThat(forked.get(30, TimeUnit.SECONDS).join(Duration.ofSeconds(30)))
                            .isTrue();
                    assertThat(interrupted.await(30, TimeUnit.SECONDS)).isTrue();
                    Awaitility.await()
                            .untilAsserted(() -> assertThat(
                                            Scope.census(server.scope()).rows())
                                    .noneMatch(row -> row.kind().equals("task")
                                            || row.kind().equals("call-scope")));
                });
    }

    @ParameterizedTest
    @EnumSource
    void theDeadlineOfTheCallerReachesHandlerScopeAndContext(ServerTest.Where where) throws Exception {
        CompletableFuture<Duration> scope = new CompletableFuture<>();
        CompletableFuture<Long> context = new CompletableFuture<>();
        serve(
                where,
                new HealthGrpc.HealthImplBase() {
                    @Override
                    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                        scope.complete(Scope.current().orElseThrow().remaining().orElseThrow());
                        context.complete(Context.current().getDeadline().timeRemaining(TimeUnit.SECONDS));
                        reply.onNext(HealthCheckResponse.getDefaultInstance());
                        reply.onCompleted();
                    }
                },
                (server, stub) -> {
                    stub.withDeadlineAfter(1000, TimeUnit.SECONDS).check(REQUEST);
                    assertThat(scope.get()).isBetween(Duration.ofSeconds(900), Duration.ofSeconds(1000));
                    assertThat(context.get()).isBetween(900L, 1000L);
                });
    }

    private static void connect(HealthGrpc.HealthBlockingStub stub) {
        assertThatThrownBy(() -> stub.list(HealthListRequest.getDefaultInstance()))
                .hasMessageContaining(Status.Code.UNIMPLEMENTED.name());
    }

    @ParameterizedTest
    @EnumSource
    void theServerEndsAUnaryCallAtItsDeadline(ServerTest.Where where) throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        CompletableFuture<Throwable> cause = new CompletableFuture<>();
        serve(
                where,
                new HealthGrpc.HealthImplBase() {
                    @Override
                    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                        ((ServerCallStreamObserver<HealthCheckResponse>) reply)
                                .setOnCancelHandler(cancelled::countDown);
                        Context.current().addListener(c -> cause.complete(c.cancellationCause()), Runnable::run);
                    }
                },
                (server, stub) -> {
                    connect(stub); // so that the deadline runs out in the handler, not on the way to it
                    assertThatThrownBy(() ->
                                    stub.withDeadlineAfter(2, TimeUnit.SECONDS).check(REQUEST))
                            .hasMessageContaining(Status.Code.DEADLINE_EXCEEDED.name());
                    assertThat(cancelled.await(30, TimeUnit.SECONDS)).isTrue();
                    assertThat(cause.get(30, TimeUnit.SECONDS)).isNotNull();
                });
    }

    @Test
    void aCallThatAsksForNoScopeMakesNone() throws Exception {
        serve(
                ServerTest.Where.VIRTUAL_THREADS,
                new HealthGrpc.HealthImplBase() {
                    @Override
                    public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                        reply.onNext(HealthCheckResponse.getDefaultInstance());
                    }
                },
                (server, stub) -> {
                    var replies = stub.watch(REQUEST);
                    assertThat(replies.hasNext()).isTrue();
                    Census census = Scope.census(server.scope());
                    assertThat(census.rows()).noneMatch(row -> row.kind().equals("call-scope"));
                    assertThat(census.rows())
                            .as(census.tree())
                            .anyMatch(row ->
                                    row.kind().equals("call") && row.name().equals("grpc.health.v1.Health/Watch"));
                });
    }

    @Test
    void refusesOneCallMoreThanAllowed() throws Exception {
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .maxConcurrentCallsPerConnection(1)
                .addService(new HealthGrpc.HealthImplBase() {});
        try (CaissonServer server = builder.build().start();
                RawPeer peer = new RawPeer(server.getPort()).greet()) {
            RawPeer.Frame settings = peer.next(RawPeer.SETTINGS);
            java.nio.ByteBuffer values = java.nio.ByteBuffer.wrap(settings.payload());
            java.util.Map<Integer, Integer> told = new java.util.HashMap<>();
            while (values.hasRemaining()) {
                told.put((int) values.getShort(), values.getInt());
            }
            assertThat(told).containsEntry(3, 1);
        }
    }

    @Test
    void nothingKeepsAClosedServerReachable() throws Exception {
        List<WeakReference<Object>> closed = serveOnce();
        Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            System.gc();
            assertThat(closed).extracting(WeakReference::get).containsOnlyNulls();
        });
    }

    /** The server, its service and its scope, when all have ended; in a method of its own, so that no frame holds them. */
    private static List<WeakReference<Object>> serveOnce() throws Exception {
        HealthGrpc.HealthImplBase service = new HealthGrpc.HealthImplBase() {
            @Override
            public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                reply.onNext(HealthCheckResponse.getDefaultInstance());
                reply.onCompleted();
            }
        };
        List<WeakReference<Object>> kept = new ArrayList<>();
        kept.add(new WeakReference<>(service));
        serve(ServerTest.Where.VIRTUAL_THREADS, service, (server, stub) -> {
            stub.check(REQUEST);
            kept.add(new WeakReference<>(server));
            kept.add(new WeakReference<>(server.scope()));
        });
        return kept;
    }
}
