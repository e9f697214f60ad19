package dev.caisson.store.engine;

import dev.caisson.store.data.Value;

/** A key whose value is no string: the whole entry of a shard's table. Belongs to the shard's owner. */
final class Node {
    /** Object header, four references and longs. */
    private static final long OWN_BYTES = 56;

    final byte[] key;
    Value value;
    /** Milliseconds since 1970; -1 for never. */
    long expireAt = -1;
    /** What the shard's bookkeeping counts for it. */
    long charged;
    /** When it was last used, in seconds modulo 2^24. */
    int clock;

    boolean leased;
    /** Which of two epochs it was put or last written to a snapshot in, see {@link Shard}. */
    boolean epoch;

    Node(byte[] key, Value value) {
        this.key = key;
        this.value = value;
    }

    long memory() {
        return OWN_BYTES + ((16L + key.length + 7) & ~7L) + value.memory();
    }

    /** Whether its key must go: it has no elements, and is no stream. */
    boolean isEmpty() {
        return value.size() == 0 && !value.type().equals("stream");
    }
}
