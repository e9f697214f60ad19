package dev.caisson.benchmarks.store;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the command line says.
 *
 * @param rounds each with one sample of every server
 * @param seconds that the fastest server needs for a sample
 * @param warmupSeconds the same, before the first sample of each load
 * @param only what is measured; empty for all
 * @param keys of the memory trial
 * @param out where the page goes; null for the usual place
 * @param words the command line itself, to be repeated on the page
 */
record Options(
        int rounds,
        double seconds,
        double warmupSeconds,
        List<String> only,
        int keys,
        @Nullable Path out,
        String words) {
    static final int JUDGED_ROUNDS = 10;
    static final double JUDGED_SECONDS = 3;
    static final double JUDGED_WARMUP_SECONDS = 6;
    static final int JUDGED_KEYS = 1_000_000;

    static final String HELP = """
            ./caisson bench store: our store beside redis-server under redis-benchmark, in one run

              --rounds N       rounds, each with every server once, in turning order (default 10)
              --seconds S      seconds of a sample (default 3)
              --warmup S       seconds of warm-up of every server before each load (default 6)
              --only WORDS     only loads whose name has one of these: set,get,p16,p1-,c50-,c500,memory (default all);
                               names are set-p16-c50- and so on, and memory
              --keys N         keys of the memory trial (default 1000000)
              --out FILE       the page (default docs/benchmarks-store.md for a run with all defaults, else
                               benchmarks/target/benchmarks-store.md)

            Needs redis-server and redis-benchmark. Run it on a machine that does nothing else.
            """;

    static Options parse(String[] args) {
        int rounds = JUDGED_ROUNDS;
        double seconds = JUDGED_SECONDS;
        double warmup = JUDGED_WARMUP_SECONDS;
        int keys = JUDGED_KEYS;
        List<String> only = new ArrayList<>();
        @Nullable Path out = null;
        Iterator<String> words = Arrays.asList(args).iterator();
        while (words.hasNext()) {
            String option = words.next();
            if (!words.hasNext()) {
                throw new IllegalArgumentException(option + " is not an option, or lacks its value; see --help");
            }
            String value = words.next();
            switch (option) {
                case "--rounds" -> rounds = Integer.parseInt(value);
                case "--seconds" -> seconds = Double.parseDouble(value);
                case "--warmup" -> warmup = Double.parseDouble(value);
                case "--only" -> only.addAll(Arrays.asList(value.split(",")));
                case "--keys" -> keys = Integer.parseInt(value);
                case "--out" -> out = Path.of(value);
                default -> throw new IllegalArgumentException(option + " is not an option; see --help");
            }
        }
        if (rounds < 1 || seconds <= 0 || warmup < 0 || keys < 1) {
            throw new IllegalArgumentException("--rounds, --seconds and --keys must be more than 0, --warmup not less");
        }
        Options options = new Options(rounds, seconds, warmup, only, keys, out, String.join(" ", args));
        if (options.loads().isEmpty() && !options.memory()) {
            throw new IllegalArgumentException("--only " + String.join(",", only) + " leaves nothing; see --help");
        }
        return options;
    }

    List<Load> loads() {
        return Load.all().stream().filter(load -> chosen(load.key() + "-")).toList();
    }

    boolean memory() {
        return chosen("memory");
    }

    private boolean chosen(String name) {
        return only.isEmpty() || only.stream().anyMatch(name::contains);
    }

    /** What keeps this run from being the judged measurement. */
    List<String> caveats() {
        List<String> caveats = new ArrayList<>();
        if (rounds < JUDGED_ROUNDS || seconds < JUDGED_SECONDS) {
            caveats.add("fewer than " + JUDGED_ROUNDS + " rounds of " + (int) JUDGED_SECONDS + " s");
        }
        if (warmupSeconds < JUDGED_WARMUP_SECONDS) {
            caveats.add("less than " + (int) JUDGED_WARMUP_SECONDS + " s of warm-up");
        }
        if (!only.isEmpty()) {
            caveats.add("only " + String.join(", ", only));
        }
        if (keys < JUDGED_KEYS) {
            caveats.add("fewer than " + JUDGED_KEYS + " keys");
        }
        return caveats;
    }

    Path page() {
        if (out != null) {
            return out;
        }
        return caveats().isEmpty()
                ? Path.of("docs", "benchmarks-store.md")
                : Path.of("benchmarks", "target", "benchmarks-store.md");
    }
}
