package dev.caisson.rpc;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The deadlines of one connection's calls: a hashed wheel of {@value #SLOTS} slots of {@value #TICK_MILLIS} ms. A timer
 * fires never before its time and at most a tick and the loop's own delay after it. Adding and removing touch one list;
 * the loop is asked for a wake-up only when a timer is due before the one it already has.
 *
 * <p>Confined to the connection's loop.
 */
final class DeadlineWheel {
    static final int SLOTS = 512;
    static final long TICK_MILLIS = 4;
    private static final long TICK = TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);

    /** A timer. Its owner extends it, so that a deadline costs no object of its own where there is one already. */
    abstract static class Timer {
        private @Nullable Timer before;
        private @Nullable Timer after;
        private long tick = -1;

        abstract void expired();

        final boolean armed() {
            return tick >= 0;
        }
    }

    private final EventExecutor loop;
    private final LongSupplier nanoTime;
    private final long start;
    private @Nullable Timer @Nullable [] slots;
    private long done; // ticks up to and with this one have been fired
    private int armed;
    private long wakeTick = Long.MAX_VALUE;
    private @Nullable ScheduledFuture<?> wake;

    DeadlineWheel(EventExecutor loop, LongSupplier nanoTime) {
        this.loop = loop;
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
    }

    /** Arms {@code timer} to fire in {@code nanos}; at once with the next tick if that is negative. */
    void add(Timer timer, long nanos) {
        long now = nanoTime.getAsLong() - start;
        long tick = nanos <= 0 ? now / TICK : (Math.min(nanos, Long.MAX_VALUE / 4) + now + TICK - 1) / TICK;
        tick = Math.max(tick, done + 1);
        @Nullable Timer[] table = slots;
        if (table == null) {
            table = new @Nullable Timer[SLOTS];
            slots = table;
        }
        timer.tick = tick;
        int slot = (int) (tick & (SLOTS - 1));
        Timer head = table[slot];
        timer.after = head;
        if (head != null) {
            head.before = timer;
        }
        table[slot] = timer;
        armed++;
        if (tick < wakeTick) {
            wakeAt(tick, now);
        }
    }

    void remove(Timer timer) {
        if (timer.tick < 0 || slots == null) {
            return;
        }
        Timer before = timer.before;
        Timer after = timer.after;
        if (before == null) {
            slots[(int) (timer.tick & (SLOTS - 1))] = after;
        } else {
            before.after = after;
        }
        if (after != null) {
            after.before = before;
        }
        timer.before = null;
        timer.after = null;
        timer.tick = -1;
        armed--;
    }

    int armed() {
        return armed;
    }

    private void wakeAt(long tick, long now) {
        if (wake != null) {
            wake.cancel(false);
        }
        wakeTick = tick;
        wake = loop.schedule(this::turn, Math.max(0, tick * TICK - now), TimeUnit.NANOSECONDS);
    }

    private void turn() {
        wake = null;
        wakeTick = Long.MAX_VALUE;
        long now = nanoTime.getAsLong() - start;
        long due = now / TICK;
        @Nullable Timer[] table = slots;
        if (table == null) {
            return;
        }
        long from = Math.max(done + 1, due - SLOTS + 1);
        done = due;
        for (long tick = from; tick <= due; tick++) {
            int slot = (int) (tick & (SLOTS - 1));
            Timer timer = table[slot];
            while (timer != null) {
                if (timer.tick <= due) {
                    remove(timer);
                    timer.expired();
                    timer = table[slot]; // the callback may have changed the list
                } else {
                    timer = timer.after;
                }
            }
        }
        if (armed > 0) {
            wakeAt(nextTick(table, due), now);
        }
    }

    /** The earliest tick with a timer: the first of this round if there is one, else the least of all. */
    private static long nextTick(@Nullable Timer[] table, long due) {
        long least = Long.MAX_VALUE;
        for (long tick = due + 1; tick <= due + SLOTS; tick++) {
            for (Timer timer = table[(int) (tick & (SLOTS - 1))]; timer != null; timer = timer.after) {
                if (timer.tick <= tick) {
                    return timer.tick;
                }
                least = Math.min(least, timer.tick);
            }
        }
        return least;
    }

    void close() {
        if (wake != null) {
            wake.cancel(false);
            wake = null;
        }
        slots = null;
        armed = 0;
    }
}
