package dev.caisson.scope;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Every live resource at about one moment: each scope was read by itself. Immutable.
 *
 * @param roots how many root scopes there are
 * @param rows what lives, parents before what they own, oldest first
 */
public record Census(int roots, List<Row> rows) {
    /** Copies the list. */
    public Census {
        rows = List.copyOf(rows);
    }

    /**
     * One live thing.
     *
     * @param id the same in every census, and no other's while this process lives; 0 for what a {@link CensusSource} tells
     * @param kind such as "scope", "task", "connection"
     * @param name what it was called when it was made
     * @param path the names of the scopes that own it, root first, joined by slashes, and its own name last
     * @param age since it was made
     * @param state such as "open", "closing", "left" for what outlived its scope
     * @param origin where it was made, innermost frame first; empty if that was not kept
     */
    public record Row(
            long id,
            String kind,
            String name,
            String path,
            Duration age,
            String state,
            List<StackTraceElement> origin) {
        /** Copies the list. */
        public Row {
            origin = List.copyOf(origin);
        }

        /** A row for a {@link CensusSource}: the census sets the path. */
        public static Row of(String kind, String name, Duration age) {
            return new Row(0, kind, name, name, age, "open", List.of());
        }

        Row below(String parent) {
            return new Row(id, kind, name, parent + "/" + name, age, state, origin);
        }
    }

    /** How many there are of each kind, by the kind's name. */
    public Map<String, Long> counts() {
        Map<String, Long> counts = new TreeMap<>();
        for (Row row : rows) {
            counts.merge(row.kind(), 1L, Long::sum);
        }
        return Collections.unmodifiableMap(counts);
    }

    /** The tree as indented text, one line a thing. */
    public String tree() {
        StringBuilder out = new StringBuilder();
        for (Row row : rows) {
            int depth = (int) row.path().chars().filter(c -> c == '/').count();
            out.append("  ".repeat(depth)).append(row.kind()).append(' ').append(row.name());
            out.append("  ").append(row.age().toMillis()).append(" ms");
            if (!row.state().equals("open")) {
                out.append(' ').append(row.state());
            }
            out.append('\n');
        }
        return out.toString();
    }

    static Census of(List<Core> roots, List<Row> left) {
        List<Row> rows = new ArrayList<>();
        for (Core root : roots) {
            add(root, root.path(), rows);
        }
        rows.addAll(left);
        return new Census(roots.size(), rows);
    }

    private static void add(Core core, String path, List<Row> out) {
        out.add(row(core, path, core.stateName()));
        List<Node> nodes = core.nodes();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            String below = path + "/" + node.name();
            switch (node) {
                case Core child -> add(child, below, out);
                case Hold<?> hold -> {
                    if (!hold.hidden) {
                        out.add(row(hold, below, state(hold)));
                    }
                    if (hold.resourceOrNull() instanceof CensusSource source) {
                        ask(source, below, out);
                    }
                }
                case Task<?> task -> out.add(row(task, below, task.cancelled() ? "cancelled" : "open"));
                case Timer timer -> out.add(row(timer, below, state(timer)));
            }
        }
    }

    /** A source that fails costs its own rows and no others. */
    private static void ask(CensusSource source, String path, List<Row> out) {
        try {
            source.census(row -> out.add(row.below(path)));
        } catch (Throwable failure) {
            String why = Thrown.text(failure);
            out.add(new Row(0, "error", "census", path + "/census", Duration.ZERO, why, List.of()));
        }
    }

    static Row row(Node node, String path, String state) {
        Origin origin = node.origin;
        return new Row(
                node.id,
                node.kind().name(),
                node.name(),
                path,
                age(node),
                state,
                origin == null ? List.of() : origin.frames());
    }

    private static Duration age(Node node) {
        Core of = node instanceof Core core ? core : node.owner;
        return of == null ? Duration.ZERO : Duration.ofNanos(of.clock.nanoTime() - node.createdNanos);
    }

    private static String state(Node node) {
        return node.place == Node.CLOSING ? "closing" : "open";
    }
}
