package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static dev.caisson.store.data.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** {@link HashValue} against a map of values and times, over histories that cross the border of its forms. */
class HashValueProperties {
    private record Timed(String value, long expiry) {}

    private long now = 1_000;

    @Property(tries = 150)
    void behavesAsAMapWhoseFieldsExpire(@ForAll long seed) {
        Random random = new Random(seed);
        ValueSettings settings = ValueSettings.standard(Hashing.seeded(random));
        HashValue hash = new HashValue(settings);
        Map<String, Timed> model = new HashMap<>();
        boolean long_ = random.nextBoolean();
        boolean timed = random.nextBoolean();
        int range = 20 + random.nextInt(random.nextInt(4) == 0 ? 1_200 : 100);
        for (int i = 0; i < 3 * range; i++) {
            String field = text(random, range, long_);
            byte[] name = bytes(field);
            Timed there = alive(model.get(field));
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> {
                    String value = text(random, range, long_);
                    long expiry = timed && random.nextInt(3) == 0 ? now + 1 + random.nextInt(200) : HashValue.NEVER;
                    assertThat(put(hash, field, value, expiry)).isEqualTo(there == null);
                    model.put(field, new Timed(value, expiry));
                }
                case 3 -> {
                    assertThat(hash.remove(name, 0, name.length, now)).isEqualTo(there != null);
                    if (there != null) {
                        model.remove(field);
                    }
                }
                case 4 -> {
                    long expiry = timed && random.nextBoolean() ? now + 1 + random.nextInt(100) : HashValue.NEVER;
                    assertThat(hash.expire(name, 0, name.length, expiry, now)).isEqualTo(there != null);
                    if (there != null) {
                        model.put(field, new Timed(there.value, expiry));
                    }
                }
                case 5 -> now += random.nextInt(10);
                case 6 -> {
                    int limit = random.nextInt(5);
                    Set<String> removed = new HashSet<>();
                    int count =
                            hash.removeExpired(now, limit, (b, offset, length) -> removed.add(text(b, offset, length)));
                    assertThat(removed).hasSize(count).allMatch(gone -> model.get(gone).expiry <= now);
                    long due =
                            model.values().stream().filter(t -> t.expiry <= now).count();
                    assertThat((long) count).isEqualTo(Math.min(limit, due));
                    removed.forEach(model::remove);
                }
                default -> check(hash, model, field);
            }
            assertThat(hash.size()).isEqualTo(model.size());
            long soonest =
                    model.values().stream().mapToLong(Timed::expiry).min().orElse(HashValue.NEVER);
            assertThat(hash.nextExpiry()).isLessThanOrEqualTo(soonest);
        }
        hash.removeExpired(now, Integer.MAX_VALUE, (b, offset, length) -> model.remove(text(b, offset, length)));
        assertThat(hash.nextExpiry()).isGreaterThan(now);
        model.keySet().forEach(field -> check(hash, model, field));
        checkWhole(hash, model, random);
    }

    private void check(HashValue hash, Map<String, Timed> model, String field) {
        byte[] name = bytes(field);
        Timed there = alive(model.get(field));
        Slice value = new Slice();
        assertThat(hash.get(name, 0, name.length, now, value)).isEqualTo(there != null);
        if (there != null) {
            assertThat(text(value)).isEqualTo(there.value);
        }
        assertThat(hash.expiry(name, 0, name.length, now)).isEqualTo(there == null ? HashValue.ABSENT : there.expiry);
    }

    private void checkWhole(HashValue hash, Map<String, Timed> model, Random random) {
        Map<String, String> expected = new HashMap<>();
        model.forEach((field, timed) -> expected.put(field, timed.value));
        Map<String, String> visited = new HashMap<>();
        FieldVisitor visitor = (b, field, fieldLength, value, valueLength) ->
                visited.put(text(b, field, fieldLength), text(b, value, valueLength));
        hash.forEach(now, visitor);
        assertThat(visited).isEqualTo(expected);
        visited.clear();
        assertThat(hash.random(random, now, visitor)).isEqualTo(!expected.isEmpty());
        assertThat(expected).containsAllEntriesOf(visited);
        assertThat(visited).hasSize(expected.isEmpty() ? 0 : 1);
        visited.clear();
        long cursor = 0;
        do {
            cursor = hash.scan(cursor, now, visitor);
        } while (cursor != 0);
        assertThat(visited).isEqualTo(expected);

        HashValue copy = hash.copy();
        assertThat(copy.encoding()).isEqualTo(hash.encoding());
        assertThat(copy.digest()).isEqualTo(hash.digest());
        HashValue other = new HashValue(ValueSettings.standard(Hashing.seeded(random)));
        List<String> fields = new ArrayList<>(model.keySet());
        fields.sort(null);
        fields.forEach(field -> put(other, field, model.get(field).value, model.get(field).expiry));
        assertThat(other.digest()).as("same content by another history").isEqualTo(hash.digest());
        put(copy, "new", "v", HashValue.NEVER);
        assertThat(copy.digest()).isNotEqualTo(hash.digest());
        hash.forEach(now, visitor);
        assertThat(visited).as("a copy is of its own").isEqualTo(expected);
    }

    private boolean put(HashValue hash, String field, String value, long expiry) {
        byte[] f = bytes(field);
        byte[] v = bytes(value);
        return hash.put(f, 0, f.length, v, 0, v.length, expiry, now);
    }

    private Timed alive(Timed timed) {
        return timed == null || timed.expiry <= now ? null : timed;
    }
}
