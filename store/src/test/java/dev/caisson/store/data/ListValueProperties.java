package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static dev.caisson.store.data.Samples.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** {@link ListValue} against an ArrayList, over histories of many chunks and elements larger than one. */
class ListValueProperties {
    @Property(tries = 200)
    void behavesAsAList(@ForAll long seed) {
        Random random = new Random(seed);
        ListValue list = new ListValue(ValueSettings.standard(new Hashing(1, 2)));
        List<String> model = new ArrayList<>();
        int range = 3 + random.nextInt(100);
        boolean long_ = random.nextBoolean();
        for (int phase = 0; phase < 4; phase++) {
            int addOf10 = 3 + random.nextInt(7);
            for (int i = random.nextInt(800); i >= 0; i--) {
                if (random.nextInt(10) < addOf10) {
                    add(list, model, random, text(random, range, long_));
                } else {
                    takeOrChange(list, model, random, text(random, range, long_));
                }
                assertThat(list.size()).isEqualTo(model.size());
            }
            checkWhole(list, model, random);
        }
    }

    private static void add(ListValue list, List<String> model, Random random, String element) {
        byte[] e = bytes(element);
        switch (random.nextInt(4)) {
            case 0 -> {
                list.addFirst(e, 0, e.length);
                model.addFirst(element);
            }
            case 1, 2 -> {
                list.addLast(e, 0, e.length);
                model.addLast(element);
            }
            default -> {
                int at = random.nextInt(model.size() + 1);
                list.insertAt(at, e, 0, e.length);
                model.add(at, element);
            }
        }
    }

    private static void takeOrChange(ListValue list, List<String> model, Random random, String element) {
        byte[] e = bytes(element);
        switch (random.nextInt(7)) {
            case 0 -> assertThat(list.pollFirst()).isEqualTo(model.isEmpty() ? null : bytes(model.removeFirst()));
            case 1 -> assertThat(list.pollLast()).isEqualTo(model.isEmpty() ? null : bytes(model.removeLast()));
            case 2 -> {
                if (!model.isEmpty()) {
                    int at = random.nextInt(model.size());
                    list.set(at, e, 0, e.length);
                    model.set(at, element);
                }
            }
            case 3 -> {
                int count = random.nextInt(5) - 2;
                assertThat(list.remove(count, e, 0, e.length)).isEqualTo(remove(model, count, element));
            }
            case 4 -> {
                if (random.nextInt(20) == 0) {
                    int from = random.nextInt(model.size() / 4 + 1);
                    int to = model.size() - random.nextInt(model.size() / 4 + 1);
                    to = Math.max(from, to);
                    list.keep(from, to);
                    List<String> kept = new ArrayList<>(model.subList(from, to));
                    model.clear();
                    model.addAll(kept);
                }
            }
            case 5 -> assertThat(list.indexOf(e, 0, e.length)).isEqualTo(model.indexOf(element));
            default -> {
                int at = random.nextInt(model.size() + 2) - 1;
                Slice found = new Slice();
                assertThat(list.get(at, found)).isEqualTo(at >= 0 && at < model.size());
                if (at >= 0 && at < model.size()) {
                    assertThat(text(found)).isEqualTo(model.get(at));
                }
            }
        }
    }

    private static int remove(List<String> model, int count, String element) {
        if (count < 0) {
            Collections.reverse(model);
        }
        int removed = 0;
        for (int limit = count == 0 ? Integer.MAX_VALUE : Math.abs(count); removed < limit; removed++) {
            if (!model.remove(element)) {
                break;
            }
        }
        if (count < 0) {
            Collections.reverse(model);
        }
        return removed;
    }

    private static void checkWhole(ListValue list, List<String> model, Random random) {
        List<String> visited = new ArrayList<>();
        int from = random.nextInt(model.size() + 1);
        int to = from + random.nextInt(model.size() - from + 1);
        list.forEach(from, to, (b, offset, length) -> visited.add(text(b, offset, length)));
        assertThat(visited).isEqualTo(model.subList(from, to));
        visited.clear();
        list.forEachForward((b, offset, length) -> visited.add(text(b, offset, length)));
        assertThat(visited).isEqualTo(model);
        visited.clear();
        list.forEachBackward((b, offset, length) -> visited.add(text(b, offset, length)));
        assertThat(visited).isEqualTo(model.reversed());

        ListValue copy = list.copy();
        assertThat(copy.digest()).isEqualTo(list.digest());
        ListValue other = new ListValue(ValueSettings.standard(new Hashing(3, 4)));
        model.forEach(element -> other.addLast(bytes(element), 0, bytes(element).length));
        assertThat(other.digest()).isEqualTo(list.digest());
        int full = other.chunks();
        assertThat(list.chunks())
                .as("chunks after this history, %d when just filled", full)
                .isLessThanOrEqualTo(6 * full + 4);
        copy.addLast(bytes("new"), 0, 3);
        assertThat(copy.digest()).isNotEqualTo(list.digest());
        assertThat(list.size()).isEqualTo(model.size());
    }
}
