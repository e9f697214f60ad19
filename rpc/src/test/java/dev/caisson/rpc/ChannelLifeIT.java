package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptor;
import io.grpc.ConnectivityState;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.NameResolver;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.lang.ref.WeakReference;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who owns a channel, how it ends, and what is left: nothing. */
@NoLeaks(
        ignoreNames = { // grpc-java's shared executor keeps idle threads for 60 s, and closes its loops and timers late
            "grpc-default-executor-*",
            "grpc-shared-destroyer-*",
            "grpc-default-worker-*",
            "grpc-default-boss-*",
            "grpc-timer-*"
        })
class ChannelLifeIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Echo echo = new Echo();
    private final Server server;

    ChannelLifeIT() throws Exception {
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(echo)
                .build()
                .start();
    }

    @AfterEach
    void close() throws Exception {
        server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
    }

    private CaissonChannelBuilder builder() {
        return CaissonChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext();
    }

    private static String call(ManagedChannel channel) {
        return ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "hello");
    }

    private static boolean counted(String kind) {
        return Scope.census().counts().containsKey(kind);
    }

    private static boolean loopsRun() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(t -> t.getName().startsWith("caisson-loop"));
    }

    @Test
    void isFoundByTheProvidersOfGrpc() throws Exception {
        String target = "127.0.0.1:" + server.getPort();
        ManagedChannel byCredentials = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create())
                .build();
        ManagedChannel byAddress = ManagedChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .build();
        ManagedChannel byTarget = ManagedChannelBuilder.forTarget("dns:///" + target)
                .usePlaintext()
                .build();
        for (ManagedChannel channel : new ManagedChannel[] {byCredentials, byAddress, byTarget}) {
            assertThat(channel).isInstanceOf(CaissonChannel.class);
            assertThat(call(channel)).isEqualTo("hello");
            channel.shutdown();
            assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void leavesNothingBehindWhenShutDown() throws Exception {
        ManagedChannel channel = builder().build();
        assertThat(call(channel)).isEqualTo("hello");
        assertThat(counted("channel")).isTrue();
        channel.shutdown();
        assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(counted("channel")).isFalse();
        assertThat(counted("connection")).isFalse();
        await().atMost(PATIENCE).until(() -> !loopsRun());
        assertThatThrownBy(() -> call(channel)).hasMessageContaining("shutdown was called");
    }

    @Test
    void nothingKeepsItReachableOnceItHasTerminated() throws Exception {
        ManagedChannel channel = builder().build();
        assertThat(call(channel)).isEqualTo("hello");
        channel.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        WeakReference<ManagedChannel> handle = new WeakReference<>(channel);
        WeakReference<ChannelCore> core = new WeakReference<>(((CaissonChannel) channel).core());
        channel = null;
        await().atMost(PATIENCE).until(() -> {
            System.gc();
            return handle.get() == null && core.get() == null;
        });
    }

    @Test
    void aChannelThatCannotBeOpenedGivesBackWhatItTook() {
        try (Scope owner = Scope.open("test")) {
            CaissonChannelBuilder unknown =
                    CaissonChannelBuilder.forTarget("unix:///tmp/socket").usePlaintext();
            assertThatThrownBy(() -> unknown.scope(owner).build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("unix");
            assertThat(counted("channel")).isFalse();
            assertThat(counted("connections")).isFalse();
            await().atMost(PATIENCE).until(() -> !loopsRun());
        }
        Scope closed = Scope.open("test");
        closed.close();
        assertThatThrownBy(() -> builder().scope(closed).build())
                .isInstanceOf(dev.caisson.scope.ScopeClosedException.class);
        assertThatThrownBy(() -> CaissonChannelBuilder.forTarget("unix:///tmp/socket")
                        .usePlaintext()
                        .build())
                .hasMessageContaining("unix");
        assertThat(counted("channel")).isFalse();
        await().atMost(PATIENCE).until(() -> !loopsRun());
    }

    @Test
    void aChannelWhoseLastStepFailsGivesBackWhatItTook() {
        try (Scope owner = Scope.open("test")) {
            // The channel stands, with engine and scopes, when its interceptors are looked at.
            List<ClientInterceptor> interceptors = Collections.singletonList(null);
            ChannelSettings settings = builder().settings("pick_first", Long.MAX_VALUE);
            assertThatThrownBy(() -> CaissonChannel.open("127.0.0.1:1", settings, interceptors, owner))
                    .isInstanceOf(NullPointerException.class);
            assertThat(counted("channel")).isFalse();
            assertThat(counted("channel engine")).isFalse();
            await().atMost(PATIENCE).until(() -> !loopsRun());
        }
    }

    /** A look-up that does not end by itself. */
    private static final class Stuck extends NameResolver.Factory {
        final CountDownLatch lookingUp = new CountDownLatch(1);
        final CountDownLatch interrupted = new CountDownLatch(1);

        private InetAddress[] lookUp(String host) throws UnknownHostException {
            lookingUp.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            throw new UnknownHostException(host);
        }

        @Override
        public NameResolver newNameResolver(URI target, NameResolver.Args args) {
            return new DnsResolver(
                    Target.parse("dns:///backend.test:1", "dns"::equals),
                    args,
                    Objects.requireNonNull(args.getOffloadExecutor()),
                    this::lookUp,
                    System::nanoTime,
                    new Backoff(() -> 0.5));
        }

        @Override
        public String getDefaultScheme() {
            return "dns";
        }
    }

    @Test
    void aLookUpUnderWayEndsWithTheChannel() throws Exception {
        Stuck stuck = new Stuck();
        CaissonChannel channel = CaissonChannelBuilder.forTarget("backend.test")
                .usePlaintext()
                .nameResolverFactory(stuck)
                .build();
        var _ = channel.getState(true);
        assertThat(stuck.lookingUp.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(counted("task")).isTrue();
        channel.close();
        assertThat(stuck.interrupted.getCount()).isZero();
        assertThat(counted("task")).isFalse();
        assertThat(counted("channel")).isFalse();
    }

    @Test
    void aDroppedChannelIsFoundAndEnds() {
        drop();
        await().atMost(PATIENCE).until(() -> {
            System.gc();
            return !counted("channel") && !counted("connection") && !loopsRun();
        });
    }

    private void drop() {
        assertThat(call(builder().build())).isEqualTo("hello");
        assertThat(counted("channel")).isTrue();
    }

    @Test
    void aDroppedChannelWithACallInFlightIsNotTakenForAbandoned() throws Exception {
        ChannelCallsIT.Recorder recorder = new ChannelCallsIT.Recorder();
        StreamObserver<String> requests =
                ClientCalls.asyncBidiStreamingCall(builder().build().newCall(Echo.BIDI, CallOptions.DEFAULT), recorder);
        for (int i = 1; i <= 5; i++) {
            System.gc();
            requests.onNext("still there");
            int expected = i;
            await().atMost(PATIENCE).until(() -> recorder.values.size() == expected);
        }
        requests.onCompleted();
        recorder.await();
        assertThat(recorder.error).isNull();
        await().atMost(PATIENCE).until(() -> {
            System.gc();
            return !counted("channel");
        });
    }

    @Test
    void aDrainingScopeLetsCallsFinish() throws Exception {
        Scope scope = Scope.open("test");
        ManagedChannel channel = builder().scope(scope).build();
        ChannelCallsIT.Recorder recorder = new ChannelCallsIT.Recorder();
        StreamObserver<String> requests =
                ClientCalls.asyncBidiStreamingCall(channel.newCall(Echo.BIDI, CallOptions.DEFAULT), recorder);
        requests.onNext("before");
        await().atMost(PATIENCE).until(() -> recorder.values.size() == 1);
        Thread closer = Thread.ofVirtual().start(() -> scope.drainAndClose(PATIENCE));
        await().atMost(PATIENCE).until(channel::isShutdown);
        requests.onNext("after");
        await().atMost(PATIENCE).until(() -> recorder.values.size() == 2);
        requests.onCompleted();
        recorder.await();
        closer.join();
        assertThat(recorder.error).isNull();
        assertThat(channel.isTerminated()).isTrue();
    }

    @Test
    void goesIdleOnRequestAndComesBack() {
        try (Scope scope = Scope.open("test")) {
            ManagedChannel channel = builder().scope(scope).build();
            assertThat(call(channel)).isEqualTo("hello");
            channel.enterIdle();
            await().atMost(PATIENCE)
                    .until(() -> channel.getState(false) == ConnectivityState.IDLE && !counted("connection"));
            assertThat(call(channel)).isEqualTo("hello");
        }
    }

    @Test
    void callsInheritTheScopesDeadline() {
        try (Scope scope = Scope.open("test")) {
            ManagedChannel channel = builder().scope(scope).build();
            Scope hasty = scope.child(
                    "hasty", dev.caisson.scope.ScopeOptions.defaults().timeout(Duration.ofMillis(200)));
            hasty.wrap(() -> assertThatThrownBy(() ->
                                    ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "never"))
                            .hasMessageContaining("DEADLINE_EXCEEDED"))
                    .run();
        }
    }
}
