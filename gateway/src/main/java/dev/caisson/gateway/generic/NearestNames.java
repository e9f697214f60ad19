package dev.caisson.gateway.generic;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The names nearest to one that does not exist, by edit distance. Bounded: names looked at, and their length. */
final class NearestNames {
    static final int MAX_CANDIDATES = 5_000;
    static final int MAX_LENGTH_CHARS = 200;
    static final int MAX_SUGGESTIONS = 3;

    private record Scored(String name, int distance) {}

    private NearestNames() {}

    /** The nearest first; at most {@link #MAX_SUGGESTIONS}; empty where nothing is near enough to be meant. */
    static List<String> of(String wanted, Iterable<String> candidates) {
        String full = fold(wanted);
        List<Scored> near = new ArrayList<>();
        int seen = 0;
        for (String candidate : candidates) {
            if (seen++ == MAX_CANDIDATES) {
                break;
            }
            String other = fold(candidate);
            // "Greeter" is meant to find "helloworld.Greeter": the last part alone counts too, for a little more.
            int whole = distance(full, other);
            int last = 1 + distance(lastPart(full), lastPart(other));
            int bound = Math.max(2, full.length() / 3);
            int lastBound = 1 + Math.max(1, lastPart(full).length() / 3);
            if (whole <= bound || last <= lastBound) {
                near.add(new Scored(candidate, whole <= bound ? Math.min(whole, last) : last));
            }
        }
        return near.stream()
                .sorted(Comparator.comparingInt(Scored::distance).thenComparing(Scored::name))
                .limit(MAX_SUGGESTIONS)
                .map(Scored::name)
                .toList();
    }

    /** "; did you mean a, b or c?", or nothing. */
    static String question(List<String> nearest) {
        if (nearest.isEmpty()) {
            return "";
        }
        int last = nearest.size() - 1;
        String names = last == 0
                ? nearest.getFirst()
                : String.join(", ", nearest.subList(0, last)) + " or " + nearest.get(last);
        return "; did you mean " + names + "?";
    }

    private static String fold(String name) {
        return name.substring(0, Math.min(name.length(), MAX_LENGTH_CHARS)).toLowerCase(Locale.ROOT);
    }

    private static String lastPart(String name) {
        return name.substring(Math.max(name.lastIndexOf('.'), name.lastIndexOf('/')) + 1);
    }

    /** Levenshtein's distance, where two swapped neighbours count once (optimal string alignment). */
    static int distance(String a, String b) {
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], last[j]) + 1, last[j - 1] + change);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
                }
            }
            int[] free = beforeLast;
            beforeLast = last;
            last = row;
            row = free;
        }
        return last[b.length()];
    }
}
