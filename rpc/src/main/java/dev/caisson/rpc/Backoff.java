package dev.caisson.rpc;

import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * The pauses between attempts to connect, as gRPC's connection-backoff.md says: 1 s, then 1.6 times longer each time up
 * to 120 s, each varied by up to a fifth. Not thread-safe.
 *
 * <p>The pause counts from the start of the attempt, not from its failure.
 */
final class Backoff {
    static final Duration INITIAL = Duration.ofSeconds(1);
    static final Duration MAX = Duration.ofMinutes(2);
    static final double MULTIPLIER = 1.6;
    static final double JITTER = 0.2;

    private final DoubleSupplier random;
    private double nextNanos = INITIAL.toNanos();

    /** @param random yields numbers from 0 (inclusive) to 1 (exclusive) */
    Backoff(DoubleSupplier random) {
        this.random = random;
    }

    /** The pause after one more failed attempt, in nanoseconds; each call lengthens the next pause. */
    long nextNanos() {
        double current = nextNanos;
        nextNanos = Math.min(current * MULTIPLIER, (double) MAX.toNanos());
        double factor = 1 + JITTER * (2 * random.getAsDouble() - 1);
        return (long) (current * factor);
    }

    /** Starts over, as after a connection that worked. */
    void reset() {
        nextNanos = INITIAL.toNanos();
    }
}
