package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caisson.benchmarks.greeter.GreeterGrpc;
import dev.caisson.benchmarks.greeter.HelloRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * nghttp2's load generator, where it is installed: a second opinion by a client that is not ours. It names each request
 * by a Huffman-coded literal path, so servers decode more than for our own generator; the order must agree, not the
 * figures.
 */
final class H2load {
    private static final Pattern RATE = Pattern.compile("finished in [^,]+, ([0-9.]+) req/s");
    private static final Pattern FAILED = Pattern.compile("requests: .* (\\d+) failed, (\\d+) errored");

    private H2load() {}

    static boolean installed() {
        try {
            Process process = new ProcessBuilder("h2load", "--version")
                    .redirectErrorStream(true)
                    .start();
            process.getInputStream().readAllBytes();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Calls per second, or empty if h2load reports failed requests or nothing that can be read. */
    static OptionalDouble callsPerSecond(int port, Cell cell, int seconds, int core)
            throws IOException, InterruptedException {
        Path body = Files.createTempFile("caisson-bench", ".bin");
        try {
            Files.write(
                    body,
                    LoadGenerator.grpcFrame(HelloRequest.newBuilder()
                            .setName(LoadGenerator.NAME)
                            .build()));
            List<String> command = new ArrayList<>();
            if (core >= 0) {
                Collections.addAll(command, "taskset", "-c", Integer.toString(core));
            }
            Collections.addAll(command, "h2load", "-t1", "-c" + cell.connections(), "-m" + cell.inFlight());
            Collections.addAll(command, "-D" + seconds, "-d" + body);
            Collections.addAll(command, "-H", "content-type: application/grpc", "-H", "te: trailers");
            Collections.addAll(command, "-H", "caller: bench", "-H", "grpc-timeout: 30S");
            command.add("http://127.0.0.1:" + port + "/"
                    + GreeterGrpc.getSayHelloMethod().getFullMethodName());
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), UTF_8);
            process.waitFor();
            Matcher rate = RATE.matcher(said);
            Matcher failed = FAILED.matcher(said);
            boolean clean = failed.find()
                    && failed.group(1).equals("0")
                    && failed.group(2).equals("0");
            return clean && rate.find() ? OptionalDouble.of(Double.parseDouble(rate.group(1))) : OptionalDouble.empty();
        } finally {
            Files.delete(body);
        }
    }
}
