package dev.caisson.rpc;

import dev.caisson.rpc.http2.Http2Options;
import dev.caisson.scope.Scope;
import io.grpc.BinaryLog;
import io.grpc.BindableService;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.HandlerRegistry;
import io.grpc.InsecureServerCredentials;
import io.grpc.InternalDecompressorRegistry;
import io.grpc.MetricSink;
import io.grpc.ServerBuilder;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import io.grpc.TlsServerCredentials;
import io.netty.handler.ssl.SslContext;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Builds a {@link CaissonServer}. Found by {@link io.grpc.Grpc#newServerBuilderForPort} and {@link ServerBuilder#forPort}
 * when caisson-rpc is on the class path.
 *
 * <p>Handlers run on a virtual thread per call unless the service or method is {@link NonBlocking}, {@link
 * #directExecutor} puts all on the event loops, or {@link #executor} names another place. Bounds by default: messages of 4
 * MiB, metadata of 8 KiB, 1,000 concurrent calls per connection, 10,000 connections.
 *
 * <p>Not thread-safe; build may be called once.
 */
public final class CaissonServerBuilder extends ServerBuilder<CaissonServerBuilder> {
    /** Connections open at once; one more is closed as it comes. */
    public static final int DEFAULT_MAX_CONNECTIONS = 10_000;

    /** gRPC's own default: 4 MiB. */
    public static final int DEFAULT_MAX_MESSAGE_SIZE = 4 * 1024 * 1024;

    private final List<SocketAddress> addresses = new ArrayList<>();
    private @Nullable SslContext tls;
    private final Map<String, ServerServiceDefinition> services = new HashMap<>();
    private final List<ServerServiceDefinition> serviceOrder = new ArrayList<>();
    private final Set<String> nonBlocking = new HashSet<>();
    private final List<ServerInterceptor> interceptors = new ArrayList<>();
    private final List<ServerStreamTracer.Factory> tracers = new ArrayList<>();
    private final List<ServerTransportFilter> filters = new ArrayList<>();
    private @Nullable HandlerRegistry fallback;
    private @Nullable Executor executor;
    private boolean direct;
    private @Nullable ServerCallExecutorSupplier executorSupplier;
    private boolean interruptHandlers;
    private DecompressorRegistry decompressors = DecompressorRegistry.getDefaultInstance();
    private CompressorRegistry compressors = CompressorRegistry.getDefaultInstance();
    private Http2Options http2 = Http2Options.DEFAULT;
    private int maxMessage = DEFAULT_MAX_MESSAGE_SIZE;
    private Unsent.Limits unsent = Unsent.Limits.STANDARD;
    private int maxConnections = DEFAULT_MAX_CONNECTIONS;
    private @Nullable Scope scope;
    private ServerOptions.Timeouts timeouts = ServerOptions.Timeouts.STANDARD;

    private CaissonServerBuilder(SocketAddress address) {
        addresses.add(address);
    }

    /** A plaintext server on all interfaces; port 0 takes any free one. */
    public static CaissonServerBuilder forPort(int port) {
        return new CaissonServerBuilder(new InetSocketAddress(port));
    }

    /** A plaintext server on {@code address}. */
    public static CaissonServerBuilder forAddress(SocketAddress address) {
        return new CaissonServerBuilder(address);
    }

    /**
     * A server on {@code address} with credentials.
     *
     * @throws IllegalArgumentException if the credentials are of a kind, or with a feature, that is not supported
     */
    public static CaissonServerBuilder forAddress(SocketAddress address, ServerCredentials credentials) {
        CaissonServerBuilder builder = new CaissonServerBuilder(address);
        builder.credentials(credentials);
        return builder;
    }

    private void credentials(ServerCredentials credentials) {
        Tls.Outcome outcome = Tls.forServer(credentials);
        if (outcome.error() != null) {
            throw new IllegalArgumentException(outcome.error());
        }
        tls = credentials instanceof InsecureServerCredentials ? null : outcome.context();
    }

    /** Listens on {@code address} too. */
    public CaissonServerBuilder addListenAddress(SocketAddress address) {
        addresses.add(address);
        return this;
    }

    /** The scope under which the server's own is made at start. Without one it is a root. */
    public CaissonServerBuilder scope(Scope parent) {
        scope = parent;
        return this;
    }

    /** Runs the handlers of these methods ({@code package.Service/Method}) on the event loop; see {@link NonBlocking}. */
    public CaissonServerBuilder nonBlocking(String... fullMethodNames) {
        nonBlocking.addAll(Arrays.asList(fullMethodNames));
        return this;
    }

    /**
     * Interrupts the handler's thread when its call is cancelled, off by default: an interrupt closes a file channel that
     * the thread reads just then, for everybody.
     */
    public CaissonServerBuilder interruptHandlers(boolean interrupt) {
        interruptHandlers = interrupt;
        return this;
    }

    /** Calls a client may have open at once on a connection. */
    public CaissonServerBuilder maxConcurrentCallsPerConnection(int calls) {
        http2 = http2.withMaxConcurrentStreams(positive(calls, "calls"));
        return this;
    }

    /** Connections open at once. */
    public CaissonServerBuilder maxConnections(int connections) {
        maxConnections = positive(connections, "connections");
        return this;
    }

    /** Bytes a peer may send ahead, per call and per connection (RFC 9113 section 6.9). */
    public CaissonServerBuilder flowControlWindows(int call, int connection) {
        http2 = http2.withWindows(call, connection);
        return this;
    }

    /**
     * How much of what handlers have sent may wait because the client does not take it: bytes of one call, 16 MiB unless set,
     * and of all calls of a connection, 64 MiB unless set. A call that goes past either although {@code isReady()} is false
     * is cancelled, and ends with RESOURCE_EXHAUSTED; one that heeds it, or sends a single message, never does.
     */
    public CaissonServerBuilder maxUnsentBytes(int call, long connection) {
        unsent = new Unsent.Limits(call, connection);
        return this;
    }

    @Override
    public CaissonServerBuilder directExecutor() {
        direct = true;
        executor = null;
        return this;
    }

    @Override
    public CaissonServerBuilder executor(@Nullable Executor chosen) {
        direct = false;
        executor = chosen;
        return this;
    }

    @Override
    public CaissonServerBuilder callExecutor(ServerCallExecutorSupplier supplier) {
        executorSupplier = supplier;
        return this;
    }

    @Override
    public CaissonServerBuilder addService(ServerServiceDefinition service) {
        String name = service.getServiceDescriptor().getName();
        ServerServiceDefinition before = services.put(name, service);
        if (before != null) {
            serviceOrder.remove(before);
        }
        serviceOrder.add(service);
        return this;
    }

    @Override
    public CaissonServerBuilder addService(BindableService service) {
        ServerServiceDefinition definition = service.bindService();
        Class<?> type = service.getClass();
        boolean all = annotated(type);
        for (ServerMethodDefinition<?, ?> method : definition.getMethods()) {
            String full = method.getMethodDescriptor().getFullMethodName();
            String bare = method.getMethodDescriptor().getBareMethodName();
            if (all || bare != null && methodAnnotated(type, bare)) {
                nonBlocking.add(full);
            }
        }
        return addService(definition);
    }

    private static boolean annotated(Class<?> type) {
        for (Class<?> c = type; c != null; c = c.getSuperclass()) {
            if (c.isAnnotationPresent(NonBlocking.class)) {
                return true;
            }
        }
        return false;
    }

    private static boolean methodAnnotated(Class<?> type, String bareName) {
        String name = bareName.substring(0, 1).toLowerCase(Locale.ROOT) + bareName.substring(1);
        for (Class<?> c = type; c != null; c = c.getSuperclass()) {
            for (Method m : c.getDeclaredMethods()) {
                if (m.getName().equals(name) && m.isAnnotationPresent(NonBlocking.class)) {
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public CaissonServerBuilder intercept(ServerInterceptor interceptor) {
        interceptors.add(interceptor);
        return this;
    }

    @Override
    public CaissonServerBuilder addTransportFilter(ServerTransportFilter filter) {
        filters.add(filter);
        return this;
    }

    @Override
    public CaissonServerBuilder addStreamTracerFactory(ServerStreamTracer.Factory factory) {
        tracers.add(factory);
        return this;
    }

    @Override
    public CaissonServerBuilder fallbackHandlerRegistry(@Nullable HandlerRegistry registry) {
        fallback = registry;
        return this;
    }

    @Override
    public CaissonServerBuilder useTransportSecurity(File certificateChain, File privateKey) {
        try {
            credentials(TlsServerCredentials.create(certificateChain, privateKey));
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read the certificate or key: " + e.getMessage(), e);
        }
        return this;
    }

    @Override
    public CaissonServerBuilder useTransportSecurity(InputStream certificateChain, InputStream privateKey) {
        try {
            credentials(TlsServerCredentials.create(certificateChain, privateKey));
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read the certificate or key: " + e.getMessage(), e);
        }
        return this;
    }

    @Override
    public CaissonServerBuilder decompressorRegistry(@Nullable DecompressorRegistry registry) {
        decompressors = registry == null ? DecompressorRegistry.getDefaultInstance() : registry;
        return this;
    }

    @Override
    public CaissonServerBuilder compressorRegistry(@Nullable CompressorRegistry registry) {
        compressors = registry == null ? CompressorRegistry.getDefaultInstance() : registry;
        return this;
    }

    @Override
    public CaissonServerBuilder handshakeTimeout(long timeout, TimeUnit unit) {
        timeouts = timeouts.withHandshake(duration(timeout, unit, "handshakeTimeout"));
        return this;
    }

    @Override
    public CaissonServerBuilder keepAliveTime(long time, TimeUnit unit) {
        timeouts = timeouts.withKeepAliveTime(duration(time, unit, "keepAliveTime"));
        return this;
    }

    @Override
    public CaissonServerBuilder keepAliveTimeout(long timeout, TimeUnit unit) {
        timeouts = timeouts.withKeepAliveTimeout(duration(timeout, unit, "keepAliveTimeout"));
        return this;
    }

    @Override
    public CaissonServerBuilder maxConnectionIdle(long time, TimeUnit unit) {
        timeouts = timeouts.withMaxIdle(duration(time, unit, "maxConnectionIdle"));
        return this;
    }

    @Override
    public CaissonServerBuilder maxConnectionAge(long time, TimeUnit unit) {
        timeouts = timeouts.withMaxAge(duration(time, unit, "maxConnectionAge"));
        return this;
    }

    @Override
    public CaissonServerBuilder maxConnectionAgeGrace(long time, TimeUnit unit) {
        timeouts = timeouts.withMaxAgeGrace(duration(time, unit, "maxConnectionAgeGrace"));
        return this;
    }

    @Override
    public CaissonServerBuilder permitKeepAliveTime(long time, TimeUnit unit) {
        timeouts = timeouts.withPermitKeepAlive(
                Duration.of(time, unit.toChronoUnit()), timeouts.permitKeepAliveWithoutCalls());
        return this;
    }

    @Override
    public CaissonServerBuilder permitKeepAliveWithoutCalls(boolean permit) {
        timeouts = timeouts.withPermitKeepAlive(timeouts.permitKeepAliveTime(), permit);
        return this;
    }

    @Override
    public CaissonServerBuilder maxInboundMessageSize(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("maxInboundMessageSize must not be negative: " + bytes);
        }
        maxMessage = bytes;
        return this;
    }

    @Override
    public CaissonServerBuilder maxInboundMetadataSize(int bytes) {
        http2 = http2.withMaxHeaderListSize(positive(bytes, "maxInboundMetadataSize"));
        return this;
    }

    /** Not supported. */
    @Override
    public CaissonServerBuilder setBinaryLog(BinaryLog binaryLog) {
        throw new UnsupportedOperationException("setBinaryLog: binary logging is not supported; use an interceptor");
    }

    /** Not supported. */
    @Override
    public CaissonServerBuilder addMetricSink(MetricSink metricSink) {
        throw new UnsupportedOperationException("addMetricSink: metric sinks are not supported; use a stream tracer");
    }

    /** Acquires nothing; {@link CaissonServer#start} does. */
    @Override
    public CaissonServer build() {
        List<ServerInterceptor> chain = List.copyOf(interceptors);
        Map<String, ServerMethod<?, ?>> methods = new HashMap<>();
        for (ServerServiceDefinition service : serviceOrder) {
            for (ServerMethodDefinition<?, ?> method : service.getMethods()) {
                String name = method.getMethodDescriptor().getFullMethodName();
                methods.put(name, CaissonServer.intercepted(method, chain, nonBlocking.contains(name)));
            }
        }
        ServerOptions options = new ServerOptions(
                http2,
                maxMessage,
                unsent,
                compressors,
                decompressors,
                InternalDecompressorRegistry.getRawAdvertisedMessageEncodings(decompressors),
                tracers.toArray(ServerStreamTracer.Factory[]::new),
                List.copyOf(filters),
                fallback,
                executor,
                direct,
                executorSupplier,
                interruptHandlers,
                timeouts);
        return new CaissonServer(new CaissonServer.Blueprint(
                List.copyOf(addresses),
                options,
                tls,
                List.copyOf(serviceOrder),
                Map.copyOf(methods),
                chain,
                scope,
                maxConnections));
    }

    private static Duration duration(long time, TimeUnit unit, String what) {
        if (time <= 0) {
            throw new IllegalArgumentException(what + " must be above 0: " + time);
        }
        // io.grpc's convention: 1000 days and more mean never
        return unit.toDays(time) >= 1000 ? ServerOptions.Timeouts.NEVER : Duration.of(time, unit.toChronoUnit());
    }

    private static int positive(int value, String what) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " must be above 0: " + value);
        }
        return value;
    }
}
