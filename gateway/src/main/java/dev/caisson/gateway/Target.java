package dev.caisson.gateway;

import dev.caisson.gateway.generic.CatalogException;
import dev.caisson.gateway.generic.GenericMethod;
import dev.caisson.gateway.generic.JsonMessages;
import dev.caisson.gateway.generic.ReflectionCatalog;
import dev.caisson.rpc.CaissonChannelBuilder;
import dev.caisson.scope.Scope;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One server: its channel, and what it said its methods are. Thread-safe. Shared; {@link Targets} closes it while nobody
 * has a share.
 */
final class Target {
    /** A method as it is now known, with the JSON form of its messages. */
    record Method(GenericMethod generic, JsonMessages json) {}

    /** What one catalog has said. A new one is asked after the descriptors' lifetime. */
    private record Generation(
            ReflectionCatalog catalog, Map<String, CompletableFuture<Method>> methods, long sinceNanos) {
        long ageNanos() {
            return System.nanoTime() - sinceNanos;
        }
    }

    /** A catalog younger than this is believed when it says there is no such method. */
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Scope scope;
    private final TargetName name;
    private final GatewayOptions options;
    private final ManagedChannel channel;
    private final AtomicInteger shares = new AtomicInteger();
    private volatile long usedNanos = System.nanoTime();
    private volatile Generation generation;

    private Target(Scope scope, TargetName name, GatewayOptions options, ManagedChannel channel) {
        this.scope = scope;
        this.name = name;
        this.options = options;
        this.channel = channel;
        this.generation = newGeneration();
    }

    /** Makes the channel, which connects with the first call. */
    static Target open(Scope parent, TargetName name, GatewayOptions options) {
        Scope scope = parent.child("target " + name);
        try {
            return new Target(scope, name, options, openChannel(scope, name, options));
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    private static ManagedChannel openChannel(Scope scope, TargetName name, GatewayOptions options) {
        ChannelCredentials credentials = name.loopback() || options.plaintext()
                ? InsecureChannelCredentials.create()
                : TlsChannelCredentials.create();
        return CaissonChannelBuilder.forAddress(name.host(), name.port(), credentials)
                .scope(scope)
                .maxInboundMessageSize(options.maxMessageBytes())
                .build();
    }

    TargetName name() {
        return name;
    }

    Channel channel() {
        return channel;
    }

    void share() {
        shares.incrementAndGet();
    }

    /** Gives a share back. */
    void release() {
        usedNanos = System.nanoTime();
        shares.decrementAndGet();
    }

    boolean unused() {
        return shares.get() == 0;
    }

    long idleNanos() {
        return System.nanoTime() - usedNanos;
    }

    /**
     * The method of that name. The server is asked once, however many ask here at the same time.
     *
     * @param fullName {@code package.Service/Method}
     * @return fails with {@link CatalogException}
     */
    CompletableFuture<Method> method(String fullName) {
        Generation now = generation;
        if (now.ageNanos() > options.descriptorLifetime().toNanos()) {
            now = renew(now);
        }
        CompletableFuture<Method> asked = new CompletableFuture<>();
        CompletableFuture<Method> known = now.methods.putIfAbsent(fullName, asked);
        if (known != null) {
            return known;
        }
        Generation in = now;
        try {
            scope.fork("describe " + fullName, () -> {
                describe(in, fullName, asked);
                return null;
            });
        } catch (RuntimeException e) {
            in.methods.remove(fullName);
            asked.completeExceptionally(e);
        }
        return asked;
    }

    private void describe(Generation in, String fullName, CompletableFuture<Method> asked) {
        try {
            asked.complete(find(in, fullName));
        } catch (Throwable e) {
            // Not kept: the next call asks again.
            in.methods.remove(fullName);
            asked.completeExceptionally(e);
        }
    }

    private Method find(Generation in, String fullName) {
        try {
            return find(in.catalog, fullName);
        } catch (CatalogException e) {
            if (e.code() != CatalogException.Code.UNKNOWN_NAME || in.ageNanos() < FRESH_NANOS) {
                throw e;
            }
            return find(renew(in).catalog, fullName); // the server may have been replaced by one that has it
        }
    }

    private static Method find(ReflectionCatalog catalog, String fullName) {
        return new Method(GenericMethod.find(catalog, fullName), JsonMessages.of(catalog));
    }

    private synchronized Generation renew(Generation old) {
        if (generation.sinceNanos == old.sinceNanos) {
            generation = newGeneration();
        }
        return generation;
    }

    private Generation newGeneration() {
        return new Generation(ReflectionCatalog.of(channel), new ConcurrentHashMap<>(), System.nanoTime());
    }

    void close() {
        scope.close();
    }
}
