package dev.caisson.store.engine;

import dev.caisson.store.engine.Shard.Figure;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What the store may take of the heap, shared by keys, values and the buffers of connections; and how room is made when it
 * is used up. The count of buffers may be changed by any thread; eviction is done by the owner of the shard.
 */
public final class Budget {
    /** How many keys are looked at to find one to evict, as Redis's maxmemory-samples. */
    static final int SAMPLES = 5;
    /** How many keys are drawn at most to find one that has a time to live, where only such are evicted. */
    static final int DRAWS = 100;
    /** How many keys one command evicts at most; if that is not enough it is refused. */
    static final int EVICTIONS = 1_000;

    private final Settings settings;
    private final Shard[] shards;
    private final AtomicLong buffers = new AtomicLong();

    public Budget(Settings settings, Shard[] shards) {
        this.settings = settings;
        this.shards = shards;
    }

    /** Buffers have grown by so many bytes, or shrunk. Any thread. */
    public void buffers(long change) {
        buffers.addAndGet(change);
    }

    /** Heap bytes of all buffers that were told. Any thread. */
    public long bufferBytes() {
        return buffers.get();
    }

    /** Heap bytes of keys, values and buffers, as of the shards' last turns. Any thread. */
    public long used() {
        long used = buffers.get();
        for (Shard shard : shards) {
            used += shard.figure(Figure.MEMORY);
        }
        return used;
    }

    /** Whether no more should be taken. Any thread. */
    public boolean isFull() {
        long most = settings.maxMemoryBytes();
        return most > 0 && used() > most;
    }

    /**
     * Makes sure that there is room, by evicting keys of the shard where the settings say so.
     *
     * @param shard the shard of the running command; null if it has several
     * @return whether there is
     */
    boolean makeRoom(Call call, @Nullable Shard shard) {
        long most = settings.maxMemoryBytes();
        if (most <= 0) {
            return true;
        }
        long used = used();
        if (shard != null) {
            used += shard.memoryNow() - shard.figure(Figure.MEMORY);
        }
        if (used <= most) {
            return true;
        }
        if (settings.eviction() == Settings.Eviction.NOEVICTION) {
            return false;
        }
        long others = shard == null ? used : used - shard.memoryNow();
        for (int i = 0; i < EVICTIONS; i++) {
            boolean went = false;
            if (shard != null) {
                went = evictOne(call, shard);
                used = others + shard.memoryNow();
            } else {
                for (long left = call.held(); left != 0; left &= left - 1) {
                    Shard each = shards[Long.numberOfTrailingZeros(left)];
                    long before = each.memoryNow();
                    went |= evictOne(call, each);
                    used += each.memoryNow() - before;
                }
            }
            if (used <= most) {
                return true;
            }
            if (!went) {
                return false;
            }
        }
        return false;
    }

    private boolean evictOne(Call call, Shard shard) {
        Object victim = victim(shard, call.random(), call.now());
        if (victim == null) {
            return false;
        }
        byte[] key = Keyspace.key(victim);
        call.evict(shard, key);
        return true;
    }

    private @Nullable Object victim(Shard shard, RandomGenerator random, long now) {
        Settings.Eviction how = settings.eviction();
        boolean onlyVolatile = how == Settings.Eviction.VOLATILE_LRU
                || how == Settings.Eviction.VOLATILE_RANDOM
                || how == Settings.Eviction.VOLATILE_TTL;
        if (onlyVolatile && shard.expiringNow() == 0) {
            return null;
        }
        boolean anyWillDo = how == Settings.Eviction.ALLKEYS_RANDOM || how == Settings.Eviction.VOLATILE_RANDOM;
        Object best = null;
        long bestRank = 0;
        int seen = 0;
        for (int i = 0; i < DRAWS && seen < SAMPLES; i++) {
            Object item = shard.random(random);
            if (item == null) {
                return null;
            }
            if (onlyVolatile && Keyspace.expireAt(item) < 0) {
                continue;
            }
            if (anyWillDo) {
                return item;
            }
            long rank = how == Settings.Eviction.VOLATILE_TTL
                    ? -Keyspace.expireAt(item)
                    : ((int) (now / 1000) - Keyspace.clock(item)) & Call.CLOCK_MASK;
            if (best == null || rank > bestRank) {
                best = item;
                bestRank = rank;
            }
            seen++;
        }
        return best;
    }
}
