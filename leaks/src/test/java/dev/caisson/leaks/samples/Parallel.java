package dev.caisson.leaks.samples;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two tests that surely run at the same time: each waits for the other before it begins and before it ends. */
public final class Parallel {
    private Parallel() {}

    abstract static class Together {
        private final CyclicBarrier barrier;

        Together(CyclicBarrier barrier) {
            this.barrier = barrier;
        }

        @BeforeEach
        @AfterEach
        void together() throws Exception {
            barrier.await(30, TimeUnit.SECONDS);
        }
    }

    /** Only one of the two creates threads, so it is clear whose they are. */
    public static class OneLeaks extends Together {
        private static final CyclicBarrier BARRIER = new CyclicBarrier(2);

        OneLeaks() {
            super(BARRIER);
        }

        @Test
        void leavesThread() {
            Planted.thread("planted-in-parallel");
        }

        @Test
        void isClean() {}
    }

    /** Both create threads at the same time. */
    public static class BothCreate extends Together {
        private static final CyclicBarrier BARRIER = new CyclicBarrier(2);

        BothCreate() {
            super(BARRIER);
        }

        @Test
        void leavesThread() {
            Planted.thread("planted-beside-another");
        }

        @Test
        void createsAndEndsThread() throws Exception {
            Planted.end(Planted.thread("ended"));
        }
    }
}
