package dev.caisson.rpc;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Finds who resolves a target: the factory given to the builder, else a provider registered for the scheme, else what is
 * built in for {@code dns}, {@code ipv4} and {@code ipv6}.
 */
final class Resolvers {
    /* grpc-core registers a resolver for dns of its own when it is on the class path. It is passed over, so that a channel
     * behaves the same with and without it. */
    private static final String GRPC_CORE = "io.grpc.internal.";

    private static final Set<String> BUILT_IN = Set.of("dns", "ipv4", "ipv6");

    private Resolvers() {}

    /**
     * Makes the resolver of a target; the caller starts it and shuts it down.
     *
     * @throws IllegalArgumentException if nobody resolves it, saying why
     */
    static NameResolver resolver(String text, ChannelSettings settings, NameResolver.Args args, Executor offload) {
        NameResolver.Factory factory = settings.resolverFactory();
        NameResolverRegistry registry = settings.resolvers();
        if (factory != null) {
            return custom(text, factory, args);
        }
        Target target = Target.parse(text, scheme -> BUILT_IN.contains(scheme) || provider(registry, scheme) != null);
        NameResolverProvider provider = provider(registry, target.scheme());
        if (provider != null) {
            NameResolver resolver = provider.newNameResolver(target.uri(), args);
            if (resolver == null) {
                throw new IllegalArgumentException(
                        "target " + text + ": " + provider.getClass().getName() + " does not resolve it");
            }
            return resolver;
        }
        if (target.scheme().equals("dns")) {
            return new DnsResolver(
                    target,
                    args,
                    offload,
                    InetAddress::getAllByName,
                    System::nanoTime,
                    new Backoff(new Random()::nextDouble));
        }
        return new AddressListResolver(target, args.getDefaultPort());
    }

    private static @Nullable NameResolverProvider provider(NameResolverRegistry registry, String scheme) {
        NameResolverProvider provider = registry.getProviderForScheme(scheme);
        boolean builtIn = provider instanceof DnsResolverProvider
                || (provider != null
                        && BUILT_IN.contains(scheme)
                        && provider.getClass().getName().startsWith(GRPC_CORE));
        return builtIn ? null : provider;
    }

    private static NameResolver custom(String text, NameResolver.Factory factory, NameResolver.Args args) {
        try {
            NameResolver resolver = factory.newNameResolver(new URI(text), args);
            if (resolver != null) {
                return resolver;
            }
        } catch (URISyntaxException notAUri) {
            // Then it is a name of the factory's default scheme.
        }
        try {
            URI uri = new URI(factory.getDefaultScheme(), "", "/" + text, null, null);
            NameResolver resolver = factory.newNameResolver(uri, args);
            if (resolver != null) {
                return resolver;
            }
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("target " + text + " is no URI", e);
        }
        throw new IllegalArgumentException("target " + text + ": the resolver factory given to the builder ("
                + factory.getClass().getName() + ") does not resolve it");
    }
}
