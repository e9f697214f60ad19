package dev.caisson.store.engine;

import dev.caisson.store.data.Hashing;
import dev.caisson.store.resp.Numbers;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one event loop, and what hangs on them: versions for WATCH, and listeners to changes.
 *
 * <p>Belongs to one thread at a time: its loop, or the loop that it is lent to for a command over several shards. Handing
 * over goes through the loops' queues, which order the memory too; so nothing here is locked or volatile, but for the
 * {@linkplain #figure figures} that other threads read.
 */
@SuppressWarnings("EnumOrdinal") // figures are an array, so that counting needs no lock and no map
public final class Shard {
    /** Hears of every change, on the thread that has the shard; must not throw. */
    public interface Listener {
        /** Whether changes of this class are to be told now; asked before each. */
        boolean hears(char kind);

        /**
         * A key changed.
         *
         * @param event Redis's name of the event, such as "hset"
         * @param kind its class among the keyspace notifications, such as 'h'
         */
        void changed(Shard shard, byte[] key, String event, char kind);
    }

    /* The version of a key that some connection watches for its transaction. */
    private static final class Version {
        long number;
        int watchers;
    }

    final int index;
    final Keyspace keys;
    private final Sharding sharding;
    private final Map<Key, Version> versions = new HashMap<>();
    final Watches watches = new Watches(this);
    final Waiters waiters = new Waiters(this);
    final Leases leases = new Leases();
    private @Nullable Listener listener;
    /** The snapshot that is being written, if one is. */
    private @Nullable Saving saving;

    private boolean epoch;
    /** Heap bytes of all entries, without the table. */
    private long entryBytes;
    /** How many keys have a time to live. */
    private long expiring;

    private boolean fieldsMayExpire;
    /** What other threads may read; written by the owner only, so that an increment needs no lock. */
    private final AtomicLongArray figures = new AtomicLongArray(Figure.values().length);

    public Shard(int index, Sharding sharding, Hashing hashing) {
        this.index = index;
        this.sharding = sharding;
        this.keys = new Keyspace(hashing);
    }

    public Watches watches() {
        return watches;
    }

    public Waiters waiters() {
        return waiters;
    }

    public Leases leases() {
        return leases;
    }

    public int index() {
        return index;
    }

    /** Sets who hears of changes; null for nobody. */
    public void listener(@Nullable Listener listener) {
        this.listener = listener;
    }

    // ---- items

    /** The item of the key, expired or not; null if there is none. */
    @Nullable
    Object peek(byte[] bytes, int offset, int length) {
        Object item = keys.find(bytes, offset, length, sharding.hash(bytes, offset, length));
        if (saving != null && item != null) {
            saveOnce(item); // it may be changed in a moment
        }
        return item;
    }

    /** Puts an item in the place of what its key had, or anew. */
    void put(Object item, byte[] bytes, int offset, int length) {
        int hash = sharding.hash(bytes, offset, length);
        long at = keys.locate(bytes, offset, length, hash);
        charge(item);
        epoch(item, epoch);
        if (at < 0) {
            keys.insert(item, hash);
            tell(bytes, offset, length, "new", Event.NEW);
        } else {
            Object old = keys.replaceAt(at, item);
            saveOnce(old);
            discharge(old);
            if (isLeased(old) && !isLeased(item)) {
                leases.detach(new Key(Arrays.copyOfRange(bytes, offset, offset + length)));
            }
        }
    }

    /** Removes the key's item, and returns it; null if there was none. */
    @Nullable
    Object take(byte[] bytes, int offset, int length) {
        long at = keys.locate(bytes, offset, length, sharding.hash(bytes, offset, length));
        if (at < 0) {
            return null;
        }
        Object item = keys.removeAt(at);
        saveOnce(item);
        discharge(item);
        if (isLeased(item)) {
            leases.detach(new Key(Arrays.copyOfRange(bytes, offset, offset + length)));
        }
        return item;
    }

    static boolean isLeased(@Nullable Object item) {
        return item instanceof byte[] entry ? StringEntry.isLeased(entry) : item instanceof Node node && node.leased;
    }

    /** Counts anew what a node takes, after its value changed. */
    void recharge(Node node) {
        long now = node.memory();
        entryBytes += now - node.charged;
        node.charged = now;
        if (Keyspace.fieldExpiresAt(node) >= 0) {
            fieldsMayExpire = true;
        }
    }

    /** Whether some hash may have fields that expire. */
    boolean fieldsMayExpire() {
        return fieldsMayExpire;
    }

    void fieldsMayExpire(boolean may) {
        fieldsMayExpire = may;
    }

    void expireAt(Node node, long at) {
        expiring += (at >= 0 ? 1 : 0) - (node.expireAt >= 0 ? 1 : 0);
        node.expireAt = at;
    }

    private void charge(Object item) {
        if (item instanceof Node node) {
            node.charged = node.memory();
            fieldsMayExpire |= Keyspace.fieldExpiresAt(node) >= 0;
        }
        entryBytes += Keyspace.memory(item);
        if (Keyspace.expireAt(item) >= 0) {
            expiring++;
        }
    }

    private void discharge(Object item) {
        entryBytes -= Keyspace.memory(item);
        if (Keyspace.expireAt(item) >= 0) {
            expiring--;
        }
    }

    /** Forgets all keys. */
    void clear() {
        if (saving != null) {
            saving.giveUp("all keys were removed meanwhile");
        }
        versions.forEach((key, version) -> {
            if (peek(key.bytes(), 0, key.bytes().length) != null) {
                version.number++;
            }
        });
        keys.clear();
        entryBytes = 0;
        expiring = 0;
        leases.clear();
        watches.markAll();
    }

    // ---- snapshots

    /*
     * Every entry carries the epoch of the shard, until a cut begins the other epoch: then those that carry the former one are
     * those that the snapshot has not written yet. What is put afterwards carries the new one: the snapshot does not want it.
     */

    /** Begins to write what the shard holds now; whoever calls it has all shards of the store. */
    public Saving save(Saving.Blocks blocks) {
        if (saving != null) {
            throw new IllegalStateException("shard " + index + " is being written");
        }
        epoch = !epoch;
        Saving begun = new Saving(this, blocks);
        saving = begun;
        return begun;
    }

    /** Writes an item to the running snapshot, if that is to have it and does not yet. */
    void saveOnce(Object item) {
        Saving running = saving;
        if (running != null && epoch(item) != epoch) {
            running.save(item);
            epoch(item, epoch);
        }
    }

    void saved(Saving done) {
        if (saving == done) {
            saving = null;
        }
    }

    private static boolean epoch(Object item) {
        return item instanceof byte[] entry ? StringEntry.epoch(entry) : ((Node) item).epoch;
    }

    private static void epoch(Object item, boolean epoch) {
        if (item instanceof byte[] entry) {
            StringEntry.epoch(entry, epoch);
        } else {
            ((Node) item).epoch = epoch;
        }
    }

    // ---- changes

    /** Tells the listener what is no change of a value. */
    void tell(byte[] bytes, int offset, int length, String event, char kind) {
        if (listener != null && listener.hears(kind)) {
            listener.changed(this, Arrays.copyOfRange(bytes, offset, offset + length), event, kind);
        }
    }

    /** Tells everybody that a key has changed. */
    void changed(byte[] bytes, int offset, int length, String event, char kind) {
        if (versions.isEmpty()
                && watches.isEmpty()
                && waiters.isEmpty()
                && (listener == null || !listener.hears(kind))) {
            return;
        }
        Key key = new Key(Arrays.copyOfRange(bytes, offset, offset + length));
        Version watched = versions.get(key);
        if (watched != null) {
            watched.number++;
        }
        watches.mark(key);
        waiters.changed(key);
        if (listener != null && listener.hears(kind)) {
            listener.changed(this, key.bytes(), event, kind);
        }
    }

    /** Begins to count the versions of a key, for WATCH. */
    long watch(Key key) {
        Version watched = versions.computeIfAbsent(key, any -> new Version());
        watched.watchers++;
        return watched.number;
    }

    /** The version of a watched key now. */
    long version(Key key) {
        Version watched = versions.get(key);
        return watched == null ? -1 : watched.number;
    }

    /** Ends what {@link #watch} began. */
    public void unwatch(Key key) {
        Version watched = versions.get(key);
        if (watched != null && --watched.watchers == 0) {
            versions.remove(key);
        }
    }

    /** The same for the same keys, values and times to live, in whatever order they came. O(keys). Owner only. */
    public long digest() {
        long[] sum = new long[1];
        long cursor = 0;
        do {
            cursor = keys.scan(cursor, item -> sum[0] += digest(item));
        } while (cursor != 0);
        return sum[0];
    }

    private static long digest(Object item) {
        long digest = Numbers.crc64(Keyspace.key(item)) * 0x9e3779b97f4a7c15L + Keyspace.expireAt(item);
        long value = item instanceof Node node ? node.value.digest() : stringDigest((byte[]) item);
        return (digest ^ digest >>> 32) * 0xbf58476d1ce4e5b9L + (value ^ value >>> 29) * 0x94d049bb133111ebL;
    }

    private static long stringDigest(byte[] entry) {
        return Numbers.crc64(0, entry, StringEntry.valueOffset(entry), StringEntry.valueLength(entry));
    }

    // ---- figures

    /** What is counted; each as of the last turn of the loop, or exact while the caller owns the shard. */
    public enum Figure {
        /** Heap bytes of keys and values. */
        MEMORY,
        /** Keys, those included that have expired and are still here. */
        KEYS,
        /** Keys with a time to live. */
        EXPIRING,
        /** Keys that were removed because their time had come. */
        EXPIRED,
        /** Keys that were removed to make room. */
        EVICTED,
        /** Reads that found their key. */
        HITS,
        /** Reads that did not. */
        MISSES,
        /** Keys whose versions are counted for WATCH. */
        WATCHED,
        /** Keys that watched queries depend on. */
        WATCHED_KEYS,
        /** Watched queries. */
        QUERIES,
        /** Clients' interests in watched queries. */
        WATCHERS,
        /** Keys that somebody waits for. */
        WAITED,
        /** Leases. */
        LEASES
    }

    /** A figure; any thread. */
    public long figure(Figure figure) {
        return figures.getOpaque(figure.ordinal());
    }

    void count(Figure figure) {
        int i = figure.ordinal();
        figures.setOpaque(i, figures.getPlain(i) + 1);
    }

    /** Makes the figures visible to other threads; the owner calls it once per turn. */
    public void publish() {
        figures.setOpaque(Figure.MEMORY.ordinal(), memoryNow());
        figures.setOpaque(Figure.KEYS.ordinal(), keys.size());
        figures.setOpaque(Figure.EXPIRING.ordinal(), expiring);
        figures.setOpaque(Figure.WATCHED.ordinal(), versions.size());
        figures.setOpaque(Figure.WATCHED_KEYS.ordinal(), watches.keys());
        figures.setOpaque(Figure.QUERIES.ordinal(), watches.queries());
        figures.setOpaque(Figure.WAITED.ordinal(), waiters.keys());
        figures.setOpaque(Figure.LEASES.ordinal(), leases.size());
        figures.setOpaque(Figure.WATCHERS.ordinal(), watches.watchers());
    }

    /** Heap bytes now. Owner only. */
    public long memoryNow() {
        return entryBytes + keys.memory();
    }

    /** Keys with a time to live, now. Owner only. */
    long expiringNow() {
        return expiring;
    }

    void resetFigures() {
        for (Figure figure : new Figure[] {Figure.EXPIRED, Figure.EVICTED, Figure.HITS, Figure.MISSES}) {
            figures.setOpaque(figure.ordinal(), 0);
        }
    }

    /** A random item; null if there is none. */
    @Nullable
    Object random(RandomGenerator random) {
        return keys.random(random);
    }
}
