package dev.caisson.leaks;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;

/**
 * Open root scopes, and what outlived its scope, by the management beans {@code dev.caisson:type=Scopes,*}.
 *
 * <p>The bean is known by its shape alone: the attribute {@code Rows} is an array of composite data with the items id
 * (Long), kind, name, path, state (String) and origin (String[]), in which a root scope comes before all that it owns
 * and is known by its path, which is its name.
 * A child scope is not told: whoever owns it closes it.
 */
final class Scopes implements Probe {
    static final String PREFIX = "scope #";

    private static final System.Logger LOG = System.getLogger(Scopes.class.getName());

    private final ObjectName beans;
    private volatile boolean works = true;

    Scopes() {
        try {
            beans = new ObjectName("dev.caisson:type=Scopes,*");
        } catch (MalformedObjectNameException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public LeakKind kind() {
        return LeakKind.SCOPE;
    }

    @Override
    public Set<String> ids() {
        Set<String> ids = new HashSet<>();
        look(id -> true, live -> ids.add(live.id()));
        return ids;
    }

    @Override
    public void look(Predicate<String> wanted, Consumer<Live> found) {
        if (!works) {
            return;
        }
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        for (ObjectName bean : server.queryNames(beans, null)) {
            try {
                if (server.getAttribute(bean, "Rows") instanceof CompositeData[] rows) {
                    String copy = bean.getKeyProperty("copy");
                    look(rows, PREFIX + (copy == null ? "" : copy + "-"), wanted, found);
                }
            } catch (InstanceNotFoundException lastScopeClosed) {
                LOG.log(System.Logger.Level.TRACE, "gone meanwhile", lastScopeClosed);
            } catch (JMException | RuntimeException e) {
                works = false;
                LOG.log(System.Logger.Level.WARNING, "scopes are not checked from here on, could not read " + bean, e);
            }
        }
    }

    private static void look(CompositeData[] rows, String prefix, Predicate<String> wanted, Consumer<Live> found) {
        for (int i = 0; i < rows.length; i++) {
            CompositeData row = rows[i];
            boolean root = isRoot(row);
            String id = prefix + row.get("id");
            if ((root || "left".equals(row.get("state"))) && wanted.test(id)) {
                found.accept(live(row, id, root ? owned(rows, i) : "its scope is closed"));
            }
        }
    }

    private static boolean isRoot(CompositeData row) {
        return String.valueOf(row.get("path")).equals(row.get("name")); // whatever its kind: "server", say
    }

    /** What the root scope of this row owns, counted by kind: "owns 2 connection, 1 task". */
    private static String owned(CompositeData[] rows, int root) {
        Map<String, Integer> counts = new TreeMap<>();
        for (int i = root + 1; i < rows.length && !isRoot(rows[i]); i++) {
            if (!"left".equals(rows[i].get("state"))) {
                counts.merge(String.valueOf(rows[i].get("kind")), 1, Integer::sum);
            }
        }
        List<String> parts = new ArrayList<>();
        counts.forEach((kind, count) -> parts.add(count + " " + kind));
        return parts.isEmpty() ? "owns nothing" : "owns " + String.join(", ", parts);
    }

    private static Live live(CompositeData row, String id, String owner) {
        List<String> origin = row.get("origin") instanceof String[] frames
                ? Stream.of(frames).map(Live::plain).toList()
                : List.of();
        return new Live(
                LeakKind.SCOPE,
                id,
                String.valueOf(row.get("path")),
                "",
                row.get("kind") + " " + row.get("state"),
                owner,
                List.of(),
                origin,
                "");
    }
}
