package dev.caisson.store.engine;

import java.util.random.RandomGenerator;

/**
 * Chooses some of the elements of a collection while it is walked once, every subset of the size being as likely as any
 * other (selection sampling, Knuth, "The Art of Computer Programming", volume 2, algorithm 3.4.2 S).
 */
final class Choice {
    private final RandomGenerator random;
    private long left;
    private long wanted;

    /** Chooses {@code wanted} of {@code size}, or all if there are fewer. */
    Choice(RandomGenerator random, long size, long wanted) {
        this.random = random;
        this.left = size;
        this.wanted = Math.min(size, wanted);
    }

    /** Whether the next element of the walk is chosen. */
    boolean next() {
        boolean chosen = random.nextLong(left--) < wanted;
        if (chosen) {
            wanted--;
        }
        return chosen;
    }
}
