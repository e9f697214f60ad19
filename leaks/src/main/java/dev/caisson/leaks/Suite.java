package dev.caisson.leaks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What a launcher session knows: the probes, the leaks already told, and the tests that run now.
 *
 * <pre>
 *   (none) --enter, or the first test--> current --leave--> (none, or the session around this one)
 * </pre>
 *
 * <p>The one static holder of this module: JUnit makes the extension, the listeners and jqwik's hook independently of
 * each other, and they must agree on what was told. It ends with the launcher session.
 *
 * <p>Safe for use by several threads.
 */
final class Suite {
    static final int MAX_TOLD = 1_000_000;

    private static final AtomicReference<@Nullable Suite> CURRENT = new AtomicReference<>();

    private final @Nullable Suite outer;
    private final Map<LeakKind, Probe> probes;
    private final Births births;
    private final Set<String> told = ConcurrentHashMap.newKeySet();
    private final Map<String, Watch> active = new ConcurrentHashMap<>();
    private final Set<String> properties = ConcurrentHashMap.newKeySet();
    private final Map<Thread, Before> constructing = new ConcurrentHashMap<>();
    private final List<LeakError> unheard = new ArrayList<>();

    private Suite(@Nullable Suite outer) {
        this.outer = outer;
        if (outer == null) {
            PlatformThreads platform = new PlatformThreads();
            probes = Map.of(
                    LeakKind.THREAD, platform,
                    LeakKind.VIRTUAL_THREAD, new VirtualThreads(platform),
                    LeakKind.SCOPE, new Scopes(),
                    LeakKind.DESCRIPTOR, new Descriptors());
            births = new Births();
        } else {
            births = outer.births;
            probes = outer.probes;
        }
    }

    /** The suite of the innermost launcher session; made if there is no session. */
    static Suite current() {
        Suite suite = CURRENT.get();
        while (suite == null) {
            CURRENT.compareAndSet(null, new Suite(null));
            suite = CURRENT.get();
        }
        return suite;
    }

    /** A launcher session begins, perhaps inside another. */
    static Suite enter() {
        Suite inner = new Suite(CURRENT.get());
        CURRENT.set(inner);
        return inner;
    }

    /** Sets a system property until the session ends. */
    void property(String name, String value) {
        properties.add(name);
        System.setProperty(name, value);
    }

    /** The session of this suite ends. */
    void leave() {
        properties.forEach(System::clearProperty);
        CURRENT.compareAndSet(this, outer);
    }

    Probe probe(LeakKind kind) {
        Probe probe = probes.get(kind);
        if (probe == null) {
            throw new IllegalStateException("no probe for " + kind);
        }
        return probe;
    }

    Births births() {
        return births;
    }

    /** The current thread is about to construct the instance of a test. */
    void constructs() {
        constructing.put(Thread.currentThread(), Before.now(this));
    }

    /** What was there before the current thread constructed the instance of a test, or else what is there now. */
    Before before() {
        Before before = constructing.remove(Thread.currentThread());
        return before == null ? Before.now(this) : before;
    }

    boolean told(String id) {
        return told.contains(id);
    }

    /** Marks leaks as told and returns those that were not told before. */
    List<Live> tell(Collection<Live> leaks) {
        if (told.size() > MAX_TOLD) {
            told.clear();
        }
        return leaks.stream().filter(leak -> told.add(leak.id())).toList();
    }

    /** Marks all that lives now as known. */
    void ignoreCurrent() {
        for (Probe probe : probes.values()) {
            told.addAll(probe.ids());
        }
    }

    /** A watch begins. What is told but gone is forgotten, because descriptors may come again under the same id. */
    void begin(Watch watch, Before before) {
        told.removeIf(before::isGone);
        for (Watch other : active.values()) {
            if (!other.encloses(watch) && !watch.encloses(other)) {
                other.overlapped();
                watch.overlapped();
            }
        }
        active.put(watch.uniqueId(), watch);
    }

    void end(Watch watch) {
        active.remove(watch.uniqueId(), watch);
    }

    /** The watch over the test or class of this id, if it runs now. */
    @Nullable
    Watch watch(String uniqueId) {
        return active.get(uniqueId);
    }

    /** The watch over the test that the current thread runs, or on whose behalf it was created. */
    @Nullable
    Watch watch() {
        Births.Test test = births.test();
        return test == null ? null : active.get(test.id());
    }

    /** Keeps a report that no test can carry; the session fails with it at its end. */
    void keep(LeakError error) {
        synchronized (unheard) {
            unheard.add(error);
        }
    }

    List<LeakError> takeUnheard() {
        synchronized (unheard) {
            List<LeakError> all = List.copyOf(unheard);
            unheard.clear();
            return all;
        }
    }
}
