package dev.caisson.store;

import dev.caisson.store.engine.Persistence;
import dev.caisson.store.engine.Saving;
import dev.caisson.store.log.Log;
import dev.caisson.store.log.LogStats;
import dev.caisson.store.log.Snapshot;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Snapshots of a running store.
 *
 * <pre>
 *   IDLE ──begin──► all shards are borrowed ──► the cut: index noted, epochs begun ──► each loop walks its shard ──► IDLE
 * </pre>
 *
 * The cut is one moment for all shards; what is written afterwards is what they held then. A loop walks a little at a time
 * and serves its clients in between. Any thread may ask; the walk of a shard belongs to its loop.
 */
final class Snapshots implements Persistence {
    /** Buckets of the table between two looks at the clock. */
    private static final int BUCKETS = 16;
    /** How long a loop walks at once. */
    private static final long STEP_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

    private final Store store;
    private final Journal journal;
    private final long afterBytes;
    private final AtomicBoolean running = new AtomicBoolean();
    private final AtomicLong longestPauseNanos = new AtomicLong();
    private volatile long lastMillis;
    private volatile long lastBytes;
    private volatile String lastFailure = "";

    /** {@code afterBytes} of log begin one by themselves, or as many as the last one took, if that is more. */
    Snapshots(Store store, Journal journal, long afterBytes) {
        this.store = store;
        this.journal = journal;
        this.afterBytes = afterBytes;
    }

    /** Begins one if the log has become long. */
    void tick() {
        if (!running.get()
                && journal.refusal() == null
                && journal.log().stats().bytesSinceSnapshot() > Math.max(afterBytes, lastBytes)) {
            save();
        }
    }

    @Override
    public CompletionStage<String> save() {
        CompletableFuture<String> done = new CompletableFuture<>();
        if (!running.compareAndSet(false, true)) {
            done.complete("another one is being written");
            return done;
        }
        store.loops()[0].borrow(store.sharding().all(), () -> cut(done));
        return done;
    }

    /** With all shards, on the first loop. Every loop has appended what it did: it did so when it lent its shard. */
    private void cut(CompletableFuture<String> done) {
        long began = System.nanoTime();
        Snapshot snapshot;
        try {
            snapshot = journal.log().snapshot();
        } catch (RuntimeException closing) {
            end(done, null, closing);
            return;
        }
        AtomicInteger left = new AtomicInteger(store.loops().length);
        for (Loop loop : store.loops()) {
            Walk walk = new Walk(loop, snapshot, left);
            walk.saving = loop.shard.save(walk);
            loop.execute(walk);
        }
        pause(began);
        snapshot.result().whenComplete((written, failure) -> end(done, written, failure));
    }

    private void end(CompletableFuture<String> done, Snapshot.@Nullable Written written, @Nullable Throwable failure) {
        if (written != null) {
            lastMillis = store.now();
            lastBytes = written.bytes();
            lastFailure = "";
        } else {
            lastFailure = String.valueOf(failure == null ? "closed" : failure.getMessage());
        }
        running.set(false);
        done.complete(lastFailure);
    }

    private void pause(long began) {
        longestPauseNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
    }

    /** One shard's walk, a step at a time, on its loop. */
    private final class Walk implements Saving.Blocks, Runnable, Loop.Work {
        private final Loop loop;
        private final Snapshot snapshot;
        private final AtomicInteger left;
        private @Nullable Saving saving;

        Walk(Loop loop, Snapshot snapshot, AtomicInteger left) {
            this.loop = loop;
            this.snapshot = snapshot;
            this.left = left;
        }

        @Override
        public boolean offer(byte[] bytes, int length, int entries) {
            return snapshot.offer(bytes, length, entries, this::soon);
        }

        @Override
        public void giveUp(String why) {
            snapshot.abandon(why);
        }

        /** Any thread. */
        private void soon() {
            loop.execute(this);
        }

        @Override
        public void run() {
            loop.submit(this);
        }

        @Override
        public void run(Loop at) {
            Saving walk = saving;
            if (walk == null) {
                return; // woken without need
            }
            long began = System.nanoTime();
            Saving.Progress progress;
            do {
                progress = walk.step(BUCKETS);
            } while (progress == Saving.Progress.GOES_ON && System.nanoTime() - began < STEP_NANOS);
            pause(began);
            switch (progress) {
                case GOES_ON -> soon();
                case IS_FULL -> {
                    // woken when there is room
                }
                case DONE -> {
                    saving = null;
                    if (left.decrementAndGet() == 0) {
                        snapshot.complete();
                    }
                }
            }
        }
    }

    // ---- what commands ask

    @Override
    public boolean isSaving() {
        return running.get();
    }

    @Override
    public long lastSaveMillis() {
        return lastMillis;
    }

    @Override
    public Map<String, Object> figures() {
        Log log = journal.log();
        LogStats stats = log.stats();
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("rdb_last_bgsave_status", lastFailure.isEmpty() ? "ok" : "err");
        figures.put("aof_last_write_status", stats.failure().isEmpty() ? "ok" : "err");
        figures.put("log_policy", stats.sync().name().toLowerCase(Locale.ROOT));
        figures.put("log_last_index", stats.lastIndex());
        figures.put("log_durable_index", stats.durableIndex());
        figures.put("log_bytes_since_snapshot", stats.bytesSinceSnapshot());
        figures.put("log_unsafe_bytes", stats.unsafeBytes());
        figures.put("log_forces", stats.forces());
        figures.put("log_longest_force_usec", stats.longestForce().toNanos() / 1000);
        figures.put("log_failures", stats.failures());
        figures.put("log_failure", stats.failure());
        figures.put("log_recovered_records", log.recovered().records());
        figures.put("snapshot_last_bytes", lastBytes);
        figures.put("snapshot_last_failure", lastFailure);
        figures.put("snapshot_longest_pause_usec", longestPauseNanos.get() / 1000);
        return figures;
    }
}
