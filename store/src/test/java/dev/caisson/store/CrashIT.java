package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.resp.Reply;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real server in a process of its own: killed under load, and with a disk that takes no more. A killed process loses
 * nothing that the system has, so this proves little about losses of power; for those there is {@code PowerCutTest}.
 */
class CrashIT {
    private static final int KILLS = 20;
    private static final int WRITES_PER_LIFE = 400;

    @TempDir
    Path folder;

    /** What was acknowledged, and what was sent and not answered. */
    private final Map<String, String> acknowledged = new HashMap<>();

    private final Map<String, String> unknown = new HashMap<>();

    /** A child that ends with the test. */
    private static final class Server implements AutoCloseable {
        private final Process process;
        final int port;

        Server(List<String> command) throws IOException {
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
                String line = out.readLine();
                if (line == null || !line.startsWith("port ")) {
                    throw new IOException("the child said " + line);
                }
                port = Integer.parseInt(line.substring(5));
            } catch (IOException | RuntimeException failure) {
                close();
                throw failure;
            }
        }

        /** SIGKILL. */
        @Override
        public void close() {
            process.destroyForcibly();
            try {
                process.waitFor(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private List<String> command(Durability durability, long snapshotAfterBytes) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xmx200m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                CrashChild.class.getName(),
                folder.toString(),
                durability.name(),
                Long.toString(snapshotAfterBytes));
    }

    private void check(Wire wire) throws IOException {
        for (Map.Entry<String, String> each : acknowledged.entrySet()) {
            Reply found = wire.call("GET", each.getKey());
            String value = found instanceof Reply.Bulk bulk ? bulk.text() : "nothing";
            String maybe = unknown.get(each.getKey());
            assertThat(value).as(each.getKey()).isIn(each.getValue(), maybe == null ? each.getValue() : maybe);
            acknowledged.put(each.getKey(), value);
        }
        unknown.clear();
    }

    @Test
    void losesNothingAcknowledgedWhenItIsKilled() throws Exception {
        int number = 0;
        for (int life = 0; life <= KILLS; life++) {
            try (Server server = new Server(command(Durability.ALWAYS, 20_000));
                    Wire wire = new Wire(server.port);
                    Wire other = new Wire(server.port)) {
                check(wire);
                if (life == KILLS) {
                    break;
                }
                for (int done = 0; done < WRITES_PER_LIFE; done += 8) {
                    List<String> keys = new ArrayList<>();
                    for (int i = 0; i < 8; i++) {
                        String key = "key" + (number % 200);
                        keys.add(key);
                        unknown.put(key, "value" + number++);
                        (i % 2 == 0 ? wire : other).send("SET", key, unknown.get(key));
                    }
                    if (done + 8 >= WRITES_PER_LIFE) {
                        break; // killed while these are on their way
                    }
                    for (int i = 0; i < 8; i++) {
                        assertThat((i % 2 == 0 ? wire : other).read()).isEqualTo(new Reply.Simple("OK"));
                        acknowledged.put(keys.get(i), unknown.remove(keys.get(i)));
                    }
                }
            }
        }
        assertThat(acknowledged).hasSize(200);
    }

    @Test
    void goesOnInANewFileWhenTheSystemTakesNoMoreOfTheOldOne() throws Exception {
        List<String> limited = new ArrayList<>(List.of("bash", "-c", "ulimit -f 64; exec \"$@\"", "bash"));
        limited.addAll(command(Durability.ALWAYS, 1L << 40));
        int refused = 0;
        try (Server server = new Server(limited);
                Wire wire = new Wire(server.port)) {
            String value = "x".repeat(1_000);
            for (int i = 0; i < 200; i++) {
                String key = "key" + i;
                unknown.put(key, value);
                if (wire.call("SET", key, value) instanceof Reply.ErrorLine error) {
                    assertThat(error.line()).startsWith("MISCONF ");
                    refused++;
                    assertThat(wire.call("GET", "key0")).isInstanceOf(Reply.Bulk.class);
                    await().atMost(Duration.ofSeconds(30))
                            .until(() -> wire.call("SET", key, value).equals(new Reply.Simple("OK")));
                }
                acknowledged.put(key, unknown.remove(key));
            }
        }
        assertThat(refused).isPositive();
        try (Server server = new Server(command(Durability.ALWAYS, 1L << 40));
                Wire wire = new Wire(server.port)) {
            check(wire);
        }
    }
}
