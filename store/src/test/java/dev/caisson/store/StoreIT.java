package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.scope.Scope;
import dev.caisson.store.resp.Reply;
import java.io.EOFException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The store on a socket and in process, with one loop and with four. */
class StoreIT {
    private static Store open(int loops) throws Exception {
        return Store.open(StoreOptions.defaults().port(0).loops(loops));
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void setsAndGets(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            for (int i = 0; i < 100; i++) {
                assertThat(wire.call("SET", "key" + i, "value" + i)).isEqualTo(new Reply.Simple("OK"));
            }
            for (int i = 0; i < 100; i++) {
                assertThat(wire.call("GET", "key" + i)).isEqualTo(bulk("value" + i));
            }
            assertThat(wire.call("DBSIZE")).isEqualTo(new Reply.Int(100));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void repliesToAPipelineComeInOrder(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            StringBuilder all = new StringBuilder();
            List<Reply> expected = new ArrayList<>();
            for (int i = 0; i < 5_000; i++) {
                String key = "k" + i % 97;
                all.append(new String(Wire.request("SET", key, "v" + i), java.nio.charset.StandardCharsets.ISO_8859_1));
                expected.add(new Reply.Simple("OK"));
                all.append(new String(Wire.request("GET", key), java.nio.charset.StandardCharsets.ISO_8859_1));
                expected.add(bulk("v" + i));
                if (i % 50 == 0) {
                    all.append("PING\r\n");
                    expected.add(new Reply.Simple("PONG"));
                    all.append(new String(
                            Wire.request("MGET", "k0", "k1", key), java.nio.charset.StandardCharsets.ISO_8859_1));
                    expected.add(null); // anything, but in its place
                }
                if (i % 70 == 0) {
                    all.append("NOSUCH a b\r\n");
                    expected.add(
                            new Reply.ErrorLine("ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' "));
                }
            }
            Thread.ofVirtual().name("writes").start(() -> {
                try {
                    wire.raw(all.toString());
                } catch (java.io.IOException closed) {
                    throw new java.io.UncheckedIOException(closed);
                }
            });
            for (Reply each : expected) {
                Reply got = wire.read();
                if (each == null) {
                    assertThat(got).isInstanceOf(Reply.Array.class);
                } else {
                    assertThat(got).isEqualTo(each);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void commandsOverSeveralShardsAreAtomic(int loops) throws Exception {
        int keys = 16;
        int rounds = 400;
        String[] set = new String[1 + 2 * keys];
        String[] get = new String[1 + keys];
        set[0] = "MSET";
        get[0] = "MGET";
        for (int i = 0; i < keys; i++) {
            set[1 + 2 * i] = "key" + i;
            get[1 + i] = "key" + i;
        }
        try (Store store = open(loops);
                StoreClient one = store.client("one", push -> {});
                StoreClient two = store.client("two", push -> {});
                StoreClient reader = store.client("reader", push -> {})) {
            List<CompletableFuture<Reply>> writes = new ArrayList<>();
            List<CompletableFuture<Reply>> reads = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                for (StoreClient client : List.of(one, two)) {
                    for (int i = 0; i < keys; i++) {
                        set[2 + 2 * i] = "v" + round + (client == one ? "a" : "b");
                    }
                    writes.add(client.send(set.clone()));
                }
                reads.add(reader.send(get.clone()));
            }
            for (CompletableFuture<Reply> write : writes) {
                assertThat(write.get(60, TimeUnit.SECONDS)).isEqualTo(new Reply.Simple("OK"));
            }
            for (CompletableFuture<Reply> read : reads) {
                assertThat(((Reply.Array) read.get(60, TimeUnit.SECONDS))
                                .elements().stream().distinct())
                        .hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aTransactionFailsIfAWatchedKeyChanged(int loops) throws Exception {
        try (Store store = open(loops);
                Wire one = new Wire(store.port());
                Wire two = new Wire(store.port())) {
            one.call("MSET", "a", "1", "b", "2", "c", "3");
            one.call("WATCH", "a", "b", "c");
            one.call("MULTI");
            assertThat(one.call("INCR", "a")).isEqualTo(new Reply.Simple("QUEUED"));
            assertThat(one.call("INCR", "b")).isEqualTo(new Reply.Simple("QUEUED"));
            two.call("SET", "c", "4");
            assertThat(one.call("EXEC")).isInstanceOf(Reply.Nil.class);
            one.call("WATCH", "a");
            one.call("MULTI");
            one.call("INCR", "a");
            one.call("INCR", "b");
            assertThat(one.call("EXEC")).isEqualTo(new Reply.Array(List.of(new Reply.Int(2), new Reply.Int(3))));
            assertThat(one.call("MGET", "a", "b", "c"))
                    .isEqualTo(new Reply.Array(List.of(bulk("2"), bulk("3"), bulk("4"))));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void nothingWatchedIsLeftByAConnectionThatEnds(int loops) throws Exception {
        try (Store store = open(loops)) {
            try (Wire wire = new Wire(store.port())) {
                wire.call("WATCH", "a", "b", "c", "d", "e", "f");
            }
            org.awaitility.Awaitility.await()
                    .until(() -> store.connections() == 0
                            && store.figure(dev.caisson.store.engine.Shard.Figure.WATCHED) == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void badBytesCloseTheirConnectionOnly(int loops) throws Exception {
        try (Store store = open(loops);
                Wire bad = new Wire(store.port());
                Wire good = new Wire(store.port());
                Wire http = new Wire(store.port())) {
            bad.raw("GET a\r\nGET b\r\nGET c\r\n*1\r\nPING\r\n");
            for (int i = 0; i < 3; i++) {
                assertThat(bad.read()).isEqualTo(Reply.NIL);
            }
            assertThat(bad.read()).isEqualTo(new Reply.ErrorLine("ERR Protocol error: expected '$', got 'P'"));
            assertThatThrownBy(bad::read).isInstanceOf(EOFException.class);
            http.raw("POST / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThatThrownBy(http::read).isInstanceOf(java.io.IOException.class);
            assertThat(good.call("PING")).isEqualTo(new Reply.Simple("PONG"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aReplyThatFillsTheChannelIsSentOnce(int loops) throws Exception {
        String large = "x".repeat(3_000_000);
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.call("SET", "k", large);
            for (int i = 1; i <= 5; i++) {
                wire.raw("GET k\r\nINCR n\r\n");
                assertThat(wire.read()).isEqualTo(bulk(large));
                assertThat(wire.read()).isEqualTo(new Reply.Int(i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void quitAnswersAndCloses(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.raw("SET a 1\r\nGET a\r\nQUIT\r\nGET a\r\n");
            assertThat(wire.read()).isEqualTo(new Reply.Simple("OK"));
            assertThat(wire.read()).isEqualTo(bulk("1"));
            assertThat(wire.read()).isEqualTo(new Reply.Simple("OK"));
            assertThatThrownBy(wire::read).isInstanceOf(EOFException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void endsWithTheScopeThatOwnsIt(int loops) throws Exception {
        Wire wire;
        StoreClient client;
        try (Scope app = Scope.open("app")) {
            Store store = app.own(open(loops));
            client = store.client("of the store", push -> {});
            wire = new Wire(store.port());
            assertThat(wire.call("PING")).isEqualTo(new Reply.Simple("PONG"));
        }
        try (wire) {
            assertThatThrownBy(wire::read).isInstanceOf(java.io.IOException.class);
            assertThat(client.send("PING")).failsWithin(java.time.Duration.ofSeconds(10));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void closesInTheMiddleOfRequests(int loops) throws Exception {
        try (Store store = open(loops)) {
            StoreClient client = store.client("many", push -> {});
            List<CompletableFuture<Reply>> replies = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                replies.add(client.send("MSET", "a" + i, "1", "b" + i, "2", "c" + i, "3"));
            }
            store.close();
            for (CompletableFuture<Reply> reply : replies) {
                assertThat(reply.handle((got, failed) ->
                                        failed == null || failed instanceof java.nio.channels.ClosedChannelException)
                                .get(30, TimeUnit.SECONDS))
                        .isTrue();
            }
        }
    }
}
