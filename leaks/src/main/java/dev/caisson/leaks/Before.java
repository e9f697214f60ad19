package dev.caisson.leaks;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/** What was alive at some moment, so that what is new can be told from it. Immutable but for one counter. */
final class Before {
    /* Implementation note: where the JVM hands out thread ids one by one, the next id says all about threads: what has a
     * smaller id was created before, and if no id was handed out since, there is no new thread to look for. That saves
     * the thread dump before every test, and the one after it where a test creates no thread. A thread created before
     * but started since counts as old here; the watch that began before its creation tells it. */

    private final Suite suite;
    private final Set<String> ids = new HashSet<>();
    private final long mark;
    private long expected;

    private Before(Suite suite) {
        this.suite = suite;
        mark = suite.births().nextId();
        expected = mark + 1;
    }

    static Before now(Suite suite) {
        Before before = new Before(suite);
        before.ids.addAll(suite.probe(LeakKind.SCOPE).ids());
        before.ids.addAll(suite.probe(LeakKind.DESCRIPTOR).ids());
        if (before.mark == Births.UNKNOWN) {
            before.ids.addAll(suite.probe(LeakKind.THREAD).ids());
            before.ids.addAll(suite.probe(LeakKind.VIRTUAL_THREAD).ids());
        }
        return before;
    }

    /** Whether it was there, or, of a thread, created. */
    boolean had(String id) {
        int number = id.indexOf('#');
        if (mark != Births.UNKNOWN && number >= 0 && !id.startsWith(Scopes.PREFIX) && !id.startsWith("descriptor")) {
            return Long.parseLong(id.substring(number + 1)) <= mark;
        }
        return ids.contains(id);
    }

    /** False if surely nothing of this kind is new. To be asked by one thread. */
    boolean mayHaveNew(LeakKind kind) {
        if (mark == Births.UNKNOWN || (kind != LeakKind.THREAD && kind != LeakKind.VIRTUAL_THREAD)) {
            return true;
        }
        long next = suite.births().nextId();
        if (next == expected) {
            expected = next + 1;
            return false;
        }
        return true;
    }

    /** Whether something lives that came after the earlier moment but before this one, is no exception, and was not told. */
    boolean hasNewSince(Before earlier, Ignores exceptions) {
        AtomicBoolean has = new AtomicBoolean();
        for (LeakKind kind : LeakKind.values()) {
            suite.probe(kind).look(id -> had(id) && !earlier.had(id) && !suite.told(id), live -> {
                if (!exceptions.match(live)) {
                    has.set(true);
                }
            });
        }
        return has.get();
    }

    /** Whether a descriptor told as a leak was already gone at this moment, so that its id may come again. */
    boolean isGone(String id) {
        return id.startsWith("descriptor") && !ids.contains(id);
    }
}
