package dev.caisson.gateway;

import dev.caisson.scope.Census;
import dev.caisson.scope.Scope;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The resource tree for the page, as JSON. All who watch share one census, taken at most a few times a second.
 * Thread-safe.
 */
final class TreeFeed {
    /** Rows told one by one; all are counted. */
    static final int MAX_ROWS = 5_000;

    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /**
     * A row of the tree.
     *
     * @param key the same in every tree while the thing lives
     * @param parent key of what owns it, empty for a root
     * @param sinceMillis when it was made, in epoch milliseconds
     */
    record Row(
            String key,
            String parent,
            String kind,
            String name,
            String path,
            long sinceMillis,
            String state,
            boolean origin) {
        void toJson(StringBuilder out) {
            out.append("{\"key\":");
            quote(key, out);
            out.append(",\"parent\":");
            quote(parent, out);
            out.append(",\"kind\":");
            quote(kind, out);
            out.append(",\"name\":");
            quote(name, out);
            out.append(",\"path\":");
            quote(path, out);
            out.append(",\"since\":").append(sinceMillis).append(",\"state\":");
            quote(state, out);
            out.append(",\"origin\":").append(origin).append('}');
        }

        boolean same(Row other) {
            return state.equals(other.state) && parent.equals(other.parent);
        }
    }

    /**
     * One look.
     *
     * @param rows by key, parents before children, at most {@link #MAX_ROWS}
     * @param total of all, told or not
     */
    record Tree(long atMillis, int roots, long total, Map<String, Long> counts, Map<String, Row> rows) {
        String toJson() {
            StringBuilder out = new StringBuilder(256 + rows.size() * 160);
            head(out);
            out.append(",\"rows\":[");
            rows(rows.values(), out);
            return out.append("]}").toString();
        }

        /** What is new or changed, and what is gone, since the tree before. */
        Optional<String> changesSince(Tree before) {
            List<Row> added = new ArrayList<>();
            for (Row row : rows.values()) {
                Row was = before.rows.get(row.key());
                if (was == null || !was.same(row)) {
                    added.add(row);
                }
            }
            List<String> removed = new ArrayList<>();
            for (String key : before.rows.keySet()) {
                if (!rows.containsKey(key)) {
                    removed.add(key);
                }
            }
            if (added.isEmpty() && removed.isEmpty() && counts.equals(before.counts)) {
                return Optional.empty();
            }
            StringBuilder out = new StringBuilder();
            head(out);
            out.append(",\"added\":[");
            rows(added, out);
            out.append("],\"removed\":[");
            String comma = "";
            for (String key : removed) {
                out.append(comma);
                quote(key, out);
                comma = ",";
            }
            return Optional.of(out.append("]}").toString());
        }

        private void head(StringBuilder out) {
            out.append("{\"at\":").append(atMillis).append(",\"roots\":").append(roots);
            out.append(",\"total\":").append(total).append(",\"truncated\":").append(total > rows.size());
            out.append(",\"counts\":{");
            String comma = "";
            for (Map.Entry<String, Long> count : counts.entrySet()) {
                out.append(comma);
                quote(count.getKey(), out);
                out.append(':').append(count.getValue());
                comma = ",";
            }
            out.append('}');
        }

        private static void rows(Iterable<Row> rows, StringBuilder out) {
            String comma = "";
            for (Row row : rows) {
                out.append(comma);
                row.toJson(out);
                comma = ",";
            }
        }
    }

    private final Supplier<Census> census;
    private final ReentrantLock lock = new ReentrantLock();
    private long takenNanos; // guarded by lock
    private Tree latest = new Tree(0, 0, 0, Map.of(), Map.of()); // guarded by lock

    TreeFeed() {
        this(Scope::census);
    }

    TreeFeed(Supplier<Census> census) {
        this.census = census;
    }

    /** The tree as it is, or was a quarter of a second ago. */
    Tree tree() {
        lock.lock();
        try {
            if (latest.atMillis == 0 || System.nanoTime() - takenNanos > FRESH_NANOS) {
                latest = treeOf(census.get(), System.currentTimeMillis());
                takenNanos = System.nanoTime();
            }
            return latest;
        } finally {
            lock.unlock();
        }
    }

    /** Where the thing was made, innermost frame first; empty if it is gone, or no stack was kept. */
    List<StackTraceElement> origin(String key) {
        return census.get().rows().stream()
                .filter(row -> row.id() != 0 && Long.toString(row.id()).equals(key))
                .findFirst()
                .map(Census.Row::origin)
                .orElse(List.of());
    }

    static Tree treeOf(Census census, long atMillis) {
        Map<String, Row> rows = new LinkedHashMap<>();
        Map<String, String> keysByPath = new HashMap<>(); // the latest of a path: the one whose children follow
        Map<String, Integer> unnumbered = new HashMap<>();
        for (Census.Row row : census.rows()) {
            if (rows.size() == MAX_ROWS) {
                break;
            }
            String key = row.id() != 0
                    ? Long.toString(row.id())
                    : row.path() + "#" + unnumbered.merge(row.path() + row.kind(), 1, Integer::sum);
            int cut = row.path().length() - row.name().length() - 1;
            String parent = cut <= 0 ? "" : keysByPath.getOrDefault(row.path().substring(0, cut), "");
            keysByPath.put(row.path(), key);
            rows.put(
                    key,
                    new Row(
                            key,
                            parent,
                            row.kind(),
                            row.name(),
                            row.path(),
                            atMillis - row.age().toMillis(),
                            row.state(),
                            !row.origin().isEmpty()));
        }
        return new Tree(atMillis, census.roots(), census.rows().size(), census.counts(), rows);
    }

    /** A JSON string that is harmless in HTML, too. */
    static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (control || c == '<' || c == '>' || c == '&') {
                out.append("\\u").append(java.util.HexFormat.of().toHexDigits(c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
