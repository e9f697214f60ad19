package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static dev.caisson.store.data.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** {@link StreamValue} against a tree map of its entries. */
class StreamValueProperties {
    private record Id(long ms, long seq) {}

    private static final Comparator<Id> ORDER = (a, b) -> StreamValue.compare(a.ms, a.seq, b.ms, b.seq);

    @Property(tries = 150)
    void behavesAsASortedMap(@ForAll long seed) {
        Random random = new Random(seed);
        StreamValue stream = new StreamValue(ValueSettings.standard(new Hashing(1, 2)));
        TreeMap<Id, List<String>> model = new TreeMap<>(ORDER);
        boolean huge = random.nextInt(5) == 0; // ids beyond the signed range
        Id last = new Id(huge ? -2_000_000 : random.nextInt(5), random.nextInt(5) + 1);
        append(stream, model, random, last);
        for (int i = 0; i < 1_500; i++) {
            switch (random.nextInt(12)) {
                case 0 -> {
                    Id id = known(model, random, last);
                    assertThat(stream.delete(id.ms, id.seq)).isEqualTo(model.remove(id) != null);
                }
                case 1 -> range(stream, model, known(model, random, last), known(model, random, last), random);
                case 2 -> {
                    if (random.nextInt(10) == 0) {
                        trim(stream, model, random, last);
                    }
                }
                default -> {
                    last = random.nextBoolean()
                            ? new Id(last.ms, last.seq + 1 + random.nextInt(3))
                            : new Id(last.ms + 1 + random.nextInt(1_000), random.nextInt(3));
                    append(stream, model, random, last);
                }
            }
            assertThat(stream.size()).isEqualTo(model.size());
            assertThat(new Id(stream.lastMs(), stream.lastSeq())).isEqualTo(last);
        }
        range(stream, model, new Id(0, 0), new Id(-1, -1), random);
        StreamValue copy = stream.copy();
        assertThat(copy.digest()).isEqualTo(stream.digest());
        range(copy, model, new Id(0, 0), new Id(-1, -1), random);
        long digest = stream.digest();
        append(copy, new TreeMap<>(ORDER), random, new Id(last.ms, last.seq + 1));
        assertThat(copy.digest()).isNotEqualTo(digest);
        assertThat(stream.digest()).isEqualTo(digest);
        Id stale = last;
        assertThatThrownBy(() -> stream.append(stale.ms, stale.seq, 1, StreamValue.Parts.of(bytes("f"), bytes("v"))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static void append(StreamValue stream, Map<Id, List<String>> model, Random random, Id id) {
        int fields = random.nextInt(4) == 0 ? 1 + random.nextInt(5) : 2;
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < fields; i++) {
            parts.add(random.nextInt(10) == 0 ? text(random, 50, true) : "field" + i);
            parts.add(text(random, 50, true));
        }
        stream.append(
                id.ms,
                id.seq,
                fields,
                StreamValue.Parts.of(parts.stream().map(Samples::bytes).toArray(byte[][]::new)));
        model.put(id, parts);
    }

    private static void trim(StreamValue stream, TreeMap<Id, List<String>> model, Random random, Id last) {
        boolean whole = random.nextBoolean();
        int before = model.size();
        if (random.nextBoolean()) {
            int most = random.nextInt(model.size() + 5);
            long removed = stream.trimToSize(most, whole, 0);
            for (long i = removed; i > 0; i--) {
                model.pollFirstEntry();
            }
            if (whole) {
                assertThat(model.size()).isGreaterThanOrEqualTo(Math.min(before, most));
            } else {
                assertThat(model.size()).isEqualTo(Math.min(before, most));
            }
        } else {
            Id id = known(model, random, last);
            long removed = stream.trimBefore(id.ms, id.seq, whole, 0);
            int due = model.headMap(id).size();
            if (whole) {
                assertThat(removed).isBetween(Math.max(0L, due - 100), (long) due);
            } else {
                assertThat(removed).isEqualTo(due);
            }
            for (long i = removed; i > 0; i--) {
                model.pollFirstEntry();
            }
        }
    }

    private static void range(StreamValue stream, TreeMap<Id, List<String>> model, Id from, Id to, Random random) {
        boolean backward = random.nextBoolean();
        int limit = random.nextBoolean() ? Integer.MAX_VALUE : 1 + random.nextInt(20);
        List<String> visited = new ArrayList<>();
        Slice field = new Slice();
        Slice value = new Slice();
        int[] count = {0};
        stream.range(from.ms, from.seq, to.ms, to.seq, backward, entry -> {
            visited.add(entry.ms() + "-" + entry.seq());
            while (entry.next(field, value)) {
                visited.add(text(field));
                visited.add(text(value));
            }
            return ++count[0] < limit;
        });
        List<String> expected = new ArrayList<>();
        if (ORDER.compare(from, to) <= 0) {
            NavigableMap<Id, List<String>> part = model.subMap(from, true, to, true);
            (backward ? part.descendingMap() : part)
                    .entrySet().stream().limit(limit).forEach(entry -> {
                        expected.add(entry.getKey().ms + "-" + entry.getKey().seq);
                        expected.addAll(entry.getValue());
                    });
        }
        assertThat(visited).isEqualTo(expected);
    }

    /** An id that is there, mostly, or near. */
    private static Id known(TreeMap<Id, List<String>> model, Random random, Id last) {
        if (model.isEmpty()) {
            return last;
        }
        List<Id> ids = new ArrayList<>(model.keySet());
        Id id = ids.get(random.nextInt(ids.size()));
        return random.nextInt(4) == 0 ? new Id(id.ms, id.seq + 1) : id;
    }
}
