package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.logging.LogManager;
import jdk.jfr.Configuration;
import jdk.jfr.Recording;
import org.jspecify.annotations.Nullable;

/**
 * The process around one {@link Contender}. Prints {@code port N}, then answers lines:
 *
 * <pre>
 * mark              usage WALL_NANOS CPU_NANOS ALLOCATED_BYTES
 * record            recording          (starts a flight recording)
 * dump FILE         dumped             (ends it)
 * quit, or the end of the input: the process ends
 * </pre>
 */
final class BenchServer {
    private BenchServer() {}

    public static void main(String[] args) throws Exception {
        LogManager.getLogManager().reset(); // a peer that logs each broken connection would measure its log
        Contender contender = Contender.valueOf(args[0]);
        Server server = contender.start();
        System.out.println("port " + server.getPort());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        @Nullable Recording recording = null;
        for (String line = in.readLine(); line != null && !line.equals("quit"); line = in.readLine()) {
            if (line.equals("mark")) {
                System.out.println("usage " + Usage.now().line());
            } else if (line.equals("record")) {
                recording = record();
                System.out.println("recording");
            } else if (line.startsWith("dump ") && recording != null) {
                recording.stop();
                recording.dump(Path.of(line.substring("dump ".length())));
                recording.close();
                recording = null;
                System.out.println("dumped");
            } else {
                throw new IOException("not a command: " + line);
            }
        }
        server.shutdownNow();
        System.exit(0); // whatever a peer leaves running must not keep the process
    }

    private static Recording record() throws Exception {
        Recording recording = new Recording(Configuration.getConfiguration("profile"));
        recording.enable("jdk.ExecutionSample").withPeriod(java.time.Duration.ofMillis(10));
        recording.enable("jdk.CPUTimeSample").with("throttle", "5ms");
        recording.start();
        return recording;
    }
}
