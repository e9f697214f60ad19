package dev.caisson.scope;

import java.time.Duration;

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
}
