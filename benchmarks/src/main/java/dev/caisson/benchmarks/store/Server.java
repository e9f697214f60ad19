package dev.caisson.benchmarks.store;

import dev.caisson.benchmarks.Child;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A server that takes part, in a process of its own that ends with this. */
abstract sealed class Server implements AutoCloseable {
    private static final long GRACE_SECONDS = 20;

    private final String title;

    Server(String title) {
        this.title = title;
    }

    abstract int port();

    abstract ProcessHandle process();

    @Override
    public abstract void close();

    /** CPU time of the process so far, user and system. */
    Duration cpu() {
        return process().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Resident memory of the process, bytes; -1 where ps does not tell. */
    long residentBytes() throws IOException, InterruptedException {
        Process ps = new ProcessBuilder(
                        "ps", "-o", "rss=", "-p", Long.toString(process().pid()))
                .redirectErrorStream(true)
                .start();
        String answer = new String(ps.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.US_ASCII);
        return ps.waitFor() == 0 ? Long.parseLong(answer.strip()) << 10 : -1;
    }

    @Override
    public String toString() {
        return title;
    }

    /** redis-server with what it has by default, but for persistence, which is off. */
    static final class Redis extends Server {
        private final Process process;
        private final int port;
        private final Path folder;

        private Redis(String title, Process process, int port, Path folder) {
            super(title);
            this.process = process;
            this.port = port;
            this.folder = folder;
        }

        static Redis start(String title) throws IOException, InterruptedException {
            Path folder = Files.createTempDirectory("bench-redis");
            int port;
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            Process process = new ProcessBuilder(List.of(
                            "redis-server", "--port", Integer.toString(port), "--save", "", "--dir", folder.toString()))
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile())
                    .start();
            Redis redis = new Redis(title, process, port, folder);
            for (int i = 0; i < 200; i++) {
                try (RedisConnection up = new RedisConnection(port)) {
                    up.call("PING");
                    return redis;
                } catch (IOException notYet) {
                    if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                        break;
                    }
                }
            }
            String log = Files.readString(folder.resolve("log"));
            redis.close();
            throw new IOException("redis-server does not start on port " + port + ":\n" + log);
        }

        @Override
        int port() {
            return port;
        }

        @Override
        ProcessHandle process() {
            return process.toHandle();
        }

        @Override
        public void close() {
            process.destroy();
            try {
                if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly().waitFor();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Our store. */
    static final class Caisson extends Server {
        private final Child child;
        private final int port;

        private Caisson(String title, Child child, int port) {
            super(title);
            this.child = child;
            this.port = port;
        }

        static Caisson start(String title, List<String> jvm) throws IOException {
            Child child = Child.start(BenchStore.class, -1, jvm);
            @Nullable String[] answer;
            try {
                answer = child.expect("port");
            } catch (IOException e) {
                child.close();
                throw e;
            }
            return new Caisson(title, child, Integer.parseInt(answer[1]));
        }

        /** Bytes allocated so far by all of its threads. */
        long allocatedBytes() throws IOException {
            return Long.parseLong(child.ask("allocated", "allocated")[1]);
        }

        /** Bytes by its own bookkeeping, bytes of live objects, keys. */
        long[] memory() throws IOException {
            String[] words = child.ask("memory", "memory");
            return new long[] {Long.parseLong(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3])};
        }

        @Override
        int port() {
            return port;
        }

        @Override
        ProcessHandle process() {
            return child.handle();
        }

        @Override
        public void close() {
            child.close();
        }
    }
}
