package dev.caisson.scope;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A clock that stands still until the test moves it. */
class VirtualTime implements TimeSource {
    private static final Instant START = Instant.parse("2000-01-01T00:00:00Z");

    private record Due(long at, Runnable code) {}

    /* Guarded by this; the code of others runs outside. */
    private final List<Due> waiting = new ArrayList<>();
    private long now = Long.MAX_VALUE - 1; // wraps around at once: only differences may count
    private long passed;

    @Override
    public synchronized long nanoTime() {
        return now;
    }

    @Override
    public synchronized Instant instant() {
        return START.plusNanos(passed);
    }

    @Override
    public Runnable at(long nanoTime, Runnable code) {
        Due due = new Due(nanoTime, code);
        synchronized (this) {
            if (nanoTime - now > 0) {
                waiting.add(due);
                return () -> takeBack(due);
            }
        }
        Thread.startVirtualThread(code);
        return () -> {};
    }

    private synchronized void takeBack(Due due) {
        waiting.removeIf(one -> one == due);
    }

    /** How much code waits for its time, waiting threads included. */
    synchronized int waiting() {
        return waiting.size();
    }

    /** Lets the time pass, and runs what is due on the way, in order, on this thread. */
    void advance(Duration by) {
        long end = nanoTime() + by.toNanos();
        for (Due due; (due = next(end)) != null; ) {
            due.code().run();
        }
    }

    /** As {@link #advance}, but the clock never stands in between: as after a machine was asleep. */
    void jump(Duration by) {
        synchronized (this) {
            passed += by.toNanos();
            now += by.toNanos();
        }
        advance(Duration.ZERO);
    }

    private synchronized Due next(long end) {
        Due first = null;
        for (Due due : waiting) {
            if (due.at() - end <= 0 && (first == null || due.at() - first.at() < 0)) {
                first = due;
            }
        }
        long to = first == null ? end : first.at();
        passed += Math.max(0, to - now);
        now += Math.max(0, to - now);
        waiting.remove(first);
        return first;
    }
}
