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

    /** Waits on the monitor, which the caller holds, until notified or, at the earliest, the instant of the clock. */
    @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
    static void waitOn(Object monitor, TimeSource clock, long instant) throws InterruptedException {
        if (clock instanceof Registry.JvmTime) {
            long millis = TimeUnit.NANOSECONDS.toMillis(instant - clock.nanoTime()) + 1;
            monitor.wait(Math.clamp(millis, 1, TimeUnit.DAYS.toMillis(1)));
            return;
        }
        Runnable forget = clock.at(instant, () -> {
            synchronized (monitor) {
                monitor.notifyAll();
            }
        });
        try {
            if (instant - clock.nanoTime() > 0) {
                monitor.wait();
            }
        } finally {
            forget.run();
        }
    }
}
