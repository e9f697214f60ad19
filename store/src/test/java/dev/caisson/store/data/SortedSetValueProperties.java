package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static dev.caisson.store.data.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** {@link SortedSetValue} against a tree set and a map, over histories that cross the border of its forms. */
class SortedSetValueProperties {
    private record Entry(double score, String member) {}

    private static final Comparator<String> BY_BYTES = (a, b) ->
            Arrays.compareUnsigned(a.getBytes(StandardCharsets.ISO_8859_1), b.getBytes(StandardCharsets.ISO_8859_1));
    private static final Comparator<Entry> ORDER =
            Comparator.comparingDouble(Entry::score).thenComparing(Entry::member, BY_BYTES);

    private final Map<String, Double> scores = new HashMap<>();
    private final TreeSet<Entry> order = new TreeSet<>(ORDER);

    @Property(tries = 150)
    void behavesAsATreeSet(@ForAll long seed) {
        Random random = new Random(seed);
        SortedSetValue set = new SortedSetValue(ValueSettings.standard(Hashing.seeded(random)));
        scores.clear();
        order.clear();
        int range = 10 + random.nextInt(random.nextBoolean() ? 100 : 500);
        boolean long_ = random.nextInt(4) == 0;
        for (int i = 0; i < 4 * range; i++) {
            String member = random.nextBoolean() ? text(random, range, long_) : Samples.integer(random, range);
            byte[] m = bytes(member);
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3, 4 -> put(set, member, score(random));
                case 5, 6 -> {
                    assertThat(set.remove(m, 0, m.length)).isEqualTo(scores.containsKey(member));
                    removed(member);
                }
                case 7 -> {
                    assertThat(set.score(m, 0, m.length)).isEqualTo(scores.getOrDefault(member, Double.NaN));
                    assertThat(set.rank(m, 0, m.length)).isEqualTo(rank(member));
                }
                case 8 -> {
                    double bound = score(random);
                    boolean inclusive = random.nextBoolean();
                    assertThat(set.below(bound, inclusive)).isEqualTo((int) order.stream()
                            .filter(e -> inclusive ? e.score <= bound : e.score < bound)
                            .count());
                }
                default -> {
                    if (random.nextInt(10) == 0) {
                        int from = random.nextInt(order.size() + 1);
                        int to = Math.min(order.size(), from + random.nextInt(10));
                        List<Entry> gone = new ArrayList<>(order).subList(from, to);
                        set.removeRanks(from, to);
                        gone.forEach(e -> removed(e.member));
                    }
                }
            }
            assertThat(set.size()).isEqualTo(order.size());
        }
        set.verify();
        checkWhole(set, random);
    }

    /** With one score for all, members are ordered by their bytes and can be asked for by them. */
    @Property(tries = 50)
    void findsRangesOfMembersOfOneScore(@ForAll long seed) {
        Random random = new Random(seed);
        SortedSetValue set = new SortedSetValue(ValueSettings.standard(Hashing.seeded(random)));
        TreeSet<String> members = new TreeSet<>(BY_BYTES);
        for (int i = random.nextInt(300); i > 0; i--) {
            String member = text(random, 300, false);
            byte[] m = bytes(member);
            set.put(m, 0, m.length, 7);
            members.add(member);
        }
        for (int i = 0; i < 50; i++) {
            String bound = text(random, 300, false);
            byte[] b = bytes(bound);
            boolean inclusive = random.nextBoolean();
            assertThat(set.belowLex(b, 0, b.length, inclusive))
                    .isEqualTo(members.headSet(bound, inclusive).size());
        }
    }

    private void put(SortedSetValue set, String member, double score) {
        byte[] m = bytes(member);
        Double former = scores.get(member);
        assertThat(set.put(m, 0, m.length, score))
                .isEqualTo(
                        former == null
                                ? SortedSetValue.Change.ADDED
                                : former == score ? SortedSetValue.Change.NONE : SortedSetValue.Change.UPDATED);
        removed(member);
        scores.put(member, score);
        order.add(new Entry(score, member));
    }

    private void removed(String member) {
        Double score = scores.remove(member);
        if (score != null) {
            order.remove(new Entry(score, member));
        }
    }

    private int rank(String member) {
        Double score = scores.get(member);
        return score == null ? -1 : order.headSet(new Entry(score, member)).size();
    }

    private void checkWhole(SortedSetValue set, Random random) {
        List<Entry> all = new ArrayList<>(order);
        int from = random.nextInt(all.size() + 1);
        int to = from + random.nextInt(all.size() - from + 1);
        List<Entry> visited = new ArrayList<>();
        ScoreVisitor visitor = (b, offset, length, score) -> visited.add(new Entry(score, text(b, offset, length)));
        set.forEach(from, to, false, visitor);
        assertThat(visited).isEqualTo(all.subList(from, to));
        visited.clear();
        set.forEach(from, to, true, visitor);
        assertThat(visited).isEqualTo(all.subList(from, to).reversed());
        visited.clear();
        set.random(random, visitor);
        assertThat(visited).hasSize(all.isEmpty() ? 0 : 1).allMatch(order::contains);
        visited.clear();
        long cursor = 0;
        do {
            cursor = set.scan(cursor, visitor);
        } while (cursor != 0);
        assertThat(new HashSet<>(visited)).isEqualTo(new HashSet<>(all));

        SortedSetValue copy = set.copy();
        copy.verify();
        assertThat(copy.digest()).isEqualTo(set.digest());
        SortedSetValue other = new SortedSetValue(ValueSettings.standard(Hashing.seeded(random)));
        scores.forEach((member, score) -> other.put(bytes(member), 0, bytes(member).length, score));
        assertThat(other.digest()).isEqualTo(set.digest());
        copy.put(bytes("new"), 0, 3, 0.5);
        assertThat(copy.digest()).isNotEqualTo(set.digest());
        assertThat(set.size()).isEqualTo(all.size());
    }

    private static double score(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> Double.POSITIVE_INFINITY;
            case 1 -> Double.NEGATIVE_INFINITY;
            case 2 -> random.nextGaussian();
            default -> random.nextInt(20) - 10;
        };
    }
}
