package dev.caisson.rpc;

import dev.caisson.rpc.Target.HostPort;
import dev.caisson.scope.Scope;
import io.grpc.BinaryLog;
import io.grpc.CallCredentials;
import io.grpc.ChannelConfigurator;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientTransportFilter;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MetricSink;
import io.grpc.NameResolver;
import io.grpc.NameResolverRegistry;
import io.grpc.ProxyDetector;
import io.netty.handler.ssl.SslContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Builds channels.
 *
 * <pre>{@code
 * try (Scope app = Scope.open("client")) {
 *   ManagedChannel channel = CaissonChannelBuilder.forTarget("dns:///localhost:50051").usePlaintext().scope(app).build();
 *   GreeterGrpc.newBlockingStub(channel).sayHello(request);
 * }
 * }</pre>
 *
 * <p>Also what {@code ManagedChannelBuilder} and {@code Grpc.newChannelBuilder} return where this library has the highest
 * priority. TLS with the JDK's roots unless credentials or {@link #usePlaintext} say otherwise.
 *
 * <p>An option that is not supported throws UnsupportedOperationException naming it; the module's README lists the few that
 * are accepted without effect. Not thread-safe.
 */
public final class CaissonChannelBuilder extends ManagedChannelBuilder<CaissonChannelBuilder> {
    /** An idle time longer than this means never, in days. */
    private static final long NEVER_IDLE_DAYS = 30;

    private static final long DEFAULT_IDLE_NANOS = TimeUnit.MINUTES.toNanos(30);
    private static final long MIN_IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long MIN_KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long MIN_KEEP_ALIVE_TIMEOUT_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final int DEFAULT_MAX_METADATA_BYTES = 8 * 1024;
    private static final long DEFAULT_RETRY_BUFFER_BYTES = 1024 * 1024;

    private final String target;
    private final boolean fixedCredentials;
    private @Nullable SslContext tls;
    private boolean plaintext;
    private @Nullable CallCredentials callCredentials;
    private @Nullable Executor executor;
    private @Nullable Executor offloadExecutor;
    private final List<Object> interceptors = new ArrayList<>();
    private final List<ClientTransportFilter> transportFilters = new ArrayList<>();
    private @Nullable String userAgent;
    private @Nullable String authority;
    private NameResolver.@Nullable Factory resolverFactory;
    private NameResolverRegistry resolvers = NameResolverRegistry.getDefaultRegistry();
    private final Map<NameResolver.Args.Key<?>, Object> resolverArgs = new HashMap<>();
    private String policy = "pick_first";
    private ServiceConfig defaultConfig = ServiceConfig.EMPTY;
    private boolean lookUpServiceConfig = true;
    private CompressorRegistry compressors = CompressorRegistry.getDefaultInstance();
    private DecompressorRegistry decompressors = DecompressorRegistry.getDefaultInstance();
    private long idleNanos = DEFAULT_IDLE_NANOS;
    private long minKeepAliveNanos = MIN_KEEP_ALIVE_NANOS;
    private long keepAliveNanos = Long.MAX_VALUE;
    private long keepAliveTimeoutNanos = TimeUnit.SECONDS.toNanos(20);
    private boolean keepAliveWithoutCalls;
    private @Nullable Integer maxMessageBytes;
    private int maxMetadataBytes = DEFAULT_MAX_METADATA_BYTES;
    private long retryBufferBytes = DEFAULT_RETRY_BUFFER_BYTES;
    private boolean retry = true;
    private Unsent.Limits unsent = Unsent.Limits.STANDARD;
    private @Nullable Scope scope;

    private CaissonChannelBuilder(String target, Tls.@Nullable Outcome credentials) {
        this.target = Objects.requireNonNull(target, "target");
        this.fixedCredentials = credentials != null;
        if (credentials != null) {
            tls = credentials.context();
            plaintext = tls == null;
            callCredentials = credentials.callCredentials();
        }
    }

    /** A channel to a target: {@code dns:///host:port}, {@code ipv4:address:port}, or host:port. */
    public static CaissonChannelBuilder forTarget(String target) {
        return new CaissonChannelBuilder(target, null);
    }

    /** As {@link #forTarget(String)} with credentials; {@link #usePlaintext} may then not be called. */
    public static CaissonChannelBuilder forTarget(String target, ChannelCredentials credentials) {
        Tls.Outcome outcome = Tls.forClient(credentials);
        if (outcome.error() != null) {
            throw new IllegalArgumentException(outcome.error());
        }
        return forTarget(target, outcome);
    }

    static CaissonChannelBuilder forTarget(String target, Tls.Outcome credentials) {
        return new CaissonChannelBuilder(target, credentials);
    }

    /** A channel to a host, by name or address, and port. */
    public static CaissonChannelBuilder forAddress(String host, int port) {
        return forTarget(HostPort.authority(host, port));
    }

    /** As {@link #forAddress(String, int)} with credentials; {@link #usePlaintext} may then not be called. */
    public static CaissonChannelBuilder forAddress(String host, int port, ChannelCredentials credentials) {
        return forTarget(HostPort.authority(host, port), credentials);
    }

    CaissonChannelBuilder resolvers(NameResolverRegistry registry) {
        resolvers = registry;
        return this;
    }

    /**
     * The scope that owns the channel: it drains and closes with it. Without one the channel is its user's to shut down.
     */
    public CaissonChannelBuilder scope(Scope owner) {
        scope = Objects.requireNonNull(owner, "owner");
        return this;
    }

    /**
     * How much of what calls have sent may wait because no peer takes it: bytes of one call, 16 MiB unless set, and of all
     * calls of the channel, 64 MiB unless set. A call that goes past either although {@code isReady()} is false ends with
     * RESOURCE_EXHAUSTED; one that heeds it, or sends a single message, never does.
     */
    public CaissonChannelBuilder maxUnsentBytes(int call, long channel) {
        unsent = new Unsent.Limits(call, channel);
        return this;
    }

    // ---- io.grpc's options

    @Override
    public CaissonChannelBuilder directExecutor() {
        return executor(Runnable::run);
    }

    /** Runs callbacks of calls that name no executor; a virtual thread per burst of callbacks if null or not set. */
    @Override
    public CaissonChannelBuilder executor(@Nullable Executor newExecutor) {
        executor = newExecutor;
        return this;
    }

    @Override
    public CaissonChannelBuilder offloadExecutor(@Nullable Executor newExecutor) {
        offloadExecutor = newExecutor;
        return this;
    }

    @Override
    public CaissonChannelBuilder intercept(List<ClientInterceptor> more) {
        interceptors.addAll(more);
        return this;
    }

    @Override
    public CaissonChannelBuilder intercept(ClientInterceptor... more) {
        return intercept(Arrays.asList(more));
    }

    @Override
    protected CaissonChannelBuilder interceptWithTarget(InterceptorFactory factory) {
        interceptors.add(Objects.requireNonNull(factory, "factory"));
        return this;
    }

    @Override
    public CaissonChannelBuilder addTransportFilter(ClientTransportFilter filter) {
        transportFilters.add(Objects.requireNonNull(filter, "filter"));
        return this;
    }

    @Override
    public CaissonChannelBuilder userAgent(@Nullable String prefix) {
        userAgent = prefix;
        return this;
    }

    @Override
    public CaissonChannelBuilder overrideAuthority(String newAuthority) {
        authority = Objects.requireNonNull(newAuthority, "authority");
        return this;
    }

    /**
     * No TLS.
     *
     * @throws IllegalStateException if the builder was given credentials
     */
    @Override
    public CaissonChannelBuilder usePlaintext() {
        requireOwnSecurity("usePlaintext");
        plaintext = true;
        return this;
    }

    /**
     * TLS with the JDK's roots, which is the default.
     *
     * @throws IllegalStateException if the builder was given credentials
     */
    @Override
    public CaissonChannelBuilder useTransportSecurity() {
        requireOwnSecurity("useTransportSecurity");
        plaintext = false;
        return this;
    }

    private void requireOwnSecurity(String option) {
        if (fixedCredentials) {
            throw new IllegalStateException(
                    option + ": the builder was given credentials, which decide; leave this out");
        }
    }

    /** Deprecated by gRPC in favour of the registry; works all the same. */
    @Deprecated
    @Override
    public CaissonChannelBuilder nameResolverFactory(NameResolver.Factory factory) {
        resolverFactory = Objects.requireNonNull(factory, "factory");
        return this;
    }

    /** {@code pick_first} or {@code round_robin}; calls fail with a status that names any other. */
    @Override
    public CaissonChannelBuilder defaultLoadBalancingPolicy(String newPolicy) {
        policy = Objects.requireNonNull(newPolicy, "policy");
        return this;
    }

    @Override
    public CaissonChannelBuilder decompressorRegistry(@Nullable DecompressorRegistry registry) {
        decompressors = registry == null ? DecompressorRegistry.getDefaultInstance() : registry;
        return this;
    }

    @Override
    public CaissonChannelBuilder compressorRegistry(@Nullable CompressorRegistry registry) {
        compressors = registry == null ? CompressorRegistry.getDefaultInstance() : registry;
        return this;
    }

    /** 30 minutes unless set; less than a second counts as one second, more than 30 days as never. */
    @Override
    public CaissonChannelBuilder idleTimeout(long value, TimeUnit unit) {
        require(value > 0, "idleTimeout", value);
        idleNanos =
                unit.toDays(value) >= NEVER_IDLE_DAYS ? Long.MAX_VALUE : Math.max(MIN_IDLE_NANOS, unit.toNanos(value));
        return this;
    }

    /** Bytes, 4 MiB unless set here, for the call, or by the service config; the least of the last and the others counts. */
    @Override
    public CaissonChannelBuilder maxInboundMessageSize(int bytes) {
        require(bytes >= 0, "maxInboundMessageSize", bytes);
        maxMessageBytes = bytes;
        return this;
    }

    /** Bytes of one header list as RFC 9113 section 6.5.2 counts them, 8 KiB unless set. */
    @Override
    public CaissonChannelBuilder maxInboundMetadataSize(int bytes) {
        require(bytes > 0, "maxInboundMetadataSize", bytes);
        maxMetadataBytes = bytes;
        return this;
    }

    /**
     * After so long without a frame from the peer it is sent PING. Never unless set; less than ten seconds counts as ten. A
     * server that ends a connection because of too many pings doubles it for the channel's later connections.
     */
    @Override
    public CaissonChannelBuilder keepAliveTime(long value, TimeUnit unit) {
        require(value > 0, "keepAliveTime", value);
        long nanos = unit.toNanos(value);
        keepAliveNanos = nanos == Long.MAX_VALUE ? nanos : Math.max(minKeepAliveNanos, nanos);
        return this;
    }

    /** Lets {@link #keepAliveTime} take less than ten seconds: for tests. */
    CaissonChannelBuilder minKeepAlive(Duration least) {
        minKeepAliveNanos = least.toNanos();
        return this;
    }

    /** 20 seconds unless set; less than ten milliseconds counts as ten. */
    @Override
    public CaissonChannelBuilder keepAliveTimeout(long value, TimeUnit unit) {
        require(value > 0, "keepAliveTimeout", value);
        keepAliveTimeoutNanos = Math.max(MIN_KEEP_ALIVE_TIMEOUT_NANOS, unit.toNanos(value));
        return this;
    }

    @Override
    public CaissonChannelBuilder keepAliveWithoutCalls(boolean enable) {
        keepAliveWithoutCalls = enable;
        return this;
    }

    /** Without effect: calls are sent again only where the peer surely did not see them. */
    @Override
    public CaissonChannelBuilder maxRetryAttempts(int attempts) {
        return this;
    }

    /** Without effect: there is no hedging. */
    @Override
    public CaissonChannelBuilder maxHedgedAttempts(int attempts) {
        return this;
    }

    /** Without effect: each call's buffer is bounded by {@link #perRpcBufferLimit}. */
    @Override
    public CaissonChannelBuilder retryBufferSize(long bytes) {
        return this;
    }

    /** Bytes of requests kept until the answer begins, so that they can be sent again elsewhere; 1 MiB unless set. */
    @Override
    public CaissonChannelBuilder perRpcBufferLimit(long bytes) {
        require(bytes > 0, "perRpcBufferLimit", bytes);
        retryBufferBytes = bytes;
        return this;
    }

    /** No call is sent again, and requests are not kept. */
    @Override
    public CaissonChannelBuilder disableRetry() {
        retry = false;
        return this;
    }

    /** Undoes {@link #disableRetry}; retry policies of a service config stay without effect. */
    @Override
    public CaissonChannelBuilder enableRetry() {
        retry = true;
        return this;
    }

    /** Not supported. */
    @Override
    public CaissonChannelBuilder setBinaryLog(BinaryLog log) {
        throw unsupported("setBinaryLog");
    }

    /** Without effect: there is no channelz yet. */
    @Override
    public CaissonChannelBuilder maxTraceEvents(int events) {
        return this;
    }

    /** Not supported. */
    @Override
    public CaissonChannelBuilder proxyDetector(ProxyDetector detector) {
        throw unsupported("proxyDetector");
    }

    /**
     * Used where the resolver gives no service config.
     *
     * @throws IllegalArgumentException if it is malformed, saying where
     */
    @Override
    public CaissonChannelBuilder defaultServiceConfig(@Nullable Map<String, ?> config) {
        defaultConfig = config == null ? ServiceConfig.EMPTY : ServiceConfig.parse(config);
        return this;
    }

    @Override
    public CaissonChannelBuilder disableServiceConfigLookUp() {
        lookUpServiceConfig = false;
        return this;
    }

    /** Not supported. */
    @Override
    protected CaissonChannelBuilder addMetricSink(MetricSink sink) {
        throw unsupported("addMetricSink");
    }

    @Override
    public <X> CaissonChannelBuilder setNameResolverArg(NameResolver.Args.Key<X> key, X value) {
        resolverArgs.put(Objects.requireNonNull(key, "key"), Objects.requireNonNull(value, "value"));
        return this;
    }

    /** Not supported. */
    @Override
    public CaissonChannelBuilder childChannelConfigurator(ChannelConfigurator configurator) {
        throw unsupported("childChannelConfigurator");
    }

    private static UnsupportedOperationException unsupported(String option) {
        return new UnsupportedOperationException(
                option + " is not supported by caisson-rpc's channels; leave it out, or see rpc/README.md");
    }

    private static void require(boolean fact, String option, long value) {
        if (!fact) {
            throw new IllegalArgumentException(option + " is out of range: " + value);
        }
    }

    // ---- the end

    /**
     * Makes the channel. It connects with the first call.
     *
     * @throws IllegalArgumentException if nobody resolves the target, saying why
     * @throws dev.caisson.scope.ScopeClosedException if the owning scope is closed
     */
    @Override
    public CaissonChannel build() {
        ChannelSettings settings = settings(policy, idleNanos);
        List<ClientInterceptor> chain = new ArrayList<>();
        for (Object each : interceptors) {
            if (each instanceof ClientInterceptor interceptor) {
                chain.add(interceptor);
            } else if (each instanceof InterceptorFactory factory) {
                ClientInterceptor made = factory.newInterceptor(target);
                if (made != null) {
                    chain.add(made);
                }
            }
        }
        // ClientInterceptors.intercept runs the last one first; a channel's first one runs last.
        return CaissonChannel.open(target, settings, Collections.unmodifiableList(chain), scope);
    }

    /** What was set so far, but for the two that tests vary. */
    ChannelSettings settings(String withPolicy, long withIdleNanos) {
        SslContext context = tls;
        if (plaintext) {
            context = null;
        } else if (context == null) {
            Tls.Outcome outcome = Tls.forClient();
            if (outcome.error() != null) {
                throw new IllegalStateException(outcome.error());
            }
            context = outcome.context();
        }
        return new ChannelSettings(
                context,
                callCredentials,
                executor,
                offloadExecutor,
                userAgentText(),
                authority,
                resolverFactory,
                resolvers,
                Map.copyOf(resolverArgs),
                withPolicy,
                defaultConfig,
                lookUpServiceConfig,
                compressors,
                decompressors,
                withIdleNanos,
                keepAliveNanos,
                keepAliveTimeoutNanos,
                keepAliveWithoutCalls,
                maxMessageBytes,
                maxMetadataBytes,
                retry ? retryBufferBytes : 0,
                unsent,
                List.copyOf(transportFilters));
    }

    private String userAgentText() {
        String version = CaissonChannelBuilder.class.getPackage().getImplementationVersion();
        String own = "caisson-rpc/" + (version == null ? "dev" : version);
        return userAgent == null ? own : userAgent + " " + own;
    }
}
