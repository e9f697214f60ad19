package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.store.resp.Reply;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client that asks for much at once and does not read it. */
@NoLeaks
class LargeRepliesIT {
    private static final int LARGE = 64 << 10;
    private static final int ROUNDS = 1_000;
    private static final int MGET_EVERY = 500;

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void theyAreMadeAsTheyAreReadAndComeInOrder(int loops) throws Exception {
        try (Store store = Store.open(StoreOptions.defaults().port(0).loops(loops));
                Wire wire = new Wire(store.port())) {
            for (int i = 0; i < 16; i++) {
                wire.call("SETRANGE", "large" + i, String.valueOf(LARGE - 1), "x");
            }
            StringBuilder all = new StringBuilder();
            for (int i = 0; i < ROUNDS; i++) {
                all.append("GET large").append(i % 16).append("\r\n");
                all.append("INCR counter").append(i % 5).append("\r\n");
                all.append("INCR single\r\n");
                if (i % MGET_EVERY == MGET_EVERY - 1) {
                    all.append("MGET counter0 counter1 counter2 counter3 counter4\r\n");
                }
            }
            Thread writer = Thread.ofVirtual().name("writes").start(() -> {
                try {
                    wire.raw(all.toString());
                } catch (IOException closed) {
                    throw new java.io.UncheckedIOException(closed);
                }
            });
            long[] held = {0, 0};
            await().pollInterval(Duration.ofMillis(200)).until(() -> {
                held[1] = held[0];
                held[0] = store.budget().bufferBytes();
                return held[0] > LARGE && held[0] == held[1]; // nothing moves until the client reads
            });
            assertThat(held[0])
                    .as("held for a client that reads nothing, bytes")
                    .isLessThan(4L << 20);
            int[] counters = new int[5];
            for (int i = 0; i < ROUNDS; i++) {
                assertThat(((Reply.Bulk) wire.read()).bytes()).hasSize(LARGE);
                assertThat(wire.read()).isEqualTo(new Reply.Int(++counters[i % 5]));
                assertThat(wire.read()).isEqualTo(new Reply.Int(i + 1));
                if (i % MGET_EVERY == MGET_EVERY - 1) {
                    Reply.Array seen = (Reply.Array) wire.read();
                    for (int k = 0; k < counters.length; k++) {
                        assertThat(seen.elements().get(k)).isEqualTo(counted(counters[k]));
                    }
                }
            }
            writer.join();
        }
    }

    /** A write that clogs the channel and is flushed at once unclogs it before it returns. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void oneThatClogsTheChannelForAMomentComesOnce(int loops) throws Exception {
        try (Store store = Store.open(StoreOptions.defaults().port(0).loops(loops));
                Wire wire = new Wire(store.port())) {
            wire.socket().setReceiveBufferSize(8 << 20);
            for (int length = 1 << 20; length < 5 << 20; length += 200_000) {
                for (int i = 0; i < 4; i++) {
                    String key = "key" + i;
                    wire.call("SETRANGE", key, String.valueOf(length - 1), "x");
                    assertThat(((Reply.Bulk) wire.call("GET", key)).bytes()).hasSize(length);
                    assertThat(wire.call("ECHO", key))
                            .isEqualTo(new Reply.Bulk(key.getBytes(StandardCharsets.US_ASCII)));
                }
            }
        }
    }

    private static Reply counted(int counter) {
        return counter == 0
                ? new Reply.Nil()
                : new Reply.Bulk(String.valueOf(counter).getBytes(StandardCharsets.US_ASCII));
    }
}
