package dev.caisson.benchmarks.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.List;

/** The redis-benchmark program, with its one client thread. */
final class RedisBenchmark {
    private RedisBenchmark() {}

    /** Whether a program answers {@code --version} here. */
    static boolean isInstalled(String program) throws InterruptedException {
        try {
            return new ProcessBuilder(program, "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException absent) {
            return false;
        }
    }

    /** Sends that many requests. */
    static Sample run(Server server, Load load, long requests) throws IOException, InterruptedException {
        Duration before = server.cpu();
        Process process = new ProcessBuilder(List.of(
                        "redis-benchmark",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        Integer.toString(server.port()),
                        "-t",
                        load.test(),
                        "-n",
                        Long.toString(requests),
                        "-r",
                        Integer.toString(Load.KEYS),
                        "-d",
                        Integer.toString(Load.VALUE_BYTES),
                        "-c",
                        Integer.toString(load.connections()),
                        "-P",
                        Integer.toString(load.pipeline()),
                        "--csv"))
                .redirectError(Redirect.DISCARD)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("redis-benchmark failed against " + server + ": " + answer);
        }
        Duration cpu = server.cpu().minus(before);
        return parse(answer, cpu.toNanos() / 1e3 / requests);
    }

    /** Reads the line of figures by the names in the head. */
    static Sample parse(String csv, double cpuMicros) throws IOException {
        List<String> lines = csv.lines().filter(line -> line.startsWith("\"")).toList();
        if (lines.size() != 2) {
            throw new IOException("not what redis-benchmark --csv prints: " + csv);
        }
        List<String> names = cells(lines.get(0));
        List<String> figures = cells(lines.get(1));
        return new Sample(figure(names, figures, "rps"), figure(names, figures, "p99_latency_ms"), cpuMicros);
    }

    private static List<String> cells(String line) {
        return List.of(line.substring(1, line.length() - 1).split("\",\""));
    }

    private static double figure(List<String> names, List<String> figures, String name) throws IOException {
        int at = names.indexOf(name);
        if (at < 0 || at >= figures.size()) {
            throw new IOException("redis-benchmark --csv prints no " + name);
        }
        return Double.parseDouble(figures.get(at));
    }
}
