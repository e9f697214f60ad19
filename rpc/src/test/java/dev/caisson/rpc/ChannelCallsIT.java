package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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
class ChannelCallsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Echo echo = new Echo();
    private final Server server;
    private final Scope scope;
    private final ManagedChannel channel;

    ChannelCallsIT() throws Exception {
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(echo)
                .build()
                .start();
        scope = Scope.open("test");
        channel = CaissonChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .scope(scope)
                .build();
    }

    @AfterEach
    void close() throws Exception {
        scope.close();
        assertThat(channel.isTerminated()).isTrue();
        server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
    }

    private String unary(String request) {
        return unary(request, CallOptions.DEFAULT);
    }

    private String unary(String request, CallOptions options) {
        return ClientCalls.blockingUnaryCall(channel, Echo.UNARY, options, request);
    }

    @Test
    void answersUnaryCalls() {
        for (int i = 0; i < 100; i++) {
            assertThat(unary("hello " + i)).isEqualTo("hello " + i);
        }
    }

    @Test
    void answersManyUnaryCallsAtOnce() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var futures = new ArrayList<java.util.concurrent.Future<String>>();
            for (int i = 0; i < 1000; i++) {
                String request = "hello " + i;
                futures.add(executor.submit(() -> unary(request)));
            }
            for (int i = 0; i < 1000; i++) {
                assertThat(futures.get(i).get(30, TimeUnit.SECONDS)).isEqualTo("hello " + i);
            }
        }
    }

    @Test
    void tellsTheStatusOfTheServer() {
        assertThatThrownBy(() -> unary("fail:DATA_LOSS")).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DATA_LOSS);
            assertThat(e.getStatus().getDescription()).isEqualTo("asked to: ü%");
        });
    }

    @Test
    void sendsAndReceivesLargeMessages() {
        String large = "x".repeat(3 * 1024 * 1024);
        assertThat(unary(large)).isEqualTo(large);
    }

    @Test
    void streamsFromTheServerWithBackPressure() {
        Iterator<String> messages =
                ClientCalls.blockingServerStreamingCall(channel, Echo.SERVER, CallOptions.DEFAULT, "stream:10000");
        int count = 0;
        while (messages.hasNext()) {
            assertThat(messages.next()).isEqualTo("message " + (10000 - count++));
        }
        assertThat(count).isEqualTo(10000);
    }

    @Test
    void streamsToTheServer() throws Exception {
        Recorder recorder = new Recorder();
        StreamObserver<String> requests =
                ClientCalls.asyncClientStreamingCall(channel.newCall(Echo.CLIENT, CallOptions.DEFAULT), recorder);
        for (int i = 0; i < 1000; i++) {
            requests.onNext("message " + i);
        }
        requests.onCompleted();
        recorder.await();
        assertThat(recorder.values).containsExactly("got 1000");
        assertThat(recorder.error).isNull();
    }

    @Test
    void theServerMayAnswerBeforeTheClientIsDone() throws Exception {
        Recorder recorder = new Recorder();
        StreamObserver<String> requests =
                ClientCalls.asyncClientStreamingCall(channel.newCall(Echo.CLIENT, CallOptions.DEFAULT), recorder);
        requests.onNext("one");
        requests.onNext("enough");
        recorder.await();
        assertThat(recorder.values).containsExactly("enough after 2");
        assertThat(unary("still there")).isEqualTo("still there");
    }

    @Test
    void streamsBothWays() throws Exception {
        Recorder recorder = new Recorder();
        StreamObserver<String> requests =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(Echo.BIDI, CallOptions.DEFAULT), recorder);
        for (int i = 0; i < 100; i++) {
            requests.onNext("message " + i);
            int expected = i + 1;
            await().atMost(PATIENCE).until(() -> recorder.values.size() == expected);
        }
        requests.onCompleted();
        recorder.await();
        assertThat(recorder.values).hasSize(100);
        assertThat(recorder.error).isNull();
    }

    @Test
    void endsAtTheDeadline() {
        assertThatThrownBy(() -> unary("never", CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.MILLISECONDS)))
                .isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
                    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
                    assertThat(e.getStatus().getDescription())
                            .matches(
                                    "(?s)CallOptions deadline exceeded after .*s. \\[.*\\]|ClientCall was cancelled.*");
                });
        await().atMost(PATIENCE).until(echo.open::isEmpty);
    }

    @Test
    void aCallThatIsStartedAndThenForgottenEndsAtItsDeadline() throws Exception {
        Recorder recorder = new Recorder();
        ClientCall<String, String> call =
                channel.newCall(Echo.UNARY, CallOptions.DEFAULT.withDeadlineAfter(500, TimeUnit.MILLISECONDS));
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        recorder.onError(status.asRuntimeException());
                    }
                },
                new Metadata());
        recorder.await();
        assertThat(Status.fromThrowable(Objects.requireNonNull(recorder.error)).getCode())
                .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }

    @Test
    void refusesADeadlineInThePast() {
        assertThatThrownBy(() -> unary("x", CallOptions.DEFAULT.withDeadlineAfter(-1, TimeUnit.SECONDS)))
                .hasMessageStartingWith(
                        "DEADLINE_EXCEEDED: ClientCall started after CallOptions deadline was exceeded");
    }

    @Test
    void cancellingTheContextCancelsTheCall() throws Exception {
        Context.CancellableContext context = Context.current().withCancellation();
        Recorder recorder = new Recorder();
        context.run(
                () -> ClientCalls.asyncUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "never", recorder));
        await().atMost(PATIENCE).until(() -> !echo.open.isEmpty());
        context.cancel(new IllegalStateException("enough"));
        recorder.await();
        assertThat(Status.fromThrowable(Objects.requireNonNull(recorder.error)).getCode())
                .isEqualTo(Status.Code.CANCELLED);
        await().atMost(PATIENCE).until(echo.open::isEmpty);
    }

    @Test
    void theCensusShowsConnectionAndCalls() throws Exception {
        Recorder recorder = new Recorder();
        StreamObserver<String> requests =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(Echo.BIDI, CallOptions.DEFAULT), recorder);
        requests.onNext("x");
        await().atMost(PATIENCE).until(() -> recorder.values.size() == 1);
        assertThat(Scope.census().counts())
                .containsEntry("channel", 1L)
                .containsEntry("connection", 1L)
                .containsEntry("call", 1L);
        requests.onCompleted();
        recorder.await();
        await().atMost(PATIENCE).until(() -> !Scope.census().counts().containsKey("call"));
    }

    /** Keeps what a call yields. */
    static class Recorder implements StreamObserver<String> {
        final List<String> values = Collections.synchronizedList(new ArrayList<>());
        volatile @Nullable Throwable error;
        private final CountDownLatch done = new CountDownLatch(1);

        @Override
        public void onNext(String value) {
            values.add(value);
        }

        @Override
        public void onError(Throwable t) {
            error = t;
            done.countDown();
        }

        @Override
        public void onCompleted() {
            done.countDown();
        }

        void await() throws InterruptedException {
            assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
