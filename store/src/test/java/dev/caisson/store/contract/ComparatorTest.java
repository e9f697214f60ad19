package dev.caisson.store.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ComparatorTest {
    private static final String ABC = "*3\\r\\n+a\\r\\n+b\\r\\n+c\\r\\n";

    private static boolean same(Comparator comparator, String expected, String actual, String... arguments) {
        return comparator.same(reply(expected), reply(actual), List.of(arguments));
    }

    private static Reply reply(String escaped) {
        try {
            return Reply.read(new ByteArrayInputStream(Quoting.bytes(escaped)));
        } catch (IOException e) {
            throw new AssertionError(escaped, e);
        }
    }

    @Test
    void exactTellsEveryByte() {
        assertThat(same(Comparator.EXACT, "+OK\\r\\n", "+OK\\r\\n")).isTrue();
        assertThat(same(Comparator.EXACT, "+OK\\r\\n", "$2\\r\\nOK\\r\\n")).isFalse();
        assertThat(same(Comparator.EXACT, "$-1\\r\\n", "*-1\\r\\n")).isFalse();
    }

    @Test
    void unorderedForgivesTheOrderOnly() {
        String cab = "*3\\r\\n+c\\r\\n+a\\r\\n+b\\r\\n";
        assertThat(same(Comparator.UNORDERED, ABC, cab)).isTrue();
        assertThat(same(Comparator.UNORDERED, ABC, cab.replace('*', '~'))).isFalse();
        assertThat(same(Comparator.UNORDERED, ABC, "*3\\r\\n+c\\r\\n+a\\r\\n+a\\r\\n"))
                .isFalse();
        assertThat(same(Comparator.UNORDERED, ABC, "*2\\r\\n+c\\r\\n+a\\r\\n")).isFalse();
        assertThat(same(Comparator.UNORDERED, "*0\\r\\n", "*-1\\r\\n")).isFalse();
    }

    @Test
    void unorderedPairsStayTogether() {
        String pairs = "*4\\r\\n+a\\r\\n:1\\r\\n+b\\r\\n:2\\r\\n";
        assertThat(same(Comparator.UNORDERED, pairs, "*4\\r\\n+b\\r\\n:2\\r\\n+a\\r\\n:1\\r\\n", "2"))
                .isTrue();
        assertThat(same(Comparator.UNORDERED, pairs, "*4\\r\\n+a\\r\\n:2\\r\\n+b\\r\\n:1\\r\\n", "2"))
                .isFalse();
        assertThat(same(Comparator.UNORDERED, "%1\\r\\n+a\\r\\n:1\\r\\n", "%1\\r\\n:1\\r\\n+a\\r\\n"))
                .isFalse();
    }

    @Test
    void keysOfMapForgivesTheValuesOnly() {
        assertThat(same(Comparator.KEYS_OF_MAP, "%1\\r\\n+id\\r\\n:1\\r\\n", "%1\\r\\n+id\\r\\n:22\\r\\n"))
                .isTrue();
        assertThat(same(Comparator.KEYS_OF_MAP, "%1\\r\\n+id\\r\\n:1\\r\\n", "%1\\r\\n+name\\r\\n:1\\r\\n"))
                .isFalse();
        assertThat(same(Comparator.KEYS_OF_MAP, "$7\\r\\na=1 b=2\\r\\n", "$8\\r\\nb=22 a=1\\r\\n"))
                .isTrue();
        assertThat(same(Comparator.KEYS_OF_MAP, "$7\\r\\na=1 b=2\\r\\n", "$3\\r\\na=1\\r\\n"))
                .isFalse();
    }

    @Test
    void idTellsNumbersFromStreamIdsAndText() {
        assertThat(same(Comparator.ID, ":3\\r\\n", ":99\\r\\n")).isTrue();
        assertThat(same(Comparator.ID, ":3\\r\\n", ":0\\r\\n")).isFalse();
        assertThat(same(Comparator.ID, "$3\\r\\n1-0\\r\\n", "$4\\r\\n22-5\\r\\n"))
                .isTrue();
        assertThat(same(Comparator.ID, "$3\\r\\n1-0\\r\\n", "$2\\r\\n22\\r\\n")).isFalse();
    }

    @Test
    void timeWithinHasTwoSides() {
        assertThat(same(Comparator.TIME_WITHIN, ":1000\\r\\n", ":900\\r\\n", "100"))
                .isTrue();
        assertThat(same(Comparator.TIME_WITHIN, ":1000\\r\\n", ":1101\\r\\n", "100"))
                .isFalse();
        long now = System.currentTimeMillis() / 1000;
        String seconds = "*2\\r\\n$" + Long.toString(now).length() + "\\r\\n" + now + "\\r\\n$1\\r\\n0\\r\\n";
        assertThat(same(Comparator.TIME_WITHIN, seconds, seconds, "60000", "of-now"))
                .isTrue();
        assertThat(same(
                        Comparator.TIME_WITHIN,
                        seconds,
                        seconds.replace("" + now, "" + (now - 120)),
                        "60000",
                        "of-now"))
                .isFalse();
    }

    @Test
    void randomMemberOfKnowsTheMembersAndTheirNumber() {
        assertThat(same(Comparator.RANDOM_MEMBER_OF, "+a\\r\\n", "+b\\r\\n", "a", "b"))
                .isTrue();
        assertThat(same(Comparator.RANDOM_MEMBER_OF, "+a\\r\\n", "+c\\r\\n", "a", "b"))
                .isFalse();
        String two = "*2\\r\\n+a\\r\\n+b\\r\\n";
        String twice = "*2\\r\\n+a\\r\\n+a\\r\\n";
        assertThat(same(Comparator.RANDOM_MEMBER_OF, two, "*2\\r\\n+b\\r\\n+c\\r\\n", "a", "b", "c"))
                .isTrue();
        assertThat(same(Comparator.RANDOM_MEMBER_OF, two, twice, "a", "b", "c")).isFalse();
        assertThat(same(Comparator.RANDOM_MEMBER_OF, two, twice, "repeated", "a", "b"))
                .isTrue();
        assertThat(same(Comparator.RANDOM_MEMBER_OF, two, ABC, "a", "b", "c")).isFalse();
    }

    @Test
    void ownTellsTheKindOnly() {
        assertThat(same(Comparator.OWN, ":50\\r\\n", ":72\\r\\n")).isTrue();
        assertThat(same(Comparator.OWN, ":50\\r\\n", "-ERR no\\r\\n")).isFalse();
    }
}
