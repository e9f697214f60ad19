package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientTransportFilter;
import io.grpc.Codec;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.NameResolver;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.ThrowingConsumer;

/** Every option of ManagedChannelBuilder has an effect, shown here, or throws, or is on the short list of those without. */
@NoLeaks(
        ignoreNames = { // grpc-java's shared executor keeps idle threads for 60 s, and closes its loops and timers late
            "grpc-default-executor-*",
            "grpc-shared-destroyer-*",
            "grpc-default-worker-*",
            "grpc-default-boss-*",
            "grpc-timer-*"
        })
class ChannelBuilderOptionsTest {
    private static final Set<String> WITHOUT_EFFECT =
            Set.of("maxRetryAttempts", "maxHedgedAttempts", "retryBufferSize", "maxTraceEvents");

    private static final Set<String> UNSUPPORTED =
            Set.of("setBinaryLog", "proxyDetector", "addMetricSink", "childChannelConfigurator");

    private final AtomicReference<Metadata> headers = new AtomicReference<>(new Metadata());
    private final AtomicReference<@Nullable String> authority = new AtomicReference<>();
    private final Server server;
    private final Scope scope = Scope.open("test");

    ChannelBuilderOptionsTest() throws Exception {
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(new Echo())
                .intercept(new ServerInterceptor() {
                    @Override
                    public <Q, R> ServerCall.Listener<Q> interceptCall(
                            ServerCall<Q, R> call, Metadata received, ServerCallHandler<Q, R> next) {
                        headers.set(received);
                        authority.set(call.getAuthority());
                        return next.startCall(call, received);
                    }
                })
                .build()
                .start();
    }

    @AfterEach
    void close() throws Exception {
        scope.close();
        server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
    }

    /** What shows that an option works; by the option's name. */
    private Map<String, Runnable> effects() {
        Map<String, Runnable> shown = new TreeMap<>();
        shown.put("directExecutor", this::directExecutor);
        shown.put("executor", this::executor);
        shown.put("offloadExecutor", this::offloadExecutor);
        shown.put("intercept", this::intercept);
        shown.put("interceptWithTarget", this::interceptWithTarget);
        shown.put("addTransportFilter", this::addTransportFilter);
        shown.put("userAgent", this::userAgent);
        shown.put("overrideAuthority", this::overrideAuthority);
        shown.put("usePlaintext", () -> assertThat(call(b -> b)).isEqualTo("hello"));
        shown.put("useTransportSecurity", this::useTransportSecurity);
        shown.put("nameResolverFactory", this::nameResolverFactory);
        shown.put("defaultLoadBalancingPolicy", this::defaultLoadBalancingPolicy);
        shown.put("decompressorRegistry", this::decompressorRegistry);
        shown.put("compressorRegistry", this::compressorRegistry);
        shown.put("maxInboundMessageSize", this::maxInboundMessageSize);
        shown.put("maxInboundMetadataSize", this::maxInboundMetadataSize);
        shown.put("defaultServiceConfig", this::defaultServiceConfig);
        shown.put("disableServiceConfigLookUp", this::disableServiceConfigLookUp);
        shown.put("setNameResolverArg", this::setNameResolverArg);
        shown.put("build", () -> assertThat(call(b -> b)).isEqualTo("hello"));
        return shown;
    }

    /** The tests of other classes that show an effect: they run there, and the compiler holds that they exist. */
    private static Map<String, ThrowingConsumer<?>> effectsElsewhere() {
        ThrowingConsumer<ChannelAgainstGrpcJavaIT> idle =
                ChannelAgainstGrpcJavaIT::anUnusedConnectionIsGivenUpAndMadeAgainWithTheNextCall;
        ThrowingConsumer<ChannelPeersIT> keepAliveTime = ChannelPeersIT::aSilentPeerIsPingedForAsLongAsItAnswers;
        ThrowingConsumer<ChannelPeersIT> keepAliveTimeout = ChannelPeersIT::aPeerThatDoesNotAnswerThePingIsGivenUp;
        ThrowingConsumer<ChannelPeersIT> withoutCalls = ChannelPeersIT::aConnectionWithoutCallsIsPingedOnlyOnRequest;
        ThrowingConsumer<ChannelPeersIT> bufferLimit = ChannelPeersIT::onlyWhatWasKeptIsSentAgain;
        ThrowingConsumer<ChannelPeersIT> retry = ChannelPeersIT::nothingIsSentAgainWithoutRetry;
        return Map.of(
                "idleTimeout", idle,
                "keepAliveTime", keepAliveTime,
                "keepAliveTimeout", keepAliveTimeout,
                "keepAliveWithoutCalls", withoutCalls,
                "perRpcBufferLimit", bufferLimit,
                "disableRetry", retry,
                "enableRetry", retry);
    }

    @Test
    void everyOptionIsAccountedFor() {
        Set<String> options = new TreeSet<>();
        for (Method method : ManagedChannelBuilder.class.getDeclaredMethods()) {
            int modifiers = method.getModifiers();
            boolean visible = Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
            if (visible && !Modifier.isStatic(modifiers) && !method.isSynthetic()) {
                options.add(method.getName());
            }
        }
        Set<String> known = new TreeSet<>(effects().keySet());
        known.addAll(effectsElsewhere().keySet());
        known.addAll(WITHOUT_EFFECT);
        known.addAll(UNSUPPORTED);
        assertThat(known).isEqualTo(options);
    }

    @Test
    void everyOptionIsOverridden() throws Exception {
        for (Method method : ManagedChannelBuilder.class.getDeclaredMethods()) {
            int modifiers = method.getModifiers();
            boolean visible = Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
            if (visible && !Modifier.isStatic(modifiers) && !method.isSynthetic()) {
                assertThat(CaissonChannelBuilder.class.getDeclaredMethod(method.getName(), method.getParameterTypes()))
                        .isNotNull();
            }
        }
    }

    @Test
    void everyEffectIsThere() {
        effects().forEach((option, effect) -> {
            try {
                effect.run();
            } catch (Throwable t) {
                throw new AssertionError("option " + option, t);
            }
        });
    }

    @Test
    void unsupportedOptionsNameThemselves() {
        CaissonChannelBuilder builder = CaissonChannelBuilder.forTarget("x:1");
        assertThatThrownBy(() -> builder.proxyDetector(address -> null)).hasMessageContaining("proxyDetector");
        assertThatThrownBy(() -> builder.childChannelConfigurator(b -> {}))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("childChannelConfigurator");
        for (String option : UNSUPPORTED) {
            for (Method method : CaissonChannelBuilder.class.getDeclaredMethods()) {
                if (method.getName().equals(option) && !method.isBridge()) {
                    assertThatThrownBy(() -> method.invoke(builder, new Object[] {null}))
                            .cause()
                            .isInstanceOf(UnsupportedOperationException.class)
                            .hasMessageContaining(option);
                }
            }
        }
    }

    @Test
    void optionsWithoutEffectAreAccepted() {
        assertThat(call(b -> b.maxRetryAttempts(3)
                        .maxHedgedAttempts(3)
                        .retryBufferSize(1024)
                        .maxTraceEvents(5)))
                .isEqualTo("hello");
    }

    @Test
    void valuesOutOfRangeAreRefusedByName() {
        CaissonChannelBuilder builder = CaissonChannelBuilder.forTarget("x:1");
        assertThatThrownBy(() -> builder.idleTimeout(0, TimeUnit.SECONDS)).hasMessageContaining("idleTimeout");
        assertThatThrownBy(() -> builder.keepAliveTime(-1, TimeUnit.SECONDS)).hasMessageContaining("keepAliveTime");
        assertThatThrownBy(() -> builder.maxInboundMessageSize(-1)).hasMessageContaining("maxInboundMessageSize");
        assertThatThrownBy(() -> builder.maxInboundMetadataSize(0)).hasMessageContaining("maxInboundMetadataSize");
    }

    @Test
    void valuesThatAreTooSmallOrMeanNeverAreBroughtIntoRange() {
        CaissonChannelBuilder builder = CaissonChannelBuilder.forTarget("x:1").usePlaintext();
        assertThat(built(builder.idleTimeout(1, TimeUnit.MILLISECONDS)).idleTimeoutNanos())
                .isEqualTo(TimeUnit.SECONDS.toNanos(1));
        assertThat(built(builder.idleTimeout(60, TimeUnit.DAYS)).idleTimeoutNanos())
                .isEqualTo(Long.MAX_VALUE);
        assertThat(built(builder.keepAliveTime(1, TimeUnit.SECONDS)).keepAliveNanos())
                .isEqualTo(TimeUnit.SECONDS.toNanos(10));
        assertThat(built(builder.keepAliveTimeout(1, TimeUnit.MILLISECONDS)).keepAliveTimeoutNanos())
                .isEqualTo(TimeUnit.MILLISECONDS.toNanos(10));
    }

    private ChannelSettings built(CaissonChannelBuilder builder) {
        return builder.scope(scope).build().core().settings;
    }

    private CaissonChannel channel(UnaryOperator<CaissonChannelBuilder> with) {
        return with.apply(CaissonChannelBuilder.forAddress("127.0.0.1", server.getPort())
                        .usePlaintext()
                        .scope(scope))
                .build();
    }

    private String call(UnaryOperator<CaissonChannelBuilder> with) {
        return ClientCalls.blockingUnaryCall(channel(with), Echo.UNARY, CallOptions.DEFAULT, "hello");
    }

    private static Thread callbackThread(ManagedChannel channel) throws Exception {
        AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
        ChannelCallsIT.Recorder recorder = new ChannelCallsIT.Recorder() {
            @Override
            public void onNext(String value) {
                thread.set(Thread.currentThread());
                super.onNext(value);
            }
        };
        ClientCalls.asyncUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), "hello", recorder);
        recorder.await();
        Thread seen = thread.get();
        if (seen == null) {
            throw new AssertionError("no message came");
        }
        return seen;
    }

    private void directExecutor() {
        try {
            assertThat(callbackThread(channel(b -> b)).isVirtual()).isTrue();
            assertThat(callbackThread(channel(b -> b.directExecutor())).getName())
                    .startsWith("caisson-loop");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void executor() {
        AtomicInteger uses = new AtomicInteger();
        CaissonChannel channel = channel(b -> b.executor(task -> {
            uses.incrementAndGet();
            Thread.ofVirtual().name("own").start(task);
        }));
        try {
            assertThat(callbackThread(channel).getName()).isEqualTo("own");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        assertThat(uses.get()).isPositive();
    }

    private void offloadExecutor() {
        AtomicInteger uses = new AtomicInteger();
        CaissonChannel channel = CaissonChannelBuilder.forTarget("dns:///localhost:" + server.getPort())
                .usePlaintext()
                .offloadExecutor(task -> {
                    uses.incrementAndGet();
                    Thread.ofVirtual().start(task);
                })
                .scope(scope)
                .build();
        assertThat(ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "hello"))
                .isEqualTo("hello");
        assertThat(uses.get()).isPositive();
    }

    private static ClientInterceptor counting(AtomicInteger calls) {
        return new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions options, io.grpc.Channel next) {
                calls.incrementAndGet();
                return next.newCall(method, options);
            }
        };
    }

    private void intercept() {
        AtomicInteger calls = new AtomicInteger();
        call(b -> b.intercept(counting(calls)).intercept(List.of(counting(calls))));
        assertThat(calls).hasValue(2);
    }

    private void interceptWithTarget() {
        AtomicInteger calls = new AtomicInteger();
        AtomicReference<@Nullable String> target = new AtomicReference<>();
        call(b -> io.grpc.InternalManagedChannelBuilder.interceptWithTarget(b, t -> {
            target.set(t);
            return counting(calls);
        }));
        assertThat(calls).hasValue(1);
        assertThat(target.get()).isEqualTo("127.0.0.1:" + server.getPort());
    }

    private void addTransportFilter() {
        AtomicReference<@Nullable Object> remote = new AtomicReference<>();
        call(b -> b.addTransportFilter(new ClientTransportFilter() {
            @Override
            public Attributes transportReady(Attributes attributes) {
                remote.set(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
                return attributes;
            }
        }));
        assertThat(remote.get()).isInstanceOf(InetSocketAddress.class);
    }

    private void userAgent() {
        call(b -> b.userAgent("mine/1"));
        String seen = headers.get().get(Metadata.Key.of("user-agent", Metadata.ASCII_STRING_MARSHALLER));
        assertThat(seen).startsWith("mine/1 caisson-rpc/");
    }

    private void overrideAuthority() {
        CaissonChannel channel = channel(b -> b.overrideAuthority("elsewhere:1"));
        assertThat(channel.authority()).isEqualTo("elsewhere:1");
        ClientCalls.blockingUnaryCall(channel, Echo.UNARY, CallOptions.DEFAULT, "x");
        assertThat(authority.get()).isEqualTo("elsewhere:1");
    }

    private void useTransportSecurity() {
        assertThatThrownBy(() -> call(b -> b.useTransportSecurity())).hasMessageContaining("plaintext");
    }

    @SuppressWarnings("deprecation") // that it is deprecated does not make it less of an option
    private void nameResolverFactory() {
        String seen = ClientCalls.blockingUnaryCall(
                CaissonChannelBuilder.forTarget("anything")
                        .usePlaintext()
                        .scope(scope)
                        .nameResolverFactory(new Fixed(null))
                        .build(),
                Echo.UNARY,
                CallOptions.DEFAULT,
                "resolved");
        assertThat(seen).isEqualTo("resolved");
    }

    private void defaultLoadBalancingPolicy() {
        assertThat(call(b -> b.defaultLoadBalancingPolicy("round_robin"))).isEqualTo("hello");
        assertThatThrownBy(() -> call(b -> b.defaultLoadBalancingPolicy("nonsense")))
                .hasMessageContaining("UNAVAILABLE")
                .hasMessageContaining("nonsense");
    }

    private void decompressorRegistry() {
        call(b -> b.decompressorRegistry(DecompressorRegistry.emptyInstance().with(new Codec.Gzip(), true)));
        String seen = headers.get().get(Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER));
        assertThat(seen).isEqualTo("gzip");
        call(b -> b.decompressorRegistry(DecompressorRegistry.emptyInstance()));
        assertThat(headers.get().get(Metadata.Key.of("grpc-accept-encoding", Metadata.ASCII_STRING_MARSHALLER)))
                .isNull();
    }

    private void compressorRegistry() {
        CallOptions gzip = CallOptions.DEFAULT.withCompression("gzip");
        assertThat(ClientCalls.blockingUnaryCall(channel(b -> b), Echo.UNARY, gzip, "small"))
                .isEqualTo("small");
        CaissonChannel without = channel(b -> b.compressorRegistry(CompressorRegistry.newEmptyInstance()));
        assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(without, Echo.UNARY, gzip, "x"))
                .hasMessageContaining("Unable to find compressor by name gzip");
    }

    private void maxInboundMessageSize() {
        assertThatThrownBy(() -> call(b -> b.maxInboundMessageSize(4)))
                .hasMessageContaining("RESOURCE_EXHAUSTED")
                .hasMessageContaining("exceeds maximum size 4");
    }

    private void maxInboundMetadataSize() {
        assertThatThrownBy(() -> call(b -> b.maxInboundMetadataSize(10)))
                .hasMessageContaining("RESOURCE_EXHAUSTED")
                .hasMessageContaining("maxInboundMetadataSize");
    }

    private static Map<String, Object> policy(String name) {
        return Map.of("loadBalancingConfig", List.of(Map.of(name, Map.of())));
    }

    private void defaultServiceConfig() {
        assertThatThrownBy(() -> call(b -> b.defaultServiceConfig(policy("from_config"))))
                .hasMessageContaining("from_config");
    }

    @SuppressWarnings("deprecation")
    private void disableServiceConfigLookUp() {
        CaissonChannelBuilder builder = CaissonChannelBuilder.forTarget("anything")
                .usePlaintext()
                .scope(scope)
                .nameResolverFactory(new Fixed(policy("from_resolver")));
        assertThatThrownBy(
                        () -> ClientCalls.blockingUnaryCall(builder.build(), Echo.UNARY, CallOptions.DEFAULT, "hello"))
                .hasMessageContaining("from_resolver");
        builder.disableServiceConfigLookUp();
        assertThat(ClientCalls.blockingUnaryCall(builder.build(), Echo.UNARY, CallOptions.DEFAULT, "hello"))
                .isEqualTo("hello");
    }

    @SuppressWarnings("deprecation")
    private void setNameResolverArg() {
        Fixed factory = new Fixed(null);
        CaissonChannel built = CaissonChannelBuilder.forTarget("anything")
                .usePlaintext()
                .scope(scope)
                .setNameResolverArg(Fixed.ARG, "passed on")
                .nameResolverFactory(factory)
                .build();
        assertThat(built.authority()).isEqualTo("fixed");
        assertThat(factory.seen).isEqualTo("passed on");
    }

    /** Resolves anything to the test's server. */
    private final class Fixed extends NameResolver.Factory {
        static final NameResolver.Args.Key<String> ARG = NameResolver.Args.Key.create("arg");
        private final @Nullable Map<String, ?> config;

        @Nullable
        String seen;

        Fixed(@Nullable Map<String, ?> config) {
            this.config = config;
        }

        @Override
        public NameResolver newNameResolver(URI target, NameResolver.Args args) {
            seen = args.getArg(ARG);
            return new NameResolver() {
                @Override
                public String getServiceAuthority() {
                    return "fixed";
                }

                @Override
                public void start(Listener2 listener) {
                    ResolutionResult.Builder result = ResolutionResult.newBuilder()
                            .setAddressesOrError(StatusOr.fromValue(List.of(
                                    new EquivalentAddressGroup(new InetSocketAddress("127.0.0.1", server.getPort())))));
                    if (config != null) {
                        result.setServiceConfig(args.getServiceConfigParser().parseServiceConfig(config));
                    }
                    Status status = listener.onResult2(result.build());
                    assertThat(status).isNotNull();
                }

                @Override
                public void shutdown() {}
            };
        }

        @Override
        public String getDefaultScheme() {
            return "fixed";
        }
    }
}
