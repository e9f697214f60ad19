package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Days pass in no time: whatever a scope does by the clock follows the one that it was given. */
class VirtualTimeTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final Kind THING = Kind.of("thing", Origins.OFF);

    private final VirtualTime time = new VirtualTime();

    private ScopeOptions virtual() {
        return ScopeOptions.defaults().clock(time);
    }

    @AfterEach
    void nothingWaitsAnyMore() {
        assertThat(time.waiting()).isZero();
        assertThat(Registry.live()).isFalse();
    }

    @Test
    void aDeadlinePassesWithTheClockAndNotBefore() {
        try (Scope scope = Scope.open("deadline", virtual().timeout(DAY))) {
            Scope child = scope.child("child", ScopeOptions.defaults().timeout(DAY.plusHours(1)));
            assertThat(child.remaining()).contains(DAY);
            assertThat(child.deadline()).contains(time.instant().plus(DAY));
            time.advance(DAY.minusNanos(1));
            assertThat(child.remaining()).contains(Duration.ofNanos(1));
            assertThat(child.cancelled()).isFalse();
            time.advance(Duration.ofNanos(1));
            Waits.until("the child is cancelled", child::cancelled);
            assertThat(child.cancelReason()).containsInstanceOf(DeadlineExceededException.class);
            assertThat(child.remaining()).contains(Duration.ZERO);
        }
    }

    @Test
    void everyRunsOneDelayAfterTheRunBefore() throws Exception {
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch inSecond = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (Scope scope = Scope.open("every", virtual())) {
            scope.every(HOUR, "hourly", () -> {
                if (runs.incrementAndGet() == 2) {
                    inSecond.countDown();
                    go.await();
                }
            });
            time.advance(HOUR.minusNanos(1));
            assertThat(scope.size()).isEqualTo(1); // the timer, no run
            time.advance(Duration.ofNanos(1));
            Waits.until("the first run is over", () -> time.waiting() == 1);
            assertThat(runs).hasValue(1);

            time.advance(HOUR);
            Waits.on(inSecond);
            time.advance(DAY); // runs never overlap
            assertThat(time.waiting()).isZero();
            assertThat(runs).hasValue(2);

            go.countDown();
            Waits.until("the second run is over", () -> time.waiting() == 1 && scope.size() == 1);
            time.advance(HOUR.minusNanos(1)); // the delay runs from the end of the run
            assertThat(scope.size()).isEqualTo(1);
            time.advance(Duration.ofNanos(1));
            Waits.until("the third run is over", () -> runs.get() == 3 && time.waiting() == 1);
        }
    }

    @Test
    void afterRunsOnceWhenItsDelayHasPassed() {
        AtomicInteger runs = new AtomicInteger();
        try (Scope scope = Scope.open("after", virtual())) {
            scope.after(DAY, "tomorrow", runs::incrementAndGet);
            scope.after(Duration.ZERO, "now", runs::incrementAndGet);
            Waits.until("what is due at once has run", () -> scope.size() == 1);
            time.advance(DAY.multipliedBy(3));
            Waits.until("the other has run", () -> scope.size() == 0);
            assertThat(runs).hasValue(2);
        }
    }

    @Test
    void agesAreThoseOfTheClock() {
        try (Scope scope = Scope.open("ages", virtual())) {
            scope.hold(THING, "old", "old", (t, within) -> {});
            time.advance(HOUR);
            Scope child = scope.child("child");
            child.hold(THING, "young", "young", (t, within) -> {});
            time.advance(Duration.ofMinutes(1));
            assertThat(Scope.census(scope).rows())
                    .extracting(row -> row.name() + " " + row.age())
                    .containsExactly("ages PT1H1M", "old PT1H1M", "child PT1M", "young PT1M");
        }
    }

    @Test
    void aCloserThatHangsIsLeftAfterHalfOfTheTime() throws Exception {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        Scope scope = Scope.open("close", virtual());
        CountDownLatch closing = new CountDownLatch(1);
        scope.onClose("last", () -> order.add("last"));
        scope.onClose("hangs", () -> {
            closing.countDown();
            Waits.forever();
        });
        try (Scope test = Scope.open("test")) {
            Task<CloseReport> close = test.fork("close", () -> scope.close(DAY));
            Waits.on(closing);
            Waits.until("the close waits", () -> time.waiting() == 1);
            time.advance(DAY.dividedBy(2).minusNanos(1));
            assertThat(order).isEmpty();
            assertThat(close.done()).isFalse();
            time.advance(Duration.ofNanos(1));
            CloseReport report = close.join(Waits.LONG);
            assertThat(report.took()).isEqualTo(DAY.dividedBy(2));
            assertThat(report.left()).extracting(CloseReport.Left::name).containsExactly("hangs");
            assertThat(order).containsExactly("last");
        }
        Waits.until("the interrupt has ended it", () -> !Registry.live());
    }

    @Test
    void closeReturnsAtItsDeadlineByTheClock() throws Exception {
        Scope scope = Scope.open("deadline", virtual());
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        for (String name : List.of("second", "first")) {
            scope.onClose(name, () -> {
                closing.countDown();
                Waits.stubbornly(release);
            });
        }
        try (Logged logged = new Logged();
                Scope test = Scope.open("test")) {
            Task<?> close = test.fork(
                    "close",
                    () -> assertThatThrownBy(scope::close)
                            .isInstanceOf(CloseFailedException.class)
                            .hasMessageContaining("in 10")
                            .hasMessageContaining("the deadline passed"));
            Waits.on(closing);
            Waits.until("the close waits", () -> time.waiting() == 1);
            time.jump(ScopeOptions.CLOSE_WITHIN);
            close.join(Waits.LONG);
            Waits.until("somebody waits for the second in the background", () -> time.waiting() == 1);
            assertThat(logged.messages()).isEmpty();
            time.advance(Duration.ofSeconds(1)); // what comes late gets one second
            Waits.until("the end is logged", () -> !logged.messages().isEmpty());
            assertThat(logged.messages()).singleElement().asString().contains("2 left");
            release.countDown();
        }
        Waits.until("what was left has ended", () -> !Registry.live());
    }

    @Test
    void drainingGetsThreeQuartersOfTheTime() throws Exception {
        Scope scope = Scope.open("drain", virtual());
        CountDownLatch running = new CountDownLatch(1);
        Task<?> busy = scope.fork("busy", () -> {
            running.countDown();
            Waits.forever();
        });
        Waits.on(running);
        try (Scope test = Scope.open("test")) {
            Task<CloseReport> close = test.fork("close", () -> scope.drainAndClose(Duration.ofHours(4)));
            Waits.until("it drains", () -> scope.draining() && time.waiting() == 1);
            Duration patience = Duration.ofHours(9).dividedBy(4); // three quarters of three quarters
            time.advance(patience.minusNanos(1));
            assertThat(busy.cancelled()).isFalse();
            time.advance(Duration.ofNanos(1));
            CloseReport report = close.join(Waits.LONG);
            assertThat(report.undrained()).extracting(CloseReport.Left::name).containsExactly("busy");
            assertThat(report.clean()).isTrue();
        }
    }

    @Test
    void joiningATaskTakesItsTimeFromTheClock() throws Exception {
        try (Scope scope = Scope.open("join", virtual());
                Scope test = Scope.open("test")) {
            Task<?> parked = scope.fork("parked", Waits::forever);
            Task<?> joining = test.fork(
                    "join", () -> assertThatThrownBy(() -> parked.join(DAY)).isInstanceOf(TimeoutException.class));
            Waits.until("it waits", () -> time.waiting() == 1);
            time.advance(DAY);
            joining.join(Waits.LONG);
        }
    }

    @Test
    void needsNoTimerThread() {
        try (Scope scope = Scope.open("threads", virtual().timeout(DAY))) {
            scope.every(HOUR, "hourly", () -> {});
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .doesNotContain("caisson-timer");
        }
    }

    @Test
    void aTreeHasOneClock() {
        VirtualTime other = new VirtualTime();
        try (Scope scope = Scope.open("one", virtual());
                Scope elsewhere = Scope.open("other", ScopeOptions.defaults().clock(other))) {
            assertThat(scope.child("same", virtual()).remaining()).isEmpty();
            assertThatThrownBy(() -> scope.child("odd", ScopeOptions.defaults().clock(other)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'odd' of 'one'");
            Hold<String> hold = scope.hold(THING, "thing", "thing", (t, within) -> {});
            assertThatThrownBy(() -> hold.moveTo(elsewhere))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'other' has another clock");
            assertThat(scope.core.adoptRoot(elsewhere.core)).contains("another clock");
        }
    }
}
