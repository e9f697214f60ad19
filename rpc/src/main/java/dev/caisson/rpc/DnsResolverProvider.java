package dev.caisson.rpc;

import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import java.net.InetAddress;
import java.net.URI;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Tells {@code io.grpc.NameResolverRegistry} that {@code dns} is resolved here. Our channels ask {@link DnsResolver}
 * without it; the registry, finding nobody at all where grpc-core is absent, would log that the build is broken. Any other
 * provider goes before it. Stateless.
 */
public final class DnsResolverProvider extends NameResolverProvider {
    /** For {@code ServiceLoader}. */
    public DnsResolverProvider() {}

    @Override
    protected boolean isAvailable() {
        return true;
    }

    @Override
    protected int priority() {
        return 0;
    }

    @Override
    public String getDefaultScheme() {
        return "dns";
    }

    @Override
    public @Nullable NameResolver newNameResolver(URI target, NameResolver.Args args) {
        if (!"dns".equals(target.getScheme())) {
            return null;
        }
        return new DnsResolver(
                Target.parse(target.toString(), "dns"::equals),
                args,
                args.getOffloadExecutor() != null ? args.getOffloadExecutor() : Thread::startVirtualThread,
                InetAddress::getAllByName,
                System::nanoTime,
                new Backoff(new Random()::nextDouble));
    }
}
