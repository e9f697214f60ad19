package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import java.util.ArrayList;
import java.util.List;

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
    private final List<byte[]> found = new ArrayList<>();
    private final List<Node> hashes = new ArrayList<>();
    private long cursor;

    public Expiry(Shard shard) {
        this.shard = shard;
    }

    /** Goes on with the walk, at the time of the call; {@code call} logs and tells what goes. */
    public void step(Call call) {
        shard.keys.rehashFor(1);
        shard.watches.expire(call);
        shard.leases.tick(call.monotonic());
        if (cursor == 0) {
            if (shard.expiringNow() == 0 && !shard.fieldsMayExpire()) {
                return;
            }
            shard.fieldsMayExpire(false); // unless this walk, or a change meanwhile, finds some
        }
        int[] seen = new int[1];
        for (int done = 0; done < MAX_BUCKETS; ) {
            seen[0] = 0;
            for (int i = 0; i < BUCKETS; i++) {
                cursor = shard.keys.scan(cursor, item -> {
                    seen[0]++;
                    long field = Keyspace.fieldExpiresAt(item);
                    if (call.expired(item)) {
                        found.add(Keyspace.key(item));
                    } else if (field >= 0) {
                        shard.fieldsMayExpire(true);
                        if (field < call.now()) {
                            hashes.add((Node) item);
                        }
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
            for (Node node : hashes) {
                if (node.value instanceof HashValue hash) {
                    call.expireFields(shard, node, hash);
                }
            }
            hashes.clear();
            if (cursor == 0 || expired * GOES_ON_AT < seen[0] || shard.expiringNow() == 0) {
                return;
            }
        }
    }
}
