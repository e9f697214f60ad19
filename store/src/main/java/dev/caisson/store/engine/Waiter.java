package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A client that waits for an element of one of its keys.
 *
 * <pre>
 *              ┌──► SERVED     by the owner of a key's shard, before it takes the element
 *   WAITING ───┼──► TIMED_OUT  by the client's loop
 *              ├──► CLOSED     by the client's loop: the client is gone
 *              └──► UNBLOCKED  by another client
 * </pre>
 *
 * <p>One compare-and-set decides: so an element is taken for a waiter that is still there, or not at all.
 */
public final class Waiter {
    /** What has become of it. */
    public enum State {
        WAITING,
        SERVED,
        TIMED_OUT,
        CLOSED,
        UNBLOCKED
    }

    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private final Session session;
    final BlockingCommands.Pop pop;
    final Args args;
    final List<Key> keys;
    /** A bit for each shard of its keys. */
    private final long shards;
    /** Milliseconds that it waits; 0 for as long as it takes. */
    private final long timeoutMillis;

    Waiter(Session session, BlockingCommands.Pop pop, Args args, List<Key> keys, long shards, long timeoutMillis) {
        this.session = session;
        this.pop = pop;
        this.args = args;
        this.keys = keys;
        this.shards = shards;
        this.timeoutMillis = timeoutMillis;
    }

    public Session session() {
        return session;
    }

    public State state() {
        return Objects.requireNonNull(state.get());
    }

    /** Ends the waiting, unless it has ended; returns whether this call did. Any thread. */
    public boolean end(State how) {
        return state.compareAndSet(State.WAITING, how);
    }

    public long shards() {
        return shards;
    }

    public long timeoutMillis() {
        return timeoutMillis;
    }

    /** Whether its reply, when nothing came, is an empty array; else it is an empty bulk. */
    public boolean wantsArray() {
        return pop.wantsArray();
    }
}
