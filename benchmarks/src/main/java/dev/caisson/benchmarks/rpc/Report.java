package dev.caisson.benchmarks.rpc;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.StringJoiner;
import java.util.function.ToDoubleFunction;

/** Collects samples and tells them: a table for each cell, the ratios of medians that are judged, and all as JSON. */
final class Report {
    /** CPU per call of our event-loop handlers against grpc-java's directExecutor. */
    private static final double LOOP_GOAL = 0.45;

    /** CPU per call of our virtual-thread handlers against grpc-java's default executor. */
    private static final double VIRTUAL_GOAL = 0.20;

    private static final double MAX_GENERATOR_BUSY = 0.80;

    private final Options options;
    private final boolean pinned;
    private final double loadAtStart = loadAverage();
    private final Map<Cell, Map<Contender, List<Sample>>> samples = new LinkedHashMap<>();
    private final Map<Caller, List<Sample>> clients = new EnumMap<>(Caller.class);
    private final Map<Contender, List<Double>> h2load = new EnumMap<>(Contender.class);

    Report(Options options, boolean pinned) {
        this.options = options;
        this.pinned = pinned;
    }

    void add(Cell cell, Contender contender, Sample sample) {
        samples.computeIfAbsent(cell, c -> new EnumMap<>(Contender.class))
                .computeIfAbsent(contender, c -> new ArrayList<>())
                .add(sample);
    }

    /** A sample of a channel under the first cell. */
    void add(Caller caller, Sample sample) {
        clients.computeIfAbsent(caller, c -> new ArrayList<>()).add(sample);
    }

    void addH2load(Contender contender, OptionalDouble callsPerSecond) {
        h2load.computeIfAbsent(contender, c -> new ArrayList<>()).add(callsPerSecond.orElse(-1));
    }

    String head() {
        Runtime.Version java = Runtime.version();
        return String.format(
                Locale.ROOT,
                "rpc bench: unary SayHello, 12-character name, plaintext, deadline header, one interceptor, limits, census%n"
                        + "%d cores, JDK %s, %s; load average %.1f at the start%n"
                        + "servers on core 0 (SerialGC, 512 MB), load generator and channels on core 1; %d rounds of %.1f s, %d CPU-seconds of"
                        + " warm-up%n",
                Runtime.getRuntime().availableProcessors(),
                java,
                pinned ? "pinned by taskset" : "NOT PINNED (no taskset, or one core)",
                loadAtStart,
                options.rounds(),
                options.sampleSeconds(),
                options.warmupCpuSeconds());
    }

    static String progress(Cell cell, int round, Subject subject, Sample sample) {
        return String.format(
                Locale.ROOT,
                "%-6s #%d  %-35s %8.0f calls/s  %6.2f us  busy %3.0f %%  other side %3.0f %%",
                cell,
                round,
                subject.title(),
                sample.callsPerSecond(),
                sample.cpuMicros(),
                100 * sample.busy(),
                100 * sample.otherBusy());
    }

    String table(Cell cell) {
        String judged = cell.equals(Cell.JUDGED) ? ", judged" : ", not judged";
        return table(cell + ", servers" + judged, of(cell), "gen busy");
    }

    /** What the channels cost their own process. */
    String clientTable() {
        return table(options.cells().getFirst() + ", channels, not judged", clients, "srv busy");
    }

    private String table(String title, Map<? extends Subject, List<Sample>> measured, String other) {
        StringBuilder text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "%n%s (medians of %d)%n%-35s %9s %12s %15s %8s %8s %8s %7s %9s%n",
                title,
                options.rounds(),
                "",
                "calls/s",
                "CPU us/call",
                "(range)",
                "B/call",
                "p50 us",
                "p99 us",
                "busy",
                other));
        measured.forEach((subject, list) -> {
            Sample m = Sample.median(list);
            text.append(String.format(
                    Locale.ROOT,
                    "%-35s %9.0f %12.2f %15s %8.0f %8.0f %8.0f %6.0f%% %8.0f%%%n",
                    subject.title(),
                    m.callsPerSecond(),
                    m.cpuMicros(),
                    Sample.range(list, Sample::cpuMicros),
                    m.allocatedBytes(),
                    m.p50Micros(),
                    m.p99Micros(),
                    100 * m.busy(),
                    100 * m.otherBusy()));
        });
        text.append("ratios of medians, ours / grpc-java's\n");
        measured.forEach((ours, mine) -> measured.forEach((theirs, yours) -> {
            if (ours.ours() && !theirs.ours()) {
                text.append(String.format(
                        Locale.ROOT,
                        "  %-33s / %-35s CPU %.3f   calls/s %.2f   bytes %.2f   p50 %.2f   p99 %.2f%n",
                        ours.title(),
                        theirs.title(),
                        ratio(mine, yours, Sample::cpuMicros),
                        ratio(mine, yours, Sample::callsPerSecond),
                        ratio(mine, yours, Sample::allocatedBytes),
                        ratio(mine, yours, Sample::p50Micros),
                        ratio(mine, yours, Sample::p99Micros)));
            }
        }));
        return text.toString();
    }

    private static double ratio(List<Sample> ours, List<Sample> theirs, ToDoubleFunction<Sample> figure) {
        return Sample.median(ours, figure) / Sample.median(theirs, figure);
    }

    /** The goals, what h2load says of the order, and whatever keeps this run from being the judged measurement. */
    String verdict() {
        StringBuilder text = new StringBuilder();
        goal(Contender.CAISSON_LOOP, Contender.GRPC_DIRECT, LOOP_GOAL).ifPresent(text::append);
        goal(Contender.CAISSON_VIRTUAL, Contender.GRPC_DEFAULT, VIRTUAL_GOAL).ifPresent(text::append);
        if (h2load.isEmpty()) {
            text.append("h2load is not installed (package nghttp2-client): no second opinion\n");
        } else {
            text.append("h2load, ").append(options.cells().getFirst()).append(":");
            h2load.keySet()
                    .forEach(contender -> text.append(
                            h2loadRate(contender) > 0
                                    ? String.format(
                                            Locale.ROOT, "  %s %.0f/s", contender.title(), h2loadRate(contender))
                                    : "  " + contender.title() + " FAILED"));
            text.append(sameOrder() ? "; the order agrees\n" : "; THE ORDER DISAGREES\n");
        }
        for (String caveat : caveats()) {
            text.append("not the judged measurement: ").append(caveat).append('\n');
        }
        return text.append("repeat: ").append(command()).append('\n').toString();
    }

    private Optional<String> goal(Contender ours, Contender theirs, double goal) {
        Map<Contender, List<Sample>> judged = of(Cell.JUDGED);
        if (!judged.containsKey(ours) || !judged.containsKey(theirs)) {
            return Optional.empty();
        }
        double ratio =
                ratio(judged.getOrDefault(ours, List.of()), judged.getOrDefault(theirs, List.of()), Sample::cpuMicros);
        return Optional.of(String.format(
                Locale.ROOT,
                "CPU per call, %s / %s: %.3f, goal %.2f: %s%n",
                ours.title(),
                theirs.title(),
                ratio,
                goal,
                ratio <= goal ? "met" : "NOT MET"));
    }

    private List<String> caveats() {
        List<String> caveats = new ArrayList<>();
        if (!pinned) {
            caveats.add("the processes are not pinned");
        }
        if (options.rounds() < Options.JUDGED_ROUNDS) {
            caveats.add("fewer than " + Options.JUDGED_ROUNDS + " rounds");
        }
        if (options.warmupCpuSeconds() < Options.JUDGED_WARMUP_CPU_SECONDS) {
            caveats.add("less than " + Options.JUDGED_WARMUP_CPU_SECONDS + " CPU-seconds of warm-up");
        }
        of(Cell.JUDGED).forEach((contender, list) -> {
            double busy = Sample.median(list, Sample::otherBusy);
            if (busy > MAX_GENERATOR_BUSY) {
                caveats.add(String.format(
                        Locale.ROOT,
                        "the load generator was %.0f %% busy against %s, so its calls/s are understated (CPU per call is"
                                + " not)",
                        100 * busy,
                        contender.title()));
            }
        });
        return caveats;
    }

    /** Whether h2load's calls per second put the servers in the order that ours put them in. */
    private boolean sameOrder() {
        Map<Contender, List<Sample>> first = of(options.cells().getFirst());
        List<Contender> byOurs = new ArrayList<>(first.keySet());
        List<Contender> byH2load = new ArrayList<>(first.keySet());
        byOurs.sort((a, b) -> Double.compare(rate(first, b), rate(first, a)));
        byH2load.sort((a, b) -> Double.compare(h2loadRate(b), h2loadRate(a)));
        return byOurs.equals(byH2load);
    }

    private static double rate(Map<Contender, List<Sample>> of, Contender contender) {
        return Sample.median(of.getOrDefault(contender, List.of()), Sample::callsPerSecond);
    }

    /** The median, or -1 where a run failed. */
    private double h2loadRate(Contender contender) {
        double[] rates = h2load.getOrDefault(contender, List.of()).stream()
                .mapToDouble(Double::doubleValue)
                .sorted()
                .toArray();
        return rates.length == 0 || rates[0] < 0 ? -1 : rates[rates.length / 2];
    }

    private Map<Contender, List<Sample>> of(Cell cell) {
        return samples.getOrDefault(cell, Map.of());
    }

    private String command() {
        return ("./caisson bench rpc " + options.words()).strip();
    }

    String json() {
        StringJoiner cells = new StringJoiner(",\n    ", "[\n    ", "\n  ]");
        samples.forEach((cell, measured) -> measured.forEach(
                (contender, list) -> list.forEach(s -> cells.add(json(cell, "server", contender, s)))));
        StringJoiner channels = new StringJoiner(",\n    ", "[\n    ", "\n  ]");
        Cell first = options.cells().getFirst();
        clients.forEach((caller, list) -> list.forEach(s -> channels.add(json(first, "client", caller, s))));
        StringJoiner second = new StringJoiner(", ", "{", "}");
        h2load.keySet()
                .forEach(contender -> second.add(
                        String.format(Locale.ROOT, "\"%s\": %.0f", contender.word(), h2loadRate(contender))));
        return String.format(
                Locale.ROOT,
                "{%n  \"bench\": \"rpc\",%n  \"command\": \"%s\",%n  \"jdk\": \"%s\",%n  \"cores\": %d,%n  \"pinned\": %b,%n"
                        + "  \"loadAverageAtStart\": %.2f,%n  \"warmupCpuSeconds\": %d,%n  \"sampleSeconds\": %.1f,%n"
                        + "  \"h2loadCallsPerSecond\": %s,%n  \"samples\": %s,%n  \"clientSamples\": %s%n}%n",
                command().replace("\\", "\\\\").replace("\"", "\\\""),
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                pinned,
                loadAtStart,
                options.warmupCpuSeconds(),
                options.sampleSeconds(),
                second,
                cells,
                channels);
    }

    /** One sample; {@code busy} is the share of its core that what is measured used. */
    private static String json(Cell cell, String kind, Subject subject, Sample s) {
        return String.format(
                Locale.ROOT,
                "{\"cell\": \"%s\", \"%s\": \"%s\", \"callsPerSecond\": %.0f, \"cpuMicros\": %.4f,"
                        + " \"allocatedBytes\": %.1f, \"p50Micros\": %.1f, \"p99Micros\": %.1f,"
                        + " \"%s\": %.3f, \"%s\": %.3f}",
                cell,
                kind,
                subject.word(),
                s.callsPerSecond(),
                s.cpuMicros(),
                s.allocatedBytes(),
                s.p50Micros(),
                s.p99Micros(),
                kind + "Busy",
                s.busy(),
                kind.equals("server") ? "generatorBusy" : "serverBusy",
                s.otherBusy());
    }

    private static double loadAverage() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }
}
