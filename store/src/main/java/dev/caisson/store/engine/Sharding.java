package dev.caisson.store.engine;

import dev.caisson.store.data.Hashing;
import dev.caisson.store.data.ValueSettings;
import dev.caisson.store.resp.Args;

/**
 * Which shard a key belongs to: a hash of the key, or of what stands between its first braces, so that keys
 * {@code {user7}.name} and {@code {user7}.mail} are together (as in Redis Cluster's hash tags). Immutable.
 */
public final class Sharding {
    /** The most loops a store can have: the shards of a command are the bits of a long. */
    public static final int MAX_SHARDS = 64;

    private final int count;
    private final Hashing hashing;
    private final ValueSettings values;

    public Sharding(int count, Hashing hashing) {
        if (count < 1 || count > MAX_SHARDS) {
            throw new IllegalArgumentException("a store has 1 to " + MAX_SHARDS + " loops, not " + count);
        }
        this.count = count;
        this.hashing = hashing;
        this.values = ValueSettings.standard(hashing);
    }

    public int count() {
        return count;
    }

    /** A bit for each shard. */
    public long all() {
        return -1L >>> (64 - count);
    }

    /** How values are made: with the same hash. */
    ValueSettings values() {
        return values;
    }

    /** The hash by which a shard's table keeps the key. */
    public int hash(byte[] bytes, int offset, int length) {
        return hashing.hash(bytes, offset, length);
    }

    public int shardOf(Args args, int position) {
        return count == 1 ? 0 : shardOf(args.bytes(), args.offset(position), args.length(position));
    }

    public int shardOf(byte[] key) {
        return shardOf(key, 0, key.length);
    }

    public int shardOf(byte[] bytes, int offset, int length) {
        if (count == 1) {
            return 0;
        }
        int from = offset;
        int size = length;
        for (int i = 0; i < length; i++) {
            if (bytes[offset + i] == '{') {
                int close = i + 1;
                while (close < length && bytes[offset + close] != '}') {
                    close++;
                }
                if (close < length && close > i + 1) {
                    from = offset + i + 1;
                    size = close - i - 1;
                }
                break;
            }
        }
        // the table uses the low bits, so the shard comes from the high ones
        return (int) ((hashing.hash(bytes, from, size) & 0xffffffffL) * count >>> 32);
    }
}
