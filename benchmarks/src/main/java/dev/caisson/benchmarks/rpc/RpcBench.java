package dev.caisson.benchmarks.rpc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Directs {@code ./caisson bench rpc}; {@link Options#HELP} says what can be asked of it. */
public final class RpcBench implements AutoCloseable {
    private static final int SERVER_CORE = 0;
    private static final int GENERATOR_CORE = 1;
    private static final List<String> SERVER_JVM = List.of("-XX:+UseSerialGC", "-Xms512m", "-Xmx512m");
    private static final List<String> GENERATOR_JVM = List.of("-XX:+UseSerialGC", "-Xms128m", "-Xmx128m");
    private static final long SETTLE_MILLIS = 500;
    private static final long WARMUP_STEP_MILLIS = 1_000;
    private static final int OTHER_CELL_WARMUP_SECONDS = 2;
    private static final int H2LOAD_SECONDS = 2;
    private static final int H2LOAD_ROUNDS = 3;
    private static final int PROFILE_SECONDS = 10;

    private final Options options;
    private final boolean pinned;
    private final Map<Contender, Child> servers = new EnumMap<>(Contender.class);
    private final Map<Contender, Integer> ports = new EnumMap<>(Contender.class);
    private final Child generator;
    private final Report report;

    private RpcBench(Options options) throws IOException {
        this.options = options;
        this.pinned = Runtime.getRuntime().availableProcessors() >= 2 && Pinning.available();
        this.report = new Report(options, pinned);
        this.generator = Child.start(LoadGenerator.class, pinned ? GENERATOR_CORE : -1, GENERATOR_JVM);
        try {
            generator.expect("ready");
            for (Contender contender : options.only()) {
                Child server = Child.start(BenchServer.class, pinned ? SERVER_CORE : -1, SERVER_JVM, contender.name());
                servers.put(contender, server);
                ports.put(contender, Integer.parseInt(server.expect("port")[1]));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Runs the bench; exits 2 on a bad command line. */
    public static void main(String[] args) throws Exception {
        if (args.length > 0 && (args[0].equals("--help") || args[0].equals("-h"))) {
            System.out.print(Options.HELP);
            return;
        }
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("bench rpc: " + e.getMessage());
            System.exit(2);
            return;
        }
        try (RpcBench bench = new RpcBench(options)) {
            bench.run();
        }
    }

    private void run() throws IOException, InterruptedException {
        say(report.head());
        for (Contender contender : servers.keySet()) {
            warmUp(contender);
        }
        Cell first = options.cells().getFirst();
        for (Cell cell : options.cells()) {
            if (!cell.equals(first)) {
                for (Contender contender : servers.keySet()) {
                    load(contender, cell, OTHER_CELL_WARMUP_SECONDS);
                }
            }
            for (int round = 0; round < options.rounds(); round++) {
                for (Contender contender : order(round)) {
                    Sample sample = load(contender, cell, options.sampleSeconds());
                    report.add(cell, contender, sample);
                    say(Report.progress(cell, round + 1, contender, sample));
                }
            }
            say(report.table(cell));
        }
        if (H2load.installed()) {
            for (int round = 0; round < Math.min(options.rounds(), H2LOAD_ROUNDS); round++) {
                for (Contender contender : order(round)) {
                    report.addH2load(
                            contender,
                            H2load.callsPerSecond(
                                    port(contender), first, H2LOAD_SECONDS, pinned ? GENERATOR_CORE : -1));
                }
            }
        }
        say(report.verdict());
        Path json = options.json();
        Path directory = json.toAbsolutePath().getParent();
        if (directory != null) {
            Files.createDirectories(directory);
        }
        Files.writeString(json, report.json());
        say("result: " + json);
        Path profiles = options.profile();
        if (profiles != null) {
            profile(profiles, first);
        }
    }

    /** Servers in turn begin a round, so that none always runs after the same other. */
    private List<Contender> order(int round) {
        List<Contender> order = new ArrayList<>(servers.keySet());
        Collections.rotate(order, -round);
        return order;
    }

    private void warmUp(Contender contender) throws IOException, InterruptedException {
        if (options.warmupCpuSeconds() == 0) {
            return;
        }
        Child server = server(contender);
        Cell cell = options.cells().getFirst();
        Usage before = usage(server);
        begin(contender, cell);
        long limitNanos = System.nanoTime() + options.warmupCpuSeconds() * 6_000_000_000L;
        double cpuSeconds = 0;
        while (cpuSeconds < options.warmupCpuSeconds() && System.nanoTime() < limitNanos) {
            Thread.sleep(WARMUP_STEP_MILLIS);
            cpuSeconds = usage(server).since(before).cpuNanos() / 1e9;
        }
        end(contender);
        say(String.format("warm-up    %-28s %.0f CPU-seconds", contender.title(), cpuSeconds));
    }

    private Sample load(Contender contender, Cell cell, double seconds) throws IOException, InterruptedException {
        begin(contender, cell);
        Thread.sleep(SETTLE_MILLIS);
        String[] countsBefore = generator.ask("mark", "counts");
        Usage serverBefore = usage(server(contender));
        Thread.sleep((long) (seconds * 1e3));
        String[] countsAfter = generator.ask("mark", "counts");
        Usage serverAfter = usage(server(contender));
        end(contender);
        long calls = Long.parseLong(countsAfter[1]) - Long.parseLong(countsBefore[1]);
        if (calls == 0) {
            throw new IOException(contender.title() + " answered no call within " + seconds + " s");
        }
        long[] percentiles = {Long.parseLong(countsAfter[3]), Long.parseLong(countsAfter[4])};
        Usage generatorUsage = Usage.parse(countsAfter, 5).since(Usage.parse(countsBefore, 5));
        return Sample.of(calls, serverAfter.since(serverBefore), generatorUsage, percentiles);
    }

    private void begin(Contender contender, Cell cell) throws IOException {
        generator.ask("start " + port(contender) + " " + cell.connections() + " " + cell.inFlight(), "started");
    }

    /** Waits for every call's reply, and does not let a wrong one pass. */
    private void end(Contender contender) throws IOException {
        String[] stopped = generator.ask("stop", "stopped");
        if (!stopped[1].equals("0")) {
            throw new IOException(contender.title() + " answered " + stopped[1] + " calls wrongly, the first one by "
                    + String.join(" ", Arrays.asList(stopped).subList(2, stopped.length)));
        }
    }

    private void profile(Path directory, Cell cell) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        for (Contender contender : servers.keySet()) {
            Path file = directory.resolve(contender.name().toLowerCase(java.util.Locale.ROOT) + ".jfr");
            begin(contender, cell);
            server(contender).ask("record", "recording");
            Thread.sleep(PROFILE_SECONDS * 1_000L);
            server(contender).ask("dump " + file.toAbsolutePath(), "dumped");
            end(contender);
            say(contender.title() + ", " + cell + ", " + file);
            say(Profile.topFrames(file));
        }
    }

    private Child server(Contender contender) {
        return java.util.Objects.requireNonNull(servers.get(contender));
    }

    private int port(Contender contender) {
        return java.util.Objects.requireNonNull(ports.get(contender));
    }

    private static Usage usage(Child server) throws IOException {
        return Usage.parse(server.ask("mark", "usage"), 1);
    }

    private static void say(String text) {
        System.out.println(text);
    }

    @Override
    public void close() {
        generator.close();
        servers.values().forEach(Child::close);
    }
}
