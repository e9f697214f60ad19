package dev.caisson.store.engine;

/**
 * One client's interest in one watched query. {@link #session} and {@link #watching} belong to the client's loop, the
 * place in its query's list to the owner of the query's home shard.
 */
public final class Watcher {
    private final Session session;
    private final WatchedQuery query;
    /** Whether it was asked for by OBSERVE, and is told in that spelling. */
    final boolean observing;

    private boolean watching = true;
    int place = -1;

    Watcher(Session session, WatchedQuery query, boolean observing) {
        this.session = session;
        this.query = query;
        this.observing = observing;
    }

    public Session session() {
        return session;
    }

    WatchedQuery query() {
        return query;
    }

    /** Whether the client still wants it; once false, nothing is pushed. On the client's loop. */
    public boolean watching() {
        return watching;
    }

    void stop() {
        watching = false;
    }
}
