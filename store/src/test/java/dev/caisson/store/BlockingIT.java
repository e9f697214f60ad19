package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.resp.Reply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that wait for elements, with one loop and with four. */
class BlockingIT {
    private static Store open(int loops) throws Exception {
        return Store.open(StoreOptions.defaults().port(0).loops(loops));
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static Reply array(Reply... elements) {
        return new Reply.Array(List.of(elements));
    }

    private static void waiting(Store store, int keys) {
        await().until(() -> store.figure(Figure.WAITED) == keys);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void takesWhatIsThereInTheOrderOfItsKeys(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.call("RPUSH", "b", "1", "2");
            wire.call("RPUSH", "c", "3");
            assertThat(wire.call("BLPOP", "a", "b", "c", "0")).isEqualTo(array(bulk("b"), bulk("1")));
            assertThat(wire.call("BRPOP", "a", "b", "c", "0")).isEqualTo(array(bulk("b"), bulk("2")));
            assertThat(wire.call("BLMOVE", "c", "d", "LEFT", "LEFT", "0")).isEqualTo(bulk("3"));
            assertThat(wire.call("LRANGE", "d", "0", "-1")).isEqualTo(array(bulk("3")));
            assertThat(wire.call("BLMPOP", "0", "2", "a", "d", "LEFT", "COUNT", "5"))
                    .isEqualTo(array(bulk("d"), array(bulk("3"))));
            assertThat(wire.call("DBSIZE")).isEqualTo(new Reply.Int(0));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void theFirstToWaitIsTheFirstToBeServed(int loops) throws Exception {
        try (Store store = open(loops);
                Wire one = new Wire(store.port());
                Wire two = new Wire(store.port());
                Wire three = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            one.send("BLPOP", "x", "key", "0");
            waiting(store, 2);
            two.send("BLPOP", "key", "y", "0");
            waiting(store, 3);
            three.send("BLMOVE", "key", "elsewhere", "RIGHT", "LEFT", "0");
            await().until(() -> ((Reply.Int) writer.call("EXISTS", "key")).value() == 0);
            // all three wait on "key"; which is no new key, so ask the store itself
            await().until(() -> new String(
                            ((Reply.Bulk) writer.call("INFO", "clients")).bytes(), StandardCharsets.ISO_8859_1)
                    .contains("blocked_clients:3"));
            assertThat(writer.call("RPUSH", "key", "1", "2", "3", "4")).isEqualTo(new Reply.Int(4));
            assertThat(one.read()).isEqualTo(array(bulk("key"), bulk("1")));
            assertThat(two.read()).isEqualTo(array(bulk("key"), bulk("2")));
            assertThat(three.read()).isEqualTo(bulk("4"));
            assertThat(writer.call("LRANGE", "key", "0", "-1")).isEqualTo(array(bulk("3")));
            assertThat(writer.call("LRANGE", "elsewhere", "0", "-1")).isEqualTo(array(bulk("4")));
            waiting(store, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void whoWaitsIsServedBeforeTheNextCommand(int loops) throws Exception {
        try (Store store = open(loops);
                Wire waiter = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            waiter.send("BLPOP", "key", "0");
            waiting(store, 1);
            writer.raw("RPUSH key a\r\nLPOP key\r\nMULTI\r\nRPUSH key b\r\nLPOP key\r\nEXEC\r\n");
            assertThat(writer.read()).isEqualTo(new Reply.Int(1));
            assertThat(writer.read()).as("the waiter had it").isInstanceOf(Reply.Nil.class);
            assertThat(waiter.read()).isEqualTo(array(bulk("key"), bulk("a")));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void waitingEndsWithTheTimeTheClientOrAnother(int loops) throws Exception {
        try (Store store = open(loops);
                Wire waiter = new Wire(store.port());
                Wire other = new Wire(store.port())) {
            assertThat(waiter.call("BLPOP", "a", "b", "0.05")).isInstanceOf(Reply.Nil.class);
            assertThat(waiter.call("BLMOVE", "a", "b", "LEFT", "LEFT", "0.05")).isInstanceOf(Reply.Nil.class);
            waiting(store, 0);
            long id = ((Reply.Int) waiter.call("CLIENT", "ID")).value();
            waiter.send("BLPOP", "a", "b", "0");
            waiting(store, 2);
            assertThat(other.call("CLIENT", "UNBLOCK", Long.toString(id), "ERROR"))
                    .isEqualTo(new Reply.Int(1));
            assertThat(waiter.read()).isEqualTo(new Reply.ErrorLine("UNBLOCKED client unblocked via CLIENT UNBLOCK"));
            assertThat(other.call("CLIENT", "UNBLOCK", Long.toString(id))).isEqualTo(new Reply.Int(0));
            waiting(store, 0);
            waiter.send("BLPOP", "a", "b", "0");
            waiting(store, 2);
            waiter.close();
            waiting(store, 0);
            assertThat(other.call("RPUSH", "a", "kept")).isEqualTo(new Reply.Int(1));
            assertThat(other.call("LLEN", "a")).isEqualTo(new Reply.Int(1));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void sortedSetsAndStreamsAreWaitedForToo(int loops) throws Exception {
        try (Store store = open(loops);
                Wire waiter = new Wire(store.port());
                Wire reader = new Wire(store.port());
                Wire writer = new Wire(store.port())) {
            waiter.send("BZPOPMIN", "z", "other", "0");
            waiting(store, 2);
            writer.call("RPUSH", "other", "of another type");
            writer.call("ZADD", "z", "2", "b", "1", "a");
            assertThat(waiter.read()).isEqualTo(array(bulk("z"), bulk("a"), bulk("1")));
            waiting(store, 0);
            writer.call("XADD", "s", "1-1", "f", "before");
            waiter.send("XREAD", "BLOCK", "0", "STREAMS", "s", "t", "$", "$");
            reader.send("XREAD", "BLOCK", "0", "COUNT", "1", "STREAMS", "s", "1-1");
            await().until(() -> new String(
                            ((Reply.Bulk) writer.call("INFO", "clients")).bytes(), StandardCharsets.ISO_8859_1)
                    .contains("blocked_clients:2"));
            writer.call("XADD", "s", "2-1", "f", "v");
            Reply entry = array(bulk("s"), array(array(bulk("2-1"), array(bulk("f"), bulk("v")))));
            assertThat(waiter.read()).isEqualTo(array(entry));
            assertThat(reader.read()).as("both read it").isEqualTo(array(entry));
            assertThat(writer.call("XLEN", "s")).isEqualTo(new Reply.Int(2));
            waiting(store, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void withinATransactionNothingWaits(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.call("MULTI");
            wire.call("BLPOP", "a", "0");
            wire.call("RPUSH", "a", "1");
            wire.call("BLPOP", "a", "0");
            Reply.Array all = (Reply.Array) wire.call("EXEC");
            assertThat(all.elements().get(0)).isInstanceOf(Reply.Nil.class);
            assertThat(all.elements().get(2)).isEqualTo(array(bulk("a"), bulk("1")));
        }
    }

    /** Elements are pushed while clients wait, time out and leave: each element comes to exactly one, or stays. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void noElementIsLostOrGivenTwice(int loops) throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        int elements = 2_000;
        try (Store store = open(loops);
                StoreClient writer = store.client("writer", push -> {})) {
            List<CompletableFuture<Reply>> taken = new ArrayList<>();
            List<StoreClient> clients = new ArrayList<>();
            List<CompletableFuture<Reply>> pushed = new ArrayList<>();
            for (int i = 0; i < elements; i++) {
                if (random.nextInt(3) > 0) {
                    StoreClient client = store.client("waiter " + i, push -> {});
                    clients.add(client);
                    String key = "q" + random.nextInt(4);
                    taken.add(
                            random.nextBoolean()
                                    ? client.send(
                                            "BLPOP", key, "q" + random.nextInt(4), "0.0" + (1 + random.nextInt(9)))
                                    : client.send("BLMOVE", key, "done", "LEFT", "RIGHT", "0.02"));
                }
                pushed.add(writer.send("RPUSH", "q" + random.nextInt(4), "e" + i));
            }
            CompletableFuture.allOf(pushed.toArray(new CompletableFuture<?>[0])).get(60, TimeUnit.SECONDS);
            Set<String> seen = new HashSet<>();
            for (CompletableFuture<Reply> each : taken) {
                if (each.get(60, TimeUnit.SECONDS) instanceof Reply.Array array) {
                    assertThat(seen.add(text(array.elements().get(1))))
                            .as("seed %d", seed)
                            .isTrue();
                }
            }
            for (String left : List.of("q0", "q1", "q2", "q3", "done")) {
                Reply.Array array =
                        (Reply.Array) writer.send("LRANGE", left, "0", "-1").get(60, TimeUnit.SECONDS);
                for (Reply element : array.elements()) {
                    assertThat(seen.add(text(element))).as("seed %d", seed).isTrue();
                }
            }
            assertThat(seen).as("seed %d", seed).hasSize(elements);
            clients.forEach(StoreClient::close);
            waiting(store, 0);
        }
    }

    private static String text(Reply reply) {
        return new String(((Reply.Bulk) reply).bytes(), StandardCharsets.ISO_8859_1);
    }
}
