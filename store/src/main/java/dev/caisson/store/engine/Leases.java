package dev.caisson.store.engine;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The leases of a shard: those whose identifier belongs here, with their time, and what of the shard's keys hangs on which
 * lease, whichever shard that has. Belongs to the owner of the shard.
 *
 * <p>A lease ends as a whole: who ends it has borrowed all shards, for whatever number of leases ends at that moment.
 */
public final class Leases {
    /** What the shard's loop does for it. */
    public interface Host {
        /** The time of some lease is up: borrows all shards and calls {@link #expire}. */
        void leasesExpired();
    }

    /** A lease, at its home. */
    static final class Lease {
        final Key id;
        final long millis;
        /** When it ends, on the monotonic clock. */
        long deadline;

        Lease(Key id, long millis, long deadline) {
            this.id = id;
            this.millis = millis;
            this.deadline = deadline;
        }
    }

    /** What of one key hangs on leases. */
    static final class Attached {
        /** The lease of the whole key. */
        @Nullable
        Key whole;

        final Map<Key, Key> fields = new HashMap<>();

        boolean isEmpty() {
            return whole == null && fields.isEmpty();
        }
    }

    /** How many leases end in one step. */
    static final int ENDED_AT_ONCE = 1_000;

    private final Map<Key, Lease> leases = new HashMap<>();
    private final TreeSet<Lease> byDeadline = new TreeSet<>((a, b) -> {
        int byTime = Long.compare(a.deadline, b.deadline);
        return byTime != 0 ? byTime : java.util.Arrays.compare(a.id.bytes(), b.id.bytes());
    });
    /** By key of this shard. */
    private final Map<Key, Attached> attached = new HashMap<>();
    /** By lease, its keys in this shard. */
    private final Map<Key, Set<Key>> keysOf = new HashMap<>();

    private Host host = () -> {};

    /** Sets who does the rest; once, before use. */
    public void host(Host loop) {
        this.host = loop;
    }

    // ---- at home

    @Nullable
    Lease find(Key id) {
        return leases.get(id);
    }

    Lease grant(Key id, long millis, long now) {
        Lease lease = new Lease(id, millis, now + millis);
        leases.put(id, lease);
        byDeadline.add(lease);
        return lease;
    }

    /** Gives the lease its full time again. */
    void keepAlive(Lease lease, long now) {
        byDeadline.remove(lease);
        lease.deadline = now + lease.millis;
        byDeadline.add(lease);
    }

    void forget(Lease lease) {
        leases.remove(lease.id);
        byDeadline.remove(lease);
    }

    /** All leases whose home this is. */
    Iterable<Lease> all() {
        return leases.values();
    }

    /** How many leases have their home here. */
    public int size() {
        return leases.size();
    }

    /** Looks whether the time of some lease is up. */
    void tick(long now) {
        if (!byDeadline.isEmpty() && byDeadline.first().deadline <= now) {
            host.leasesExpired();
        }
    }

    /** Ends the leases whose time is up, at most {@value #ENDED_AT_ONCE}; the rest at the next tick. With all shards. */
    public void expire(Call call) {
        call.enter();
        for (int i = 0; i < ENDED_AT_ONCE && !byDeadline.isEmpty(); i++) {
            Lease first = byDeadline.first();
            if (first.deadline > call.monotonic()) {
                break;
            }
            LeaseCommands.end(call, first);
        }
        call.leave();
    }

    /** Gives all leases their full time again, from now: they were read from the log. */
    public void restart(long now) {
        for (Lease lease : List.copyOf(leases.values())) {
            keepAlive(lease, now);
        }
    }

    // ---- at the keys

    boolean isEmpty() {
        return attached.isEmpty();
    }

    /** Hangs a key of this shard, or a field of it, on a lease. What it hung on before it does no more. */
    void attach(Key key, @Nullable Key field, Key lease) {
        Attached to = attached.computeIfAbsent(key, any -> new Attached());
        Key before = field == null ? to.whole : to.fields.get(field);
        if (field == null) {
            to.whole = lease;
        } else {
            to.fields.put(field, lease);
        }
        keysOf.computeIfAbsent(lease, any -> new LinkedHashSet<>()).add(key);
        if (before != null && !before.equals(lease)) {
            dropped(key, to, before);
        }
    }

    /** What hangs on leases of a key; null for nothing. */
    @Nullable
    Attached of(Key key) {
        return attached.get(key);
    }

    /** The key is gone, or has a new value: nothing of it hangs on a lease any more. */
    @Nullable
    Attached detach(Key key) {
        Attached had = attached.remove(key);
        if (had != null) {
            Set<Key> all = new LinkedHashSet<>(had.fields.values());
            if (had.whole != null) {
                all.add(had.whole);
            }
            for (Key lease : all) {
                forget(lease, key);
            }
        }
        return had;
    }

    /** The key itself hangs on no lease any more, its fields may; returns whether it did. */
    boolean detachWhole(Key key) {
        Attached had = attached.get(key);
        if (had == null || had.whole == null) {
            return false;
        }
        Key lease = had.whole;
        had.whole = null;
        dropped(key, had, lease);
        return true;
    }

    /** A field is gone, or has a new value. */
    void detachField(Key key, Key field) {
        Attached had = attached.get(key);
        if (had != null) {
            Key lease = had.fields.remove(field);
            if (lease != null) {
                dropped(key, had, lease);
            }
        }
    }

    private void dropped(Key key, Attached had, Key lease) {
        if (!lease.equals(had.whole) && !had.fields.containsValue(lease)) {
            forget(lease, key);
        }
        if (had.isEmpty()) {
            attached.remove(key);
        }
    }

    private void forget(Key lease, Key key) {
        Set<Key> keys = keysOf.get(lease);
        if (keys != null && keys.remove(key) && keys.isEmpty()) {
            keysOf.remove(lease);
        }
    }

    /** Tells what hangs on the lease here: each key, with null for the whole of it, or each field. */
    void each(Key lease, BiConsumer<Key, @Nullable Key> visitor) {
        for (Key key : keysOf.getOrDefault(lease, Set.of())) {
            Attached to = attached.get(key);
            if (to == null) {
                continue;
            }
            if (lease.equals(to.whole)) {
                visitor.accept(key, null);
            }
            to.fields.forEach((field, of) -> {
                if (of.equals(lease)) {
                    visitor.accept(key, field);
                }
            });
        }
    }

    /** Everything was removed; leases themselves stay. */
    void clear() {
        attached.clear();
        keysOf.clear();
    }
}
