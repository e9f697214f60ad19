package dev.caisson.benchmarks.store;

import java.io.IOException;
import java.util.List;

/**
 * What a key takes: keys of 16 bytes with a time to live, in Redis by its used_memory, in our store by a heap histogram and
 * by its own bookkeeping, with compact object headers and without.
 */
final class MemoryTrial {
    private static final List<Integer> VALUE_BYTES = List.of(8, 64);

    private final int keys;
    private final Report report;

    MemoryTrial(int keys, Report report) {
        this.keys = keys;
        this.report = report;
    }

    void run() throws IOException, InterruptedException {
        for (int valueBytes : VALUE_BYTES) {
            double redis;
            try (Server.Redis server = Server.Redis.start("redis");
                    RedisConnection connection = new RedisConnection(server.port())) {
                long before = usedMemory(connection);
                long residentBefore = server.residentBytes();
                connection.fill(keys, valueBytes);
                redis = each(usedMemory(connection) - before);
                tell(new Report.Memory(
                        "redis, used_memory", valueBytes, redis, redis, each(server.residentBytes() - residentBefore)));
            }
            ours("caisson, compact object headers", valueBytes, redis, BenchStore.jvm());
            ours("caisson, -XX:-UseCompactObjectHeaders", valueBytes, redis, List.of("-XX:-UseCompactObjectHeaders"));
        }
    }

    private void ours(String title, int valueBytes, double redis, List<String> jvm)
            throws IOException, InterruptedException {
        try (Server.Caisson server = Server.Caisson.start(title, jvm);
                RedisConnection connection = new RedisConnection(server.port())) {
            long[] before = server.memory();
            long residentBefore = server.residentBytes();
            connection.fill(keys, valueBytes);
            long resident = server.residentBytes();
            long[] after = server.memory();
            if (after[2] != keys) {
                throw new IOException(title + " holds " + after[2] + " keys, not " + keys);
            }
            tell(new Report.Memory(
                    title + ", heap histogram",
                    valueBytes,
                    each(after[1] - before[1]),
                    redis,
                    each(resident - residentBefore)));
            tell(new Report.Memory(
                    title + ", own bookkeeping", valueBytes, each(after[0] - before[0]), redis, Double.NaN));
        }
    }

    private void tell(Report.Memory memory) {
        report.add(memory);
        StoreBench.say(memory.toString());
    }

    private double each(long bytes) {
        return (double) bytes / keys;
    }

    private static long usedMemory(RedisConnection connection) throws IOException {
        return connection
                .call("INFO", "memory")
                .lines()
                .filter(line -> line.startsWith("used_memory:"))
                .mapToLong(line ->
                        Long.parseLong(line.substring("used_memory:".length()).strip()))
                .findFirst()
                .orElseThrow(() -> new IOException("INFO memory without used_memory"));
    }
}
