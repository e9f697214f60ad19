package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import java.util.List;

/** A client that waits for an element of one of its keys; how that ends is decided by {@link Waiting}. */
public final class Waiter {
    private final Waiting waiting = new Waiting();
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

    /** Ends the waiting, unless it has ended; returns whether this call did. Any thread. */
    public boolean end(Waiting.State how) {
        return waiting.end(how);
    }

    /** A bit for each shard of its keys. */
    public long shards() {
        return shards;
    }

    /** Milliseconds that it waits; 0 for as long as it takes. */
    public long timeoutMillis() {
        return timeoutMillis;
    }
}
