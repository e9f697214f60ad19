package dev.caisson.store.log;

import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** What the log counts, and whom it wakes. Appenders add to one counter; everything else is written by the log's thread. */
final class LogMeter {
    private static final System.Logger LOG = System.getLogger("dev.caisson.store");

    private final LongConsumer budget;
    private final AtomicLong appended = new AtomicLong();
    private final CopyOnWriteArrayList<Waker> wakers = new CopyOnWriteArrayList<>();

    /* Bytes of records: `written` counts those that a file has taken, and goes back when that file fails. */
    private volatile long written;
    private volatile long safe;

    private volatile long forces;
    private volatile long longestForceNanos;
    private volatile long segments;
    private volatile long failures;
    private volatile String lastFailure = "";

    LogMeter(LongConsumer budget) {
        this.budget = budget;
    }

    // ---- any thread

    void appended(int bytes) {
        appended.getAndAdd(bytes);
        budget.accept(bytes);
    }

    /** Bytes appended since the log was opened. */
    long appendedBytes() {
        return appended.get();
    }

    long unwrittenBytes() {
        return appended.get() - written;
    }

    long unsafeBytes() {
        return appended.get() - safe;
    }

    long forces() {
        return forces;
    }

    long longestForceNanos() {
        return longestForceNanos;
    }

    long segments() {
        return segments;
    }

    long failures() {
        return failures;
    }

    String lastFailure() {
        return lastFailure;
    }

    void add(Waker waker) {
        wakers.add(waker);
    }

    void remove(Waker waker) {
        wakers.remove(waker);
    }

    // ---- the log's thread

    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
    void wrote(long bytes) {
        written += bytes;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    void safe(long bytes) {
        safe += bytes;
        budget.accept(-bytes);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    void forced(long nanos) {
        forces++;
        longestForceNanos = Math.max(longestForceNanos, nanos);
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    void began() {
        segments++;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    void failed(String reason, Throwable cause) {
        failures++;
        if (!reason.equals(lastFailure)) {
            LOG.log(System.Logger.Level.ERROR, reason + "; writes are refused until it can be written again", cause);
        }
        lastFailure = reason;
    }

    void recovered() {
        LOG.log(System.Logger.Level.INFO, "the log is written again, after: " + lastFailure);
        lastFailure = "";
    }

    void wakeAll() {
        for (Waker waker : wakers) {
            try {
                waker.wake();
            } catch (RuntimeException failure) {
                LOG.log(System.Logger.Level.ERROR, "code that waits for the log failed", failure);
            }
        }
    }
}
