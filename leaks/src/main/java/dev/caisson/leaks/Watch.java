package dev.caisson.leaks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

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
     * so that a test whose threads are just ending costs a few milliseconds, not the whole linger.
     *
     * A server that @BeforeAll made starts threads when its first call comes, that is inside a test, and they end with
     * the class. So where the class holds on to something, its tests are not judged by themselves: what they leave is
     * noted with the test's name and judged when the class ends. */

    static final Duration FIRST_PAUSE = Duration.ofMillis(1);
    static final Duration LONGEST_PAUSE = Duration.ofMillis(100);

    private final Suite suite;
    private final String uniqueId;
    private final Options options;
    private final Before before;
    private final String name;
    private final @Nullable Watch enclosing;
    private final boolean fixtures;
    private final AtomicBoolean ended = new AtomicBoolean();
    private final Map<String, String> deferred = new ConcurrentHashMap<>();
    private volatile boolean overlapped;
    private Births.@Nullable Birth around;

    private Watch(Plan plan) {
        suite = plan.suite;
        uniqueId = plan.uniqueId;
        name = plan.name;
        options = plan.options;
        before = plan.suite.before();
        enclosing = plan.enclosing;
        fixtures = plan.fixtures;
    }

    /**
     * What to watch.
     *
     * @param uniqueId JUnit's id; the watch over a test is enclosed by those whose id is a prefix of its own
     * @param name for the report
     * @param enclosing the watch over the class of a test, or null
     * @param fixtures whether the class holds on to things that its tests may start
     */
    record Plan(
            Suite suite,
            String uniqueId,
            String name,
            Options options,
            @Nullable Watch enclosing,
            boolean fixtures) {}

    /** Begins to watch: what the current thread does from here on is done on behalf of this test. */
    static Watch begin(Plan plan) {
        Watch watch = new Watch(plan);
        watch.suite.begin(watch, watch.before);
        watch.around = watch.suite.births().enter(new Births.Test(watch.uniqueId, watch.name));
        return watch;
    }

    boolean isRun() {
        return uniqueId.isEmpty();
    }

    String uniqueId() {
        return uniqueId;
    }

    boolean encloses(Watch other) {
        return other.uniqueId.startsWith(uniqueId);
    }

    void overlapped() {
        overlapped = true;
    }

    /**
     * Waits until nothing is left or the linger is over; the report of what was not told before, if anything is left.
     * A second end tells nothing.
     */
    Optional<LeakError> end() {
        if (!ended.compareAndSet(false, true)) {
            return Optional.empty();
        }
        suite.births().exit(around);
        List<Live> excused = new ArrayList<>();
        List<Live> left = look(excused);
        Watch judge = left.isEmpty() ? null : laterJudge();
        if (judge == null && !left.isEmpty()) {
            left = lookUntilOver(excused);
        }
        suite.end(this);
        suite.tell(excused); // or the class would tell what the rules of its test excuse
        if (judge != null) {
            left.forEach(
                    live -> judge.deferred.putIfAbsent(live.id(), live.since().isEmpty() ? name : live.since()));
            return Optional.empty();
        }
        List<Live> leaks = suite.tell(left);
        if (leaks.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                Report.error(leaks, name, "waited " + options.linger().toMillis() + " ms for them to end"));
    }

    /** The watch that judges what is left, if this is not for us to judge. */
    private @Nullable Watch laterJudge() {
        Watch around = enclosing;
        if (around == null) {
            return null;
        }
        // Beside other tests, what is new may be theirs; then only what is declared counts.
        return fixtures || (!overlapped && before.hasNewSince(around.before, options.ignores())) ? around : null;
    }

    private List<Live> lookUntilOver(List<Live> excused) {
        long start = System.nanoTime();
        Duration pause = FIRST_PAUSE;
        boolean interrupted = false;
        List<Live> left;
        do {
            try {
                Thread.sleep(pause.toMillis());
            } catch (InterruptedException e) {
                interrupted = true;
            }
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
            left = look(excused);
        } while (!left.isEmpty() && System.nanoTime() - start < options.linger().toNanos());
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return left;
    }

    private List<Live> look(List<Live> excused) {
        List<Live> left = new ArrayList<>();
        excused.clear();
        for (LeakKind kind : LeakKind.values()) {
            if (before.mayHaveNew(kind)) {
                suite.probe(kind).look(id -> !before.had(id) && !suite.told(id), live -> sort(live, left, excused));
            }
        }
        return left;
    }

    /** Is it left behind, excused by a rule, or, while other tests run at the same time, perhaps not ours? */
    private void sort(Live found, List<Live> left, List<Live> excused) {
        Optional<Births.Found> birth = found.isThread()
                ? suite.births().of(found.threadId(), found.kind() == LeakKind.VIRTUAL_THREAD)
                : Optional.empty();
        if (overlapped
                && !birth.filter(it -> it.certain() && it.birth().test().id().startsWith(uniqueId))
                        .isPresent()) {
            return; // the enclosing watch that nothing overlapped tells it, at the latest that over the whole run
        }
        Live live = birth.map(it -> found.bornAt(it.birth().frames(), since(it.birth())))
                .orElse(found)
                .since(deferred.getOrDefault(found.id(), ""));
        boolean counts =
                options.check().contains(live.kind()) && !options.ignores().match(live);
        (counts ? left : excused).add(live);
    }

    /** The test that created it, if that tells more than this watch knows. */
    private String since(Births.Birth birth) {
        boolean inside =
                !birth.test().id().equals(uniqueId) && birth.test().id().startsWith(uniqueId);
        return inside ? birth.test().name() : "";
    }
}
