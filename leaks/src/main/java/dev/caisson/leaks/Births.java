package dev.caisson.leaks;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * Who created a thread: the stack, and the test on whose behalf. Known for threads that inherit thread locals, which is
 * the default, from the thread of a test, at any number of removes; other threads have no origin.
 *
 * <p>Safe for use by several threads.
 */
final class Births {
    /* Implementation note. No agent: an inheritable thread local is asked for the child's value inside the constructor
     * of the child, on the creating thread. There we keep the stack, unmaterialised, and as a mark the id of a thread
     * that is made on the spot and never started. Thread ids are handed out one by one, so the child's own id is the
     * neighbour of the mark: which side is tried out once (the JDKs differ). If threads are created at the same moment
     * elsewhere, ids interleave, and a neighbour may be somebody else's; therefore a test is blamed in the middle of
     * parallel tests only if every birth around belongs to it, or to a thread that lives right beside its mark (certain).
     *
     * The child's inherited value is the only strong reference to its birth, so that the table holds no more births than
     * there are threads, once the collector has run, and never more than MAX_BIRTHS. */

    /** More threads than this at once are not followed to their creator. */
    static final int MAX_BIRTHS = 100_000;

    /** Births this many ids around are looked at before a test is blamed beside others. */
    static final int NEIGHBOURHOOD = 32;

    /** What {@link #nextId} says where thread ids tell nothing. */
    static final long UNKNOWN = -1;

    private static final int CALIBRATIONS = 5;

    /**
     * A test that creates threads.
     *
     * @param id JUnit's unique id
     * @param name for people
     */
    record Test(String id, String name) {}

    /**
     * What a thread inherits.
     *
     * @param test the one on whose behalf the thread was created
     * @param mark an id close to the thread's own; -1 for the thread of the test itself
     * @param stack where the thread was created
     */
    record Birth(Test test, long mark, @Nullable Throwable stack) {
        boolean virtual() {
            if (stack != null) {
                for (StackTraceElement frame : stack.getStackTrace()) {
                    if (frame.getMethodName().equals("<init>")
                            && frame.getClassName().contains("VirtualThread")) {
                        return true;
                    }
                }
            }
            return false;
        }

        /** From the call that made the thread up to the test; without JUnit's frames below it. */
        List<String> frames() {
            List<String> frames = new ArrayList<>();
            for (StackTraceElement frame : stack == null ? new StackTraceElement[0] : stack.getStackTrace()) {
                String type = frame.getClassName();
                if (type.startsWith("org.junit.") || type.startsWith("net.jqwik.engine.")) {
                    break;
                }
                boolean ofConstruction = frame.getMethodName().equals("<init>")
                        || frame.getMethodName().equals("createInheritedMap")
                        || type.startsWith(Births.class.getName());
                if (!frames.isEmpty() || !ofConstruction) {
                    frames.add(Live.plain(frame.toString()));
                }
            }
            while (!frames.isEmpty() && reflection(frames.get(frames.size() - 1))) {
                frames.remove(frames.size() - 1);
            }
            return List.copyOf(frames);
        }

        private static boolean reflection(String frame) {
            return frame.startsWith("jdk.internal.reflect.") || frame.startsWith("java.lang.reflect.");
        }
    }

    /** A birth found for a thread; certain if no other test created threads around the same time. */
    record Found(Birth birth, boolean certain) {}

    private static final class Entry extends WeakReference<Birth> {
        final long mark;

        Entry(Birth birth, ReferenceQueue<Birth> gone) {
            super(birth, gone);
            mark = birth.mark();
        }
    }

    private final ConcurrentSkipListMap<Long, Entry> births = new ConcurrentSkipListMap<>();
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final ReferenceQueue<Birth> gone = new ReferenceQueue<>();

    @SuppressWarnings("ThreadLocalUsage") // one instance per launcher session, and it ends with it
    private final InheritableThreadLocal<@Nullable Birth> inherited = new InheritableThreadLocal<>() {
        @Override
        protected @Nullable Birth childValue(@Nullable Birth parent) {
            return parent == null ? null : born(parent.test());
        }
    };

    private final int platformStep;
    private final int virtualStep;

    Births() {
        platformStep = step(Births::platformThread);
        virtualStep = step(Births::virtualThread);
        births.clear();
    }

    /** A thread id that is greater than those of all threads created so far; {@link #UNKNOWN} on JVMs without order. */
    long nextId() {
        return platformStep == 0 ? UNKNOWN : mark();
    }

    /** From here on, what the current thread creates is created on behalf of the test. Returns what to restore. */
    @Nullable
    Birth enter(Test test) {
        Birth before = inherited.get();
        inherited.set(new Birth(test, -1, null));
        return before;
    }

    /** Ends the matching {@link #enter}. */
    void exit(@Nullable Birth before) {
        if (before == null) {
            inherited.remove();
        } else {
            inherited.set(before);
        }
    }

    /** The test on whose behalf the current thread runs, if there is one. */
    @Nullable
    Test test() {
        Birth birth = inherited.get();
        return birth == null ? null : birth.test();
    }

    /** Who created the thread of this id, if that is known. */
    Optional<Found> of(long threadId, boolean virtual) {
        int step = virtual ? virtualStep : platformStep;
        if (step == 0) {
            return Optional.empty();
        }
        long mark = threadId - step;
        Entry beside = births.get(mark);
        Birth own = beside == null ? null : beside.get();
        if (own == null || own.virtual() != virtual) {
            return Optional.empty();
        }
        boolean certain = true;
        for (Entry entry :
                births.subMap(mark - NEIGHBOURHOOD, mark + NEIGHBOURHOOD).values()) {
            Birth birth = entry.get();
            certain &= birth == null || birth.test().equals(own.test()) || ofOther(birth);
        }
        return Optional.of(new Found(own, certain));
    }

    /** Whether the thread right beside the mark lives: then the birth is that one's. */
    private boolean ofOther(Birth birth) {
        return platformStep != 0 && !birth.virtual() && threads.getThreadInfo(birth.mark() + platformStep) != null;
    }

    private @Nullable Birth born(Test test) {
        try {
            forgetGone();
            long mark = mark();
            if (births.size() >= MAX_BIRTHS) {
                return new Birth(test, mark, null);
            }
            Birth birth = new Birth(test, mark, new Throwable("created"));
            births.put(mark, new Entry(birth, gone));
            return birth;
        } catch (RuntimeException | LinkageError e) {
            return null; // inside somebody's new Thread(): whatever goes wrong with us is not theirs
        }
    }

    private void forgetGone() {
        for (Reference<?> entry = gone.poll(); entry != null; entry = gone.poll()) {
            if (entry instanceof Entry dead) {
                births.remove(dead.mark, dead);
            }
        }
    }

    /** The next thread id, taken from a thread that inherits nothing and is never started. */
    private static long mark() {
        return new Thread(null, null, "caisson-leaks-mark", 0, false).getId();
    }

    private interface Maker {
        @Nullable
        Thread make();
    }

    /** On which side of its mark a thread's own id lies: +1 or -1; 0 if this JVM does neither. */
    private int step(Maker maker) {
        Birth before = enter(new Test("calibration", ""));
        try {
            for (int i = 0; i < CALIBRATIONS; i++) {
                births.clear();
                Thread thread = maker.make();
                if (thread != null && births.size() == 1) {
                    long step = thread.getId() - births.firstKey();
                    if (step == 1 || step == -1) {
                        return (int) step;
                    }
                }
            }
            return 0;
        } finally {
            exit(before);
        }
    }

    private static Thread platformThread() {
        return new Thread(null, null, "caisson-leaks-calibration", 0);
    }

    private static @Nullable Thread virtualThread() {
        try {
            Method ofVirtual = Thread.class.getMethod("ofVirtual");
            Method unstarted = Class.forName("java.lang.Thread$Builder").getMethod("unstarted", Runnable.class);
            return (Thread) unstarted.invoke(ofVirtual.invoke(null), (Runnable) () -> {});
        } catch (ReflectiveOperationException e) {
            return null; // JDK 17 has none
        }
    }
}
