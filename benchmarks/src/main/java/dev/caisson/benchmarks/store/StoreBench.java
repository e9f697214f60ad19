package dev.caisson.benchmarks.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Directs {@code ./caisson bench store}; {@link Options#HELP} says what can be asked of it. */
public final class StoreBench {
    /** Requests by which the speed is found out that the length of samples follows from. */
    private static final long FIRST_REQUESTS = 20_000;

    private final Options options;
    private final Report report;

    private StoreBench(Options options) {
        this.options = options;
        this.report = new Report(options);
    }

    /** Runs the bench; exits 2 on a bad command line, 0 without measuring where Redis is not installed. */
    public static void main(String[] args) throws Exception {
        if (args.length > 0 && (args[0].equals("--help") || args[0].equals("-h"))) {
            System.out.print(Options.HELP);
            return;
        }
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("bench store: " + e.getMessage());
            System.exit(2);
            return;
        }
        for (String program : List.of("redis-server", "redis-benchmark")) {
            if (!RedisBenchmark.isInstalled(program)) {
                say("bench store: skipped, because " + program + " is not installed (Debian: apt install redis-server"
                        + " redis-tools); there is nothing to measure beside");
                return;
            }
        }
        new StoreBench(options).run();
    }

    private void run() throws IOException, InterruptedException {
        say(report.head());
        List<Load> loads = options.loads();
        if (!loads.isEmpty()) {
            try (Server.Redis redis = Server.Redis.start("redis");
                    Server.Caisson ours = Server.Caisson.start("caisson", BenchStore.jvm());
                    Server.Redis twin = Server.Redis.start("redis, again")) {
                for (Load load : loads) {
                    measure(load, redis, ours, twin);
                }
            }
        }
        if (options.memory()) {
            new MemoryTrial(options.keys(), report).run();
        }
        Path page = options.page().toAbsolutePath();
        Path folder = page.getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        Files.writeString(page, report.page());
        say("\npage: " + page);
    }

    /** The order turns from round to round, so each server is as often before the other as behind it. */
    private void measure(Load load, Server.Redis redis, Server.Caisson ours, Server.Redis twin)
            throws IOException, InterruptedException {
        List<Server> there = List.of(redis, ours, twin);
        double fastest = 0;
        for (Server server : there) {
            RedisBenchmark.run(server, new Load("set", load.pipeline(), load.connections()), 5L * Load.KEYS);
            fastest = Math.max(
                    fastest, RedisBenchmark.run(server, load, FIRST_REQUESTS).perSecond());
        }
        long warmup = requests(fastest, options.warmupSeconds());
        double warm = 0;
        for (Server server : there) {
            warm = Math.max(warm, RedisBenchmark.run(server, load, warmup).perSecond());
        }
        long requests = requests(warm, options.seconds());
        long allocatedBefore = ours.allocatedBytes();
        for (int round = 0; round < options.rounds(); round++) {
            List<Server> order = round % 2 == 0 ? there : there.reversed();
            List<Sample> samples = new ArrayList<>();
            for (Server server : order) {
                Sample sample = RedisBenchmark.run(server, load, requests);
                samples.add(sample);
                say(String.format(
                        Locale.ROOT,
                        "%-36s #%-2d %-13s %9.0f/s  p99 %6.2f ms  CPU %5.2f us",
                        load,
                        round + 1,
                        server,
                        sample.perSecond(),
                        sample.p99Millis(),
                        sample.cpuMicros()));
            }
            List<Sample> inPlace = round % 2 == 0 ? samples : samples.reversed();
            report.add(load, new Report.Round(inPlace.get(0), inPlace.get(1), inPlace.get(2)));
        }
        report.allocated(
                load, (double) (ours.allocatedBytes() - allocatedBefore) / ((double) requests * options.rounds()));
        say(report.lines(load));
    }

    private static long requests(double perSecond, double seconds) {
        return Math.max(FIRST_REQUESTS, (long) (perSecond * seconds));
    }

    static void say(String text) {
        System.out.println(text);
    }
}
