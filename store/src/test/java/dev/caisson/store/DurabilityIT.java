package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.store.log.HookedFiles;
import dev.caisson.store.resp.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A store that keeps a folder: what it acknowledged is there after a restart. */
class DurabilityIT {
    @TempDir
    Path folder;

    private final AtomicLong clock = new AtomicLong(1_800_000_000_000L);

    private StoreOptions options(int loops) {
        return StoreOptions.defaults().folder(folder).loops(loops).clock(clock::get);
    }

    /** A digest of all keys, values and times to live. */
    static long digest(Store store) throws Exception {
        long sum = 0;
        for (Loop loop : store.loops()) {
            CompletableFuture<Long> one = new CompletableFuture<>();
            loop.submit(at -> one.complete(at.shard.digest()));
            sum += one.get(30, TimeUnit.SECONDS);
        }
        return sum;
    }

    private static Reply call(StoreClient client, String... args) throws Exception {
        return client.send(args).get(30, TimeUnit.SECONDS);
    }

    private static String error(Reply reply) {
        return reply instanceof Reply.ErrorLine error ? error.line() : "no error: " + reply;
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** A random command over few keys, of all types and with times to live. */
    private static String[] command(Random random) {
        String key = "key" + random.nextInt(60);
        String other = "key" + random.nextInt(60);
        String hash = "hash" + random.nextInt(10);
        String list = "list" + random.nextInt(10);
        String set = "set" + random.nextInt(10);
        String number = Integer.toString(random.nextInt(1_000));
        String field = "f" + random.nextInt(40);
        String[][] commands = {
            {"SET", key, number},
            {"SET", key, "x".repeat(random.nextInt(300))},
            {"SET", key, number, "PX", Integer.toString(1 + random.nextInt(3_000))},
            {"SETEX", key, "100", "v"},
            {"GETEX", key, "EX", "50"},
            {"GETDEL", key},
            {"APPEND", key, number},
            {"INCR", "counter" + random.nextInt(5)},
            {"INCRBYFLOAT", "float", "0.1"},
            {"SETRANGE", key, "5", "abc"},
            {"SETBIT", "bits", number, "1"},
            {"DEL", key, other},
            {"EXPIRE", key, number},
            {"PERSIST", key},
            {"RENAME", key, other},
            {"COPY", key, other, "REPLACE"},
            {"MSET", key, "a", other, "b"},
            {"GET", key},
            {"EXISTS", key, other, hash},
            {"HSET", hash, field, number},
            {"HDEL", hash, field},
            {"HINCRBY", hash, "n", number},
            {"HINCRBYFLOAT", hash, "d", "1.5"},
            {"RPUSH", list, number, "x"},
            {"LPUSH", list, number},
            {"LPOP", list},
            {"LREM", list, "1", "x"},
            {"LMOVE", list, "list" + random.nextInt(10), "LEFT", "RIGHT"},
            {"SADD", set, number, field},
            {"SPOP", set},
            {"SREM", set, field},
            {"SMOVE", set, "set" + random.nextInt(10), field},
            {"SUNIONSTORE", "set0", set, "set3"},
            {"EXPIRE", set, "1"},
        };
        return commands[random.nextInt(commands.length)];
    }

    @ParameterizedTest
    @CsvSource({"ALWAYS,1,4", "ALWAYS,4,1", "EVERYSEC,4,2", "NO,2,4"})
    void isTheSameAfterARestartWithAnotherNumberOfLoops(Durability durability, int loops, int later) throws Exception {
        long seed = 7;
        Random random = new Random(seed);
        long before;
        try (Store store = Store.open(options(loops).durability(durability));
                StoreClient client = store.client("writes", push -> {})) {
            List<CompletableFuture<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 6_000; i++) {
                replies.add(client.send(command(random)));
                if (i % 50 == 0) {
                    replies.add(client.send("MULTI"));
                    replies.add(client.send(command(random)));
                    replies.add(client.send(command(random)));
                    replies.add(client.send("EXEC"));
                    clock.addAndGet(random.nextInt(200));
                }
            }
            for (CompletableFuture<Reply> each : replies) {
                each.get(30, TimeUnit.SECONDS);
            }
            before = digest(store);
            assertThat(call(client, "DBSIZE")).isNotEqualTo(new Reply.Int(0));
        }
        for (int round = 0; round < 2; round++) {
            try (Store store = Store.open(options(later).durability(durability))) {
                assertThat(digest(store))
                        .as("seed " + seed + ", round " + round)
                        .isEqualTo(before);
            }
        }
    }

    @Test
    void keepsLeases() throws Exception {
        try (Store store = Store.open(options(2));
                StoreClient client = store.client("writes", push -> {})) {
            call(client, "LEASE.GRANT", "60000", "ID", "one");
            call(client, "LEASE.HSET", "one", "service", "a", "1");
            call(client, "HSET", "service", "b", "2");
        }
        try (Store store = Store.open(options(3));
                StoreClient client = store.client("reads", push -> {})) {
            assertThat(call(client, "HLEN", "service")).isEqualTo(new Reply.Int(2));
            assertThat(call(client, "LEASE.REVOKE", "one")).isEqualTo(new Reply.Int(1));
            assertThat(call(client, "HLEN", "service")).isEqualTo(new Reply.Int(1));
        }
    }

    /** Replies to writes and to reads of what they wrote, on the wire and in process, wait for the force. */
    @Test
    void alwaysHoldsEveryReplyUntilWhatItSawIsForced() throws Exception {
        CountDownLatch mayForce = new CountDownLatch(1);
        AtomicBoolean holding = new AtomicBoolean();
        HookedFiles files = new HookedFiles(folder) {
            @Override
            protected void beforeForce(String name) throws IOException {
                try {
                    if (holding.get()) {
                        mayForce.await();
                    }
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        };
        try (Store store = Store.open(
                        options(2).durability(Durability.ALWAYS).files(files).port(0));
                Wire wire = new Wire(store.port());
                StoreClient client = store.client("reads", push -> {})) {
            wire.call("SET", "a", "0");
            holding.set(true);
            wire.send("SET", "a", "1");
            Awaitility.await()
                    .until(() ->
                            store.journal().lastIndex() > store.journal().log().durableIndex());
            CompletableFuture<Reply> read = client.send("GET", "a");
            CompletableFuture<Reply> ping = client.send("PING");
            assertThatThrownBy(() -> read.get(200, TimeUnit.MILLISECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            assertThat(ping).isNotDone();
            mayForce.countDown();
            assertThat(wire.read()).isEqualTo(new Reply.Simple("OK"));
            assertThat(read.get(30, TimeUnit.SECONDS)).isEqualTo(bulk("1"));
        }
    }

    @ParameterizedTest
    @CsvSource({"ALWAYS", "EVERYSEC"})
    void refusesWritesAndServesReadsWhileTheDiskFails(Durability durability) throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        HookedFiles files = new HookedFiles(folder) {
            @Override
            protected void beforeForce(String name) throws IOException {
                if (broken.get()) {
                    throw new IOException("No space left on device");
                }
            }
        };
        try (Store store = Store.open(options(2).durability(durability).files(files));
                StoreClient client = store.client("writes", push -> {})) {
            call(client, "SET", "a", "1");
            broken.set(true);
            if (durability == Durability.ALWAYS) {
                assertThat(error(call(client, "SET", "a", "2")))
                        .startsWith("MISCONF ")
                        .contains("unknown", "No space left on device");
            }
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> error(call(client, "SET", "b", "1")).startsWith("MISCONF "));
            assertThat(error(call(client, "SET", "b", "1")))
                    .doesNotContain("unknown")
                    .contains("No space left on device");
            assertThat(call(client, "GET", "a")).isIn(bulk("1"), bulk("2"));
            call(client, "MULTI");
            assertThat(error(call(client, "SET", "b", "1"))).startsWith("MISCONF ");
            assertThat(error(call(client, "EXEC"))).startsWith("EXECABORT");
            broken.set(false);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> call(client, "SET", "c", "3").equals(new Reply.Simple("OK")));
            assertThat(call(client, "GET", "c")).isEqualTo(bulk("3"));
        }
        try (Store store = Store.open(options(1));
                StoreClient client = store.client("reads", push -> {})) {
            assertThat(call(client, "GET", "c")).isEqualTo(bulk("3"));
            if (durability == Durability.ALWAYS) {
                assertThat(call(client, "GET", "a")).isEqualTo(bulk("2")); // in doubt then, and written again
            }
        }
    }

    /** Snapshots while everything changes: all types, transactions, expiry, leases; then the log alone tells what came after. */
    @ParameterizedTest
    @CsvSource({"1,3", "3,1"})
    void aSnapshotUnderLoadIsWhatWasThereAtItsCut(int loops, int later) throws Exception {
        Random random = new Random(loops);
        long before;
        try (Store store = Store.open(options(loops));
                StoreClient client = store.client("writes", push -> {})) {
            List<CompletableFuture<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 3_000; i++) {
                replies.add(client.send("RPUSH", "long" + i % 3, "element " + i));
                replies.add(client.send("SET", "cold" + i, "value", "EX", "1000"));
                replies.add(client.send("ZADD", "sorted", Integer.toString(i), "member" + i));
                replies.add(client.send("XADD", "stream", "*", "field", "value" + i));
                replies.add(client.send("HSET", "wide" + i % 5, "field" + i, "value"));
            }
            client.send("HPEXPIREAT", "wide0", "1900000000000", "FIELDS", "1", "field0");
            client.send("XDEL", "stream", "1-1");
            for (int i = 0; i < 20_000; i++) {
                if (i % 4_000 == 0) {
                    Awaitility.await()
                            .atMost(Duration.ofSeconds(30))
                            .until(() -> !error(call(client, "BGSAVE")).startsWith("ERR Background"));
                }
                if (i % 300 == 0) {
                    String id = "lease" + i;
                    replies.add(client.send("LEASE.GRANT", "600000", "ID", id));
                    replies.add(client.send("LEASE.HSET", id, "service" + i % 900, id, "1"));
                    replies.add(client.send("SET", "leased" + i, "1"));
                    replies.add(client.send("LEASE.ATTACH", id, "leased" + i));
                    if (i > 3_000) {
                        replies.add(client.send("LEASE.REVOKE", "lease" + (i - 3_000)));
                    }
                    clock.addAndGet(random.nextInt(200));
                }
                replies.add(client.send(command(random)));
                replies.add(client.send("RPOP", "long" + i % 3));
                replies.add(client.send("ZREM", "sorted", "member" + i % 3_000));
                replies.add(client.send("DEL", "cold" + random.nextInt(3_000)));
                if (replies.size() > 5_000) {
                    replies.removeFirst().get(30, TimeUnit.SECONDS);
                }
            }
            for (CompletableFuture<Reply> each : replies) {
                each.get(30, TimeUnit.SECONDS);
            }
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> !store.server().persistence().isSaving());
            assertThat(store.server().persistence().figures().get("snapshot_last_failure"))
                    .isEqualTo("");
            before = digest(store);
        }
        only(name -> name.endsWith(".snap"));
        for (int round = 0; round < 2; round++) {
            try (Store store = Store.open(options(later));
                    StoreClient client = store.client("reads", push -> {})) {
                assertThat(digest(store)).isEqualTo(before);
                assertThat(store.journal().log().recovered().snapshot()).isPositive();
                assertThat(call(client, "LEASE.REVOKE", "lease19800")).isEqualTo(new Reply.Int(2));
                call(client, "LEASE.GRANT", "600000", "ID", "lease19800");
                call(client, "HSET", "service" + 19_800 % 900, "lease19800", "1");
                call(client, "LEASE.ATTACH", "lease19800", "service" + 19_800 % 900, "FIELDS", "1", "lease19800");
                call(client, "SET", "leased19800", "1");
                call(client, "LEASE.ATTACH", "lease19800", "leased19800");
            }
        }
    }

    @Test
    void aLongLogIsCutShortByItself() throws Exception {
        try (Store store = Store.open(options(2).snapshotAfterBytes(100_000));
                StoreClient client = store.client("writes", push -> {})) {
            for (int i = 0; i < 3_000; i++) {
                client.send("SET", "key" + i % 50, "x".repeat(100));
            }
            call(client, "PING");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> store.server().persistence().lastSaveMillis() > 0);
            assertThat(store.journal().log().stats().bytesSinceSnapshot()).isLessThan(400_000);
        }
    }

    @Test
    void aSnapshotThatFlushallOvertakesIsGivenUpAndTheNextOneIsWritten() throws Exception {
        try (Store store = Store.open(options(2));
                StoreClient client = store.client("writes", push -> {})) {
            for (int i = 0; i < 2_000; i++) {
                client.send("SET", "key" + i, "x".repeat(1_000));
            }
            for (int round = 0; round < 5; round++) {
                client.send("BGSAVE");
                client.send("FLUSHALL");
                client.send("SET", "after", "1");
                call(client, "PING");
                Awaitility.await()
                        .atMost(Duration.ofSeconds(30))
                        .until(() -> !store.server().persistence().isSaving());
            }
            call(client, "BGSAVE");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> !store.server().persistence().isSaving());
            assertThat(store.server().persistence().figures().get("snapshot_last_failure"))
                    .isEqualTo("");
        }
        try (Store store = Store.open(options(1));
                StoreClient client = store.client("reads", push -> {})) {
            assertThat(call(client, "KEYS", "*")).isEqualTo(new Reply.Array(List.of(bulk("after"))));
        }
    }

    @Test
    void twoStoresDoNotShareAFolder() throws Exception {
        try (Store store = Store.open(options(1))) {
            assertThat(store.port()).isEqualTo(-1);
            assertThatThrownBy(() -> Store.open(options(1)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("in use");
        }
    }

    @Test
    void refusesACorruptFolderAndLeavesItAsItWas() throws Exception {
        try (Store store = Store.open(options(1));
                StoreClient client = store.client("writes", push -> {})) {
            for (int i = 0; i < 100; i++) {
                call(client, "SET", "key" + i, "value");
            }
        }
        Path segment = only(name -> name.endsWith(".seg"));
        byte[] bytes = Files.readAllBytes(segment);
        bytes[bytes.length / 2] ^= 1;
        Files.write(segment, bytes);

        assertThatThrownBy(() -> Store.open(options(1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(segment.toString())
                .hasMessageContaining("./caisson store repair");
        assertThat(Files.readAllBytes(segment)).isEqualTo(bytes);
    }

    private Path only(Predicate<String> wanted) throws IOException {
        try (var files = Files.list(folder)) {
            return files.filter(file -> wanted.test(file.getFileName().toString()))
                    .reduce((a, b) -> {
                        throw new AssertionError("two of them: " + a + ", " + b);
                    })
                    .orElseThrow();
        }
    }
}
