package dev.caisson.leaks;

import java.lang.management.LockInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Platform threads, by the thread's own stack trace and the JVM's management bean. */
final class PlatformThreads implements Probe {
    static final String PREFIX = "thread #";

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    @Override
    public LeakKind kind() {
        return LeakKind.THREAD;
    }

    @Override
    public Set<String> ids() {
        Set<String> ids = new HashSet<>();
        for (long id : threads.getAllThreadIds()) {
            ids.add(PREFIX + id);
        }
        return ids;
    }

    @Override
    public void look(Predicate<String> wanted, Consumer<Live> found) {
        if (ids().stream().noneMatch(wanted)) {
            return;
        }
        for (Map.Entry<Thread, StackTraceElement[]> entry :
                Thread.getAllStackTraces().entrySet()) {
            Thread thread = entry.getKey();
            String id = PREFIX + thread.getId();
            if (!thread.equals(Thread.currentThread()) && thread.isAlive() && wanted.test(id)) {
                found.accept(live(thread, id, entry.getValue()));
            }
        }
    }

    private Live live(Thread thread, String id, StackTraceElement[] trace) {
        ThreadInfo info = threads.getThreadInfo(thread.getId());
        ThreadGroup group = thread.getThreadGroup();
        return new Live(
                LeakKind.THREAD,
                id,
                thread.getName(),
                thread.getClass().getName(),
                state(thread, info),
                (thread.isDaemon() ? "daemon, " : "") + (group == null ? "no group" : "group " + group.getName()),
                frames(trace),
                List.of(),
                "");
    }

    private static String state(Thread thread, @Nullable ThreadInfo info) {
        String state = thread.getState().toString();
        if (info == null) {
            return state;
        }
        LockInfo lock = info.getLockInfo();
        if (lock != null) {
            state += " on " + lock;
        }
        if (info.getLockOwnerName() != null) {
            state += " held by \"" + info.getLockOwnerName() + "\" #" + info.getLockOwnerId();
        }
        return state;
    }

    static List<String> frames(StackTraceElement[] trace) {
        List<String> frames = new ArrayList<>(trace.length);
        for (StackTraceElement frame : trace) {
            frames.add(Live.plain(frame.toString()));
        }
        return List.copyOf(frames);
    }
}
