package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TimerTest {
    private static final Duration SOON = Duration.ofMillis(1);
    private static final Duration NEVER = Duration.ofDays(1);

    @Test
    void afterRunsOnceAsATaskAndIsForgotten() throws Exception {
        try (Scope scope = Scope.open("after")) {
            CountDownLatch ran = new CountDownLatch(1);
            scope.after(SOON, "once", () -> {
                assertThat(Scope.current()).contains(scope);
                ran.countDown();
            });
            Waits.on(ran);
            Waits.until("nothing is left of it", () -> scope.size() == 0);
        }
    }

    @Test
    void everyRunsAgainAndNeverOverlaps() throws Exception {
        try (Scope scope = Scope.open("every")) {
            AtomicInteger running = new AtomicInteger();
            AtomicInteger most = new AtomicInteger();
            CountDownLatch ran = new CountDownLatch(5);
            scope.every(SOON, "again", () -> {
                most.accumulateAndGet(running.incrementAndGet(), Math::max);
                running.decrementAndGet();
                ran.countDown();
            });
            Waits.on(ran);
            assertThat(most).hasValue(1);
        }
    }

    @Test
    void everyGoesOnAfterARunThatFails() throws Exception {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("every")) {
            CountDownLatch ran = new CountDownLatch(3);
            scope.every(SOON, "bad", () -> {
                ran.countDown();
                throw new IOException("no");
            });
            Waits.on(ran);
            assertThat(logged.messages()).contains("task 'bad' of scope 'every' failed");
        }
    }

    @Test
    void everyEndsWithARunThatFailsWhereFailureCancelsTheScope() {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("strict", ScopeOptions.defaults().onTaskFailure(TaskFailure.CANCEL_SCOPE))) {
            AtomicInteger ran = new AtomicInteger();
            scope.every(SOON, "bad", () -> {
                ran.incrementAndGet();
                throw new IOException("no");
            });
            Waits.until("the scope is cancelled", scope::cancelled);
            assertThat(ran).hasValue(1);
            assertThat(logged.messages()).hasSize(1);
        }
    }

    @Test
    void closeStopsATimerThatHasNotFired() {
        try (Scope scope = Scope.open("stop")) {
            Timer timer = scope.after(NEVER, "never", () -> {});
            assertThat(scope.size()).isEqualTo(1);
            timer.close();
            timer.close();
            assertThat(scope.size()).isZero();
        }
    }

    @Test
    void endsWithItsScopeAndTheRunWithIt() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        try (Scope scope = Scope.open("ends")) {
            scope.after(NEVER, "never", () -> {});
            scope.every(SOON, "parks", () -> {
                running.countDown();
                try {
                    Waits.forever();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                    throw e;
                }
            });
            Waits.on(running);
        }
        assertThat(interrupted.getCount()).isZero();
        assertThat(Registry.live()).isFalse();
    }

    @Test
    void aThousandTimersShareOneThread() throws Exception {
        CountDownLatch ran = new CountDownLatch(1000);
        try (Scope scope = Scope.open("shared")) {
            for (int i = 0; i < 1000; i++) {
                scope.after(Duration.ofMillis(i % 7), "t" + i, ran::countDown);
                scope.after(NEVER, "never" + i, () -> {});
            }
            Waits.on(ran);
            assertThat(timerThreads()).isEqualTo(1);
        }
        assertThat(timerThreads()).isZero();
    }

    private static long timerThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("caisson-timer"))
                .count();
    }

    @Test
    void everyNeedsADelay() {
        try (Scope scope = Scope.open("every")) {
            assertThatThrownBy(() -> scope.every(Duration.ZERO, "spin", () -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'spin'");
        }
    }
}
