package dev.caisson.rpc;

import io.grpc.CallCredentials;
import io.grpc.ClientTransportFilter;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.NameResolver;
import io.grpc.NameResolverRegistry;
import io.netty.handler.ssl.SslContext;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What a channel was built with. Immutable.
 *
 * @param tls null for plaintext
 * @param callCredentials credentials of every call; null if there are none
 * @param executor runs the callbacks of calls that name no executor; null for a virtual thread per burst of callbacks
 * @param offloadExecutor runs what blocks, such as DNS; null for tasks of the channel's scope
 * @param authority overrides the authority of the target; null if not
 * @param resolverFactory resolves the target in place of the registry; null if not
 * @param policy the balancing policy where the service config names none
 * @param defaultConfig used where the resolver yields no service config
 * @param idleTimeoutNanos {@link Long#MAX_VALUE} for never
 * @param keepAliveNanos {@link Long#MAX_VALUE} for never
 * @param maxInboundMessageBytes null if not set
 * @param retryBufferBytes of each call; 0 if no call is sent again
 */
record ChannelSettings(
        @Nullable SslContext tls,
        @Nullable CallCredentials callCredentials,
        @Nullable Executor executor,
        @Nullable Executor offloadExecutor,
        String userAgent,
        @Nullable String authority,
        NameResolver.@Nullable Factory resolverFactory,
        NameResolverRegistry resolvers,
        Map<NameResolver.Args.Key<?>, Object> resolverArgs,
        String policy,
        ServiceConfig defaultConfig,
        boolean lookUpServiceConfig,
        CompressorRegistry compressors,
        DecompressorRegistry decompressors,
        long idleTimeoutNanos,
        long keepAliveNanos,
        long keepAliveTimeoutNanos,
        boolean keepAliveWithoutCalls,
        @Nullable Integer maxInboundMessageBytes,
        int maxInboundMetadataBytes,
        long retryBufferBytes,
        Unsent.Limits unsent,
        List<ClientTransportFilter> transportFilters) {
    /** The port of a target that names none. */
    int defaultPort() {
        return tls == null ? 80 : 443;
    }
}
