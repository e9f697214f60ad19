package dev.caisson.store.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** {@link Table} against a {@link HashMap} over long random histories. jqwik prints the seed. */
class TableProperties {
    /** All bits; few, so that clusters are long; and one bit, so that all collide and the hash 0 occurs. */
    private static final int[] HASH_MASKS = {-1, 0x1f, 1, 0xffff0000};

    @Property(tries = 200)
    void behavesAsAMap(@ForAll long seed, @ForAll @IntRange(min = 0, max = 3) int masked) {
        Random random = new Random(seed);
        ByteTable table = new ByteTable(Hashing.seeded(random), HASH_MASKS[masked]);
        Map<String, byte[]> model = new HashMap<>();
        int range = masked == 0 ? 2_000 : 100;
        for (int phase = 0; phase < 6; phase++) {
            int addOf10 = random.nextInt(11); // phases that grow, shrink and hold
            for (int i = 0; i < range; i++) {
                String name = "k" + random.nextInt(range);
                byte[] key = bytes(name);
                switch (random.nextInt(4)) {
                    case 0 -> assertThat(table.find(key)).isSameAs(model.get(name));
                    case 1 -> {
                        byte[] former = table.replace(key);
                        assertThat(former).isSameAs(model.get(name));
                        if (former != null) {
                            model.put(name, key);
                        }
                    }
                    default -> {
                        if (random.nextInt(10) < addOf10) {
                            assertThat(table.add(key)).isEqualTo(model.putIfAbsent(name, key) == null);
                        } else {
                            assertThat(table.remove(key)).isSameAs(model.remove(name));
                        }
                    }
                }
                assertThat(table.size()).isEqualTo(model.size());
            }
            if (random.nextBoolean()) {
                table.rehashFor(random.nextInt(40));
            }
            table.verify();
            List<byte[]> visited = new ArrayList<>();
            table.forEach(visited::add);
            assertThat(visited).containsExactlyInAnyOrderElementsOf(model.values());
        }
    }

    /** While others come and go in masses, between any two steps of a scan, what stays is returned. */
    @Property(tries = 200)
    void scanReturnsWhateverStays(@ForAll long seed) {
        Random random = new Random(seed);
        ByteTable table = new ByteTable(Hashing.seeded(random), -1);
        int others = 1 << (4 + random.nextInt(10));
        Set<String> staying = new HashSet<>();
        List<byte[]> going = new ArrayList<>();
        for (int i = random.nextInt(200); i >= 0; i--) {
            staying.add("s" + i);
            table.add(bytes("s" + i));
        }
        for (int i = random.nextInt(others); i >= 0; i--) {
            churn(table, going, random, true);
        }
        Set<String> returned = new HashSet<>();
        boolean growing = random.nextBoolean();
        long cursor = 0;
        long steps = 0;
        do {
            cursor = table.scan(cursor, item -> returned.add(text(item)));
            if (random.nextInt(20) == 0) {
                growing = !growing;
            }
            for (int i = random.nextInt(64); i > 0; i--) {
                if (going.size() < others || !growing) {
                    churn(table, going, random, growing);
                }
            }
            assertThat(++steps).as("steps of the walk").isLessThan(1 << 20);
        } while (cursor != 0);
        assertThat(returned).containsAll(staying);
        table.verify();
    }

    @Property(tries = 50)
    void scanOfAQuietTableReturnsEachOnce(@ForAll long seed) {
        Random random = new Random(seed);
        ByteTable table = new ByteTable(Hashing.seeded(random), -1);
        int count = random.nextInt(3_000);
        for (int i = 0; i < count; i++) {
            table.add(bytes("k" + i));
        }
        List<String> returned = new ArrayList<>();
        long cursor = 0;
        do {
            cursor = table.scan(cursor, item -> returned.add(text(item)));
        } while (cursor != 0);
        assertThat(returned).hasSize(count).doesNotHaveDuplicates();
    }

    private static void churn(ByteTable table, List<byte[]> going, Random random, boolean grow) {
        if (grow) {
            byte[] key = bytes("g" + random.nextInt());
            if (table.add(key)) {
                going.add(key);
            }
        } else if (!going.isEmpty()) {
            byte[] last = going.removeLast();
            if (!going.isEmpty()) {
                int at = random.nextInt(going.size());
                byte[] other = going.get(at);
                going.set(at, last);
                last = other;
            }
            assertThat(table.remove(last)).isSameAs(last);
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String text(byte[] bytes) {
        return new String(Arrays.copyOf(bytes, bytes.length), StandardCharsets.ISO_8859_1);
    }
}
