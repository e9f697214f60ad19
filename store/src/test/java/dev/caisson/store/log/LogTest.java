package dev.caisson.store.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.scope.Census;
import dev.caisson.scope.CloseFailedException;
import dev.caisson.scope.Scope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The log with its thread, on a real folder. */
class LogTest {
    @TempDir
    Path folder;

    private static long append(Log log, String text) {
        Batch batch = new Batch();
        Written.add(batch, text);
        return log.append(batch);
    }

    private static void awaitFate(Log log, long index, Fate fate) throws InterruptedException {
        Semaphore changed = new Semaphore(0);
        try (Waker waker = log.onChange(changed::release)) {
            for (waker.arm(); log.fate(index) != fate; waker.arm()) {
                assertThat(changed.tryAcquire(30, TimeUnit.SECONDS))
                        .as(log + " wakes")
                        .isTrue();
            }
        }
    }

    private List<String> reopened() throws IOException {
        Written.Collected collected = new Written.Collected();
        try (Scope scope = Scope.open("reads")) {
            Log.open(scope, FolderFiles.of(folder), LogOptions.defaults(), collected);
        }
        return collected.texts;
    }

    @ParameterizedTest
    @EnumSource(Sync.class)
    void givesBackWhatWasAppended(Sync sync) throws Exception {
        try (Scope scope = Scope.open("log")) {
            Log log = Log.open(
                    scope, FolderFiles.of(folder), LogOptions.defaults().sync(sync), new Written.Collected());
            assertThat(append(log, "one")).isEqualTo(1);
            assertThat(append(log, "two")).isEqualTo(2);
            awaitFate(log, 2, Fate.KEPT);
            assertThat(log.lastIndex()).isEqualTo(2);
        }
        assertThat(reopened()).containsExactly("one", "two");
        assertThat(reopened()).containsExactly("one", "two");
    }

    @Test
    void acknowledgesOnlyWhatIsForced() throws Exception {
        CountDownLatch mayForce = new CountDownLatch(1);
        try (Scope scope = Scope.open("log")) {
            LogFiles slow = new HookedFiles(folder) {
                @Override
                protected void beforeForce(String name) throws IOException {
                    try {
                        mayForce.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
            };
            Log log = Log.open(scope, slow, LogOptions.defaults().sync(Sync.ALWAYS), new Written.Collected());
            long index = append(log, "one");
            assertThat(log.fate(index)).isEqualTo(Fate.PENDING);
            assertThat(log.durableIndex()).isZero();
            mayForce.countDown();
            awaitFate(log, index, Fate.KEPT);
            assertThat(log.durableIndex()).isEqualTo(index);
        }
    }

    @Test
    void manyThreadsAppendInOneOrder() throws Exception {
        int threads = 8;
        int batches = 400;
        AtomicLong unsafe = new AtomicLong();
        Map<Long, String> sent = new HashMap<>();
        try (Scope scope = Scope.open("log")) {
            Log log = Log.open(
                    scope,
                    FolderFiles.of(folder),
                    LogOptions.defaults().sync(Sync.ALWAYS).segmentBytes(50_000).budget(unsafe::addAndGet),
                    new Written.Collected());
            List<dev.caisson.scope.Task<List<Map.Entry<Long, String>>>> tasks = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int me = t;
                tasks.add(scope.fork("appends " + t, () -> {
                    List<Map.Entry<Long, String>> mine = new ArrayList<>();
                    Batch batch = new Batch();
                    for (int i = 0; i < batches; i++) {
                        List<String> texts = new ArrayList<>();
                        for (int k = 0; k <= i % 3; k++) {
                            texts.add("thread " + me + " batch " + i + " record " + k);
                        }
                        texts.forEach(text -> Written.add(batch, text));
                        long last = log.append(batch);
                        for (int k = 0; k < texts.size(); k++) {
                            mine.add(Map.entry(last - texts.size() + 1 + k, texts.get(k)));
                        }
                    }
                    return mine;
                }));
            }
            for (var task : tasks) {
                for (Map.Entry<Long, String> one : task.join()) {
                    assertThat(sent.put(one.getKey(), one.getValue())).isNull();
                }
            }
            awaitFate(log, log.lastIndex(), Fate.KEPT);
            assertThat(unsafe).hasValue(0);
            assertThat(log.stats().forces()).isLessThan((long) threads * batches);
        }
        List<String> found = reopened();
        assertThat(found).hasSize(sent.size());
        for (int i = 0; i < found.size(); i++) {
            assertThat(found.get(i)).isEqualTo(sent.get(i + 1L));
        }
    }

    @Test
    void failsWhatIsInDoubtAndTriesAgainInANewFile() throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        LogFiles files = new HookedFiles(folder) {
            @Override
            protected void beforeForce(String name) throws IOException {
                if (broken.get()) {
                    throw new IOException("No space left on device");
                }
            }
        };
        try (Scope scope = Scope.open("log")) {
            Log log = Log.open(
                    scope,
                    files,
                    LogOptions.defaults().sync(Sync.ALWAYS).retryEvery(Duration.ofMillis(20)),
                    new Written.Collected());
            awaitFate(log, append(log, "before"), Fate.KEPT);
            broken.set(true);
            long index = append(log, "in doubt");
            awaitFate(log, index, Fate.DOUBTFUL);
            assertThat(log.refusal()).contains("No space left on device", "log-");
            assertThat(log.fate(1)).isEqualTo(Fate.KEPT);
            assertThat(log.stats().failures()).isPositive();
            broken.set(false);
            awaitFate(log, index, Fate.KEPT);
            await().until(() -> log.refusal() == null); // known a moment after the record is
            awaitFate(log, append(log, "after"), Fate.KEPT);
            assertThat(Segment.among(files.list()).size()).isEqualTo(2);
        }
        assertThat(reopened()).containsExactly("before", "in doubt", "after");
    }

    @Test
    void refusesWhenTooMuchWaits() throws Exception {
        CountDownLatch mayForce = new CountDownLatch(1);
        try (Scope scope = Scope.open("log")) {
            LogFiles slow = new HookedFiles(folder) {
                @Override
                protected void beforeForce(String name) throws IOException {
                    try {
                        mayForce.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
            };
            Log log = Log.open(
                    scope,
                    slow,
                    LogOptions.defaults().sync(Sync.ALWAYS).maxUnsafeBytes(10_000),
                    new Written.Collected());
            int appended = 0;
            for (; log.refusal() == null; appended++) {
                append(log, "x".repeat(100));
            }
            assertThat(appended).isBetween(70, 80);
            assertThat(log.refusal()).contains("bytes behind");
            mayForce.countDown();
            awaitFate(log, log.lastIndex(), Fate.KEPT);
            assertThat(log.refusal()).isNull();
        }
    }

    @Test
    void saysWhoHasTheFolder() throws Exception {
        try (Scope scope = Scope.open("log")) {
            Log.open(scope, FolderFiles.of(folder), LogOptions.defaults(), new Written.Collected());
            assertThatThrownBy(() ->
                            Log.open(scope, FolderFiles.of(folder), LogOptions.defaults(), new Written.Collected()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(folder.toString())
                    .hasMessageContaining("process " + ProcessHandle.current().pid());
        }
        assertThat(reopened()).isEmpty();
    }

    @Test
    void isCountedWhileItLives() throws Exception {
        try (Scope scope = Scope.open("log")) {
            Log log = Log.open(scope, FolderFiles.of(folder), LogOptions.defaults(), new Written.Collected());
            assertThat(Scope.census(scope).rows())
                    .extracting(Census.Row::kind)
                    .contains("log", "log thread", "locked folder");
            log.close();
            assertThat(scope.size()).isZero();
            assertThat(log.refusal()).isEqualTo("the log is closed");
            assertThatThrownBy(() -> append(log, "late")).hasMessageContaining("closed");
        }
    }

    @Test
    void aCloseThatCanNotWriteSaysSo() throws Exception {
        LogFiles files = new HookedFiles(folder) {
            @Override
            protected void beforeForce(String name) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        Scope scope = Scope.open("log");
        Log log = Log.open(scope, files, LogOptions.defaults().sync(Sync.NO), new Written.Collected());
        long index = append(log, "lost");
        assertThatThrownBy(scope::close)
                .isInstanceOf(CloseFailedException.class)
                .hasStackTraceContaining("No space left on device");
        assertThat(log.fate(index)).isEqualTo(Fate.DOUBTFUL);
    }

    @Test
    void aSnapshotTakesThePlaceOfWhatIsOlder() throws Exception {
        try (Scope scope = Scope.open("log")) {
            FolderFiles files = FolderFiles.of(folder);
            Log log = Log.open(scope, files, LogOptions.defaults().sync(Sync.ALWAYS), new Written.Collected());
            append(log, "one");
            append(log, "two");
            Snapshot snapshot = log.snapshot();
            append(log, "three");
            assertThatThrownBy(log::snapshot).isInstanceOf(IllegalStateException.class);
            byte[] block = "all up to two".getBytes(StandardCharsets.UTF_8);
            assertThat(snapshot.offer(block, block.length, 2, () -> {})).isTrue();
            snapshot.complete();
            assertThat(snapshot.result().get(30, TimeUnit.SECONDS)).isEqualTo(new Snapshot.Written(2, 2, block.length));
            awaitFate(log, 3, Fate.KEPT);
            assertThat(Segment.among(files.list()).keySet()).containsExactly(3L);
            assertThat(SnapshotFile.among(files.list()).keySet()).containsExactly(2L);
            assertThat(log.stats().bytesSinceSnapshot()).isLessThan(100);
        }
        assertThat(reopened()).containsExactly("all up to two", "three");
    }

    @Test
    void anAbandonedSnapshotLeavesNothing() throws Exception {
        try (Scope scope = Scope.open("log")) {
            FolderFiles files = FolderFiles.of(folder);
            Log log = Log.open(scope, files, LogOptions.defaults(), new Written.Collected());
            append(log, "one");
            Snapshot snapshot = log.snapshot();
            snapshot.abandon("nobody wants it");
            assertThatThrownBy(() -> snapshot.result().get(30, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasMessageContaining("nobody wants it");
            await().until(() -> files.list().stream().noneMatch(name -> name.contains("snapshot")));
        }
        assertThat(reopened()).containsExactly("one");
    }

    @Test
    void aSnapshotThatNobodyCompletesEndsWithTheLog() throws Exception {
        Snapshot snapshot;
        try (Scope scope = Scope.open("log")) {
            Log log = Log.open(scope, FolderFiles.of(folder), LogOptions.defaults(), new Written.Collected());
            append(log, "one");
            snapshot = log.snapshot();
        }
        assertThat(snapshot.result()).isCompletedExceptionally();
        assertThat(FolderFiles.of(folder).list()).noneMatch(name -> name.contains("snapshot"));
    }

    @Test
    void aSnapshotTakesNoMoreBlocksThanItCanWrite() throws Exception {
        CountDownLatch mayWrite = new CountDownLatch(1);
        LogFiles slow = new HookedFiles(folder) {
            @Override
            protected void beforeWrite(String name) throws IOException {
                try {
                    if (name.contains("snapshot")) {
                        mayWrite.await();
                    }
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        };
        try (Scope scope = Scope.open("log")) {
            Log log = Log.open(scope, slow, LogOptions.defaults(), new Written.Collected());
            append(log, "one");
            Snapshot snapshot = log.snapshot();
            Semaphore room = new Semaphore(0);
            int taken = 0;
            while (snapshot.offer(new byte[10], 10, 1, room::release)) {
                taken++;
            }
            assertThat(taken).isBetween(30, 40);
            mayWrite.countDown();
            assertThat(room.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
            await().until(() -> snapshot.offer(new byte[10], 10, 1, room::release));
            snapshot.complete();
            assertThat(snapshot.result().get(30, TimeUnit.SECONDS).entries()).isEqualTo(taken + 1);
        }
    }
}
