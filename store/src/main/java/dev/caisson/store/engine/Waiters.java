package dev.caisson.store.engine;

import dev.caisson.store.resp.RespWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who waits for elements of a shard's keys, the first to come first. Belongs to the owner of the shard.
 *
 * <p>A change of a key that somebody waits for is noted; when the command that made it is over, and before any other runs,
 * {@link #serve} takes elements for those who wait.
 */
public final class Waiters {
    /** What the shard's loop does for it. */
    public interface Host {
        /** Borrows these shards and calls {@link #serveAcross}. */
        void serveAcross(Waiter waiter, Key key, long shards);
    }

    private final Shard shard;
    private final Map<Key, Set<Waiter>> waiting = new HashMap<>();
    private final Set<Key> ready = new LinkedHashSet<>();
    private final RespWriter reply = new RespWriter();
    private Host host = (waiter, key, shards) -> {};

    Waiters(Shard shard) {
        this.shard = shard;
    }

    /** Sets who does the rest; once, before use. */
    public void host(Host loop) {
        this.host = loop;
    }

    /** How many keys somebody waits for. */
    public int keys() {
        return waiting.size();
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    void add(Key key, Waiter waiter) {
        waiting.computeIfAbsent(key, any -> new LinkedHashSet<>()).add(waiter);
    }

    /** Forgets a waiter, as far as this shard's keys go. */
    public void forget(Waiter waiter) {
        for (Key key : waiter.keys) {
            Set<Waiter> there = waiting.get(key);
            if (there != null && there.remove(waiter) && there.isEmpty()) {
                waiting.remove(key);
            }
        }
    }

    /** The key has changed. */
    void changed(Key key) {
        if (waiting.containsKey(key)) {
            ready.add(key);
        }
    }

    boolean hasReady() {
        return !ready.isEmpty();
    }

    /** Serves those who wait for keys that have changed, with the shards that {@code call} has. */
    void serve(Call call) {
        while (!ready.isEmpty()) {
            Key key = ready.iterator().next();
            ready.remove(key);
            List<Waiter> inOrder = new ArrayList<>(waiting.getOrDefault(key, Set.of()));
            for (Waiter waiter : inOrder) {
                if (!waiter.pop.isThere(shard, key, call)) {
                    continue; // it waits for another type, or there is nothing left
                }
                long needs = waiter.pop.shards(call, waiter, key);
                if ((needs & ~call.held()) != 0) {
                    host.serveAcross(waiter, key, needs);
                    break; // those behind it come after it
                }
                serve(call, waiter, key);
            }
        }
    }

    /** Serves one waiter with shards that were borrowed for it, then the others of the key. */
    public static void serveAcross(Call call, Waiter waiter, Key key) {
        call.enter();
        Shard shard = call.shardOf(key);
        if (waiter.pop.isThere(shard, key, call)) {
            shard.waiters.serve(call, waiter, key);
        }
        shard.waiters.changed(key); // those behind it have waited for this
        call.leave();
    }

    private void serve(Call call, Waiter waiter, Key key) {
        if (!waiter.end(Waiting.State.SERVED)) {
            forget(waiter);
            return;
        }
        reply.reset();
        reply.protocol(waiter.session().protocol());
        waiter.pop.take(call, waiter, key, reply);
        waiter.session().served(waiter, Arrays.copyOf(reply.array(), reply.length()));
        forget(waiter);
    }
}
