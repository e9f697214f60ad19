package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Nothing keeps reachable what was closed, whatever its kind; and what was dropped without close is found. */
class ReachabilityTest {
    private static final class Thing implements AutoCloseable {
        @Override
        public void close() {}

        void touch() {}
    }

    private final Map<String, WeakReference<Object>> watched = new TreeMap<>();

    private <T> T watch(String kind, T thing) {
        watched.put(kind, new WeakReference<>(thing));
        return thing;
    }

    private void allCollected() {
        Waits.until("all is collected but " + watched.keySet(), () -> {
            System.gc();
            watched.values().removeIf(reference -> reference.refersTo(null));
            return watched.isEmpty();
        });
    }

    /** The scope and the handles that a user might keep stay reachable here on purpose. */
    private List<Object> ownOneOfEach(Scope scope) throws Exception {
        List<Object> kept = new ArrayList<>();
        scope.own(watch("resource", new Thing()));
        scope.own("made", () -> watch("made resource", new Thing()));
        Thing closure = watch("closure", new Thing());
        kept.add(scope.onClose("closure", closure::touch));
        Thing drain = watch("drain closure", new Thing());
        kept.add(scope.onDrain("closure", drain::touch));
        Thing cancel = watch("cancel closure", new Thing());
        kept.add(scope.onCancel("closure", reason -> cancel.touch()));
        Thing held = watch("held resource", new Thing());
        kept.add(scope.hold(Kind.RESOURCE, "held", held, (thing, within) -> thing.touch()));
        Thing once = watch("timer closure", new Thing());
        kept.add(scope.after(Duration.ofDays(1), "once", once::touch));
        Thing again = watch("repeated closure", new Thing());
        kept.add(scope.every(Duration.ofMillis(1), "again", again::touch));
        Thing used = watch("closure of a task", new Thing());
        CountDownLatch running = new CountDownLatch(1);
        kept.add(scope.fork("task", () -> {
            running.countDown();
            used.touch();
            Waits.forever();
        }));
        Waits.on(running);
        Group group = scope.group("group");
        Thing inGroup = watch("closure in a group", new Thing());
        kept.add(group);
        kept.add(group.fork("task", () -> {
            inGroup.touch();
            Waits.forever();
        }));
        Scope child = scope.child("child", ScopeOptions.defaults().timeout(Duration.ofDays(1)));
        child.own(watch("resource of a child", new Thing()));
        kept.add(child);
        watch("child handle", scope.child("dropped child"));
        watch("child core", scope.child("dropped child").core);
        return kept;
    }

    @Test
    void nothingIsReachableThroughTheScopeAfterClose() throws Exception {
        Scope scope = Scope.open("keeps nothing");
        List<Object> kept = ownOneOfEach(scope);
        assertThat(scope.close(Waits.LONG).clean()).isTrue();
        assertThat(watched).hasSize(13);
        allCollected();
        assertThat(kept).hasSizeGreaterThan(8);
        assertThat(scope.closed()).isTrue();
    }

    @Test
    void nothingIsReachableAfterDrainAndClose() throws Exception {
        try (Scope outer = Scope.open("outer")) {
            Scope scope = outer.child("drained");
            watch("the core", scope.core);
            watch("the scope", scope);
            scope.own(watch("resource", new Thing()));
            assertThat(scope.drainAndClose(Waits.LONG).clean()).isTrue();
            scope = null;
            allCollected();
            assertThat(outer.size()).isZero();
        }
    }

    @Test
    void nothingIsReachableAfterRelease() {
        try (Scope scope = Scope.open("released")) {
            Hold<Thing> hold =
                    scope.hold(Kind.RESOURCE, "held", watch("held", new Thing()), (thing, within) -> thing.touch());
            hold.release();
            Thing owned = watch("owned", scope.own(new Thing()));
            scope.release(owned);
            owned = null;
            scope.after(Duration.ofDays(1), "timer", watch("timer", new Thing())::touch)
                    .close();
            allCollected();
            assertThat(hold.toString()).contains("(ended)");
        }
    }

    @Test
    void theReportKeepsTextOnly() {
        Scope scope = Scope.open("report");
        CountDownLatch release = new CountDownLatch(1);
        Thing hanging = watch("hanging", new Thing());
        scope.own("hanging", hanging, (thing, within) -> Waits.stubbornly(release));
        hanging = null;
        CloseReport report = scope.close(Duration.ofMillis(100));
        assertThat(report.left()).hasSize(1);
        release.countDown();
        Waits.until("the closer has ended", () -> !Registry.live());
        allCollected();
        assertThat(report.toString()).contains("'hanging'");
    }

    @Test
    void aScopeDroppedWithAParkedTaskIsReportedWithItsOriginAndClosed() {
        try (Logged logged = new Logged()) {
            CountDownLatch ended = new CountDownLatch(1);
            CountDownLatch closed = new CountDownLatch(1);
            dropAScope(ended, closed);
            Waits.until("it is found", () -> {
                System.gc();
                return !logged.messages().isEmpty();
            });
            Waits.until("it is closed", () -> !Registry.live());
            assertThat(ended.getCount()).isZero();
            assertThat(closed.getCount()).isZero();
            assertThat(logged.records()).singleElement().satisfies(record -> {
                assertThat(record.getMessage())
                        .contains("scope 'dropped' was dropped without close")
                        .containsPattern("it holds [34] things"); // a run of the timer is the fourth
                assertThat(record.getThrown().getStackTrace())
                        .anyMatch(frame -> frame.getMethodName().equals("dropAScope"));
            });
        }
    }

    private static void dropAScope(CountDownLatch ended, CountDownLatch closed) {
        Scope scope = Scope.open("dropped");
        scope.onClose("closure", closed::countDown);
        scope.every(Duration.ofMillis(1), "timer", () -> {});
        CountDownLatch running = new CountDownLatch(1);
        scope.fork("parked", () -> {
            try {
                Scope.current().orElseThrow().size(); // asking for the scope must not keep its handle
                running.countDown();
                Waits.forever();
            } finally {
                ended.countDown();
            }
        });
        Waits.until("the task runs", () -> running.getCount() == 0);
    }

    @Test
    void aScopeWhoseChildIsHeldIsNotDropped() {
        try (Logged logged = new Logged()) {
            Scope child = Scope.open("root").child("child");
            WeakReference<Object> garbage = new WeakReference<>(new Object());
            Waits.until("the collector has run", () -> {
                System.gc();
                return garbage.refersTo(null);
            });
            assertThat(child.closed()).isFalse();
            assertThat(logged.messages()).isEmpty();
            dropRootOf(child);
        }
    }

    private static void dropRootOf(Scope child) {
        Core root = child.core.owner;
        assertThat(root).isNotNull();
        root.close(Waits.LONG, false);
    }

    @Test
    void aChildIsClosedWhenDroppedOnlyIfItsOptionsSaySo() {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("parent")) {
            CountDownLatch closed = new CountDownLatch(1);
            dropChildren(scope, closed);
            Waits.until("the watched child is closed", () -> {
                System.gc();
                return closed.getCount() == 0;
            });
            Waits.until("the parent has forgotten it", () -> scope.size() == 1);
            assertThat(logged.messages()).singleElement().asString().contains("'parent/watched'");
        }
    }

    private static void dropChildren(Scope scope, CountDownLatch closed) {
        scope.child("plain").onClose("closure", () -> {});
        scope.child("watched", ScopeOptions.defaults().closeWhenDropped(true)).onClose("closure", closed::countDown);
    }

    @Test
    void aScopeTiedToAnotherHandleIsDrainedAndClosedWithIt() {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("parent")) {
            List<String> order = java.util.Collections.synchronizedList(new ArrayList<>());
            Scope inner = scope.child("channel");
            inner.onDrain("drain", () -> order.add("drain"));
            inner.onClose("close", () -> order.add("close"));
            inner.closeWhenDropped(new Thing());
            Waits.until("it is closed", () -> {
                System.gc();
                return scope.size() == 0;
            });
            assertThat(order).containsExactly("drain", "close");
            assertThat(logged.messages()).singleElement().asString().contains("'parent/channel'");
        }
    }

    @Test
    void theHolderGoesWithTheLastRootAndComesAgain() {
        assertThat(Registry.live()).isFalse();
        for (int i = 0; i < 3; i++) {
            try (Scope one = Scope.open("one")) {
                try (Scope two = Scope.open("two")) {
                    two.after(Duration.ofDays(1), "timer", () -> {});
                    assertThat(threads()).containsExactlyInAnyOrder("caisson-safety-net", "caisson-timer");
                }
                assertThat(Registry.live()).isTrue();
                assertThat(one.closed()).isFalse();
            }
            assertThat(Registry.live()).isFalse();
            assertThat(threads()).isEmpty();
        }
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("caisson-"))
                .toList();
    }
}
