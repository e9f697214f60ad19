package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The watched queries of a shard: which of them a change concerns, and when one must be looked at although nothing
 * changed, because a key's time comes. Belongs to the owner of the shard.
 *
 * <p>A change only marks; {@link #evaluate} runs once a turn, so a query is evaluated once however often its keys were
 * written and however many watch it. A query over several shards is marked here and evaluated where its home is, by who has
 * borrowed them all.
 */
public final class Watches {
    /** What the shard's loop does for its watches. Called by the owner of the shard. */
    public interface Host {
        /** Something is marked: has {@link #evaluate} called soon, once. */
        void evaluateSoon();

        /** Borrows the query's shards, then calls {@link Watches#evaluateAcross}. */
        void evaluateAcross(WatchedQuery query);

        /** Tells the watchers of one loop. */
        void deliver(int loop, Watcher[] watchers, WatchedQuery.Push push);

        /** Has {@code forget} called with the query on the shards given by bits, when each is at home. */
        void forgetOn(long shards, WatchedQuery query);
    }

    /** A key that queries depend on. */
    private static final class Watched {
        final Key key;
        final List<WatchedQuery> queries = new ArrayList<>(1);
        /** When it is to be looked at; -1 for never. */
        long due = -1;

        Watched(Key key) {
            this.key = key;
        }
    }

    private final Shard shard;
    private final Map<Key, Watched> keys = new HashMap<>();
    /** Queries whose home this is. */
    private final Map<Vector, WatchedQuery> queries = new HashMap<>();

    private final Set<WatchedQuery> marked = new LinkedHashSet<>();
    private final TreeSet<Watched> due = new TreeSet<>((a, b) -> {
        int byTime = Long.compare(a.due, b.due);
        return byTime != 0 ? byTime : Arrays.compare(a.key.bytes(), b.key.bytes());
    });
    private final RespWriter resp3 = new RespWriter();
    private final RespWriter resp2 = new RespWriter();
    private Host host;
    private boolean asked;
    private int watchers;

    Watches(Shard shard) {
        this.shard = shard;
        this.host = NOWHERE;
        resp3.protocol(3);
    }

    private static final Host NOWHERE = new Host() {
        @Override
        public void evaluateSoon() {}

        @Override
        public void evaluateAcross(WatchedQuery query) {}

        @Override
        public void deliver(int loop, Watcher[] watchers, WatchedQuery.Push push) {}

        @Override
        public void forgetOn(long shards, WatchedQuery query) {}
    };

    /** Sets who does the rest; once, before use. */
    public void host(Host loop) {
        this.host = loop;
    }

    boolean isEmpty() {
        return keys.isEmpty();
    }

    /** How many keys are watched. */
    public int keys() {
        return keys.size();
    }

    /** How many queries have their home here. */
    public int queries() {
        return queries.size();
    }

    /** How many watchers they have; one whose watch was ended for its size counts until its client knows. */
    public int watchers() {
        return watchers;
    }

    // ---- changes

    /** The key has changed. */
    void mark(Key key) {
        Watched watched = keys.get(key);
        if (watched != null) {
            mark(watched);
        }
    }

    /** All keys have gone. */
    void markAll() {
        keys.values().forEach(this::mark);
    }

    private void mark(Watched watched) {
        marked.addAll(watched.queries);
        schedule(watched);
        if (!asked && !marked.isEmpty()) {
            asked = true;
            host.evaluateSoon();
        }
    }

    /** Evaluates what was marked, and tells what has changed. With the shard at home. */
    public void evaluate(Call call) {
        asked = false;
        if (marked.isEmpty()) {
            return;
        }
        List<WatchedQuery> now = List.copyOf(marked);
        marked.clear();
        for (WatchedQuery query : now) {
            if (query.isLocal()) {
                evaluate(call, query, shard);
            } else if (query.asked.compareAndSet(false, true)) {
                host.evaluateAcross(query);
            }
        }
    }

    /** Evaluates a query over several shards, all of which the caller has. */
    public static void evaluateAcross(Call call, WatchedQuery query) {
        query.asked.set(false);
        call.shards()[query.home()].watches.evaluate(call, query, null);
    }

    private void evaluate(Call call, WatchedQuery query, @Nullable Shard only) {
        if (query.ended) {
            return;
        }
        resp3.reset();
        call.internal(query.command, query.args, resp3, only);
        if (resp3.length() > call.settings().watchMaxResultBytes()) {
            end(query, tooLarge(call.settings()));
            return;
        }
        if (query.takes(resp3)) {
            resp2.reset();
            call.internal(query.command, query.args, resp2, only);
            tell(
                    query,
                    new WatchedQuery.Push(
                            query,
                            Arrays.copyOf(resp2.array(), resp2.length()),
                            Arrays.copyOf(resp3.array(), resp3.length()),
                            false));
        }
    }

    static String tooLarge(Settings settings) {
        return "ERR the result of the watched query is larger than watch-max-result, " + settings.watchMaxResultBytes()
                + " bytes (CONFIG SET watch-max-result raises it); the watch is over";
    }

    private void tell(WatchedQuery query, WatchedQuery.Push push) {
        query.byLoop().forEach((loop, watchers) -> host.deliver(loop, watchers, push));
    }

    private void end(WatchedQuery query, String why) {
        RespWriter error = new RespWriter();
        error.error(why);
        byte[] bytes = Arrays.copyOf(error.array(), error.length());
        tell(query, new WatchedQuery.Push(query, bytes, bytes, true));
        query.ended = true;
        queries.remove(query.vector, query);
        host.forgetOn(query.shards, query);
    }

    // ---- who watches

    /**
     * The query of this vector, evaluated now, for a watcher who joins. The caller has all its shards.
     *
     * @throws ErrorReply if its result is too large
     */
    static WatchedQuery join(Call call, Vector vector, Command command, long shards) {
        Shard[] all = call.shards();
        Watches home = all[Long.numberOfTrailingZeros(shards)].watches;
        WatchedQuery query = home.queries.get(vector);
        if (query == null) {
            query = new WatchedQuery(vector, command, shards);
            home.queries.put(vector, query);
            WatchedQuery made = query;
            command.keys(made.args, position -> {
                Shard shard = call.shardOf(made.args, position);
                shard.watches.add(new Key(made.args.copy(position)), made);
            });
        }
        home.evaluate(call, query, query.isLocal() ? all[query.home()] : null);
        if (query.ended) {
            throw new ErrorReply(tooLarge(call.settings()));
        }
        return query;
    }

    /** A watcher has joined a query whose home is here. */
    void joined(WatchedQuery query, Watcher watcher) {
        query.add(watcher);
        watchers++;
    }

    private void add(Key key, WatchedQuery query) {
        Watched watched = keys.computeIfAbsent(key, Watched::new);
        if (!watched.queries.contains(query)) {
            watched.queries.add(query);
        }
        schedule(watched);
    }

    /** A watcher goes; with the home shard of its query. */
    public void leave(Watcher watcher) {
        WatchedQuery query = watcher.query();
        watchers--;
        if (query.remove(watcher) && !query.ended) {
            query.ended = true;
            queries.remove(query.vector, query);
            host.forgetOn(query.shards, query);
        }
    }

    /** Forgets which keys of this shard the query depends on. */
    public void forget(WatchedQuery query) {
        marked.remove(query);
        query.command.keys(query.args, position -> {
            Key key = new Key(query.args.copy(position));
            Watched watched = keys.get(key);
            if (watched != null && watched.queries.remove(query) && watched.queries.isEmpty()) {
                keys.remove(key);
                due.remove(watched);
            }
        });
    }

    // ---- time

    private void schedule(Watched watched) {
        byte[] key = watched.key.bytes();
        Object item = shard.peek(key, 0, key.length);
        long next = -1;
        if (item != null) {
            next = Keyspace.expireAt(item);
            long field = Keyspace.fieldExpiresAt(item);
            next = next < 0 ? field : field < 0 ? next : Math.min(next, field);
        }
        if (next != watched.due) {
            if (watched.due >= 0) {
                due.remove(watched);
            }
            watched.due = next;
            if (next >= 0) {
                due.add(watched);
            }
        }
    }

    /** Removes the watched keys whose time has come; their watchers hear of it like of any change. */
    void expire(Call call) {
        while (!due.isEmpty() && due.first().due < call.now()) {
            Watched watched = due.removeFirst();
            watched.due = -1;
            byte[] key = watched.key.bytes();
            Object item = shard.peek(key, 0, key.length);
            if (item != null && call.expired(item)) {
                call.expire(shard, key, 0, key.length);
            } else {
                if (item instanceof Node node && node.value instanceof HashValue hash) {
                    call.expireFields(shard, node, hash);
                }
                schedule(watched);
            }
        }
    }
}
