package dev.caisson.rpc;

import dev.caisson.rpc.Target.HostPort;
import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannelProvider;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Collection;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets {@code ManagedChannelBuilder} and {@code Grpc.newChannelBuilder} find {@link CaissonChannelBuilder}. For
 * ServiceLoader, not to be used directly.
 *
 * <p>Its priority is 6; that of grpc-netty is 5, so it takes over where both are on the class path.
 */
public final class CaissonChannelProvider extends ManagedChannelProvider {
    static final int PRIORITY = 6;

    /** For ServiceLoader. */
    public CaissonChannelProvider() {}

    @Override
    protected boolean isAvailable() {
        return true;
    }

    @Override
    protected int priority() {
        return PRIORITY;
    }

    @Override
    protected CaissonChannelBuilder builderForAddress(String host, int port) {
        return CaissonChannelBuilder.forTarget(HostPort.authority(host, port));
    }

    @Override
    protected CaissonChannelBuilder builderForTarget(String target) {
        return CaissonChannelBuilder.forTarget(target);
    }

    @Override
    protected NewChannelBuilderResult newChannelBuilder(String target, ChannelCredentials credentials) {
        return newChannelBuilder(target, credentials, null, null);
    }

    @Override
    protected NewChannelBuilderResult newChannelBuilder(
            String target,
            ChannelCredentials credentials,
            @Nullable NameResolverRegistry registry,
            @Nullable NameResolverProvider provider) {
        Tls.Outcome outcome = Tls.forClient(credentials);
        String error = outcome.error();
        if (error != null) {
            return NewChannelBuilderResult.error(error);
        }
        CaissonChannelBuilder builder = CaissonChannelBuilder.forTarget(target, outcome);
        if (registry != null) {
            builder.resolvers(registry);
        }
        return NewChannelBuilderResult.channelBuilder(builder);
    }

    @Override
    protected Collection<Class<? extends SocketAddress>> getSupportedSocketAddressTypes() {
        return Set.of(InetSocketAddress.class);
    }
}
