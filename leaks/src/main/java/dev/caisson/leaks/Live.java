package dev.caisson.leaks;

import java.util.List;
import java.util.Locale;

/**
 * One thing found alive by a {@link Probe}.
 *
 * @param kind what it is
 * @param id unique in this process for as long as it lives, and never used again for threads
 * @param name the name its maker gave it: a thread's name, a scope's path, a descriptor's target
 * @param type the class of a thread, or empty
 * @param state as the JVM tells it, with what it waits for and who holds that; may be empty
 * @param owner the executor, thread group or parent it belongs to; may be empty
 * @param stack its frames, topmost first, as {@code package.Class.method(File.java:1)}; empty if it has none
 * @param origin the frames that created it, topmost first; empty where this is not known
 * @param since the test on whose behalf it was created, or after which it was first seen; empty where not known
 */
record Live(
        LeakKind kind,
        String id,
        String name,
        String type,
        String state,
        String owner,
        List<String> stack,
        List<String> origin,
        String since) {

    /** Orders threads before what they hold, then by id. */
    static int compare(Live a, Live b) {
        int byKind = a.kind.compareTo(b.kind);
        return byKind != 0 ? byKind : a.id.compareTo(b.id);
    }

    /** What makes two leaks the same mistake: same kind, same stack, same origin. */
    String sameness() {
        return stack.isEmpty() && origin.isEmpty()
                ? id
                : String.format(Locale.ROOT, "%s|%s|%s|%s", kind, type, stack, origin);
    }

    boolean isThread() {
        return kind == LeakKind.THREAD || kind == LeakKind.VIRTUAL_THREAD;
    }

    /** The id of a thread as the JVM counts them. */
    long threadId() {
        return Long.parseLong(id.substring(id.indexOf('#') + 1));
    }

    Live bornAt(List<String> frames, String test) {
        return new Live(kind, id, name, type, state, owner, stack, frames, test);
    }

    Live since(String test) {
        return since.isEmpty() ? new Live(kind, id, name, type, state, owner, stack, origin, test) : this;
    }

    /** The method of a frame, without file and line: {@code java.lang.Thread.run}. */
    static String method(String frame) {
        int end = frame.indexOf('(');
        return end < 0 ? frame : frame.substring(0, end);
    }

    /** The frame without class loader and module; the slash in the name of a hidden class stays. */
    static String plain(String frame) {
        int from = 0;
        int end = frame.indexOf('(');
        for (int slash = frame.indexOf('/');
                slash >= 0 && slash < end && !frame.startsWith("0x", slash + 1);
                slash = frame.indexOf('/', slash + 1)) {
            from = slash + 1;
        }
        return frame.substring(from);
    }
}
