package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.resp.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Watched queries, with one loop and with four. */
class WatchIT {
    private static Store open(int loops) throws Exception {
        return Store.open(StoreOptions.defaults().port(0).loops(loops));
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void emptyOf(Store store) {
        await().until(() -> store.figure(Figure.WATCHERS) == 0
                && store.figure(Figure.QUERIES) == 0
                && store.figure(Figure.WATCHED_KEYS) == 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void theFirstResultIsAnArrayAndLaterOnesArePushes(int loops) throws Exception {
        try (Store store = open(loops);
                Wire three = new Wire(store.port());
                Wire two = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            writer.call("SET", "k", "v");
            three.raw("HELLO 3\r\n");
            three.read();
            String head = "$3\r\nGET\r\n$16\r\n380d3c1e1f9803f0\r\n";
            three.send("GET.WATCH", "k");
            two.send("get.watch", "k");
            assertThat(three.bytes(4 + head.length() + 7)).isEqualTo("*3\r\n" + head + "$1\r\nv\r\n");
            assertThat(two.bytes(4 + head.length() + 7)).isEqualTo("*3\r\n" + head + "$1\r\nv\r\n");
            writer.call("SET", "k", "w");
            assertThat(three.bytes(4 + head.length() + 7)).isEqualTo(">3\r\n" + head + "$1\r\nw\r\n");
            assertThat(two.bytes(4 + head.length() + 7)).isEqualTo("*3\r\n" + head + "$1\r\nw\r\n");
            writer.call("DEL", "k");
            assertThat(three.bytes(4 + head.length() + 3)).isEqualTo(">3\r\n" + head + "_\r\n");
            assertThat(two.bytes(4 + head.length() + 5)).isEqualTo("*3\r\n" + head + "$-1\r\n");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void observeHasItsOwnSpelling(int loops) throws Exception {
        try (Store store = open(loops);
                Wire three = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            writer.call("SET", "k", "v");
            three.raw("HELLO 3\r\n");
            three.read();
            String head = "$7\r\nobserve\r\n$11\r\nfingerprint\r\n$16\r\n380d3c1e1f9803f0\r\n$6\r\nresult\r\n";
            three.send("OBSERVE", "GET", "k");
            assertThat(three.bytes(4 + head.length() + 7)).isEqualTo("*5\r\n" + head + "$1\r\nv\r\n");
            writer.call("SET", "k", "w");
            assertThat(three.bytes(4 + head.length() + 7)).isEqualTo(">5\r\n" + head + "$1\r\nw\r\n");
            assertThat(three.call("UNOBSERVE", "380d3c1e1f9803f0", "0000000000000000"))
                    .isEqualTo(new Reply.Int(1));
            assertThat(three.call("OBSERVE", "TTL", "k"))
                    .isEqualTo(
                            new Reply.ErrorLine("ERR TTL cannot be observed: its result changes with time or chance"));
            assertThat(three.call("OBSERVE", "SET", "k", "v"))
                    .isEqualTo(new Reply.ErrorLine("ERR SET cannot be observed: it changes keys"));
            emptyOf(store);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void nothingFollowsTheReplyToUnwatch(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            wire.raw("HELLO 3\r\n");
            wire.read();
            for (int i = 0; i < 200; i++) {
                wire.call("GET.WATCH", "k");
                writer.send("SET", "k", "v" + i);
                wire.send("GET.UNWATCH", "380d3c1e1f9803f0");
                Reply reply;
                while ((reply = wire.read()) instanceof Reply.Push) {
                    // told before it was ended
                }
                assertThat(reply).isEqualTo(new Reply.Simple("OK"));
                writer.read();
                assertThat(wire.call("PING")).isEqualTo(new Reply.Simple("PONG"));
            }
            assertThat(wire.call("GET.UNWATCH", "380d3c1e1f9803f0"))
                    .isEqualTo(new Reply.ErrorLine("ERR no such watch"));
            assertThat(((Reply.ErrorLine) wire.call("UNWATCH", "380d3c1e1f9803f0")).line())
                    .contains("GET.UNWATCH 380d3c1e1f9803f0");
            emptyOf(store);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void anExpiredKeyIsToldAsNull(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            writer.call("SET", "k", "v", "PX", "150");
            wire.raw("HELLO 3\r\n");
            wire.read();
            wire.call("GET.WATCH", "k");
            Reply.Push push = (Reply.Push) wire.read(); // nobody else touches the key
            assertThat(push.elements().getLast()).isInstanceOf(Reply.Nil.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void allKeysOfAQueryCount(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            wire.raw("HELLO 3\r\n");
            wire.read();
            String[] query = new String[21];
            query[0] = "MGET.WATCH";
            for (int i = 0; i < 20; i++) {
                query[1 + i] = "key" + i;
            }
            wire.call(query);
            for (int i = 0; i < 20; i++) {
                writer.call("SET", "key" + i, "x");
                Reply.Push push = (Reply.Push) wire.read();
                assertThat(((Reply.Array) push.elements().getLast())
                                .elements().stream().filter(each -> each.equals(bulk("x"))))
                        .hasSize(i + 1);
            }
            writer.call("FLUSHALL");
            Reply.Push push = (Reply.Push) wire.read();
            assertThat(((Reply.Array) push.elements().getLast()).elements())
                    .allMatch(each -> each instanceof Reply.Nil);
            wire.close();
            emptyOf(store);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void anUnchangedValueIsNotToldAndAWrongTypeIsAResult(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            wire.raw("HELLO 3\r\n");
            wire.read();
            writer.call("SET", "k", "v");
            wire.call("GET.WATCH", "k");
            wire.call("OBSERVE", "STRLEN", "k");
            writer.call("SET", "k", "v");
            writer.call("SET", "k", "w"); // same length: told to one only
            Reply.Push push = (Reply.Push) wire.read();
            assertThat(push.elements().getFirst()).isEqualTo(bulk("GET"));
            assertThat(wire.call("PING")).isEqualTo(new Reply.Simple("PONG"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aResultThatIsTooLargeEndsTheWatch(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            wire.raw("HELLO 3\r\n");
            wire.read();
            wire.call("GET.WATCH", "k");
            writer.call("SET", "k", "x".repeat((1 << 20) + 1));
            Reply.Push push = (Reply.Push) wire.read();
            assertThat(((Reply.ErrorLine) push.elements().getLast()).line()).contains("watch-max-result");
            emptyOf(store);
            assertThat(((Reply.ErrorLine) wire.call("GET.WATCH", "k")).line()).contains("watch-max-result");
            emptyOf(store);
        }
    }

    /**
     * Watchers join and leave while counters go up. Each must see numbers that only rise, from the first result on, and
     * the last value at the end: an update that is lost, or told before the result it follows, shows.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void noUpdateIsLost(int loops) throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        int keys = 8;
        int rounds = 300;
        try (Store store = open(loops)) {
            List<Queue<long[]>> seen = new ArrayList<>();
            List<StoreClient> clients = new ArrayList<>();
            StoreClient writer = store.client("writer", push -> {});
            List<CompletableFuture<Reply>> writes = new ArrayList<>();
            AtomicLong[] written = new AtomicLong[keys];
            for (int k = 0; k < keys; k++) {
                written[k] = new AtomicLong();
            }
            String[] both = {"MGET.WATCH", "n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"};
            for (int round = 0; round < rounds; round++) {
                if (round % 10 == 0) {
                    Queue<long[]> history = new ConcurrentLinkedQueue<>();
                    StoreClient client = store.client(
                            "watcher " + round, push -> history.add(numbers(((Reply.Push) push).elements())));
                    client.send(both).thenAccept(first -> history.add(numbers(((Reply.Array) first).elements())));
                    clients.add(client);
                    seen.add(history);
                }
                for (int i = random.nextInt(20); i >= 0; i--) {
                    int k = random.nextInt(keys);
                    written[k].incrementAndGet();
                    writes.add(writer.send("INCR", "n" + k));
                }
            }
            CompletableFuture.allOf(writes.toArray(new CompletableFuture<?>[0])).get(60, TimeUnit.SECONDS);
            long[] end = new long[keys];
            for (int k = 0; k < keys; k++) {
                end[k] = written[k].get();
            }
            for (Queue<long[]> history : seen) {
                await().untilAsserted(() ->
                        assertThat(last(history)).as("seed %d", seed).isEqualTo(end));
                long[] before = new long[keys];
                for (long[] now : history) {
                    for (int k = 0; k < keys; k++) {
                        assertThat(now[k]).as("seed %d", seed).isGreaterThanOrEqualTo(before[k]);
                    }
                    before = now;
                }
            }
            clients.forEach(StoreClient::close);
            writer.close();
            emptyOf(store);
        }
    }

    private static long[] last(Queue<long[]> history) {
        long[] last = new long[0];
        for (long[] each : history) {
            last = each;
        }
        return last;
    }

    private static long[] numbers(List<Reply> watched) {
        return ((Reply.Array) watched.getLast())
                .elements().stream()
                        .mapToLong(each -> each instanceof Reply.Bulk number
                                ? Long.parseLong(new String(number.bytes(), StandardCharsets.ISO_8859_1))
                                : 0)
                        .toArray();
    }
}
