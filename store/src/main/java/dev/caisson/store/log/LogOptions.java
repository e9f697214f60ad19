package dev.caisson.store.log;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * How a log behaves. Immutable; begin with {@link #defaults}.
 *
 * @param sync when it forces
 * @param segmentBytes a new segment is begun when one has reached this size
 * @param maxUnsafeBytes how many bytes may wait in memory until they are safe; beyond it the log refuses
 * @param forceBytes with {@link Sync#EVERYSEC}, that many unforced bytes are forced before the second is over
 * @param retryEvery how long after a failure the log tries again
 * @param budget is told of every change of the bytes that wait in memory, by their difference; any thread
 * @param nanos the monotonic clock
 * @param salts makes the salt of each file
 */
public record LogOptions(
        Sync sync,
        long segmentBytes,
        long maxUnsafeBytes,
        long forceBytes,
        Duration retryEvery,
        LongConsumer budget,
        LongSupplier nanos,
        LongSupplier salts) {
    /** Checks the bounds. */
    public LogOptions {
        if (segmentBytes < FileHeader.BYTES || maxUnsafeBytes <= 0 || forceBytes <= 0 || !retryEvery.isPositive()) {
            throw new IllegalArgumentException("a log needs sizes and a delay above zero, and segments of at least "
                    + FileHeader.BYTES + " bytes: " + segmentBytes + ", " + maxUnsafeBytes + ", " + forceBytes + ", "
                    + retryEvery);
        }
    }

    /** Everysec, segments of 64 MiB, at most 128 MiB in memory. */
    public static LogOptions defaults() {
        return new LogOptions(
                Sync.EVERYSEC,
                64L << 20,
                128L << 20,
                16L << 20,
                Duration.ofSeconds(1),
                bytes -> {},
                System::nanoTime,
                () -> ThreadLocalRandom.current().nextLong());
    }

    /** The same with another policy. */
    public LogOptions sync(Sync other) {
        return new LogOptions(other, segmentBytes, maxUnsafeBytes, forceBytes, retryEvery, budget, nanos, salts);
    }

    /** The same with another size of segments, in bytes. */
    public LogOptions segmentBytes(long bytes) {
        return new LogOptions(sync, bytes, maxUnsafeBytes, forceBytes, retryEvery, budget, nanos, salts);
    }

    /** The same with another bound on what waits in memory, in bytes. */
    public LogOptions maxUnsafeBytes(long bytes) {
        return new LogOptions(
                sync,
                segmentBytes,
                bytes,
                Math.max(1, Math.min(forceBytes, bytes / 4)),
                retryEvery,
                budget,
                nanos,
                salts);
    }

    /** The same with another delay after a failure. */
    public LogOptions retryEvery(Duration delay) {
        return new LogOptions(sync, segmentBytes, maxUnsafeBytes, forceBytes, delay, budget, nanos, salts);
    }

    /** The same with somebody who counts the bytes that wait. */
    public LogOptions budget(LongConsumer counter) {
        return new LogOptions(sync, segmentBytes, maxUnsafeBytes, forceBytes, retryEvery, counter, nanos, salts);
    }

    /** The same with another clock and another source of salts, for a test. */
    public LogOptions clocked(LongSupplier clock, LongSupplier salt) {
        return new LogOptions(sync, segmentBytes, maxUnsafeBytes, forceBytes, retryEvery, budget, clock, salt);
    }
}
