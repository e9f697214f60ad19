package dev.caisson.benchmarks.scope;

import dev.caisson.scope.Closer;
import dev.caisson.scope.Hold;
import dev.caisson.scope.Kind;
import dev.caisson.scope.LazyScope;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Owning and releasing, opening and closing, beside a plain list in a try statement. {@code main} takes JMH's arguments
 * and prints the ratios of what was measured in the same run.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xmx512m", "-XX:+UseSerialGC"})
@State(org.openjdk.jmh.annotations.Scope.Thread)
public class ScopeBench {
    private static final int MANY = 100_000;
    private static final Kind HOT = Kind.of("hot", Origins.OFF);
    private static final Kind SAMPLED = Kind.of("sampled", Origins.sampled(1000));
    private static final Kind TRACED = Kind.of("traced", Origins.ALWAYS);
    private static final ScopeOptions CALL = ScopeOptions.defaults().kind(HOT);
    private static final Closer<AutoCloseable> CLOSER = (resource, within) -> resource.close();

    private final AtomicInteger closed = new AtomicInteger();
    private final AutoCloseable thing = closed::incrementAndGet;
    private final ResourceList list = new ResourceList();
    private final Scope root = Scope.open("bench");
    private final Scope small = root.child("small");
    private final Scope full = root.child("full");
    private final Call call = new Call(root);
    private Optional<Scope> seen = Optional.empty();

    @Setup(Level.Trial)
    public void fill() {
        for (int i = 0; i < MANY; i++) {
            full.hold(HOT, "other", thing, CLOSER);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        root.close();
    }

    @Benchmark
    public void acquireAndReleaseList() {
        list.add(thing);
        list.removeNewest();
    }

    @Benchmark
    public boolean acquireAndReleaseScope() {
        return small.hold(HOT, "thing", thing, CLOSER).release();
    }

    @Benchmark
    public boolean acquireAndReleaseScopeOf100k() {
        return full.hold(HOT, "thing", thing, CLOSER).release();
    }

    @Benchmark
    public boolean acquireAndReleaseScopeSampled() {
        return small.hold(SAMPLED, "thing", thing, CLOSER).release();
    }

    @Benchmark
    public boolean acquireAndReleaseScopeTraced() {
        return small.hold(TRACED, "thing", thing, CLOSER).release();
    }

    @Benchmark
    public boolean acquireAndReleaseScopeOwn() {
        small.own(thing, "thing");
        return small.release(thing);
    }

    @Benchmark
    public void acquireAndCloseScope() {
        small.hold(HOT, "thing", thing, CLOSER).close();
    }

    @Benchmark
    public void openTenAndCloseList() throws Exception {
        try (ResourceList ten = new ResourceList()) {
            for (int i = 0; i < 10; i++) {
                ten.add(thing);
            }
        }
    }

    @Benchmark
    public Hold<?> openTenAndCloseScope() {
        Hold<?> last = null;
        try (Scope ten = root.child("ten", CALL)) {
            for (int i = 0; i < 10; i++) {
                last = ten.hold(HOT, "thing", thing, CLOSER);
            }
        }
        return java.util.Objects.requireNonNull(last);
    }

    @Benchmark
    public void openAndCloseScopeEmpty() {
        root.child("empty", CALL).close();
    }

    @Benchmark
    public void open100kAndCloseList() throws Exception {
        try (ResourceList many = new ResourceList()) {
            for (int i = 0; i < MANY; i++) {
                many.add(thing);
            }
        }
    }

    @Benchmark
    public void open100kAndCloseScope() {
        try (Scope many = root.child("many", CALL)) {
            for (int i = 0; i < MANY; i++) {
                many.hold(HOT, "thing", thing, CLOSER);
            }
        }
    }

    @Benchmark
    public void callLazyScopeNotAsked() {
        Scope.runWith(call, this::nothing);
    }

    @Benchmark
    public boolean callLazyScopeAsked() {
        Call asked = new Call(root);
        Scope.runWith(asked, this::ask);
        asked.end();
        return seen.isPresent();
    }

    private void nothing() {
        closed.lazySet(1);
    }

    private void ask() {
        seen = Scope.current();
    }

    private static final class Call extends LazyScope {
        private final Scope parent;

        Call(Scope parent) {
            this.parent = parent;
        }

        @Override
        protected Scope parent() {
            return parent;
        }

        @Override
        protected String scopeName() {
            return "call";
        }

        @Override
        protected ScopeOptions options() {
            return CALL;
        }
    }

    /** Runs the benchmarks of this class, those that match the arguments if there are any, and prints ratios. */
    public static void main(String[] args) throws Exception {
        CommandLineOptions given = new CommandLineOptions(args);
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given);
        if (given.getIncludes().isEmpty()) {
            options.include(ScopeBench.class.getName());
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        Map<String, Double> nanos = new TreeMap<>();
        for (RunResult result : results) {
            String name = result.getParams().getBenchmark();
            nanos.put(
                    name.substring(name.lastIndexOf('.') + 1),
                    result.getPrimaryResult().getScore());
        }
        System.out.println();
        nanos.forEach((name, score) -> System.out.println(line(name, score, peerOf(name, nanos))));
    }

    private static Optional<Double> peerOf(String name, Map<String, Double> nanos) {
        int at = name.indexOf("Scope");
        return at < 0 ? Optional.empty() : Optional.ofNullable(nanos.get(name.substring(0, at) + "List"));
    }

    private static String line(String name, double score, Optional<Double> peer) {
        String ratio = peer.map(of -> "%8.1f x the list".formatted(score / of)).orElse("");
        return "%-32s %14.1f ns%s".formatted(name, score, ratio);
    }
}
