package dev.caisson.store.data;

import static dev.caisson.store.data.TableProperties.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TableTest {
    private static final int MANY = 300_000;

    private final Hashing hashing = new Hashing(11, 12);
    private final ByteTable table = new ByteTable(hashing, -1);

    /** What one operation costs is counted: slots moved, segments allocated, items compared. */
    @Test
    void neverWorksLongAtOneOperation() {
        long segment = 2 * HeapSizes.words(Table.SEGMENT_SLOTS);
        for (int i = 0; i < 2 * MANY; i++) {
            int remaining = table.remaining();
            long memory = table.memory();
            long buckets = table.buckets();
            table.comparisons = 0;
            if (i < MANY) {
                table.add(bytes("k" + i));
            } else {
                assertThat(table.remove(bytes("k" + (i - MANY)))).isNotNull();
            }
            assertThat(table.comparisons).isLessThan(4);
            if (table.remaining() > 0 && remaining > 0) {
                assertThat(remaining - table.remaining()).isBetween(Table.STEP_ITEMS, Table.STEP_SLOTS);
            }
            if (buckets > Table.SEGMENT_SLOTS && table.memory() > memory && table.buckets() == buckets) {
                assertThat(table.memory() - memory)
                        .as("one insert, eight moves")
                        .isLessThanOrEqualTo((1 + Table.STEP_ITEMS) * segment);
            }
        }
        assertThat(table.size()).isZero();
    }

    @Test
    void shrinksBackAfterAMassRemoval() {
        table.add(bytes("first"));
        table.remove(bytes("first"));
        long empty = table.memory();
        for (int i = 0; i < MANY; i++) {
            table.add(bytes("k" + i));
        }
        for (int i = 0; i < MANY; i++) {
            table.remove(bytes("k" + i));
        }
        while (table.rehashFor(1_000)) {
            table.verify();
        }
        assertThat(table.memory()).isEqualTo(empty);
        assertThat(table.isRehashing()).isFalse();
    }

    @Test
    void spendsAtMostTwentyTwoBytesAnItemOnceGrown() {
        for (int i = 0; i < MANY; i++) {
            table.add(bytes("k" + i));
        }
        while (table.rehashFor(1_000)) {
            table.verify();
        }
        assertThat(table.memory() / (double) MANY).isBetween(10.0, 22.0);
    }

    @Test
    void choosesEveryItemAsOftenAlsoWhileItRehashes() {
        int items = 100;
        int draws = 100_000;
        Random random = new Random(5);
        for (int i = 0; i < items; i++) {
            table.add(bytes("k" + i));
        }
        while (!table.isRehashing()) {
            table.add(bytes("extra" + table.size()));
        }
        Map<String, Integer> counts = new HashMap<>();
        for (int i = 0; i < draws; i++) {
            counts.merge(new String(table.random(random), StandardCharsets.ISO_8859_1), 1, Integer::sum);
        }
        double expected = draws / (double) table.size();
        double chi = counts.values().stream()
                .mapToDouble(count -> (count - expected) * (count - expected) / expected)
                .sum();
        assertThat(counts).hasSize(table.size());
        assertThat(chi).isLessThan(table.size() + 9 * Math.sqrt(2.0 * table.size()));
    }

    @Test
    void findsTheLastItemOfAnEmptiedTableAtRandom() {
        for (int i = 0; i < MANY; i++) {
            table.add(bytes("k" + i));
        }
        for (int i = 0; i < MANY - 1; i++) {
            table.remove(bytes("k" + i));
        }
        assertThat(table.random(new Random(1))).isEqualTo(bytes("k" + (MANY - 1)));
        table.clear();
        assertThat(table.random(new Random(1))).isNull();
        assertThat(table.size()).isZero();
    }

    @Test
    void acceptsAnyCursor() {
        for (int i = 0; i < 1_000; i++) {
            table.add(bytes("k" + i));
        }
        Random random = new Random(3);
        for (int i = 0; i < 1_000; i++) {
            long cursor = random.nextLong();
            int steps = 0;
            do {
                cursor = table.scan(cursor, item -> assertThat(item).isNotEmpty());
            } while (cursor != 0 && ++steps <= table.buckets());
            assertThat(cursor).isZero();
        }
    }

    @Test
    void refusesAPositionThatIsNoLongerOne() {
        table.add(bytes("k"));
        long position = table.locate(bytes("k"), 0, 1, hashing.hash(bytes("k"), 0, 1));
        table.removeAt(position);
        assertThatThrownBy(() -> table.removeAt(position)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> table.at(position | 1L << 32)).isInstanceOf(IllegalStateException.class);
    }
}
