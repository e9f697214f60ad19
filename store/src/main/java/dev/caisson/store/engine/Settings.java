package dev.caisson.store.engine;

/** What can be changed while the store runs (CONFIG SET). Any thread may read and write; each setting stands alone. */
public final class Settings {
    /** What to do when memory is used up. */
    public enum Eviction {
        NOEVICTION,
        ALLKEYS_LRU,
        VOLATILE_LRU,
        ALLKEYS_RANDOM,
        VOLATILE_RANDOM,
        VOLATILE_TTL;

        /** As CONFIG writes it. */
        public String text() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }

    /** How many elements one command may touch where nothing else is set. */
    public static final long WORK_LIMIT = 10_000_000;

    /** How large the result of a watched query may be where nothing else is set, in bytes. */
    public static final int WATCH_MAX_RESULT_BYTES = 1 << 20;
    /** How many queries a client may watch where nothing else is set. */
    public static final int WATCHES_PER_CLIENT = 10_000;
    /** How many watches the store holds where nothing else is set. */
    public static final int WATCHES = 1_000_000;

    /** How many leases the store holds where nothing else is set. */
    public static final int LEASES = 1_000_000;

    private volatile int maxLeases = LEASES;
    private volatile int watchMaxResultBytes = WATCH_MAX_RESULT_BYTES;
    private volatile int maxWatchesPerClient = WATCHES_PER_CLIENT;
    private volatile int maxWatches = WATCHES;
    private volatile long maxMemoryBytes;
    private volatile Eviction eviction = Eviction.NOEVICTION;
    private volatile long workLimit = WORK_LIMIT;
    private volatile String notifications = "";

    /** Heap bytes for keys, values and buffers; 0 for no limit. */
    public long maxMemoryBytes() {
        return maxMemoryBytes;
    }

    public void maxMemoryBytes(long bytes) {
        maxMemoryBytes = bytes;
    }

    public Eviction eviction() {
        return eviction;
    }

    public void eviction(Eviction eviction) {
        this.eviction = eviction;
    }

    /** How many elements one command may touch; more is refused before any work is done. */
    public long workLimit() {
        return workLimit;
    }

    public void workLimit(long elements) {
        workLimit = elements;
    }

    /** The classes of keyspace notifications that are sent, as {@code notify-keyspace-events} writes them; empty for none. */
    public String notifications() {
        return notifications;
    }

    public void notifications(String classes) {
        notifications = classes;
    }

    /** How large the result of a watched query may be; a larger one ends the watch. */
    public int watchMaxResultBytes() {
        return watchMaxResultBytes;
    }

    public void watchMaxResultBytes(int bytes) {
        watchMaxResultBytes = bytes;
    }

    /** How many queries one client may watch. */
    public int maxWatchesPerClient() {
        return maxWatchesPerClient;
    }

    public void maxWatchesPerClient(int watches) {
        maxWatchesPerClient = watches;
    }

    /** How many watches all clients together may have. */
    public int maxWatches() {
        return maxWatches;
    }

    public void maxWatches(int watches) {
        maxWatches = watches;
    }

    /** How many leases there may be. */
    public int maxLeases() {
        return maxLeases;
    }

    public void maxLeases(int leases) {
        maxLeases = leases;
    }
}
