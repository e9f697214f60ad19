package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static dev.caisson.store.data.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** {@link SetValue} against a set of strings, over histories that cross the borders of its forms. */
class SetValueProperties {
    @Property(tries = 200)
    void behavesAsASet(@ForAll long seed) {
        Random random = new Random(seed);
        SetValue set = new SetValue(ValueSettings.standard(Hashing.seeded(random)));
        Set<String> model = new HashSet<>();
        int texts = random.nextBoolean() ? 0 : random.nextInt(10);
        boolean long_ = random.nextInt(4) == 0;
        int range = 10 + random.nextInt(400);
        for (int i = 0; i < 4 * range; i++) {
            String member = random.nextInt(10) < texts ? text(random, range, long_) : Samples.integer(random, range);
            byte[] m = bytes(member);
            switch (random.nextInt(4)) {
                case 0, 1 -> assertThat(set.add(m, 0, m.length)).isEqualTo(model.add(member));
                case 2 -> assertThat(set.remove(m, 0, m.length)).isEqualTo(model.remove(member));
                default -> assertThat(set.contains(m, 0, m.length)).isEqualTo(model.contains(member));
            }
            assertThat(set.size()).isEqualTo(model.size());
        }
        checkWhole(set, model, random);
    }

    private static void checkWhole(SetValue set, Set<String> model, Random random) {
        List<String> visited = new ArrayList<>();
        SliceVisitor visitor = (b, offset, length) -> visited.add(text(b, offset, length));
        set.forEach(visitor);
        assertThat(visited).hasSize(model.size());
        assertThat(new HashSet<>(visited)).isEqualTo(model);
        if (set.encoding().equals("intset")) {
            assertThat(visited.stream().map(Long::parseLong)).isSorted();
        }
        visited.clear();
        set.random(random, visitor);
        assertThat(visited).hasSize(model.isEmpty() ? 0 : 1).allMatch(model::contains);
        visited.clear();
        long cursor = 0;
        do {
            cursor = set.scan(cursor, visitor);
        } while (cursor != 0);
        assertThat(new HashSet<>(visited)).isEqualTo(model);

        SetValue copy = set.copy();
        assertThat(copy.digest()).isEqualTo(set.digest());
        SetValue other = new SetValue(ValueSettings.standard(Hashing.seeded(random)), 10_000);
        model.stream().sorted().forEach(member -> other.add(bytes(member), 0, bytes(member).length));
        assertThat(other.digest()).as("the same members in another form").isEqualTo(set.digest());
        copy.add(bytes("new"), 0, 3);
        assertThat(copy.digest()).isNotEqualTo(set.digest());
        assertThat(set.contains(bytes("new"), 0, 3)).isFalse();
    }
}
