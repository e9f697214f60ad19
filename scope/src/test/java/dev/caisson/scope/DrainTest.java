package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DrainTest {
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    private final class Door implements Drainable {
        @Override
        public void drain(Duration within) {
            order.add("drain door");
        }

        @Override
        public void close() {
            order.add("close door");
        }
    }

    @Test
    void drainsAllNewestFirstBeforeItClosesAnything() {
        Scope scope = Scope.open("drain");
        scope.own("foreign", "x", new Closer<String>() {
            @Override
            public void drain(String resource, Duration within) {
                assertThat(within).isPositive();
                order.add("drain foreign");
            }

            @Override
            public void close(String resource, Duration within) {
                order.add("close foreign");
            }
        });
        Scope child = scope.child("child");
        child.onDrain("callback", () -> order.add("drain callback"));
        child.onClose("callback", () -> order.add("close callback"));
        scope.own(new Door());
        CloseReport report = scope.drainAndClose(Waits.LONG);
        assertThat(report.clean()).isTrue();
        assertThat(order)
                .containsExactly(
                        "drain door",
                        "drain callback",
                        "drain foreign",
                        "close door",
                        "close callback",
                        "close foreign");
    }

    @Test
    void aCloseWithoutDrainCallsNoDrain() {
        Scope scope = Scope.open("no drain");
        scope.own(new Door());
        scope.onDrain("callback", () -> order.add("drain callback"));
        scope.close();
        assertThat(order).containsExactly("close door");
    }

    @Test
    void letsWhatRunsFinishAndAcceptsNothingNew() throws Exception {
        Scope scope = Scope.open("drain");
        CountDownLatch draining = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Scope child = scope.child("call");
        scope.onDrain("signal", draining::countDown);
        Task<String> inFlight = child.fork("call", () -> {
            go.await();
            // what runs may take what it needs to end, here and above
            Scope.current().orElseThrow().onClose("of the call", () -> order.add("close of the call"));
            scope.onClose("of the call, above", () -> order.add("close above"));
            return scope.fork("inner", () -> "finished").join();
        });
        try (Scope test = Scope.open("test")) {
            Task<CloseReport> closing = test.fork("drain", () -> scope.drainAndClose(Waits.LONG));
            Waits.on(draining);
            assertThat(scope.draining()).isTrue();
            assertThat(child.draining()).isTrue();
            assertThat(scope.closed()).isFalse();
            assertThatThrownBy(() -> scope.fork("new", () -> {}))
                    .isInstanceOf(ScopeClosedException.class)
                    .hasMessageContaining("is draining");
            assertThatThrownBy(() -> child.own(new Door())).isInstanceOf(ScopeClosedException.class);
            assertThat(order).containsExactly("close door");
            assertThat(closing.done()).isFalse();
            go.countDown();
            assertThat(inFlight.join(Waits.LONG)).isEqualTo("finished");
            assertThat(closing.join(Waits.LONG).clean()).isTrue();
        }
        assertThat(order).containsExactly("close door", "close above", "close of the call");
    }

    @Test
    void closesAtItsShareOfTheDeadlineAndTellsWhatHadNotDrained() {
        Scope scope = Scope.open("slow");
        scope.fork("parked", Waits::forever);
        scope.onClose("a", () -> order.add("a"));
        scope.onDrain("hangs", Waits::forever);
        CloseReport report = scope.drainAndClose(Duration.ofMillis(400));
        assertThat(order).containsExactly("a");
        assertThat(report.undrained()).extracting(CloseReport.Left::name).containsExactly("hangs", "parked");
        assertThat(report.clean()).isTrue();
        assertThat(report.toString()).contains("not drained: task 'parked' of 'slow'");
        Waits.until("the drain that hung has ended", () -> !Registry.live());
    }

    @Test
    void timersGoOnWhileItDrains() throws Exception {
        Scope scope = Scope.open("timers");
        CountDownLatch draining = new CountDownLatch(1);
        CountDownLatch ranWhileDraining = new CountDownLatch(1);
        scope.every(Duration.ofMillis(1), "lease", () -> {
            if (draining.getCount() == 0) {
                ranWhileDraining.countDown();
            }
        });
        scope.onDrain("wait for the timer", () -> {
            draining.countDown();
            Waits.on(ranWhileDraining);
        });
        CloseReport report = scope.drainAndClose(Waits.LONG.multipliedBy(2));
        assertThat(ranWhileDraining.getCount()).isZero();
        assertThat(report.undrained()).isEmpty();
    }

    @Test
    void awaitShutdownDrainsAndClosesWhenAsked() throws Exception {
        Scope scope = Scope.open("server");
        scope.own(new Door());
        try (Scope test = Scope.open("test")) {
            Task<CloseReport> waiting = test.fork("main", scope::awaitShutdown);
            assertThat(waiting.done()).isFalse();
            scope.shutdown();
            assertThat(waiting.join(Waits.LONG).clean()).isTrue();
        }
        assertThat(order).containsExactly("drain door", "close door");
    }
}
