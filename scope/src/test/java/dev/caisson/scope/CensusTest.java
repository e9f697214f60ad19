package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CensusTest {
    private static final Kind HOT = Kind.of("hot", Origins.OFF);
    private static final Kind SAMPLED = Kind.of("sampled", Origins.sampled(10));

    private static Hold<String> hold(Scope scope, Kind kind, String name) {
        return scope.hold(kind, name, name, (resource, within) -> {});
    }

    @Test
    void tellsKindNamePathAgeAndOrigin() {
        try (Scope scope = Scope.open("app");
                Scope other = Scope.open("other")) {
            Scope child = scope.child("child");
            child.onClose("closure", () -> {});
            scope.after(Duration.ofDays(1), "timer", () -> {});
            scope.group("group").fork("task", Waits::forever);
            Census census = Scope.census();
            assertThat(census.roots()).isEqualTo(2);
            assertThat(census.rows())
                    .extracting(row -> row.kind() + " " + row.path())
                    .containsExactly(
                            "scope app",
                            "scope app/child",
                            "on-close app/child/closure",
                            "timer app/timer",
                            "group app/group",
                            "task app/group/task",
                            "scope other");
            assertThat(census.counts()).containsEntry("scope", 3L).containsEntry("task", 1L);
            assertThat(census.rows()).allSatisfy(row -> {
                assertThat(row.age()).isPositive();
                assertThat(row.state()).isEqualTo("open");
                assertThat(row.origin().getFirst().getMethodName()).isEqualTo("tellsKindNamePathAgeAndOrigin");
            });
            assertThat(census.rows()).extracting(Census.Row::id).doesNotHaveDuplicates();
            assertThat(Scope.census().rows())
                    .extracting(Census.Row::id)
                    .isEqualTo(census.rows().stream().map(Census.Row::id).toList());
            assertThat(Scope.census(child).rows()).hasSize(2);
            assertThat(census.tree()).contains("\n  scope child").contains("\n    on-close closure");
            assertThat(other.size()).isZero();
        }
    }

    @Test
    void keepsOriginsAsOftenAsTheKindSays() {
        try (Scope scope = Scope.open("origins")) {
            for (int i = 0; i < 1000; i++) {
                hold(scope, HOT, "hot");
                hold(scope, SAMPLED, "sampled");
            }
            List<Census.Row> rows = Scope.census(scope).rows();
            assertThat(rows)
                    .filteredOn(row -> row.kind().equals("hot"))
                    .allMatch(row -> row.origin().isEmpty());
            long kept = rows.stream()
                    .filter(row -> row.kind().equals("sampled") && !row.origin().isEmpty())
                    .count();
            assertThat(kept).isBetween(20L, 300L); // 100 expected, standard deviation 9.5
        }
    }

    @Test
    void aScopeOverridesOriginsForItselfAndBelow() {
        try (Scope scope = Scope.open("origins", ScopeOptions.defaults().origins(HOT, Origins.ALWAYS))) {
            hold(scope.child("child"), HOT, "hot");
            Scope quiet = scope.child("quiet", ScopeOptions.defaults().origins(HOT, Origins.OFF));
            hold(quiet, HOT, "quiet");
            assertThat(Scope.census().rows())
                    .filteredOn(row -> row.kind().equals("hot"))
                    .extracting(row -> row.name() + " " + row.origin().isEmpty())
                    .containsExactly("hot false", "quiet true");
        }
    }

    @Test
    void asksHeldResourcesForWhatTheyCountThemselves() {
        try (Scope scope = Scope.open("sources")) {
            final class Connection implements CensusSource {
                @Override
                public void census(Consumer<Census.Row> out) {
                    out.accept(Census.Row.of("stream", "1", Duration.ofMillis(5)));
                    out.accept(Census.Row.of("stream", "3", Duration.ofMillis(1)));
                }
            }
            scope.hold(Kind.of("connection", Origins.OFF), "c", new Connection(), (c, within) -> {});
            assertThat(Scope.census().rows())
                    .extracting(Census.Row::path)
                    .containsExactly("sources", "sources/c", "sources/c/1", "sources/c/3");
        }
    }

    @Test
    void aSourceThatFailsCostsItsOwnRowsOnly() {
        try (Scope scope = Scope.open("sources")) {
            CensusSource bad = out -> {
                throw new IllegalStateException("broken");
            };
            scope.hold(HOT, "bad", bad, (c, within) -> {});
            hold(scope, HOT, "good");
            assertThat(Scope.census().rows())
                    .extracting(row -> row.path() + " " + row.state())
                    .containsExactly(
                            "sources open",
                            "sources/bad open",
                            "sources/bad/census java.lang.IllegalStateException: broken",
                            "sources/good open");
        }
    }

    @Test
    void showsWhatIsClosing() throws Exception {
        Scope scope = Scope.open("closing");
        CountDownLatch inCloser = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        scope.onClose("slow", () -> {
            inCloser.countDown();
            go.await();
        });
        scope.closeInBackground();
        Waits.on(inCloser);
        assertThat(Scope.census().rows()).extracting(Census.Row::state).containsExactly("closing", "closing");
        go.countDown();
        assertThat(scope.close(Waits.LONG).clean()).isTrue();
    }

    @Test
    void isServedByAManagementBeanOfOpenTypesWhileThereIsARoot() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName(ScopesMXBean.NAME);
        assertThat(server.isRegistered(name)).isFalse();
        try (Scope scope = Scope.open("managed")) {
            scope.child("child");
            assertThat(server.getAttribute(name, "RootCount")).isEqualTo(1);
            assertThat(server.getAttribute(name, "Count")).isEqualTo(2L);
            assertThat(server.getAttribute(name, "DroppedCount")).isEqualTo(0L);
            assertThat((String[]) server.getAttribute(name, "Roots")).containsExactly("managed");
            CompositeData[] rows = (CompositeData[]) server.getAttribute(name, "Rows");
            assertThat(rows).hasSize(2);
            assertThat(rows[1].getCompositeType().keySet())
                    .containsExactlyInAnyOrder("id", "kind", "name", "path", "ageNanos", "state", "origin");
            assertThat(rows[1].get("kind")).isEqualTo("scope");
            assertThat(rows[1].get("path")).isEqualTo("managed/child");
            assertThat((Long) rows[1].get("ageNanos")).isPositive();
            assertThat((String[]) rows[1].get("origin")).isNotEmpty();
            assertThat((String) server.invoke(name, "tree", new Object[0], new String[0]))
                    .contains("scope managed");
            assertThat(server.getAttribute(name, "Counts")).isNotNull();
        }
        assertThat(server.isRegistered(name)).isFalse();
    }

    @Test
    void takesANameOfItsOwnBesideAnotherCopy() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName(ScopesMXBean.NAME);
        try (Scope scope = Scope.open("first")) {
            Bean second = Bean.register();
            assertThat(second).isNotNull();
            assertThat(server.queryNames(new ObjectName(ScopesMXBean.NAME + ",*"), null))
                    .hasSize(2);
            second.unregister();
            second.unregister();
            assertThat(server.isRegistered(name)).isTrue();
            assertThat(scope.closed()).isFalse();
        }
    }

    @Test
    void tellsTheFlightRecorderOfAcquireAndRelease(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("scope.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("dev.caisson.scope.Acquire").withStackTrace();
            recording.enable("dev.caisson.scope.Release");
            recording.start();
            try (Scope scope = Scope.open("recorded")) {
                hold(scope, HOT, "released").release();
                hold(scope, HOT, "closed");
                scope.child("child");
            }
            recording.stop();
            recording.dump(file);
        }
        assertThat(Files.size(file)).isPositive();
        List<RecordedEvent> events = RecordingFile.readAllEvents(file).stream()
                .sorted(Comparator.comparing(RecordedEvent::getStartTime))
                .toList();
        assertThat(names(events, "dev.caisson.scope.Acquire")).containsExactly("released", "closed", "child");
        assertThat(names(events, "dev.caisson.scope.Release")).containsExactly("released", "child", "closed");
        Map<String, String> how = events.stream()
                .filter(event -> event.getEventType().getName().endsWith("Release"))
                .collect(java.util.stream.Collectors.toMap(
                        event -> event.getString("name"), event -> event.getString("how")));
        assertThat(how).containsEntry("released", "released").containsEntry("closed", "closed");
        assertThat(events)
                .allSatisfy(event -> assertThat(event.getString("path")).isEqualTo("recorded"));
    }

    private static List<String> names(List<RecordedEvent> events, String type) {
        return events.stream()
                .filter(event -> event.getEventType().getName().equals(type))
                .map(event -> event.getString("name"))
                .toList();
    }

    @Test
    void samplesNeedAPositiveRate() {
        assertThatThrownBy(() -> Origins.sampled(0)).isInstanceOf(IllegalArgumentException.class);
        assertThat(Origins.sampled(1)).isSameAs(Origins.ALWAYS);
        assertThat(Origins.sampled(7)).hasToString("one in 7");
    }
}
