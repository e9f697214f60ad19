package dev.caisson.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.resp.Reply;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Channels, patterns and keyspace notifications, with one loop and with four. */
class PubSubIT {
    private static Store open(int loops) throws IOException {
        return Store.open(StoreOptions.defaults().port(0).loops(loops));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void messagesReachSubscribersInOrder(int loops) throws Exception {
        try (Store store = open(loops);
                Wire publisher = new Wire(store.port());
                Wire one = new Wire(store.port());
                Wire two = new Wire(store.port())) {
            assertThat(one.call("SUBSCRIBE", "a", "b")).isEqualTo(array("subscribe", "a", 1));
            assertThat(one.read()).isEqualTo(array("subscribe", "b", 2));
            two.call("HELLO", "3");
            assertThat(two.call("PSUBSCRIBE", "a*")).isEqualTo(push("psubscribe", "a*", 1));
            assertThat(two.call("SUBSCRIBE", "a")).isEqualTo(push("subscribe", "a", 2));
            for (int i = 0; i < 300; i++) {
                assertThat(publisher.call("PUBLISH", "a", "m" + i)).isEqualTo(new Reply.Int(3));
            }
            assertThat(publisher.call("PUBLISH", "abc", "other")).isEqualTo(new Reply.Int(1));
            assertThat(publisher.call("PUBLISH", "nobody", "x")).isEqualTo(new Reply.Int(0));
            for (int i = 0; i < 300; i++) {
                assertThat(one.read()).isEqualTo(array("message", "a", "m" + i));
                assertThat(two.read()).isEqualTo(push("message", "a", "m" + i));
                assertThat(two.read()).isEqualTo(push("pmessage", "a*", "a", "m" + i));
            }
            assertThat(two.read()).isEqualTo(push("pmessage", "a*", "abc", "other"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void nothingFollowsTheEndOfASubscription(int loops) throws Exception {
        try (Store store = open(loops);
                Wire publisher = new Wire(store.port());
                Wire wire = new Wire(store.port())) {
            wire.call("HELLO", "3");
            wire.call("SUBSCRIBE", "a");
            for (int i = 0; i < 100; i++) {
                publisher.send("PUBLISH", "a", "m" + i);
            }
            wire.send("UNSUBSCRIBE", "a");
            wire.send("PING");
            Reply reply = wire.read();
            while (reply instanceof Reply.Push push
                    && push.elements().getFirst().equals(bulk("message"))) {
                reply = wire.read();
            }
            assertThat(reply).isEqualTo(push("unsubscribe", "a", 0));
            assertThat(wire.read()).isEqualTo(new Reply.Simple("PONG"));
            assertThat(publisher.call("PUBSUB", "NUMPAT")).isNotNull();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void allAreUnsubscribedAtOnce(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            assertThat(wire.call("UNSUBSCRIBE"))
                    .isEqualTo(new Reply.Array(List.of(bulk("unsubscribe"), Reply.NIL, new Reply.Int(0))));
            assertThat(wire.call("PUNSUBSCRIBE", "x")).isEqualTo(array("punsubscribe", "x", 0));
            wire.call("SUBSCRIBE", "a");
            wire.call("SUBSCRIBE", "b");
            wire.call("PSUBSCRIBE", "c*");
            assertThat(wire.call("UNSUBSCRIBE")).isEqualTo(array("unsubscribe", "a", 2));
            assertThat(wire.read()).isEqualTo(array("unsubscribe", "b", 1));
            assertThat(wire.call("PUNSUBSCRIBE")).isEqualTo(array("punsubscribe", "c*", 0));
            assertThat(wire.call("GET", "k")).isEqualTo(Reply.NIL);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aResp2SubscriberMayDoLittleElse(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.call("SUBSCRIBE", "a");
            assertThat(wire.call("GET", "k"))
                    .isEqualTo(new Reply.ErrorLine(
                            "ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are"
                                    + " allowed in this context"));
            assertThat(wire.call("PING")).isEqualTo(array("pong", ""));
            assertThat(wire.call("PING", "x")).isEqualTo(array("pong", "x"));
            assertThat(wire.call("RESET")).isEqualTo(new Reply.Simple("RESET"));
            assertThat(wire.call("GET", "k")).isEqualTo(Reply.NIL);
            assertThat(store.server().audience().size(false)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aClientHearsItselfAfterItsReply(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.call("HELLO", "3");
            wire.call("SUBSCRIBE", "foo");
            wire.call("SUBSCRIBE", "bar");
            assertThat(wire.call("PUBLISH", "foo", "vaz")).isEqualTo(new Reply.Int(1));
            assertThat(wire.read()).isEqualTo(push("message", "foo", "vaz"));
            wire.call("MULTI");
            wire.call("PUBLISH", "foo", "one");
            wire.call("UNSUBSCRIBE", "bar");
            wire.call("PING", "x");
            assertThat(wire.call("EXEC"))
                    .isEqualTo(new Reply.Array(List.of(new Reply.Int(1), push("unsubscribe", "bar", 1), bulk("x"))));
            assertThat(wire.read()).isEqualTo(push("message", "foo", "one"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void shardChannelsAreApart(int loops) throws Exception {
        try (Store store = open(loops);
                Wire publisher = new Wire(store.port());
                Wire wire = new Wire(store.port())) {
            assertThat(wire.call("SSUBSCRIBE", "a")).isEqualTo(array("ssubscribe", "a", 1));
            assertThat(wire.call("SUBSCRIBE", "b")).isEqualTo(array("subscribe", "b", 1));
            assertThat(publisher.call("PUBLISH", "a", "x")).isEqualTo(new Reply.Int(0));
            assertThat(publisher.call("SPUBLISH", "a", "y")).isEqualTo(new Reply.Int(1));
            assertThat(wire.read()).isEqualTo(array("smessage", "a", "y"));
            assertThat(publisher.call("PUBSUB", "SHARDCHANNELS")).isEqualTo(array("a"));
            assertThat(publisher.call("PUBSUB", "CHANNELS", "b*")).isEqualTo(array("b"));
            assertThat(publisher.call("PUBSUB", "SHARDNUMSUB", "a", "z")).isEqualTo(array("a", 1, "z", 0));
            assertThat(publisher.call("PUBSUB", "NUMSUB", "a", "b")).isEqualTo(array("a", 0, "b", 1));
            assertThat(wire.call("SUNSUBSCRIBE")).isEqualTo(array("sunsubscribe", "a", 0));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void manySubscribersAllHearAll(int loops) throws Exception {
        int subscribers = 700;
        int messages = 20;
        try (Store store = open(loops);
                Wire publisher = new Wire(store.port())) {
            List<Queue<Reply>> heard = new ArrayList<>();
            List<StoreClient> clients = new ArrayList<>();
            for (int i = 0; i < subscribers; i++) {
                Queue<Reply> queue = new ConcurrentLinkedQueue<>();
                heard.add(queue);
                StoreClient client = store.client("subscriber", queue::add);
                clients.add(client);
                assertThat(client.send("SUBSCRIBE", "a", "b").get(30, TimeUnit.SECONDS))
                        .isEqualTo(new Reply.Array(List.of(array("subscribe", "a", 1), array("subscribe", "b", 2))));
            }
            List<Reply> expected = new ArrayList<>();
            for (int i = 0; i < messages; i++) {
                publisher.call("PUBLISH", i % 2 == 0 ? "a" : "b", "m" + i);
                expected.add(push("message", i % 2 == 0 ? "a" : "b", "m" + i));
            }
            await().until(() -> heard.stream().allMatch(queue -> queue.size() == messages));
            assertThat(heard).allSatisfy(queue -> assertThat(List.copyOf(queue)).isEqualTo(expected));
            clients.forEach(StoreClient::close);
            await().until(() -> store.server().audience().size(false) == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void nothingIsLeftOfSubscribersThatAreGone(int loops) throws Exception {
        try (Store store = open(loops)) {
            for (int i = 0; i < 50; i++) {
                try (Wire wire = new Wire(store.port())) {
                    wire.call("SUBSCRIBE", "a", "b" + i);
                    wire.send("PSUBSCRIBE", "p" + i);
                }
            }
            await().until(() -> store.connections() == 0
                    && store.server().audience().size(false) == 0
                    && store.server().audience().size(true) == 0);
            assertThat(store.server().sessions()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aSubscriberThatDoesNotReadIsClosed(int loops) throws Exception {
        String message = "x".repeat(1 << 20);
        try (Store store = open(loops);
                Wire publisher = new Wire(store.port());
                Wire lazy = new Wire(store.port())) {
            lazy.call("SUBSCRIBE", "a");
            await().until(() -> ((Reply.Int) publisher.call("PUBLISH", "a", message)).value() == 0);
            assertThat(store.server().laggards()).isEqualTo(1);
            assertThatThrownBy(() -> {
                        while (true) {
                            lazy.read();
                        }
                    })
                    .isInstanceOf(IOException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void changesOfKeysArePublished(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire listener = new Wire(store.port())) {
            listener.call("HELLO", "3");
            listener.call("PSUBSCRIBE", "__key*");
            wire.call("SET", "silent", "1");
            wire.call("CONFIG", "SET", "notify-keyspace-events", "KEg$");
            assertThat(wire.call("CONFIG", "GET", "notify-keyspace-events"))
                    .isEqualTo(array("notify-keyspace-events", "g$KE"));
            wire.call("SET", "foo", "1");
            assertThat(listener.read()).isEqualTo(push("pmessage", "__key*", "__keyspace@0__:foo", "set"));
            assertThat(listener.read()).isEqualTo(push("pmessage", "__key*", "__keyevent@0__:set", "foo"));
            wire.call("CONFIG", "SET", "notify-keyspace-events", "Kg");
            wire.call("SET", "foo", "2");
            wire.call("DEL", "foo");
            assertThat(listener.read()).isEqualTo(push("pmessage", "__key*", "__keyspace@0__:foo", "del"));
            wire.call("CONFIG", "SET", "notify-keyspace-events", "KEA");
            assertThat(wire.call("CONFIG", "GET", "notify-keyspace-events"))
                    .isEqualTo(array("notify-keyspace-events", "AKE"));
            wire.call("CONFIG", "SET", "notify-keyspace-events", "Enm");
            wire.call("GET", "foo");
            wire.call("SET", "foo", "1");
            wire.call("SET", "foo", "2");
            assertThat(listener.read()).isEqualTo(push("pmessage", "__key*", "__keyevent@0__:keymiss", "foo"));
            assertThat(listener.read()).isEqualTo(push("pmessage", "__key*", "__keyevent@0__:new", "foo"));
            wire.call("CONFIG", "SET", "notify-keyspace-events", "Ex");
            wire.call("SET", "gone", "1", "PX", "1");
            assertThat(listener.read()).isEqualTo(push("pmessage", "__key*", "__keyevent@0__:expired", "gone"));
            assertThat(wire.call("CONFIG", "SET", "notify-keyspace-events", "Q"))
                    .isEqualTo(new Reply.ErrorLine(
                            "ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event"
                                    + " class character. Use 'Ag$lshzxeKEtmdn'."));
        }
    }

    // ---- replies

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(ISO_8859_1));
    }

    private static List<Reply> replies(Object... elements) {
        List<Reply> replies = new ArrayList<>();
        for (Object each : elements) {
            replies.add(each instanceof Integer number ? new Reply.Int(number) : bulk((String) each));
        }
        return replies;
    }

    private static Reply array(Object... elements) {
        return new Reply.Array(replies(elements));
    }

    private static Reply push(Object... elements) {
        return new Reply.Push(replies(elements));
    }
}
