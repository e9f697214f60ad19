package dev.caisson.store.contract;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** How a reply is held against the recorded one. The list is closed; README.md of the contract folder explains it. */
enum Comparator {
    /** The same bytes. */
    EXACT("exact") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            return Arrays.equals(expected.bytes(), actual.bytes());
        }
    },
    /** The same kind of reply with the same elements (of a map: pairs) in any order; {@code unordered 2} in pairs. */
    UNORDERED("unordered") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            int step = arguments.isEmpty() ? expected.type() == '%' ? 2 : 1 : Integer.parseInt(arguments.getFirst());
            return expected.type() == actual.type()
                    && expected.elements().size() == actual.elements().size()
                    && (!expected.elements().isEmpty() || EXACT.same(expected, actual, arguments))
                    && sorted(expected, step).equals(sorted(actual, step));
        }

        private List<String> sorted(Reply reply, int step) {
            var groups = new ArrayList<String>();
            for (int i = 0; i < reply.elements().size(); i += step) {
                groups.add(reply.elements()
                        .subList(i, Math.min(i + step, reply.elements().size()))
                        .toString());
            }
            Collections.sort(groups);
            return groups;
        }
    },
    /** The same keys, whatever their values: of a map, a flat array of pairs, or lines of {@code key=} or {@code key:}. */
    KEYS_OF_MAP("keys-of-map") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            return expected.type() == actual.type() && keys(expected).equals(keys(actual));
        }

        private Set<String> keys(Reply reply) {
            var keys = new TreeSet<String>();
            if (reply.elements().isEmpty()) {
                for (String word : reply.text().split("[ \r\n]+")) {
                    keys.add(word.replaceFirst("[=:].*", ""));
                }
            }
            for (int i = 0; i < reply.elements().size(); i += 2) {
                keys.add(reply.elements().get(i).toString());
            }
            return keys;
        }
    },
    /** A number or stream id of the server's choice: the same kind of reply and the same form. */
    ID("id") {
        private final Pattern number = Pattern.compile("[1-9]\\d*");
        private final Pattern streamId = Pattern.compile("[1-9]\\d*-\\d+");

        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            Pattern form = expected.text().contains("-") ? streamId : number;
            return expected.type() == actual.type()
                    && form.matcher(expected.text()).matches()
                    && form.matcher(actual.text()).matches();
        }
    },
    /** Integers at most so far apart: {@code time-within 500}. {@code time-within 5000 of-now}: from the clock instead. */
    TIME_WITHIN("time-within") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            if (expected.type() != actual.type()) {
                return false;
            }
            long within = Long.parseLong(arguments.getFirst());
            if (arguments.contains("of-now")) {
                Reply time =
                        actual.elements().isEmpty() ? actual : actual.elements().getFirst();
                long value = Long.parseLong(time.text());
                long now = System.currentTimeMillis();
                return Math.abs((value < now / 100 ? value * 1000 : value) - now) <= within;
            }
            return Math.abs(Long.parseLong(expected.text()) - Long.parseLong(actual.text())) <= within;
        }
    },
    /**
     * As many elements as recorded, each one of those named: {@code random-member-of a b}. A recorded array without
     * doubles allows none; {@code random-member-of repeated a b} does.
     */
    RANDOM_MEMBER_OF("random-member-of") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            if (expected.type() != actual.type()) {
                return false;
            }
            if (expected.elements().isEmpty()) {
                return arguments.contains(actual.text());
            }
            var texts = new ArrayList<String>();
            for (Reply element : actual.elements()) {
                texts.add(element.elements().isEmpty() ? element.text() : texts(element));
            }
            return texts.size() == expected.elements().size()
                    && arguments.containsAll(texts)
                    && (arguments.getFirst().equals("repeated") || new HashSet<>(texts).size() == texts.size());
        }

        private String texts(Reply pair) {
            return String.join("=", pair.elements().stream().map(Reply::text).toList());
        }
    },
    /** The runner walks the cursor to its end; the elements found (pairs in HSCAN and ZSCAN) are the recorded set. */
    CURSOR_WALK_YIELDS_SET("cursor-walk-yields-set") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            return EXACT.same(expected, actual, arguments);
        }
    },
    /** Only the kind of reply is Redis's (its first byte); its content is a matter of the server. */
    OWN("own") {
        @Override
        boolean same(Reply expected, Reply actual, List<String> arguments) {
            return expected.type() == actual.type();
        }
    };

    private final String label;

    Comparator(String label) {
        this.label = label;
    }

    abstract boolean same(Reply expected, Reply actual, List<String> arguments);

    String label() {
        return label;
    }

    static Comparator of(String label) {
        for (Comparator comparator : values()) {
            if (comparator.label.equals(label)) {
                return comparator;
            }
        }
        throw new IllegalArgumentException("no comparator is called " + label);
    }
}
