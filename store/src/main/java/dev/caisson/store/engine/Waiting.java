package dev.caisson.store.engine;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How the waiting of a client ends, decided once.
 *
 * <pre>
 *              ┌──► SERVED     by the owner of a key's shard, before it takes the element
 *   WAITING ───┼──► TIMED_OUT  by the client's loop
 *              ├──► CLOSED     by the client's loop: the client is gone
 *              └──► UNBLOCKED  by another client
 * </pre>
 *
 * <p>One compare-and-set decides: so an element is taken for a client that is still there, or not at all. Any thread.
 */
public final class Waiting {
    /** What has become of it. */
    public enum State {
        WAITING,
        SERVED,
        TIMED_OUT,
        CLOSED,
        UNBLOCKED
    }

    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

    /** What has become of it by now. */
    public State state() {
        return Objects.requireNonNull(state.get());
    }

    /** Ends it, unless it has ended; returns whether this call did. */
    public boolean end(State how) {
        return state.compareAndSet(State.WAITING, how);
    }
}
