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
}
