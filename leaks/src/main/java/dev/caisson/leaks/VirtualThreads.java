package dev.caisson.leaks;

import java.io.IOException;
import java.io.Reader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import javax.management.JMException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * Virtual threads, by the JVM's own thread dump in JSON.
 *
 * <p>Limits: JDK 17 has no such dump, and with {@code -Djdk.trackAllThreads=false} the dump lists only the virtual
 * threads of executors; both are said once. Before JDK 24 or so the dump tells no state and no blocker.
 */
final class VirtualThreads implements Probe {
    /* Implementation note: at Java 17 level the dump is reached through the management server by name. The dump is not
     * atomic, which does no harm here: a thread is judged by its id alone, and looked at again while lingering. */

    static final String PREFIX = "virtual thread #";

    private static final System.Logger LOG = System.getLogger(VirtualThreads.class.getName());

    private final PlatformThreads platform;
    private final AtomicBoolean told = new AtomicBoolean();
    private volatile boolean works = true;

    VirtualThreads(PlatformThreads platform) {
        this.platform = platform;
        if ("false".equals(System.getProperty("jdk.trackAllThreads"))) {
            tell("-Djdk.trackAllThreads=false hides virtual threads that are not of an executor; remove it to see all");
        }
    }

    @Override
    public LeakKind kind() {
        return LeakKind.VIRTUAL_THREAD;
    }

    @Override
    public Set<String> ids() {
        Set<String> ids = new HashSet<>();
        dump((id, thread) -> ids.add(id));
        return ids;
    }

    @Override
    public void look(Predicate<String> wanted, Consumer<Live> found) {
        String self = PREFIX + Thread.currentThread().getId();
        dump((id, thread) -> {
            if (wanted.test(id) && !id.equals(self)) {
                found.accept(live(id, thread));
            }
        });
    }

    private void dump(BiConsumer<String, Map<?, ?>> each) {
        if (!works) {
            return;
        }
        Path directory = null;
        try {
            directory = Files.createTempDirectory("caisson-leaks");
            Path file = directory.resolve("threads.json");
            Set<String> notVirtual = platform.ids();
            ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=HotSpotDiagnostic"),
                            "dumpThreads",
                            new Object[] {file.toString(), "JSON"},
                            new String[] {String.class.getName(), String.class.getName()});
            notVirtual.addAll(platform.ids());
            try (Reader reader = Files.newBufferedReader(file)) {
                read(new JsonReader(reader), notVirtual, each);
            }
        } catch (JMException e) {
            works = false;
            tell("this JVM (" + Runtime.version() + ") has no thread dump in JSON, virtual threads are not checked;"
                    + " run the tests on JDK 21 or newer to see them");
        } catch (IOException | RuntimeException e) {
            works = false;
            tell("virtual threads are not checked from here on, the thread dump could not be read: " + e);
        } finally {
            delete(directory);
        }
    }

    private static void delete(@Nullable Path directory) {
        if (directory == null) {
            return;
        }
        try {
            Files.deleteIfExists(directory.resolve("threads.json"));
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "could not delete " + directory + "; delete it by hand", e);
        }
    }

    /** Reads {@code {"threadDump": {"threadContainers": [{"container": name, "threads": [...]}]}}}. */
    static void read(JsonReader json, Set<String> notVirtual, BiConsumer<String, Map<?, ?>> each) throws IOException {
        json.beginObject();
        for (String name = json.nextName(true); name != null; name = json.nextName(false)) {
            if (!name.equals("threadDump")) {
                json.value();
                continue;
            }
            json.beginObject();
            for (String inner = json.nextName(true); inner != null; inner = json.nextName(false)) {
                if (inner.equals("threadContainers")) {
                    json.beginArray();
                    for (boolean first = true; json.hasNext(first); first = false) {
                        container(json, notVirtual, each);
                    }
                } else {
                    json.value();
                }
            }
        }
    }

    private static void container(JsonReader json, Set<String> notVirtual, BiConsumer<String, Map<?, ?>> each)
            throws IOException {
        String container = "";
        json.beginObject();
        for (String name = json.nextName(true); name != null; name = json.nextName(false)) {
            if (name.equals("container")) {
                container = String.valueOf(json.value());
            } else if (name.equals("threads")) {
                json.beginArray();
                for (boolean first = true; json.hasNext(first); first = false) {
                    thread(json, container, notVirtual, each);
                }
            } else {
                json.value();
            }
        }
    }

    private static void thread(
            JsonReader json, String container, Set<String> notVirtual, BiConsumer<String, Map<?, ?>> each)
            throws IOException {
        if (!(json.value() instanceof Map<?, ?> thread)) {
            throw new IOException("a thread of container " + container + " is no object");
        }
        String tid = String.valueOf(thread.get("tid"));
        // Newer dumps say "virtual": true; in older ones a virtual thread is one the platform does not list.
        if (Boolean.TRUE.equals(thread.get("virtual"))
                || (!thread.containsKey("state") && !notVirtual.contains(PlatformThreads.PREFIX + tid))) {
            Map<Object, @Nullable Object> copy = new java.util.HashMap<>(thread);
            copy.put("container", container);
            each.accept(PREFIX + tid, copy);
        }
    }

    private static Live live(String id, Map<?, ?> thread) {
        Object name = thread.get("name");
        Object state = thread.get("state");
        String blocker = "";
        for (String key : List.of("waitingOn", "blockedOn")) {
            if (thread.get(key) != null) {
                blocker = " on " + thread.get(key);
            }
        }
        if (thread.get("parkBlocker") instanceof Map<?, ?> park && park.get("object") != null) {
            blocker = " on " + park.get("object");
        }
        List<String> stack = new ArrayList<>();
        if (thread.get("stack") instanceof List<?> frames) {
            for (Object frame : frames) {
                stack.add(Live.plain(String.valueOf(frame)));
            }
        }
        return new Live(
                LeakKind.VIRTUAL_THREAD,
                id,
                name == null ? "" : name.toString(),
                "java.lang.VirtualThread",
                (state == null ? "state not told by this JDK" : state.toString()) + blocker,
                "of " + thread.get("container"),
                List.copyOf(stack),
                List.of(),
                "");
    }

    private void tell(String what) {
        if (told.compareAndSet(false, true)) {
            LOG.log(System.Logger.Level.WARNING, what);
        }
    }
}
