package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.engine.Settings.Eviction;
import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.resp.Reply;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the store does when its memory is used up, and whether it knows how much it uses. */
class MemoryIT {
    private static final int MIB = 1 << 20;
    private static final String VALUE = "x".repeat(10_000);

    private static Store open(int loops, Eviction eviction) throws Exception {
        return Store.open(StoreOptions.defaults()
                .port(0)
                .loops(loops)
                .maxMemoryBytes(8 * MIB)
                .eviction(eviction));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void refusesWritesAndServesTheRest(int loops) throws Exception {
        try (Store store = open(loops, Eviction.NOEVICTION);
                Wire wire = new Wire(store.port())) {
            int stored = 0;
            Reply reply;
            do {
                reply = wire.call("SET", "key" + stored, VALUE);
                stored++;
            } while (reply.equals(new Reply.Simple("OK")) && stored < 10_000);
            assertThat(reply).isEqualTo(new Reply.ErrorLine("OOM command not allowed when used memory > 'maxmemory'."));
            assertThat(stored).isBetween(600, 850);
            assertThat(((Reply.Bulk) wire.call("GET", "key0")).bytes()).hasSize(10_000);
            for (int i = 0; i < 50; i++) {
                assertThat(wire.call("DEL", "key" + i)).isEqualTo(new Reply.Int(1));
            }
            await().until(() -> wire.call("SET", "key0", VALUE).equals(new Reply.Simple("OK")));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"ALLKEYS_LRU", "ALLKEYS_RANDOM"})
    void evictsFromAllKeys(Eviction eviction) throws Exception {
        for (int loops : new int[] {1, 4}) {
            try (Store store = open(loops, eviction);
                    Wire wire = new Wire(store.port())) {
                for (int i = 0; i < 3_000; i++) {
                    assertThat(wire.call("SET", "key" + i, VALUE)).isEqualTo(new Reply.Simple("OK"));
                }
                await().until(() -> store.figure(Figure.MEMORY) <= 8 * MIB + 64 * 1024L);
                assertThat(store.figure(Figure.EVICTED)).isGreaterThan(1_000);
                assertThat(store.figure(Figure.KEYS) + store.figure(Figure.EVICTED))
                        .isEqualTo(3_000);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"VOLATILE_LRU,1", "VOLATILE_LRU,4", "VOLATILE_TTL,1", "VOLATILE_TTL,4", "VOLATILE_RANDOM,1"})
    void evictsOnlyWhatExpiresAnyway(Eviction eviction, int loops) throws Exception {
        try (Store store = open(loops, eviction);
                Wire wire = new Wire(store.port())) {
            for (int i = 0; i < 200; i++) {
                wire.call("SET", "stays" + i, VALUE);
            }
            for (int i = 0; i < 2_000; i++) {
                wire.call("SET", "goes" + i, VALUE, "EX", "1000");
            }
            assertThat(store.figure(Figure.EVICTED)).isGreaterThan(500);
            for (int i = 0; i < 200; i++) {
                assertThat(wire.call("EXISTS", "stays" + i)).isEqualTo(new Reply.Int(1));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void aRequestTooLargeForTheRestEndsItsConnectionOnly(int loops) throws Exception {
        try (Store store = open(loops, Eviction.NOEVICTION);
                Wire large = new Wire(store.port());
                Wire other = new Wire(store.port())) {
            other.call("SET", "a", "1");
            assertThatThrownBy(() -> {
                        large.raw("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200000000\r\n");
                        String part = "x".repeat(MIB);
                        for (int i = 0; i < 200; i++) {
                            large.raw(part);
                        }
                        large.read();
                        large.read();
                    })
                    .isInstanceOf(IOException.class);
            assertThat(other.call("EXISTS", "a", "k")).isEqualTo(new Reply.Int(1));
            await().until(() -> store.budget().bufferBytes() < MIB);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void knowsHowMuchItUses(int loops) throws Exception {
        try (Store store = Store.open(StoreOptions.defaults().loops(loops).maxMemoryBytes(0));
                StoreClient client = store.client("fills", push -> {})) {
            long before = heapBytes();
            String value = "v".repeat(64);
            for (int i = 0; i < 200_000; i += 20_000) {
                CompletableFuture<?>[] replies = new CompletableFuture<?>[20_000];
                for (int k = 0; k < replies.length; k++) {
                    replies[k] = client.send("SET", "key:" + (100_000_000 + i + k), value, "EX", "100000");
                }
                CompletableFuture.allOf(replies).join();
            }
            await().until(() -> store.figure(Figure.KEYS) == 200_000);
            long more = heapBytes() - before;
            assertThat(store.figure(Figure.MEMORY) / (double) more).isBetween(0.85, 1.15);
        }
    }

    /** Heap in use after collections have come to rest. */
    private static long heapBytes() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
