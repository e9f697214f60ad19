package dev.caisson.benchmarks.rpc;

import dev.caisson.benchmarks.Child;
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
    private static final List<String> MEASURED_JVM = List.of("-XX:+UseSerialGC", "-Xms512m", "-Xmx512m");
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
    private final Map<Caller, Child> clients = new EnumMap<>(Caller.class);
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
                Child server =
                        Child.start(BenchServer.class, pinned ? SERVER_CORE : -1, MEASURED_JVM, contender.name());
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
            warmUp(contender.title(), () -> usage(server(contender)), generator, contender);
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
        measureClients(servers.keySet().iterator().next(), first);
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

    /** Channels of both makes in turn, each in a process of its own, against one server. */
    private void measureClients(Contender server, Cell cell) throws IOException, InterruptedException {
        for (Caller caller : options.clients()) {
            Child client = Child.start(BenchClient.class, pinned ? GENERATOR_CORE : -1, MEASURED_JVM, caller.name());
            clients.put(caller, client);
            client.expect("ready");
            warmUp(caller.title(), () -> counts(client).usage(), client, server);
        }
        for (int round = 0; round < options.rounds(); round++) {
            List<Caller> order = new ArrayList<>(clients.keySet());
            Collections.rotate(order, -round);
            for (Caller caller : order) {
                Child client = java.util.Objects.requireNonNull(clients.get(caller));
                Window window = window(client, server, cell, options.sampleSeconds());
                Sample sample = window.of(window.caller());
                report.add(caller, sample);
                say(Report.progress(cell, round + 1, caller, sample));
            }
        }
        if (!clients.isEmpty()) {
            say(report.clientTable());
        }
    }

    /** Something that reads a process's counters. */
    private interface Meter {
        Usage read() throws IOException;
    }

    /** Loads {@code server} by {@code generator} until what {@code meter} reads has used the CPU time of a warm-up. */
    private void warmUp(String title, Meter meter, Child generator, Contender server)
            throws IOException, InterruptedException {
        if (options.warmupCpuSeconds() == 0) {
            return;
        }
        begin(generator, server, options.cells().getFirst());
        Usage before = meter.read();
        long limitNanos = System.nanoTime() + options.warmupCpuSeconds() * 6_000_000_000L;
        double cpuSeconds = 0;
        while (cpuSeconds < options.warmupCpuSeconds() && System.nanoTime() < limitNanos) {
            Thread.sleep(WARMUP_STEP_MILLIS);
            cpuSeconds = meter.read().since(before).cpuNanos() / 1e9;
        }
        end(generator, server);
        say(String.format("warm-up    %-35s %.0f CPU-seconds", title, cpuSeconds));
    }

    private Sample load(Contender contender, Cell cell, double seconds) throws IOException, InterruptedException {
        Window window = window(generator, contender, cell, seconds);
        return window.of(window.server());
    }

    /** What both sides used while {@code calls} were answered. */
    private record Window(long calls, Usage server, Usage caller, long[] percentiles) {
        /** The sample that this window is of one of its sides. */
        Sample of(Usage measured) {
            return Sample.of(calls, measured, measured.equals(server) ? caller : server, percentiles);
        }
    }

    private Window window(Child caller, Contender server, Cell cell, double seconds)
            throws IOException, InterruptedException {
        begin(caller, server, cell);
        Thread.sleep(SETTLE_MILLIS);
        Counts before = counts(caller);
        Usage serverBefore = usage(server(server));
        Thread.sleep((long) (seconds * 1e3));
        Counts after = counts(caller);
        Usage serverAfter = usage(server(server));
        end(caller, server);
        long calls = after.calls() - before.calls();
        if (calls == 0) {
            throw new IOException(server.title() + " answered no call within " + seconds + " s");
        }
        return new Window(
                calls, serverAfter.since(serverBefore), after.usage().since(before.usage()), after.percentiles());
    }

    /** What a process that makes calls says of itself. */
    private record Counts(long calls, long[] percentiles, Usage usage) {}

    private static Counts counts(Child caller) throws IOException {
        String[] words = caller.ask("mark", "counts");
        return new Counts(
                Long.parseLong(words[1]),
                new long[] {Long.parseLong(words[3]), Long.parseLong(words[4])},
                Usage.parse(words, 5));
    }

    private void begin(Child caller, Contender server, Cell cell) throws IOException {
        caller.ask("start " + port(server) + " " + cell.connections() + " " + cell.inFlight(), "started");
    }

    /** Waits for every call's reply, and does not let a wrong one pass. */
    private static void end(Child caller, Contender server) throws IOException {
        String[] stopped = caller.ask("stop", "stopped");
        if (!stopped[1].equals("0")) {
            throw new IOException(server.title() + " answered " + stopped[1] + " calls wrongly, the first one by "
                    + String.join(" ", Arrays.asList(stopped).subList(2, stopped.length)));
        }
    }

    private void profile(Path directory, Cell cell) throws IOException, InterruptedException {
        Files.createDirectories(directory);
        for (Contender contender : servers.keySet()) {
            Path file = directory.resolve(contender.name().toLowerCase(java.util.Locale.ROOT) + ".jfr");
            begin(generator, contender, cell);
            server(contender).ask("record", "recording");
            Thread.sleep(PROFILE_SECONDS * 1_000L);
            server(contender).ask("dump " + file.toAbsolutePath(), "dumped");
            end(generator, contender);
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
        clients.values().forEach(Child::close);
        servers.values().forEach(Child::close);
    }
}
