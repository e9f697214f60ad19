package dev.caisson.store;

import dev.caisson.store.engine.Settings;
import dev.caisson.store.engine.Sharding;
import dev.caisson.store.log.LogFiles;
import dev.caisson.store.resp.RespLimits;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How a store is opened; immutable, each method returns a copy.
 *
 * <p>Without further settings: in memory, without a port, one loop for each two processors, 60 % of the heap.
 */
public final class StoreOptions {
    /** The port of {@code caisson store}. */
    public static final int DEFAULT_PORT = 7379;
    /** How many connections are served at once where nothing else is set. */
    public static final int MAX_CLIENTS = 10_000;
    /** The share of the heap that keys, values and buffers may take where nothing else is set, in percent. */
    public static final int MEMORY_PERCENT = 60;

    private static final StoreOptions DEFAULTS = new StoreOptions(new Builder());

    private final Builder all;

    private StoreOptions(Builder all) {
        this.all = all;
    }

    /* The fields, mutable only while a copy is made. */
    private static final class Builder implements Cloneable {
        String host = "127.0.0.1";
        int port = -1;
        int loops =
                Math.max(1, Math.min(Sharding.MAX_SHARDS, Runtime.getRuntime().availableProcessors() / 2));

        @Nullable
        Path folder;

        @Nullable
        LogFiles files;

        Durability durability = Durability.EVERYSEC;
        long snapshotAfterBytes = 64L << 20;
        String password = "";
        long maxMemoryBytes = Runtime.getRuntime().maxMemory() / 100 * MEMORY_PERCENT;
        Settings.Eviction eviction = Settings.Eviction.NOEVICTION;
        int maxClients = MAX_CLIENTS;
        RespLimits limits = RespLimits.REDIS;
        LongSupplier clock = System::currentTimeMillis;

        @Nullable
        Tls tls;

        LongSupplier monotonicClock = () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime());

        @Override
        protected Builder clone() {
            try {
                return (Builder) super.clone();
            } catch (CloneNotSupportedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** In memory, reached by {@link Store#client} only. */
    public static StoreOptions defaults() {
        return DEFAULTS;
    }

    private StoreOptions with(java.util.function.Consumer<Builder> change) {
        Builder copy = all.clone();
        change.accept(copy);
        return new StoreOptions(copy);
    }

    /** Serves on this port of 127.0.0.1; 0 for any free one. */
    public StoreOptions port(int port) {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("a port is between 0 and 65535, not " + port);
        }
        return with(o -> o.port = port);
    }

    /** Serves on this address; one that is not loopback needs a {@linkplain #password password}. */
    public StoreOptions host(String host) {
        return with(o -> o.host = host);
    }

    /** How many event loops, and so shards; 1 to {@value Sharding#MAX_SHARDS}. */
    public StoreOptions loops(int loops) {
        if (loops < 1 || loops > Sharding.MAX_SHARDS) {
            throw new IllegalArgumentException("a store has 1 to " + Sharding.MAX_SHARDS + " loops, not " + loops);
        }
        return with(o -> o.loops = loops);
    }

    /** When a store that {@linkplain #folder keeps a folder} forces what was written: every second unless set. */
    public StoreOptions durability(Durability durability) {
        return with(o -> o.durability = durability);
    }

    /** Writes a snapshot when the log since the last one is longer than this, and than that one: 64 MiB unless set. */
    public StoreOptions snapshotAfterBytes(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("snapshotAfterBytes is " + bytes + "; give one or more");
        }
        return with(o -> o.snapshotAfterBytes = bytes);
    }

    /** Keeps the keys in this folder, which is made if it is missing, and which no other store may use meanwhile. */
    public StoreOptions folder(Path folder) {
        return with(o -> o.folder = folder);
    }

    /** The password of the default user; empty for none. */
    public StoreOptions password(String password) {
        return with(o -> o.password = password);
    }

    /** Heap bytes for keys, values and buffers; 0 for no limit. */
    public StoreOptions maxMemoryBytes(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("maxMemoryBytes is " + bytes + "; give zero (no limit) or more");
        }
        return with(o -> o.maxMemoryBytes = bytes);
    }

    /** What to do when memory is used up: refuse writes unless set. */
    public StoreOptions eviction(Settings.Eviction eviction) {
        return with(o -> o.eviction = eviction);
    }

    /**
     * As {@link #eviction(Settings.Eviction)}, by Redis's name of the policy, such as {@code allkeys-lru}.
     *
     * @throws IllegalArgumentException if it is none of {@link #evictionPolicies}
     */
    public StoreOptions eviction(String policy) {
        for (Settings.Eviction each : Settings.Eviction.values()) {
            if (each.text().equals(policy)) {
                return eviction(each);
            }
        }
        throw new IllegalArgumentException(
                "no policy of eviction is called " + policy + "; there are " + String.join(", ", evictionPolicies()));
    }

    /** Redis's names of the policies that there are. */
    public static List<String> evictionPolicies() {
        return Arrays.stream(Settings.Eviction.values())
                .map(Settings.Eviction::text)
                .toList();
    }

    /** How many connections are served at once; a further one is told so and closed. */
    public StoreOptions maxClients(int clients) {
        if (clients < 1) {
            throw new IllegalArgumentException("maxClients is " + clients + "; give one or more");
        }
        return with(o -> o.maxClients = clients);
    }

    /** What a request may take. */
    public StoreOptions limits(RespLimits limits) {
        return with(o -> o.limits = limits);
    }

    /**
     * Speaks TLS on the port, and nothing else there.
     *
     * @param certificates PEM: the store's certificate, then those that lead to its authority
     * @param key PEM: the certificate's private key, PKCS #8, not encrypted
     */
    public StoreOptions tls(Path certificates, Path key) {
        return with(o -> o.tls = new Tls(certificates, key, null));
    }

    /** As {@link #tls(Path, Path)}, for clients that show a certificate which one of these authorities (PEM) has signed. */
    public StoreOptions tls(Path certificates, Path key, Path clientAuthorities) {
        return with(o -> o.tls = new Tls(certificates, key, clientAuthorities));
    }

    /** Where the time comes from, milliseconds since 1970. */
    public StoreOptions clock(LongSupplier millis) {
        return with(o -> o.clock = millis);
    }

    /** Where the time of leases comes from: milliseconds that only go forward. */
    public StoreOptions monotonicClock(LongSupplier millis) {
        return with(o -> o.monotonicClock = millis);
    }

    String host() {
        return all.host;
    }

    /** -1 for none. */
    int port() {
        return all.port;
    }

    int loops() {
        return all.loops;
    }

    @Nullable
    Path folder() {
        return all.folder;
    }

    /** Has the log reach its folder through these files, so that a test can break them. */
    StoreOptions files(LogFiles files) {
        return with(o -> o.files = files);
    }

    @Nullable
    LogFiles files() {
        return all.files;
    }

    long snapshotAfterBytes() {
        return all.snapshotAfterBytes;
    }

    Durability durability() {
        return all.durability;
    }

    String password() {
        return all.password;
    }

    long maxMemoryBytes() {
        return all.maxMemoryBytes;
    }

    Settings.Eviction eviction() {
        return all.eviction;
    }

    int maxClients() {
        return all.maxClients;
    }

    RespLimits limits() {
        return all.limits;
    }

    @Nullable
    Tls tls() {
        return all.tls;
    }

    LongSupplier clock() {
        return all.clock;
    }

    LongSupplier monotonicClock() {
        return all.monotonicClock;
    }
}
