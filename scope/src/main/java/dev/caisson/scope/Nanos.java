package dev.caisson.scope;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Durations as nanoseconds, kept far enough from overflow that instants of nanoTime can be compared. */
final class Nanos {
    /** About 73 years. */
    private static final long FOREVER = Long.MAX_VALUE / 4;

    private Nanos() {}

    static long of(Duration duration) {
        if (duration.compareTo(Duration.ofNanos(FOREVER)) > 0) {
            return FOREVER;
        }
        return duration.isNegative() ? 0 : duration.toNanos();
    }

    /** {@link Object#wait(long)} for at least the given time, at most a day. */
    @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
    static void waitOn(Object monitor, long nanos) throws InterruptedException {
        long millis = TimeUnit.NANOSECONDS.toMillis(nanos) + 1;
        monitor.wait(Math.min(millis, TimeUnit.DAYS.toMillis(1)));
    }
}
