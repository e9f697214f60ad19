package dev.caisson.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.resp.Reply;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The story of a server that each lost client made heavier, until it stood still: thousands of connections that watch,
 * subscribe, wait, queue or read nothing go in every order, and each time all tables, sockets and threads are back where
 * they were.
 *
 * <p>{@code -Dcaisson.soak.minutes=N} goes on for that long, as {@code ./caisson soak store} does.
 */
@NoLeaks
class CrowdIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int DESCRIPTORS_FOR_THE_REST = 1_000;
    private static final List<String> WAYS =
            List.of("close", "reset", "half", "mixed", "client killed", "CLIENT KILL", "while served");

    /** The process of the clients. */
    private static final class Clients implements AutoCloseable {
        private final Process process;
        private final BufferedReader out;
        private final Writer in;

        Clients() throws IOException {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx256m",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Crowd.class.getName())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            out = process.inputReader(StandardCharsets.US_ASCII);
            in = process.outputWriter(StandardCharsets.US_ASCII);
        }

        void ask(String question, String answer) throws IOException {
            in.write(question + "\n");
            in.flush();
            assertThat(out.readLine()).as(question).isEqualTo(answer);
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }

        @Override
        public void close() throws IOException, InterruptedException {
            kill();
            out.close();
            try {
                in.close();
            } catch (IOException gone) {
                // nothing of it was waited for
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 2000", "4, 10000"})
    void whoeverLeavesLeavesNothing(int loops, int wanted) throws Exception {
        int count = Math.min(wanted, descriptors());
        if (count < wanted) {
            System.err.println("CrowdIT: " + count + " connections instead of " + wanted
                    + ", because a process may not open more files here; ulimit -n raises that");
        }
        long seed = System.nanoTime();
        Random random = new Random(seed);
        long until = System.nanoTime() + TimeUnit.MINUTES.toNanos(Integer.getInteger("caisson.soak.minutes", 0));
        System.out.println("CrowdIT: seed " + seed);
        Store store = Store.open(StoreOptions.defaults().port(0).loops(loops).maxClients(count + 10));
        try (Scope app = Scope.open("crowd")) {
            app.own(store, "store");
            StoreClient client = store.client("observer", push -> {});
            Clients clients = new Clients();
            try {
                Map<String, Long> before = standing(store, client);
                int threads = storeThreads();
                int round = 0;
                do {
                    for (String way : WAYS) {
                        clients.ask("open " + store.port() + " " + count, "opened " + count);
                        hangingOn(store, client, count);
                        clients = leave(way, client, clients, random, count);
                        await("back to the beginning after: " + way)
                                .atMost(PATIENCE)
                                .untilAsserted(() ->
                                        assertThat(standing(store, client)).isEqualTo(before));
                        assertThat(storeThreads()).isEqualTo(threads);
                    }
                    System.out.println("CrowdIT: round " + ++round + " with " + loops + " loops, " + count
                            + " connections each of " + WAYS.size() + " times");
                } while (System.nanoTime() < until);
                clients.ask("open " + store.port() + " " + count, "opened " + count);
                hangingOn(store, client, count);
                client.close();
                store.close();
                clients.ask("ended", "ended " + count);
                assertThat(storeThreads()).isZero();
                assertThat(store.connections()).isZero();
            } finally {
                clients.close();
            }
        }
    }

    /** Has all clients go in that way; answers the process of the next ones. */
    private static Clients leave(String way, StoreClient client, Clients clients, Random random, int count)
            throws Exception {
        switch (way) {
            case "client killed" -> {
                clients.close();
                return new Clients();
            }
            case "CLIENT KILL" -> {
                long killed = 0;
                for (String type : List.of("normal", "pubsub")) {
                    Reply reply = call(client, "CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
                    killed += ((Reply.Int) reply).value();
                }
                assertThat(killed).isEqualTo(count);
                clients.ask("ended", "ended " + count);
            }
            case "while served" -> {
                List<CompletableFuture<Reply>> work = new ArrayList<>();
                for (int i = 0; i < 20_000; i++) {
                    work.add(client.send(something(random.nextInt(6), random.nextInt(50))));
                    if (i == 5_000) {
                        clients.close();
                    }
                }
                for (CompletableFuture<Reply> each : work) {
                    assertThat(each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isNotInstanceOf(Reply.ErrorLine.class);
                }
                call(client, "FLUSHALL");
                return new Clients();
            }
            default -> clients.ask("leave " + way + " " + random.nextInt(), "left " + count);
        }
        return clients;
    }

    private static String[] something(int what, int n) {
        return switch (what) {
            case 0 -> new String[] {"SET", "watched" + n, "v" + n};
            case 1 -> new String[] {"HSET", "hash" + n, "f", "v" + System.nanoTime()};
            case 2 -> new String[] {"PUBLISH", "channel" + n, "hello"};
            case 3 -> new String[] {"RPUSH", "list" + n, "a", "b"};
            case 4 -> new String[] {"DEL", "watched" + n, "list" + (n + 1) % 50};
            default -> new String[] {"MSET", "watched" + n, "1", "watched" + (n + 7) % 50, "2"};
        };
    }

    /** Sees that the clients really hang on the store: an empty baseline proves nothing. */
    private static void hangingOn(Store store, StoreClient client, int count) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            Map<String, Long> now = standing(store, client);
            assertThat(now.get("connections")).isEqualTo(count);
            assertThat(now)
                    .allSatisfy((what, number) -> assertThat(number).as(what).isPositive());
            // who cannot be heard of by a first reply
            assertThat(now.get("blocked_clients")).isEqualTo(waiting(count));
        });
    }

    private static long waiting(int count) {
        return java.util.stream.IntStream.range(0, count)
                .filter(i -> i % 9 == 6 && i % Crowd.DEAF_ONE_IN != Crowd.DEAF_ONE_IN - 1)
                .count();
    }

    /** All that a client may leave behind, but for the client that asks. */
    private static Map<String, Long> standing(Store store, StoreClient client) {
        Map<String, Long> all = new TreeMap<>();
        for (Figure figure :
                List.of(Figure.WATCHED, Figure.WATCHED_KEYS, Figure.QUERIES, Figure.WATCHERS, Figure.WAITED)) {
            all.put(figure.name(), store.figure(figure));
        }
        all.put("connections", (long) store.connections());
        all.put("rows of the census", connectionRows());
        String told;
        try {
            told = ((Reply.Verbatim) call(client, "INFO")).text();
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
        for (String name : List.of(
                "connected_clients", "blocked_clients", "pubsub_channels", "pubsub_patterns", "used_memory_buffers")) {
            all.put(name, Long.parseLong(told.split("\r\n" + name + ":")[1].split("\r\n")[0]));
        }
        return all;
    }

    private static long connectionRows() {
        return Scope.census().rows().stream()
                .filter(row -> row.kind().equals("connection"))
                .count();
    }

    private static Reply call(StoreClient client, String... args)
            throws InterruptedException, ExecutionException, TimeoutException {
        return client.send(args).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static int storeThreads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("caisson-store"))
                .count();
    }

    private static int descriptors() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
            return (int) Math.max(100, system.getMaxFileDescriptorCount() - DESCRIPTORS_FOR_THE_REST);
        }
        return Integer.MAX_VALUE;
    }
}
