package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waiting with a generous limit. */
final class Waits {
    static final Duration LONG = Duration.ofSeconds(30);

    private Waits() {}

    static void on(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
    }

    /** Polls until the fact holds. */
    static void until(String fact, BooleanSupplier holds) {
        long deadline = System.nanoTime() + LONG.toNanos();
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline)
                    .as("waited in vain until " + fact)
                    .isNegative();
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
    }

    /** Parks until interrupted. */
    static void forever() throws InterruptedException {
        new CountDownLatch(1).await();
    }

    /** Parks and ignores interrupts until the latch opens. */
    static void stubbornly(CountDownLatch latch) {
        boolean interrupted = false;
        for (; ; ) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
