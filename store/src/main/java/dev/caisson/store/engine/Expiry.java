package dev.caisson.store.engine;

/**
 * Finds the keys whose time has come although nobody asks for them: a walk over the shard's table, some buckets each
 * tick, more while it finds many. Belongs to the owner of the shard.
 */
public final class Expiry {
    /** Buckets that one tick looks at, where few of their keys have expired. */
    static final int BUCKETS = 2_000;
    /** Buckets that one tick looks at most. */
    static final int MAX_BUCKETS = 40_000;
    /** A tick goes on while at least one in this many keys had expired. */
    static final int GOES_ON_AT = 10;

    private final Shard shard;
    private final java.util.ArrayList<byte[]> found = new java.util.ArrayList<>();
    private long cursor;

    public Expiry(Shard shard) {
        this.shard = shard;
    }

    /** Goes on with the walk, at the time of the call; {@code call} logs and tells what goes. */
    public void step(Call call) {
        shard.keys.rehashFor(1);
        shard.watches.expire(call);
        shard.leases.tick(call.monotonic());
        if (shard.expiringNow() == 0) {
            return;
        }
        int[] seen = new int[1];
        for (int done = 0; done < MAX_BUCKETS; ) {
            seen[0] = 0;
            for (int i = 0; i < BUCKETS; i++) {
                cursor = shard.keys.scan(cursor, item -> {
                    seen[0]++;
                    if (call.expired(item)) {
                        found.add(Keyspace.key(item));
                    }
                });
                if (cursor == 0) {
                    break; // one walk a tick is enough
                }
            }
            done += BUCKETS;
            int expired = found.size();
            for (byte[] key : found) {
                call.expire(shard, key, 0, key.length);
            }
            found.clear();
            if (cursor == 0 || expired * GOES_ON_AT < seen[0] || shard.expiringNow() == 0) {
                return;
            }
        }
    }
}
