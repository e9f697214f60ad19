package dev.caisson.leaks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The watch over one test, class or run: remembers what was there before it, and tells what is there after it.
 *
 * <pre>
 *   begin --> watching --end--> ended
 * </pre>
 *
 * <p>Begun and ended by the thread that runs the test; another watch may mark it as overlapped.
 */
final class Watch {
    /* Implementation note: pauses grow from FIRST_PAUSE by a factor of two up to LONGEST_PAUSE until the linger is over,
     * so that a test whose threads are just ending costs a few milliseconds, not the whole linger. */

    static final Duration FIRST_PAUSE = Duration.ofMillis(1);
    static final Duration LONGEST_PAUSE = Duration.ofMillis(100);

    private final Suite suite;
    private final String uniqueId;
    private final Options options;
    private final Set<String> before = new HashSet<>();
    private volatile String name;
    private volatile boolean overlapped;

    private Watch(Suite suite, String uniqueId, String name, Options options) {
        this.suite = suite;
        this.uniqueId = uniqueId;
        this.name = name;
        this.options = options;
    }

    /**
     * Begins to watch.
     *
     * @param uniqueId JUnit's id; the watch over a test is enclosed by those whose id is a prefix of its own
     * @param name for the report
     */
    static Watch begin(Suite suite, String uniqueId, String name, Options options) {
        Watch watch = new Watch(suite, uniqueId, name, options);
        for (LeakKind kind : options.check()) {
            watch.before.addAll(suite.probe(kind).ids());
        }
        suite.begin(watch);
        return watch;
    }

    void rename(String better) {
        name = better;
    }

    boolean encloses(Watch other) {
        return other.uniqueId.startsWith(uniqueId);
    }

    void overlapped() {
        overlapped = true;
    }

    /** Waits until nothing is left or the linger is over; the report of what was not told before, if anything is left. */
    Optional<LeakError> end() {
        List<Live> left = lookUntilOver();
        suite.end(this);
        List<Live> leaks = suite.tell(left);
        if (leaks.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                Report.error(leaks, name, "waited " + options.linger().toMillis() + " ms for them to end"));
    }

    private List<Live> lookUntilOver() {
        long start = System.nanoTime();
        Duration pause = FIRST_PAUSE;
        boolean interrupted = false;
        List<Live> left = look();
        while (!left.isEmpty() && System.nanoTime() - start < options.linger().toNanos()) {
            try {
                Thread.sleep(pause.toMillis());
            } catch (InterruptedException e) {
                interrupted = true;
            }
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
            left = look();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return left;
    }

    private List<Live> look() {
        List<Live> left = new ArrayList<>();
        if (overlapped) {
            // Somebody else's test ran at the same time: what is left may be theirs. The run as a whole is judged.
            return left;
        }
        for (LeakKind kind : options.check()) {
            suite.probe(kind).look(id -> !before.contains(id) && !suite.told(id), live -> {
                if (!options.ignores().match(live)) {
                    left.add(live);
                }
            });
        }
        return left;
    }
}
