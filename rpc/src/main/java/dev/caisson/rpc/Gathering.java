package dev.caisson.rpc;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The calls whose parts (start, message, half-close) are being gathered on some thread to be handed over whole. A caller
 * that pauses between them is noticed within {@value #PERIOD_MILLIS} to twice as many ms, and what there is is handed over,
 * so that the peer and the deadline's wheel learn of the call.
 *
 * <p>Thread-safe, without locks: a call takes one of a few places by compare-and-set, or is not gathered at all.
 */
final class Gathering {
    static final int PLACES = 64;
    static final long PERIOD_MILLIS = 100;

    private final ScheduledExecutorService timers;
    private final AtomicReferenceArray<@Nullable ChannelCall<?, ?>> places = new AtomicReferenceArray<>(PLACES);
    private final AtomicBoolean sweeping = new AtomicBoolean();
    /** What the last sweep saw; the sweep's alone. */
    private final @Nullable ChannelCall<?, ?>[] seen = new ChannelCall<?, ?>[PLACES];

    Gathering(ScheduledExecutorService timers) {
        this.timers = timers;
    }

    /** The place the call took, to be given to {@link #done}; -1 if there was none, and the call must not be gathered. */
    int begin(ChannelCall<?, ?> call) {
        int place = (int) Thread.currentThread().threadId() & (PLACES - 1);
        if (!places.compareAndSet(place, null, call)) {
            return -1;
        }
        if (!sweeping.get() && sweeping.compareAndSet(false, true)) {
            schedule();
        }
        return place;
    }

    /** The call is whole, or has ended. Harmless if it lost its place before. */
    void done(int place, ChannelCall<?, ?> call) {
        places.compareAndSet(place, call, null);
    }

    private void schedule() {
        timers.schedule(this::sweep, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    @SuppressWarnings("ReferenceEquality") // is it the very call that was here before?
    private void sweep() {
        boolean more = false;
        for (int i = 0; i < PLACES; i++) {
            ChannelCall<?, ?> call = places.get(i);
            if (call != null && call == seen[i]) {
                places.compareAndSet(i, call, null);
                seen[i] = null;
                call.handOver();
            } else {
                seen[i] = call;
                more |= call != null;
            }
        }
        if (more) {
            schedule();
            return;
        }
        sweeping.set(false);
        for (int i = 0; i < PLACES; i++) {
            if (places.get(i) != null && sweeping.compareAndSet(false, true)) {
                schedule(); // it came after we looked
                return;
            }
        }
    }
}
