package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthGrpc;
import dev.caisson.rpc.health.v1.HealthListRequest;
import dev.caisson.rpc.health.v1.HealthListResponse;
import dev.caisson.rpc.http2.ErrorCode;
import io.grpc.Attributes;
import io.grpc.BinaryLog;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.HandlerRegistry;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MetricSink;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Each public method of {@link ServerBuilder} has an effect that a client sees, or says that it is not supported. */
@NullUnmarked
class ServerBuilderOptionsTest {
    private interface Scenario {
        void run() throws Exception;
    }

    private final Map<String, Scenario> scenarios = new TreeMap<>();

    @TempDir
    private Path folder;

    ServerBuilderOptionsTest() {
        scenarios.put("directExecutor()", this::directExecutorRunsOnTheLoop);
        scenarios.put("executor(Executor)", this::executorRunsHandlers);
        scenarios.put("callExecutor(ServerCallExecutorSupplier)", this::callExecutorChoosesPerCall);
        scenarios.put("addService(BindableService)", this::serviceAnswers);
        scenarios.put("addService(ServerServiceDefinition)", this::definitionAnswers);
        scenarios.put("addServices(List)", this::definitionsAnswer);
        scenarios.put("intercept(ServerInterceptor)", this::lastInterceptorRunsFirst);
        scenarios.put("addTransportFilter(ServerTransportFilter)", this::transportFilterSeesBothEnds);
        scenarios.put("addStreamTracerFactory(Factory)", this::tracerSeesTheCall);
        scenarios.put("fallbackHandlerRegistry(HandlerRegistry)", this::fallbackIsAsked);
        scenarios.put("useTransportSecurity(File,File)", this::tlsFromFiles);
        scenarios.put("useTransportSecurity(InputStream,InputStream)", this::tlsFromStreams);
        scenarios.put("decompressorRegistry(DecompressorRegistry)", this::unknownEncodingIsRefused);
        scenarios.put("compressorRegistry(CompressorRegistry)", this::unknownCompressorIsRefused);
        scenarios.put("handshakeTimeout(long,TimeUnit)", this::silentHandshakeIsCut);
        scenarios.put("keepAliveTime(long,TimeUnit)", this::silentPeerIsPinged);
        scenarios.put("keepAliveTimeout(long,TimeUnit)", this::deadPeerIsCut);
        scenarios.put(
                "maxConnectionIdle(long,TimeUnit)",
                () -> leaves(b -> b.maxConnectionIdle(50, TimeUnit.MILLISECONDS), "max_idle"));
        scenarios.put(
                "maxConnectionAge(long,TimeUnit)",
                () -> leaves(b -> b.maxConnectionAge(50, TimeUnit.MILLISECONDS), "max_age"));
        scenarios.put("maxConnectionAgeGrace(long,TimeUnit)", this::graceEndsLongCalls);
        scenarios.put("permitKeepAliveTime(long,TimeUnit)", this::pingsAtThePermittedRateAreTaken);
        scenarios.put("permitKeepAliveWithoutCalls(boolean)", this::pingsWithoutCallsNeedPermission);
        scenarios.put("maxInboundMessageSize(int)", this::longMessageIsRefused);
        scenarios.put("maxInboundMetadataSize(int)", this::longMetadataIsRefused);
        scenarios.put(
                "setBinaryLog(BinaryLog)", () -> unsupported(b -> b.setBinaryLog((BinaryLog) null), "setBinaryLog"));
        scenarios.put(
                "addMetricSink(MetricSink)",
                () -> unsupported(b -> b.addMetricSink((MetricSink) null), "addMetricSink"));
        scenarios.put("build()", this::buildAcquiresNothing);
    }

    @Test
    void everyPublicMethodHasItsScenario() {
        TreeSet<String> methods = Arrays.stream(ServerBuilder.class.getDeclaredMethods())
                .filter(m ->
                        Modifier.isPublic(m.getModifiers()) && !Modifier.isStatic(m.getModifiers()) && !m.isBridge())
                .map(ServerBuilderOptionsTest::signature)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(scenarios.keySet()).isEqualTo(methods);
    }

    private static String signature(Method m) {
        return m.getName()
                + Arrays.stream(m.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(Collectors.joining(",", "(", ")"));
    }

    @TestFactory
    Stream<DynamicTest> eachMethodHasItsEffect() {
        return scenarios.entrySet().stream()
                .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> e.getValue().run()));
    }

    // ---- a service and a call

    private static final AtomicReference<Thread> RAN_ON = new AtomicReference<>();

    private static final class Service extends HealthGrpc.HealthImplBase {
        private final CountDownLatch watching = new CountDownLatch(1);

        @Override
        public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
            RAN_ON.set(Thread.currentThread());
            if (request.getService().equals("gzip")) {
                ((ServerCallStreamObserver<HealthCheckResponse>) reply).setCompression("gzip");
            }
            reply.onNext(HealthCheckResponse.getDefaultInstance());
            reply.onCompleted();
        }

        @Override
        public void list(HealthListRequest request, StreamObserver<HealthListResponse> reply) {
            reply.onNext(HealthListResponse.getDefaultInstance());
            reply.onCompleted();
        }

        @Override
        public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
            watching.countDown();
        }
    }

    private interface Use {
        void with(int port) throws Exception;
    }

    private static void serve(Consumer<CaissonServerBuilder> set, Use use) throws Exception {
        CaissonServerBuilder builder =
                CaissonServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        set.accept(builder);
        try (CaissonServer server = builder.build().start()) {
            use.with(server.getPort());
            server.shutdownNow();
        }
    }

    private interface Calls {
        void with(HealthGrpc.HealthBlockingStub stub) throws Exception;
    }

    private static void call(int port, Calls calls) throws Exception {
        call(NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext(), calls);
    }

    private static void call(NettyChannelBuilder builder, Calls calls) throws Exception {
        ManagedChannel channel = builder.build();
        try {
            calls.with(HealthGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS));
        } finally {
            channel.shutdownNow();
            assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static HealthCheckResponse check(HealthGrpc.HealthBlockingStub stub) {
        return stub.check(HealthCheckRequest.getDefaultInstance());
    }

    // ---- the scenarios

    private void directExecutorRunsOnTheLoop() throws Exception {
        serve(
                b -> b.addService(new Service()).directExecutor(),
                port -> call(port, stub -> {
                    check(stub);
                    assertThat(RAN_ON.get().getName()).startsWith("caisson-loop");
                }));
    }

    private static Executor named(String name) {
        return work -> Thread.ofVirtual().name(name).start(work);
    }

    private void executorRunsHandlers() throws Exception {
        serve(
                b -> b.addService(new Service()).executor(named("mine")),
                port -> call(port, stub -> {
                    check(stub);
                    assertThat(RAN_ON.get().getName()).isEqualTo("mine");
                }));
    }

    private void callExecutorChoosesPerCall() throws Exception {
        serve(
                b -> b.addService(new Service()).callExecutor(new io.grpc.ServerCallExecutorSupplier() {
                    @Override
                    public <Q, R> Executor getExecutor(ServerCall<Q, R> call, Metadata headers) {
                        return named("for " + call.getMethodDescriptor().getBareMethodName());
                    }
                }),
                port -> call(port, stub -> {
                    check(stub);
                    assertThat(RAN_ON.get().getName()).isEqualTo("for Check");
                }));
    }

    private void serviceAnswers() throws Exception {
        serve(
                b -> b.addService(new Service()),
                port -> call(port, stub -> {
                    check(stub);
                    assertThat(RAN_ON.get().isVirtual()).isTrue();
                }));
    }

    private void definitionAnswers() throws Exception {
        serve(
                b -> b.addService(new Service().bindService()),
                port -> call(port, stub -> assertThat(check(stub)).isNotNull()));
    }

    private void definitionsAnswer() throws Exception {
        List<ServerServiceDefinition> all = List.of(new Service().bindService());
        serve(
                b -> b.addServices(all),
                port -> call(port, stub -> assertThat(check(stub)).isNotNull()));
    }

    private static ServerInterceptor noting(StringBuffer order, String name) {
        return new ServerInterceptor() {
            @Override
            public <Q, R> ServerCall.Listener<Q> interceptCall(
                    ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
                order.append(name);
                return next.startCall(call, headers);
            }
        };
    }

    @SuppressWarnings("JdkObsolete") // appended to from several threads
    private void lastInterceptorRunsFirst() throws Exception {
        StringBuffer order = new StringBuffer();
        serve(
                b -> b.addService(new Service()).intercept(noting(order, "a")).intercept(noting(order, "b")),
                port -> call(port, stub -> {
                    check(stub);
                    assertThat(order.toString()).isEqualTo("ba");
                }));
    }

    private void transportFilterSeesBothEnds() throws Exception {
        CompletableFuture<Attributes> ready = new CompletableFuture<>();
        CompletableFuture<Attributes> gone = new CompletableFuture<>();
        serve(
                b -> b.addService(new Service()).addTransportFilter(new ServerTransportFilter() {
                    @Override
                    public Attributes transportReady(Attributes attributes) {
                        ready.complete(attributes);
                        return attributes;
                    }

                    @Override
                    public void transportTerminated(Attributes attributes) {
                        gone.complete(attributes);
                    }
                }),
                port -> call(port, ServerBuilderOptionsTest::check));
        assertThat(gone.get(30, TimeUnit.SECONDS)).isEqualTo(ready.get(30, TimeUnit.SECONDS));
    }

    private void tracerSeesTheCall() throws Exception {
        CompletableFuture<Status> closed = new CompletableFuture<>();
        AtomicReference<String> traced = new AtomicReference<>();
        serve(
                b -> b.addService(new Service()).addStreamTracerFactory(new ServerStreamTracer.Factory() {
                    @Override
                    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                        traced.set(method);
                        return new ServerStreamTracer() {
                            @Override
                            public void streamClosed(Status status) {
                                closed.complete(status);
                            }
                        };
                    }
                }),
                port -> call(port, stub -> {
                    check(stub);
                    assertThat(closed.get(30, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.OK);
                    assertThat(traced.get()).isEqualTo("grpc.health.v1.Health/Check");
                }));
    }

    private void fallbackIsAsked() throws Exception {
        ServerServiceDefinition late = new Service().bindService();
        serve(
                b -> b.fallbackHandlerRegistry(new HandlerRegistry() {
                    @Override
                    public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
                        return late.getMethod(name);
                    }
                }),
                port -> call(port, stub -> assertThat(check(stub)).isNotNull()));
    }

    private void tls(Consumer<CaissonServerBuilder> set) throws Exception {
        serve(b -> set.accept(b.addService(new Service())), port -> {
            try (InputStream roots = TestCertificates.open("ca.pem")) {
                NettyChannelBuilder builder = NettyChannelBuilder.forAddress(
                                new InetSocketAddress("127.0.0.1", port),
                                TlsChannelCredentials.newBuilder()
                                        .trustManager(roots)
                                        .build())
                        .overrideAuthority("localhost");
                call(builder, stub -> assertThat(check(stub)).isNotNull());
            }
        });
    }

    private void tlsFromFiles() throws Exception {
        File chain = folder.resolve("chain.pem").toFile();
        File key = folder.resolve("key.pem").toFile();
        Files.write(chain.toPath(), TestCertificates.bytes("server.pem"));
        Files.write(key.toPath(), TestCertificates.bytes("server.key"));
        tls(b -> b.useTransportSecurity(chain, key));
    }

    private void tlsFromStreams() throws Exception {
        try (InputStream chain = TestCertificates.open("server.pem");
                InputStream key = TestCertificates.open("server.key")) {
            tls(b -> b.useTransportSecurity(chain, key));
        }
    }

    private void unknownEncodingIsRefused() throws Exception {
        serve(
                b -> b.addService(new Service()).decompressorRegistry(DecompressorRegistry.emptyInstance()),
                port -> call(
                        port,
                        stub -> assertThatThrownBy(() -> check(stub.withCompression("gzip")))
                                .hasMessageContaining("UNIMPLEMENTED")
                                .hasMessageContaining("gzip")));
    }

    private void unknownCompressorIsRefused() throws Exception {
        HealthCheckRequest gzip =
                HealthCheckRequest.newBuilder().setService("gzip").build();
        serve(
                b -> b.addService(new Service()),
                port -> call(port, stub -> assertThat(stub.check(gzip)).isNotNull()));
        serve(
                b -> b.addService(new Service()).compressorRegistry(CompressorRegistry.newEmptyInstance()),
                port -> call(
                        port, stub -> assertThatThrownBy(() -> stub.check(gzip)).hasMessageContaining("UNKNOWN")));
    }

    private void silentHandshakeIsCut() throws Exception {
        try (InputStream chain = TestCertificates.open("server.pem");
                InputStream key = TestCertificates.open("server.key")) {
            serve(b -> b.useTransportSecurity(chain, key).handshakeTimeout(50, TimeUnit.MILLISECONDS), port -> {
                try (RawPeer silent = new RawPeer(port)) {
                    silent.awaitEnd();
                }
            });
        }
        serve(b -> b.handshakeTimeout(50, TimeUnit.MILLISECONDS), port -> {
            try (RawPeer silent = new RawPeer(port)) {
                silent.awaitEnd(); // plaintext: no preface
            }
        });
    }

    private void silentPeerIsPinged() throws Exception {
        serve(b -> b.keepAliveTime(50, TimeUnit.MILLISECONDS).keepAliveTimeout(1, TimeUnit.HOURS), port -> {
            try (RawPeer peer = new RawPeer(port).greet()) {
                for (int i = 0; i < 3; i++) { // again and again, as it answers
                    peer.send(
                            RawPeer.PING,
                            RawPeer.ACK,
                            0,
                            peer.require(RawPeer.PING).payload());
                }
            }
        });
    }

    private void deadPeerIsCut() throws Exception {
        serve(b -> b.keepAliveTime(50, TimeUnit.MILLISECONDS).keepAliveTimeout(50, TimeUnit.MILLISECONDS), port -> {
            try (RawPeer peer = new RawPeer(port).greet()) {
                peer.awaitEnd();
            }
        });
    }

    private static void leaves(Consumer<CaissonServerBuilder> set, String why) throws Exception {
        serve(set, port -> {
            try (RawPeer peer = new RawPeer(port).greet()) {
                RawPeer.Frame frame = peer.next(RawPeer.GOAWAY);
                assertThat(frame.code()).isEqualTo(ErrorCode.NO_ERROR);
                assertThat(frame.debug()).isEqualTo(why);
            }
        });
    }

    private void graceEndsLongCalls() throws Exception {
        Service service = new Service();
        serve(
                b -> b.addService(service)
                        .maxConnectionAge(50, TimeUnit.MILLISECONDS)
                        .maxConnectionAgeGrace(50, TimeUnit.MILLISECONDS),
                port -> call(
                        port,
                        stub -> assertThatThrownBy(() -> stub.watch(HealthCheckRequest.getDefaultInstance())
                                        .hasNext())
                                .isInstanceOf(StatusRuntimeException.class)
                                .hasMessageContaining("UNAVAILABLE")));
    }

    private static void ping(RawPeer peer, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            peer.send(RawPeer.PING, 0, 0, new byte[8]);
        }
    }

    private void pingsWithoutCallsNeedPermission() throws Exception {
        serve(b -> b.permitKeepAliveTime(1, TimeUnit.NANOSECONDS), port -> {
            try (RawPeer peer = new RawPeer(port).greet()) {
                ping(peer, ServerConnection.PING_STRIKES + 2);
                RawPeer.Frame frame = peer.next(RawPeer.GOAWAY);
                assertThat(frame.code()).isEqualTo(ErrorCode.ENHANCE_YOUR_CALM);
                assertThat(frame.debug()).isEqualTo("too_many_pings");
            }
        });
        pingsAtThePermittedRateAreTaken();
    }

    private void pingsAtThePermittedRateAreTaken() throws Exception {
        serve(b -> b.permitKeepAliveTime(1, TimeUnit.NANOSECONDS).permitKeepAliveWithoutCalls(true), port -> {
            try (RawPeer peer = new RawPeer(port).greet()) {
                ping(peer, 20);
                for (int i = 0; i < 20; i++) {
                    assertThat(peer.next(RawPeer.PING)).isNotNull();
                }
            }
        });
        serve(b -> b.permitKeepAliveTime(1, TimeUnit.HOURS).permitKeepAliveWithoutCalls(true), port -> {
            try (RawPeer peer = new RawPeer(port).greet()) {
                ping(peer, 20);
                assertThat(peer.next(RawPeer.GOAWAY).code()).isEqualTo(ErrorCode.ENHANCE_YOUR_CALM);
            }
        });
    }

    private void longMessageIsRefused() throws Exception {
        HealthCheckRequest request =
                HealthCheckRequest.newBuilder().setService("x".repeat(200)).build();
        serve(
                b -> b.addService(new Service()).maxInboundMessageSize(100),
                port -> call(port, stub -> {
                    assertThatThrownBy(() -> stub.check(request)).hasMessageContaining("RESOURCE_EXHAUSTED");
                    assertThat(check(stub)).isNotNull();
                }));
    }

    private void longMetadataIsRefused() throws Exception {
        Metadata metadata = new Metadata();
        metadata.put(Metadata.Key.of("big", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(4000));
        serve(
                b -> b.addService(new Service()).maxInboundMetadataSize(1000),
                port -> call(port, stub -> {
                    // a client learns the limit from SETTINGS with its first call, and may refuse by itself after that
                    assertThatThrownBy(() ->
                                    check(stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata))))
                            .isInstanceOf(StatusRuntimeException.class);
                    assertThat(check(stub)).isNotNull();
                }));
        serve(
                b -> b.addService(new Service()),
                port -> call(
                        port,
                        stub -> assertThat(check(
                                        stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata))))
                                .isNotNull()));
    }

    private static void unsupported(Consumer<CaissonServerBuilder> use, String name) {
        assertThatThrownBy(() -> use.accept(CaissonServerBuilder.forPort(0)))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining(name);
    }

    private void buildAcquiresNothing() {
        CaissonServer server = CaissonServerBuilder.forPort(0).build();
        assertThat(server.getPort()).isEqualTo(-1);
        assertThat(server.isShutdown()).isFalse();
    }
}
