package dev.caisson.benchmarks.store;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * Collects rounds and writes the page: medians of ratios that were taken within a round, beside those of Redis against
 * itself, which say what this machine cannot tell apart.
 */
final class Report {
    /** Samples of one round: Redis, our store, a second Redis. */
    record Round(Sample redis, Sample ours, Sample twin) {}

    /**
     * Bytes of a key.
     *
     * @param redis what Redis takes
     * @param resident of the process, beside; NaN where it was not looked at
     */
    record Memory(String title, int valueBytes, double bytes, double redis, double resident) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%-55s %2d B values %6.1f bytes a key, %.2f of Redis%s",
                    title,
                    valueBytes,
                    bytes,
                    bytes / redis,
                    Double.isNaN(resident) ? "" : String.format(Locale.ROOT, "; RSS %.0f", resident));
        }
    }

    /** A figure of samples, and what is asked of it. */
    private enum Figure {
        RATE("Requests a second", "%,.0f", true),
        P99("99th percentile of latency, ms", "%.2f", false),
        CPU("CPU of the server for each request, us", "%.2f", false);

        final String title;
        final String format;
        final boolean moreIsBetter;

        Figure(String title, String format, boolean moreIsBetter) {
            this.title = title;
            this.format = format;
            this.moreIsBetter = moreIsBetter;
        }

        /** The ratio to Redis that is asked for; NaN for none. */
        double goal(Load load) {
            return switch (this) {
                case RATE -> load.isPipelined() ? 1.2 : 0.9;
                case P99 -> load.isPipelined() ? 1.0 : 1.5;
                case CPU -> Double.NaN;
            };
        }

        private double of(Sample sample) {
            return switch (this) {
                case RATE -> sample.perSecond();
                case P99 -> sample.p99Millis();
                case CPU -> sample.cpuMicros();
            };
        }

        Spread median(List<Round> rounds, Function<Round, Sample> whose) {
            return Spread.of(
                    rounds.stream().map(round -> of(whose.apply(round))).toList());
        }

        Spread ratio(List<Round> rounds, Function<Round, Sample> whose) {
            return Spread.of(rounds.stream()
                    .map(round -> of(whose.apply(round)) / of(round.redis()))
                    .toList());
        }
    }

    private static final double MEMORY_GOAL = 0.70;

    private final Options options;
    private final double loadAtStart =
            ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    private final Map<Load, List<Round>> rounds = new LinkedHashMap<>();
    private final Map<Load, Double> allocated = new LinkedHashMap<>();
    private final List<Memory> memory = new ArrayList<>();

    Report(Options options) {
        this.options = options;
    }

    void add(Load load, Round round) {
        rounds.computeIfAbsent(load, any -> new ArrayList<>()).add(round);
    }

    void allocated(Load load, double bytesPerRequest) {
        allocated.put(load, bytesPerRequest);
    }

    void add(Memory line) {
        memory.add(line);
    }

    String head() {
        return String.format(
                Locale.ROOT,
                "store bench: redis-benchmark with one client thread, %d B values, %d keys; servers unpinned, with their"
                        + " defaults, nothing persisted%n%d cores, JDK %s; load average %.1f at the start%n"
                        + "%d rounds of %.1f s, %.1f s of warm-up for each load%n%s",
                Load.VALUE_BYTES,
                Load.KEYS,
                Runtime.getRuntime().availableProcessors(),
                Runtime.version(),
                loadAtStart,
                options.rounds(),
                options.seconds(),
                options.warmupSeconds(),
                options.caveats().isEmpty()
                        ? ""
                        : "not the judged measurement: " + String.join("; ", options.caveats()) + "\n");
    }

    /** What came out for one load. */
    String lines(Load load) {
        StringBuilder text = new StringBuilder();
        for (Figure figure : Figure.values()) {
            text.append(String.format(
                    Locale.ROOT,
                    "  %-40s ours / redis %-22s redis / redis %-22s %s%n",
                    figure.title,
                    figure.ratio(of(load), Round::ours),
                    figure.ratio(of(load), Round::twin),
                    verdict(figure, load)));
        }
        return text.append(String.format(
                        Locale.ROOT,
                        "  we allocate %.0f bytes for each request",
                        allocated.getOrDefault(load, Double.NaN)))
                .toString();
    }

    private List<Round> of(Load load) {
        return rounds.getOrDefault(load, List.of());
    }

    /** "same" if our ratio lies where Redis's to itself does; then whether the goal is met. */
    private String verdict(Figure figure, Load load) {
        double ratio = figure.ratio(of(load), Round::ours).median();
        boolean same = figure.ratio(of(load), Round::twin).holds(ratio);
        double goal = figure.goal(load);
        String text = same ? "same" : String.format(Locale.ROOT, "%.2fx", ratio);
        if (Double.isNaN(goal)) {
            return text;
        }
        double judged = same ? 1 : ratio;
        boolean met = figure.moreIsBetter ? judged >= goal : judged <= goal;
        return text
                + String.format(
                        Locale.ROOT,
                        "; goal %s %.1f: %s",
                        figure.moreIsBetter ? ">=" : "<=",
                        goal,
                        met ? "met" : "NOT MET");
    }

    /** The page, in Markdown. */
    String page() {
        StringBuilder page = new StringBuilder();
        page.append("# The store beside Redis\n\nGenerated by `")
                .append(("./caisson bench store " + options.words()).strip())
                .append("`; do not edit.\n\n");
        options.caveats()
                .forEach(caveat -> page.append("**Not the judged measurement:** ")
                        .append(caveat)
                        .append("\n\n"));
        page.append(String.format(
                Locale.ROOT,
                "%d cores (%s), JDK %s, load average %.1f at the start; redis-benchmark with one client thread, %d B values,"
                        + " %,d keys; servers unpinned, with their defaults, nothing persisted. %d rounds of %.1f s for each"
                        + " load, the order turning, after equal warm-up.%n%n",
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.arch"),
                Runtime.version(),
                loadAtStart,
                Load.VALUE_BYTES,
                Load.KEYS,
                options.rounds(),
                options.seconds()));
        page.append(
                "A ratio is the median of the ratios within a round, with the range that leaves out a tenth on each side."
                        + " What lies within the range of a second Redis against the first is \"same\".\n");
        if (!rounds.isEmpty()) {
            for (Figure figure : Figure.values()) {
                table(page, figure);
            }
            page.append("\n## Bytes that we allocate for each request\n\n| load | bytes |\n|---|---|\n");
            allocated.forEach((load, bytes) -> page.append(String.format(Locale.ROOT, "| %s | %.0f |%n", load, bytes)));
        }
        if (!memory.isEmpty()) {
            page.append(String.format(
                    Locale.ROOT,
                    "%n## Bytes of a key%n%n%,d keys of 16 bytes with a time to live. The goal is at most %.2f of Redis.%n%n"
                            + "| | value | bytes a key | of Redis | RSS a key |%n|---|---|---|---|---|%n",
                    options.keys(),
                    MEMORY_GOAL));
            memory.forEach(each -> page.append(String.format(
                    Locale.ROOT,
                    "| %s | %d B | %.1f | %.2f | %s |%n",
                    each.title(),
                    each.valueBytes(),
                    each.bytes(),
                    each.bytes() / each.redis(),
                    Double.isNaN(each.resident()) ? "" : String.format(Locale.ROOT, "%.0f", each.resident()))));
        }
        return page.toString();
    }

    private void table(StringBuilder page, Figure figure) {
        page.append("\n## ").append(figure.title).append("\n\n");
        page.append("| load | Redis | Caisson | ratio | Redis against Redis | |\n|---|---|---|---|---|---|\n");
        rounds.forEach((load, list) -> page.append(String.format(
                Locale.ROOT,
                "| %s | " + figure.format + " | " + figure.format + " | %s | %s | %s |%n",
                load,
                figure.median(list, Round::redis).median(),
                figure.median(list, Round::ours).median(),
                figure.ratio(list, Round::ours),
                figure.ratio(list, Round::twin),
                verdict(figure, load))));
    }
}
