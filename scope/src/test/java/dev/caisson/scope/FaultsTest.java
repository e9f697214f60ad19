package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import jdk.jfr.Recording;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever throws, and wherever: a close that has begun comes to its end, and each closer is called once. */
class FaultsTest {
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void nothingIsLeft() {
        assertThat(Scope.census().rows()).isEmpty();
        Waits.until("the registry has gone", () -> !Registry.live());
    }

    /** An exception that cannot even say what it is. */
    private static final class Wordless extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String toString() {
            throw new IllegalStateException("no words");
        }
    }

    /** Throws whatever is logged at it. */
    private static final class BrokenLog extends Handler implements AutoCloseable {
        private final Logger logger = Logger.getLogger("dev.caisson.scope");
        private volatile boolean asked;

        BrokenLog() {
            logger.setUseParentHandlers(false);
            logger.addHandler(this);
        }

        @Override
        public void publish(LogRecord record) {
            asked = true;
            throw new IllegalStateException("the log is broken");
        }

        @Override
        public void flush() {}

        @Override
        public void close() {
            logger.removeHandler(this);
            logger.setUseParentHandlers(true);
        }
    }

    private Scope withBadClosers(String name) {
        Scope scope = Scope.open(name);
        scope.onClose("a", () -> order.add("a"));
        scope.onClose("overflows", FaultsTest::overflow);
        Scope child = scope.child("child");
        child.onClose("does not link", () -> {
            throw new NoClassDefFoundError("gone");
        });
        scope.onClose("wordless", () -> {
            throw new Wordless();
        });
        scope.onClose("b", () -> order.add("b"));
        return scope;
    }

    @SuppressWarnings("InfiniteRecursion") // the point
    private static void overflow() {
        overflow();
    }

    @Test
    void goesOnPastErrorsOfEverySort() {
        CloseReport report = withBadClosers("errors").close(Waits.LONG);
        assertThat(order).containsExactly("b", "a");
        assertThat(report.complete()).isTrue();
        assertThat(report.failures())
                .extracting(failure -> failure.error().getClass().getSimpleName())
                .containsExactly("Wordless", "NoClassDefFoundError", "StackOverflowError");
        assertThat(report.toString()).contains("Wordless (whose toString threw java.lang.IllegalStateException)");
    }

    @Test
    void tellsWhatHasNoWords() {
        assertThatThrownBy(withBadClosers("words")::close)
                .isInstanceOf(CloseFailedException.class)
                .hasMessageContaining("3 failed")
                .satisfies(told -> assertThat(told.getSuppressed()).hasSize(3));
        Scope cancelled = Scope.open("cancelled");
        cancelled.cancel(new Wordless());
        assertThatThrownBy(() -> cancelled.fork("late", () -> {}))
                .isInstanceOf(ScopeClosedException.class)
                .hasMessageContaining("Wordless");
        cancelled.close();
    }

    @Test
    void endsThoughTheLogThrows() {
        try (BrokenLog log = new BrokenLog()) {
            Scope scope = withBadClosers("no log");
            Task<?> failing = scope.fork("fails", () -> {
                throw new Wordless();
            });
            Waits.until("the task has failed", failing::done);
            assertThat(scope.size()).isEqualTo(5); // the task has left
            scope.closeInBackground();
            Waits.until("it is closed", () -> !Registry.live());
            assertThat(log.asked).isTrue();
        }
        assertThat(order).containsExactly("b", "a");
    }

    @Test
    void endsThoughACarrierThrows() {
        try (Logged logged = new Logged()) {
            Scope scope = Scope.open("carrier");
            scope.onClose("a", () -> order.add("a"));
            scope.onCancel("listener", reason -> order.add("told"));
            scope.install(task -> {
                throw new NoClassDefFoundError("the carrier's");
            });
            assertThatThrownBy(() -> scope.fork("t", () -> {})).isInstanceOf(NoClassDefFoundError.class);
            assertThat(scope.close(Waits.LONG).clean()).isTrue();
            assertThat(logged.messages()).singleElement().asString().contains("'carrier' are not told now");
        }
        assertThat(order).containsExactly("told", "a");
    }

    @Test
    void keepsTheFailureOfAFactoryWhosePartsThrowTheSame() {
        IllegalStateException same = new IllegalStateException("the same");
        try (Scope scope = Scope.open("factory")) {
            assertThatThrownBy(() -> scope.own("thing", () -> {
                        Scope.current().orElseThrow().onClose("part", () -> {
                            throw same;
                        });
                        throw same;
                    }))
                    .isSameAs(same);
        }
    }

    @Test
    void countsThoughASourceOfRowsOverflows() {
        try (Scope scope = Scope.open("source")) {
            scope.own("source", (CensusSource) rows -> overflow(), (source, within) -> order.add("closed"));
            scope.own(
                    "wordless",
                    (CensusSource) rows -> {
                        throw new Wordless();
                    },
                    (source, within) -> order.add("closed"));
            assertThat(Scope.census(scope).rows())
                    .filteredOn(row -> row.kind().equals("error"))
                    .extracting(Census.Row::state)
                    .satisfiesExactly(
                            first -> assertThat(first).contains("StackOverflowError"),
                            second -> assertThat(second).contains("Wordless"));
        }
        assertThat(order).hasSize(2);
    }

    @Test
    void ownsAndReleasesThoughTheRecorderFails() throws Exception {
        FaultyTime time = new FaultyTime();
        try (Logged logged = new Logged();
                Recording recording = new Recording()) {
            recording.enable("dev.caisson.scope.Release");
            recording.start();
            try (Scope scope = Scope.open("recorded", ScopeOptions.defaults().clock(time))) {
                Hold<Action> hold = scope.onClose("a", () -> order.add("a"));
                time.failAt(0, 1);
                assertThat(hold.release()).isTrue();
                assertThat(time.exhausted()).isTrue();
            }
            assertThat(logged.messages()).singleElement().asString().contains("was lost");
        }
        assertThat(order).isEmpty();
    }

    @Test
    void leavesNothingOfAScopeOrTimerThatTheClockRefuses() {
        FaultyTime time = new FaultyTime();
        try (Scope scope = Scope.open("refused", ScopeOptions.defaults().clock(time))) {
            for (int call = 0; call < 2; call++) {
                time.failAt(call, 1);
                assertThatThrownBy(() ->
                                scope.child("child", ScopeOptions.defaults().timeout(Duration.ofDays(1))))
                        .isInstanceOf(StackOverflowError.class);
            }
            for (int call = 0; call < 3; call++) {
                time.failAt(call, 1);
                assertThatThrownBy(() -> scope.every(Duration.ofDays(1), "timer", () -> {}))
                        .isInstanceOf(StackOverflowError.class);
            }
            Waits.until("nothing is left", () -> scope.size() == 0);
        }
        time.failAt(1, 1);
        assertThatThrownBy(() ->
                        Scope.open("root", ScopeOptions.defaults().clock(time).timeout(Duration.ofDays(1))))
                .isInstanceOf(StackOverflowError.class);
        assertThat(Scope.census().rows()).isEmpty();
    }

    /** The clock throws at the first call of the close, at the second, ... until a close no longer gets so far. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void endsWhereverTheCloseItselfFails(int inARow) throws Exception {
        int reached = 0;
        try (Logged logged = new Logged()) {
            for (int nth = 0; failsAt(nth, inARow); nth++) {
                reached = nth;
            }
            assertThat(logged.messages()).anyMatch(message -> message.contains("met a failure of its own"));
        }
        assertThat(reached).isGreaterThan(5);
    }

    private boolean failsAt(int nth, int inARow) throws Exception {
        order.clear();
        FaultyTime time = new FaultyTime();
        Scope scope = Scope.open("faulty", ScopeOptions.defaults().clock(time).timeout(Duration.ofDays(365)));
        CountDownLatch release = new CountDownLatch(1);
        scope.onClose("a", () -> order.add("a"));
        scope.onClose("hangs", () -> {
            order.add("hangs");
            Waits.stubbornly(release);
        });
        Scope child = scope.child("child", ScopeOptions.defaults().timeout(Duration.ofDays(1)));
        child.onClose("b", () -> order.add("b"));
        Task<?> task = child.fork("task", Waits::forever);
        child.every(Duration.ofHours(1), "timer", () -> {});
        child.onCancel("listener", reason -> order.add("told"));
        child.child("empty");
        scope.onClose("c", () -> order.add("c"));
        time.failAt(nth, inARow);
        Thread closing = Thread.ofVirtual().start(() -> closeUntilItReturns(scope));
        for (int seconds = 0; closing.isAlive(); seconds++) {
            assertThat(seconds)
                    .as("close does not end with a failure at " + nth)
                    .isLessThan(100_000);
            if (order.contains("hangs")) {
                pass(time);
            }
            closing.join(Duration.ofMillis(1));
        }
        boolean failed = time.exhausted();
        time.failAt(Long.MAX_VALUE, 0);
        release.countDown();
        Waits.until("all has ended with a failure at " + nth, () -> {
            pass(time);
            return !Registry.live();
        });
        assertThat(task.done()).isTrue();
        assertThat(order).as("failure at " + nth).containsExactlyInAnyOrder("c", "told", "b", "hangs", "a");
        assertThat(order.indexOf("b")).isBetween(order.indexOf("c"), order.indexOf("hangs"));
        assertThat(order.getLast()).isEqualTo("a");
        return failed;
    }

    private static void pass(FaultyTime time) {
        try {
            time.advance(Duration.ofSeconds(1));
        } catch (StackOverflowError planted) {
            return; // it hit the test itself
        }
    }

    private static void closeUntilItReturns(Scope scope) {
        for (; ; ) {
            try {
                scope.close(Duration.ofSeconds(10));
                return;
            } catch (StackOverflowError planted) {
                continue;
            }
        }
    }
}
