package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import dev.caisson.store.data.Hashing;
import dev.caisson.store.data.Table;
import java.util.Arrays;

/** The table of a shard: its items are {@link StringEntry} arrays and {@link Node}s. Belongs to the shard's owner. */
final class Keyspace extends Table<Object> {
    private final Hashing hashing;

    Keyspace(Hashing hashing) {
        this.hashing = hashing;
    }

    int hash(byte[] bytes, int offset, int length) {
        return hashing.hash(bytes, offset, length);
    }

    @Override
    protected int hash(Object item) {
        if (item instanceof byte[] entry) {
            return hashing.hash(entry, StringEntry.keyOffset(entry), StringEntry.keyLength(entry));
        }
        byte[] key = ((Node) item).key;
        return hashing.hash(key, 0, key.length);
    }

    @Override
    protected boolean matches(Object item, byte[] bytes, int offset, int length) {
        if (item instanceof byte[] entry) {
            return StringEntry.keyIs(entry, bytes, offset, length);
        }
        byte[] key = ((Node) item).key;
        return key.length == length && Arrays.equals(key, 0, length, bytes, offset, offset + length);
    }

    static byte[] key(Object item) {
        return item instanceof byte[] entry ? StringEntry.key(entry) : ((Node) item).key;
    }

    static long expireAt(Object item) {
        return item instanceof byte[] entry ? StringEntry.expireAt(entry) : ((Node) item).expireAt;
    }

    /** When a field of the item expires; -1 for never, and for all but hashes. */
    static long fieldExpiresAt(Object item) {
        if (!(item instanceof Node node) || !(node.value instanceof HashValue hash)) {
            return -1;
        }
        long next = hash.nextExpiry();
        return next == HashValue.NEVER ? -1 : next;
    }

    static long memory(Object item) {
        return item instanceof byte[] entry ? StringEntry.memory(entry) : ((Node) item).charged;
    }

    static String type(Object item) {
        return item instanceof byte[] ? "string" : ((Node) item).value.type();
    }

    static int clock(Object item) {
        return item instanceof byte[] entry ? StringEntry.clock(entry) : ((Node) item).clock;
    }

    static void clock(Object item, int clock) {
        if (item instanceof byte[] entry) {
            StringEntry.clock(entry, clock);
        } else {
            ((Node) item).clock = clock;
        }
    }
}
