package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The guarantees that the Javadoc of {@link Scope} lists. */
class ScopeTest {
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void nothingIsLeft() {
        assertThat(Scope.census().rows()).isEmpty();
        assertThat(Registry.live()).isFalse();
    }

    private AutoCloseable named(String name) {
        return new AutoCloseable() {
            @Override
            public void close() {
                order.add(name);
            }
        };
    }

    @Test
    void closesTheNewestFirstWhateverItsSort() {
        try (Scope scope = Scope.open("lifo")) {
            scope.own(named("a"));
            Scope child = scope.child("child");
            child.own(named("in child"));
            scope.onClose("b", () -> order.add("b"));
            scope.own("foreign", "x", (x, within) -> order.add("foreign"));
            scope.own(named("c"));
        }
        assertThat(order).containsExactly("c", "foreign", "b", "in child", "a");
    }

    @Test
    void closesChildrenBeforeParents() {
        Scope scope = Scope.open("parent");
        Scope child = scope.child("child");
        AtomicReference<Boolean> parentClosedBefore = new AtomicReference<>();
        child.onClose("look", () -> parentClosedBefore.set(scope.core.state == Core.CLOSED));
        CloseReport report = scope.close(Waits.LONG);
        assertThat(parentClosedBefore.get()).isFalse();
        assertThat(child.closed()).isTrue();
        assertThat(report.closed()).isEqualTo(2);
        assertThat(report.clean()).isTrue();
    }

    @Test
    void joinsTasksInTheirPlace() {
        CountDownLatch started = new CountDownLatch(1);
        try (Scope scope = Scope.open("join")) {
            scope.own(named("used by the task"));
            scope.fork("task", () -> {
                try {
                    started.countDown();
                    Waits.forever();
                } finally {
                    order.add("task");
                }
            });
            Waits.until("the task runs", () -> started.getCount() == 0);
        }
        assertThat(order).containsExactly("task", "used by the task");
    }

    @Test
    void closesOnceHoweverOften() {
        Scope scope = Scope.open("idempotent");
        scope.own(named("a"));
        CloseReport first = scope.close(Waits.LONG);
        CloseReport second = scope.close(Waits.LONG);
        scope.close();
        assertThat(order).containsExactly("a");
        assertThat(second).isEqualTo(first);
    }

    @Test
    void letsConcurrentClosersAllWaitForTheSameEnd() throws Exception {
        Scope scope = Scope.open("concurrent");
        CountDownLatch inCloser = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        scope.onClose("slow", () -> {
            inCloser.countDown();
            go.await();
            order.add("slow");
        });
        try (Scope test = Scope.open("test")) {
            List<Task<CloseReport>> closers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                closers.add(test.fork("closer", () -> scope.close(Waits.LONG)));
            }
            Waits.on(inCloser);
            assertThat(closers).noneMatch(Task::done);
            go.countDown();
            for (Task<CloseReport> closer : closers) {
                assertThat(closer.join(Waits.LONG).closed()).isEqualTo(1);
            }
        }
        assertThat(order).containsExactly("slow");
    }

    @Test
    void closesWhatArrivesWhileItCloses() {
        Scope scope = Scope.open("own during close");
        AtomicReference<Throwable> told = new AtomicReference<>();
        scope.onClose("latecomer", () -> {
            try {
                scope.own(named("late"), "late");
            } catch (ScopeClosedException e) {
                told.set(e);
            }
        });
        scope.close();
        assertThat(order).containsExactly("late");
        assertThat(told.get()).hasMessageContaining("is closing").hasMessageContaining("'late' came too late");
    }

    @Test
    void closesWhatAFactoryMakesWhileItCloses() throws Exception {
        Scope scope = Scope.open("close during own");
        CountDownLatch inFactory = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (Logged logged = new Logged();
                Scope test = Scope.open("test")) {
            Task<AutoCloseable> making = test.fork(
                    "make",
                    () -> scope.own("thing", () -> {
                        inFactory.countDown();
                        go.await();
                        return named("thing");
                    }));
            Waits.on(inFactory);
            scope.close();
            go.countDown();
            assertThatThrownBy(() -> making.join(Waits.LONG)).hasRootCauseInstanceOf(Core.ClosedHere.class);
            assertThat(making.failure().orElseThrow()).isInstanceOf(ScopeClosedException.class);
            assertThat(logged.messages()).containsExactly("task 'make' of scope 'test' failed");
        }
        assertThat(order).containsExactly("thing");
    }

    @Test
    void namesThingAndPlaceInAUseAfterClose() {
        Scope scope = Scope.open("late");
        scope.close();
        assertThatThrownBy(() -> scope.own(named("late one"), "thing"))
                .isInstanceOf(ScopeClosedException.class)
                .hasMessageContaining("scope 'late' is closed")
                .hasMessageContaining("'thing'")
                .cause()
                .satisfies(cause -> assertThat(cause.getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("namesThingAndPlaceInAUseAfterClose")));
        assertThat(order).containsExactly("late one");
        assertThatThrownBy(() -> scope.child("c")).isInstanceOf(ScopeClosedException.class);
        assertThatThrownBy(() -> scope.fork("t", () -> {})).isInstanceOf(ScopeClosedException.class);
        assertThatThrownBy(() -> scope.after(Duration.ZERO, "t", () -> {})).isInstanceOf(ScopeClosedException.class);
        assertThatThrownBy(() -> scope.group("g")).isInstanceOf(ScopeClosedException.class);
        assertThatThrownBy(() -> scope.onClose("c", () -> order.add("on close")))
                .isInstanceOf(ScopeClosedException.class);
        assertThat(order).containsExactly("late one", "on close");
    }

    @Test
    void goesOnPastAResourceWhoseCloseThrows() {
        Scope scope = Scope.open("throws");
        scope.own(named("a"));
        scope.onClose("bad", () -> {
            throw new IOException("no");
        });
        scope.onClose("worse", () -> {
            throw new AssertionError("an error too");
        });
        scope.own(named("b"));
        assertThatThrownBy(scope::close)
                .isInstanceOf(CloseFailedException.class)
                .hasMessageContaining("2 failed")
                .hasMessageContaining("on-close 'bad' of 'throws'")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(2));
        assertThat(order).containsExactly("b", "a");
    }

    @Test
    void reportsAResourceWhoseCloseHangsAndGoesOn() {
        Scope scope = Scope.open("hangs");
        CountDownLatch release = new CountDownLatch(1);
        scope.own(named("a"));
        scope.own("stubborn", "thing", (thing, within) -> hangHere(release));
        scope.own(named("b"));
        CloseReport report = scope.close(Duration.ofMillis(400));
        assertThat(order).containsExactly("b", "a");
        assertThat(report.complete()).isTrue();
        assertThat(report.clean()).isFalse();
        assertThat(report.left()).singleElement().satisfies(left -> {
            assertThat(left.name()).isEqualTo("stubborn");
            assertThat(left.stack()).anyMatch(frame -> frame.getMethodName().equals("hangHere"));
            assertThat(left.origin())
                    .anyMatch(frame -> frame.getMethodName().equals("reportsAResourceWhoseCloseHangsAndGoesOn"));
        });
        assertThat(report.toString()).contains("1 left").contains("hangHere");
        assertThat(Scope.census().rows()).singleElement().satisfies(row -> {
            assertThat(row.state()).isEqualTo("left");
            assertThat(row.path()).isEqualTo("hangs/stubborn");
        });
        release.countDown();
        Waits.until("what was left has ended", () -> !Registry.live());
    }

    private static void hangHere(CountDownLatch release) {
        Waits.stubbornly(release);
    }

    @Test
    void interruptsACloserThatHangs() {
        Scope scope = Scope.open("interrupts");
        scope.onClose("waits", Waits::forever);
        CloseReport report = scope.close(Duration.ofMillis(100));
        assertThat(report.left()).hasSize(1);
        Waits.until("the interrupt has ended it", () -> !Registry.live());
    }

    @Test
    void returnsAtTheDeadlineThoughMoreHangThanItLeavesBehind() {
        Scope scope = Scope.open("all hang");
        CountDownLatch release = new CountDownLatch(1);
        int count = Sequence.MAX_HUNG + 10;
        for (int i = 0; i < count; i++) {
            scope.onClose("hangs " + i, () -> Waits.stubbornly(release));
        }
        try (Logged logged = new Logged()) {
            CloseReport report = scope.close(Duration.ofMillis(300));
            assertThat(report.complete()).isFalse();
            assertThat(report.left().size() + report.unlistedLeft()).isEqualTo(count);
            release.countDown();
            Waits.until("the rest went on in the background", () -> !Registry.live());
            assertThat(logged.messages()).singleElement().asString().contains("'all hang'");
        }
    }

    @Test
    void letsAResourceCloseItsOwnParent() {
        Scope scope = Scope.open("parent");
        scope.own(named("a"));
        scope.onClose("closes the parent", () -> {
            scope.close();
            order.add("closed the parent");
        });
        scope.own(named("b"));
        assertThat(scope.close(Waits.LONG).clean()).isTrue();
        assertThat(order).containsExactly("b", "closed the parent", "a");
    }

    @Test
    void letsAHeldResourceCloseItsOwnParent() {
        Scope scope = Scope.open("parent");
        Hold<String> hold = scope.hold(Kind.RESOURCE, "r", "resource", (resource, within) -> scope.close());
        scope.own(named("a"));
        hold.close();
        assertThat(order).containsExactly("a");
        assertThat(scope.closed()).isTrue();
    }

    @Test
    void letsAnOwnedTaskCloseTheScopeWithoutJoiningItself() throws Exception {
        Scope scope = Scope.open("self");
        scope.own(named("a"));
        Scope child = scope.child("child");
        CountDownLatch go = new CountDownLatch(1);
        Task<CloseReport> task = child.fork("closer", () -> {
            CloseReport report = scope.close(Waits.LONG);
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            assertThat(Scope.census().rows())
                    .singleElement()
                    .satisfies(row -> assertThat(row.path()).isEqualTo("self/child/closer"));
            go.await();
            return report;
        });
        Waits.until("the scope is closed", scope::closed);
        go.countDown();
        assertThat(task.join(Waits.LONG).clean()).isTrue();
        assertThat(order).containsExactly("a");
        Waits.until("the task has left the census", () -> !Registry.live());
    }

    @Test
    void letsATaskThatIsJoinedCallClose() throws Exception {
        Scope scope = Scope.open("joined");
        CountDownLatch running = new CountDownLatch(1);
        Task<Boolean> task = scope.fork("closes when interrupted", () -> {
            try {
                running.countDown();
                Waits.forever();
                return false;
            } catch (InterruptedException e) {
                scope.close(Waits.LONG); // would wait for the closing that waits for this task
                return true;
            }
        });
        Waits.on(running);
        assertThat(scope.close(Waits.LONG).clean()).isTrue();
        assertThat(task.join(Waits.LONG)).isTrue();
    }

    @Test
    void givesBackWhatAFactoryTookWhenItFailsHalfWay() {
        try (Scope scope = Scope.open("factory")) {
            assertThatThrownBy(() -> scope.own("connection", () -> {
                        Scope.current().orElseThrow().own(named("socket"));
                        Scope.current().orElseThrow().onClose("bad", () -> {
                            throw new IOException("second");
                        });
                        if (order.isEmpty()) {
                            throw new IOException("first");
                        }
                        return named("connection");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("first")
                    .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            assertThat(order).containsExactly("socket");
            assertThat(scope.size()).isZero();
        }
        assertThat(order).containsExactly("socket");
    }

    @Test
    void keepsWhatAFactoryTookBelowWhatItMade() {
        try (Scope scope = Scope.open("factory")) {
            scope.own("connection", () -> {
                Scope.current().orElseThrow().own(named("socket"));
                return named("connection");
            });
            scope.own("plain", () -> named("plain"));
            assertThat(Scope.census(scope).rows())
                    .extracting(Census.Row::path)
                    .contains("factory/connection/connection", "factory/plain");
        }
        assertThat(order).containsExactly("plain", "connection", "socket");
    }

    @Test
    void ownsAHundredThousandResourcesAtTheSamePrice() {
        int count = 100_000;
        AtomicInteger closed = new AtomicInteger();
        Kind kind = Kind.of("thing", Origins.OFF);
        Scope scope = Scope.open("many");
        List<Hold<Integer>> holds = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            holds.add(scope.hold(kind, "thing", i, (n, within) -> closed.incrementAndGet()));
        }
        assertThat(scope.size()).isEqualTo(count);
        for (int i = 0; i < count; i += 2) { // from the middle: a search would make this quadratic
            assertThat(holds.get(i).release()).isTrue();
        }
        CloseReport report = scope.close(Waits.LONG);
        assertThat(closed).hasValue(count / 2);
        assertThat(report.closed()).isEqualTo(count / 2);
        assertThat(report.clean()).isTrue();
    }

    @Test
    void keepsTheInterruptOfWhoCloses() {
        Scope scope = Scope.open("interrupted");
        scope.own(named("a"));
        Thread.currentThread().interrupt();
        CloseReport report = scope.close(Waits.LONG);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(report.clean()).isTrue();
        assertThat(order).containsExactly("a");
    }

    @Test
    void waitsForAHoldThatAnotherThreadCloses() throws Exception {
        Scope scope = Scope.open("waits");
        CountDownLatch inCloser = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Hold<String> hold = scope.hold(Kind.RESOURCE, "slow", "slow", (resource, within) -> {
            inCloser.countDown();
            go.await();
            order.add("slow");
        });
        try (Scope test = Scope.open("test")) {
            Task<?> closing = test.fork("close the hold", hold::close);
            Waits.on(inCloser);
            Task<CloseReport> scopeCloses = test.fork("close the scope", () -> scope.close(Waits.LONG));
            Waits.until("the scope closes", scope::closed);
            assertThat(scopeCloses.done()).isFalse();
            go.countDown();
            assertThat(scopeCloses.join(Waits.LONG).clean()).isTrue();
            closing.join(Waits.LONG);
        }
        assertThat(order).containsExactly("slow");
    }

    @Test
    void goesOnWithoutAChildThatAnotherThreadClosesInVain() throws Exception {
        Scope scope = Scope.open("parent");
        scope.own(named("a"));
        Scope child = scope.child("child");
        CountDownLatch inCloser = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        child.onClose("hangs", () -> {
            inCloser.countDown();
            hangHere(release);
        });
        try (Scope test = Scope.open("test")) {
            Task<CloseReport> other = test.fork("close the child", () -> child.close(Waits.LONG));
            Waits.on(inCloser);
            CloseReport report = scope.close(Duration.ofMillis(200));
            assertThat(order).containsExactly("a");
            assertThat(report.left()).singleElement().satisfies(left -> {
                assertThat(left.name()).isEqualTo("child");
                assertThat(left.why()).contains("another thread");
                assertThat(left.stack()).anyMatch(frame -> frame.getMethodName().equals("hangHere"));
            });
            assertThat(Scope.census().rows())
                    .filteredOn(row -> row.state().equals("left"))
                    .extracting(Census.Row::path)
                    .containsExactly("parent/child");
            release.countDown();
            assertThat(other.join(Waits.LONG).clean()).isTrue();
        } finally {
            release.countDown();
        }
    }

    @Test
    void goesOnWithoutAHoldThatAnotherThreadClosesInVain() throws Exception {
        Scope scope = Scope.open("parent");
        CountDownLatch inCloser = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        scope.own(named("a"));
        Hold<String> hold = scope.hold(Kind.RESOURCE, "held", "held", (resource, within) -> {
            inCloser.countDown();
            hangHere(release);
        });
        try (Scope test = Scope.open("test")) {
            Task<?> other = test.fork("close the hold", hold::close);
            Waits.on(inCloser);
            CloseReport report = scope.close(Duration.ofMillis(200));
            assertThat(order).containsExactly("a");
            assertThat(report.left())
                    .singleElement()
                    .satisfies(left -> assertThat(left.stack())
                            .anyMatch(frame -> frame.getMethodName().equals("hangHere")));
            assertThat(Scope.census().rows())
                    .filteredOn(row -> row.state().equals("left"))
                    .extracting(Census.Row::path)
                    .containsExactly("parent/held");
            release.countDown();
            other.join(Waits.LONG);
            assertThat(Scope.census().rows())
                    .filteredOn(row -> row.state().equals("left"))
                    .isEmpty();
        } finally {
            release.countDown();
        }
    }

    @Test
    void closesInTheBackgroundAndLogsWhatIsLeft() {
        try (Logged logged = new Logged()) {
            Scope scope = Scope.open("background", ScopeOptions.defaults().closeWithin(Duration.ofMillis(200)));
            CountDownLatch release = new CountDownLatch(1);
            scope.onClose("hangs", () -> Waits.stubbornly(release));
            scope.closeInBackground();
            Waits.until("it is logged", () -> !logged.messages().isEmpty());
            assertThat(logged.messages().getFirst()).contains("on-close 'hangs' of 'background'");
            release.countDown();
            Waits.until("it has ended", () -> !Registry.live());
        }
    }

    @Test
    void takesTheDefaultCloseDeadlineFromTheNearestAncestorThatSetsOne() {
        assertThat(ScopeOptions.CLOSE_WITHIN).isEqualTo(Duration.ofSeconds(10));
        try (Scope plain = Scope.open("plain");
                Scope quick = Scope.open("quick", ScopeOptions.defaults().closeWithin(Duration.ofSeconds(1)))) {
            assertThat(plain.core.closeWithin).isEqualTo(ScopeOptions.CLOSE_WITHIN);
            assertThat(quick.child("below").core.closeWithin).isEqualTo(Duration.ofSeconds(1));
        }
    }
}
