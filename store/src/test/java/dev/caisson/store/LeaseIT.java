package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.resp.Reply;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Leases, with one loop and with four, in a time that the test moves. */
class LeaseIT {
    private final AtomicLong millis = new AtomicLong(1_000);

    private Store open(int loops) throws Exception {
        return Store.open(StoreOptions.defaults().port(0).loops(loops).monotonicClock(millis::get));
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String text(Reply reply) {
        return new String(((Reply.Bulk) reply).bytes(), StandardCharsets.ISO_8859_1);
    }

    private static final Reply OK = new Reply.Simple("OK");

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void allThatHangsOnALeaseGoesWithIt(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            String id = text(wire.call("LEASE.GRANT", "5000"));
            for (int i = 0; i < 20; i++) {
                assertThat(wire.call("SET", "leased" + i, "v", "LEASE", id)).isEqualTo(OK);
                assertThat(wire.call("SET", "free" + i, "v")).isEqualTo(OK);
            }
            assertThat(wire.call("LEASE.HSET", id, "hash", "f", "1", "g", "2")).isEqualTo(new Reply.Int(2));
            millis.addAndGet(4_999);
            assertThat(wire.call("LEASE.TTL", id))
                    .isEqualTo(new Reply.Array(List.of(new Reply.Int(1), new Reply.Int(5000))));
            assertThat(wire.call("LEASE.KEEPALIVE", id)).isEqualTo(new Reply.Int(5000));
            millis.addAndGet(4_999);
            assertThat(wire.call("EXISTS", "leased3", "hash")).isEqualTo(new Reply.Int(2));
            millis.addAndGet(1);
            assertThat(((Reply.ErrorLine) wire.call("LEASE.KEEPALIVE", id)).line())
                    .startsWith("NOLEASE ");
            await().untilAsserted(() -> assertThat(wire.call("DBSIZE")).isEqualTo(new Reply.Int(20)));
            assertThat(wire.call("LEASE.LIST")).isEqualTo(new Reply.Array(List.of()));
            assertThat(store.figure(Figure.LEASES)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void revokingTellsHowManyWent(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            assertThat(wire.call("LEASE.GRANT", "5000", "ID", "mine")).isEqualTo(bulk("mine"));
            assertThat(((Reply.ErrorLine) wire.call("LEASE.GRANT", "5000", "ID", "mine")).line())
                    .contains("already");
            wire.call("MSET", "a", "1", "b", "2", "c", "3");
            assertThat(wire.call("LEASE.ATTACH", "mine", "a")).isEqualTo(new Reply.Int(1));
            assertThat(wire.call("LEASE.ATTACH", "mine", "b")).isEqualTo(new Reply.Int(1));
            assertThat(wire.call("LEASE.ATTACH", "mine", "none")).isEqualTo(new Reply.ErrorLine("ERR no such key"));
            assertThat(wire.call("LEASE.HSET", "mine", "h", "f", "1")).isEqualTo(new Reply.Int(1));
            assertThat(wire.call("LEASE.REVOKE", "mine")).isEqualTo(new Reply.Int(3));
            assertThat(wire.call("EXISTS", "a", "b", "c", "h")).isEqualTo(new Reply.Int(1));
            assertThat(((Reply.ErrorLine) wire.call("LEASE.REVOKE", "mine")).line())
                    .isEqualTo("NOLEASE no such lease");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aNewValueOrANewNameDecidesWhatHangsOnALease(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port())) {
            wire.call("LEASE.GRANT", "5000", "ID", "mine");
            for (String key :
                    List.of("set", "keepttl", "persist", "del", "renamed", "copied", "incr", "append", "expire")) {
                wire.call("SET", key, "1", "LEASE", "mine");
            }
            wire.call("SET", "set", "2");
            wire.call("SET", "keepttl", "2", "KEEPTTL");
            assertThat(wire.call("PERSIST", "persist")).isEqualTo(new Reply.Int(1));
            wire.call("DEL", "del");
            wire.call("SET", "del", "again");
            wire.call("RENAME", "renamed", "carried");
            wire.call("COPY", "copied", "copy");
            wire.call("INCR", "incr");
            wire.call("APPEND", "append", "x");
            wire.call("EXPIRE", "expire", "1000");
            wire.call("LEASE.REVOKE", "mine");
            for (String stays : List.of("set", "persist", "del", "copy")) {
                assertThat(wire.call("EXISTS", stays)).as(stays).isEqualTo(new Reply.Int(1));
            }
            for (String gone : List.of("keepttl", "renamed", "carried", "copied", "incr", "append", "expire")) {
                assertThat(wire.call("EXISTS", gone)).as(gone).isEqualTo(new Reply.Int(0));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void whoWatchesHearsOfTheEndOfALeaseOnce(int loops) throws Exception {
        try (Store store = open(loops);
                Wire wire = new Wire(store.port());
                Wire watcher = new Wire(store.port())) {
            watcher.call("HELLO", "3");
            wire.call("LEASE.GRANT", "5000", "ID", "mine");
            wire.call("SET", "a", "1", "LEASE", "mine");
            wire.call("SET", "b", "1", "LEASE", "mine");
            watcher.call("MGET.WATCH", "a", "b");
            millis.addAndGet(5_000);
            Reply.Push push = (Reply.Push) watcher.read();
            assertThat(((Reply.Array) push.elements().getLast()).elements())
                    .as("both at once")
                    .allMatch(each -> each instanceof Reply.Nil);
        }
    }
}
