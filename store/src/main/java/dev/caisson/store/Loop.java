package dev.caisson.store;

import dev.caisson.store.engine.Call;
import dev.caisson.store.engine.Expiry;
import dev.caisson.store.engine.Key;
import dev.caisson.store.engine.Leases;
import dev.caisson.store.engine.Shard;
import dev.caisson.store.engine.Waiter;
import dev.caisson.store.engine.Waiters;
import dev.caisson.store.engine.WatchedQuery;
import dev.caisson.store.engine.Watcher;
import dev.caisson.store.engine.Watches;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;

/**
 * An event loop and the shard that it owns.
 *
 * <pre>
 *   AT HOME ──lend──► LENT ──returned──► AT HOME (what waited runs, in order)
 * </pre>
 *
 * <p>While its shard is lent the loop goes on with I/O; work on the shard waits in a queue. Only the loop's own thread
 * touches the fields here; other threads come through {@link #submit}.
 */
final class Loop implements Watches.Host, Waiters.Host, Leases.Host {
    /** Work on the shard, or a request to borrow it. */
    @FunctionalInterface
    interface Work {
        /** Runs on the loop's thread, with the shard at home. */
        void run(Loop loop);
    }

    /** How often the loop looks after its shard: expiry, rehash, figures. */
    static final long TICK_MILLIS = 100;

    /** How many watchers are told before others are served. */
    static final int DELIVERIES = 256;

    final Store store;
    final int index;
    final EventLoop executor;
    final Shard shard;
    /** Runs commands on this thread: on this shard, or on those that were lent to it. */
    final Call call;

    private final Expiry expiry;
    /* Bounded by the number of clients: each has at most one batch for a shard and one barrier under way. */
    private final ArrayDeque<Work> waiting = new ArrayDeque<>();
    private boolean lent;
    /** Whether the shards were asked for to end leases. */
    private boolean endingLeases;

    /** What leaves when the changes of the running burst are in the log. */
    private final ArrayDeque<Runnable> afterCommit = new ArrayDeque<>();

    private long lends;

    Loop(Store store, int index, EventLoop executor, Shard shard, Call call) {
        this.store = store;
        this.index = index;
        this.executor = executor;
        this.shard = shard;
        this.call = call;
        this.expiry = new Expiry(shard);
        shard.watches().host(this);
        shard.waiters().host(this);
        shard.leases().host(this);
    }

    /** Whether work on the shard can run right now. Own thread only. */
    boolean isHome() {
        return !lent && waiting.isEmpty();
    }

    /** Has the work run here as soon as the shard is at home, after all that was submitted before. Any thread. */
    void submit(Work work) {
        if (executor.inEventLoop()) {
            take(work);
        } else {
            execute(() -> take(work));
        }
    }

    /** Has this run on the loop's thread; dropped if the loop has ended, and with it all that it could act on. Any thread. */
    void execute(Runnable code) {
        boolean ignored = tryExecute(code);
    }

    /**
     * As {@link #execute}; says whether the loop took it. What a loop sends out while its commands' changes are not in the log
     * yet leaves when they are: nobody sees what the log does not have.
     */
    boolean tryExecute(Runnable code) {
        Loop here = store.journal() == null ? null : store.here();
        if (here != null && here.call.effects().length() > 0) {
            here.afterCommit.add(() -> execute(code));
            return true;
        }
        try {
            executor.execute(code);
            return true;
        } catch (RejectedExecutionException ended) {
            return false;
        }
    }

    private void take(Work work) {
        if (isHome()) {
            work.run(this);
        } else {
            waiting.add(work);
        }
    }

    /** Gives the shard away until {@link #returned}. Only from within work. */
    void lend() {
        commit();
        lent = true;
        lends++;
    }

    /** The shard is back. Any thread. */
    void returned() {
        if (!executor.inEventLoop()) {
            execute(this::returned);
            return;
        }
        lent = false;
        Work work;
        while (!lent && (work = waiting.poll()) != null) {
            work.run(this);
        }
    }

    /** Begins a burst of commands: they share one time. */
    Call begin() {
        call.now(store.now());
        call.monotonic(store.monotonic());
        Journal journal = store.journal();
        call.frozen(journal != null && journal.refusal() != null);
        return call;
    }

    /** Ends a burst of commands: what they changed becomes one record of the log. */
    void commit() {
        Journal journal = store.journal();
        if (journal != null) {
            journal.commit(this);
            for (Runnable code; (code = afterCommit.poll()) != null; ) {
                code.run();
            }
        }
        shard.publish();
    }

    void tick() {
        if (isHome()) {
            Call at = begin();
            if (!at.isFrozen()) {
                expiry.step(at);
            }
            commit();
        }
        if (index == 0) {
            store.tick();
        }
    }

    // ---- watches; called by whoever has the shard

    @Override
    public void evaluateSoon() {
        // after the events that this turn still has to handle, so that they count as one change
        execute(() -> take(at -> {
            shard.watches().evaluate(begin());
            commit();
        }));
    }

    @Override
    public void evaluateAcross(WatchedQuery query) {
        borrow(query.shards(), () -> Watches.evaluateAcross(call, query));
    }

    @Override
    public void serveAcross(Waiter waiter, Key key, long shards) {
        borrow(shards, () -> Waiters.serveAcross(call, waiter, key));
    }

    @Override
    public void leasesExpired() {
        if (!endingLeases) {
            endingLeases = true;
            borrow(store.sharding().all(), () -> {
                endingLeases = false;
                if (!call.isFrozen()) {
                    shard.leases().expire(call);
                }
            });
        }
    }

    /** Runs something of this loop's with shards that it borrows. Any thread. */
    void borrow(long shards, Runnable code) {
        Borrow.Borrower borrower = new Borrow.Borrower() {
            @Override
            public void borrowed() {
                begin().borrowed(shards);
                code.run();
                commit();
            }

            @Override
            public void goOn() {}
        };
        execute(() -> new Borrow(borrower, this, shards).start());
    }

    @Override
    public void forgetOn(long shards, WatchedQuery query) {
        for (long left = shards; left != 0; left &= left - 1) {
            store.loops()[Long.numberOfTrailingZeros(left)].submit(at -> {
                at.shard.watches().forget(query);
                at.commit();
            });
        }
    }

    @Override
    public void deliver(int loop, Watcher[] watchers, WatchedQuery.Push push) {
        Loop there = store.loops()[loop];
        there.execute(() -> there.deliver(watchers, push, 0));
    }

    /** Tells some and goes on later, so that others are served in between. */
    private void deliver(Watcher[] watchers, WatchedQuery.Push push, int from) {
        int to = Math.min(watchers.length, from + DELIVERIES);
        for (int i = from; i < to; i++) {
            ((Conversation) watchers[i].session()).push(watchers[i], push);
        }
        if (to < watchers.length) {
            execute(() -> deliver(watchers, push, to));
        }
    }

    long lends() {
        return lends;
    }
}
