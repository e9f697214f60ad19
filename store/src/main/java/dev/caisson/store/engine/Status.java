package dev.caisson.store.engine;

import dev.caisson.store.engine.Shard.Figure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** INFO: Redis's sections and names where the figure exists here, and {@code caisson_version}. */
final class Status {
    /** What INFO shows unless asked for more. */
    private static final List<String> USUAL =
            List.of("server", "clients", "memory", "persistence", "stats", "replication", "cpu", "cluster", "keyspace");

    private static final List<String> ALL;

    static {
        List<String> all = new ArrayList<>(USUAL);
        all.add("commandstats");
        ALL = List.copyOf(all);
    }

    private final Call call;
    private final Server server;
    private final StringBuilder text = new StringBuilder();

    private Status(Call call) {
        this.call = call;
        this.server = call.server();
    }

    static void run(Call c) {
        Map<String, Boolean> wanted = new LinkedHashMap<>();
        if (c.count() == 1) {
            USUAL.forEach(section -> wanted.put(section, true));
        }
        for (int i = 1; i < c.count(); i++) {
            String section = c.args.text(i).toLowerCase(Locale.ROOT);
            switch (section) {
                case "all", "everything" -> ALL.forEach(each -> wanted.put(each, true));
                case "default" -> USUAL.forEach(each -> wanted.put(each, true));
                default -> wanted.put(section, true);
            }
        }
        Status status = new Status(c);
        Map<String, Consumer<Status>> sections = sections();
        ALL.stream().filter(wanted::containsKey).forEach(section -> {
            if (!status.text.isEmpty()) {
                status.text.append("\r\n");
            }
            status.text.append("# ").append(title(section)).append("\r\n");
            Consumer<Status> writer = sections.get(section);
            if (writer != null) {
                writer.accept(status);
            }
        });
        c.out.verbatim("txt", status.text.toString());
    }

    private static String title(String section) {
        return section.equals("cpu") ? "CPU" : Character.toUpperCase(section.charAt(0)) + section.substring(1);
    }

    private static Map<String, Consumer<Status>> sections() {
        return Map.of(
                "server", Status::server,
                "clients", Status::clients,
                "memory", Status::memory,
                "persistence", Status::persistence,
                "stats", Status::stats,
                "replication", Status::replication,
                "cpu", Status::cpu,
                "cluster", status -> status.line("cluster_enabled", 0),
                "keyspace", Status::keyspace,
                "commandstats", Status::commands);
    }

    private void line(String name, Object value) {
        text.append(name).append(':').append(value).append("\r\n");
    }

    private void server() {
        long up = Math.max(0, call.now() - server.startedAtMillis()) / 1000;
        line("redis_version", Server.REDIS_VERSION);
        line("caisson_version", version());
        line("redis_mode", "standalone");
        line("arch_bits", 64);
        line("process_id", ProcessHandle.current().pid());
        line("run_id", server.runId());
        line("tcp_port", server.configuration().get("port"));
        line("server_time_usec", call.now() * 1000);
        line("uptime_in_seconds", up);
        line("uptime_in_days", up / 86_400);
        line("loops", server.shardCount());
    }

    private static String version() {
        String version = Status.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }

    private void clients() {
        long pubsub = server.sessions().stream()
                .filter(each -> each.subscriptions() > 0)
                .count();
        line("connected_clients", server.sessionCount());
        line("maxclients", server.configuration().get("maxclients"));
        line(
                "blocked_clients",
                server.sessions().stream().filter(each -> each.waiter() != null).count());
        line("pubsub_clients", pubsub);
        line(
                "watching_clients",
                server.sessions().stream()
                        .filter(each -> !each.watched.isEmpty())
                        .count());
    }

    private void memory() {
        long used = server.budget().used();
        Runtime runtime = Runtime.getRuntime();
        line("used_memory", used);
        line("used_memory_human", human(used));
        line("used_memory_dataset", server.figure(Figure.MEMORY));
        line("used_memory_buffers", server.budget().bufferBytes());
        line("heap_used", runtime.totalMemory() - runtime.freeMemory());
        line("heap_committed", runtime.totalMemory());
        line("heap_max", runtime.maxMemory());
        line("maxmemory", server.settings().maxMemoryBytes());
        line("maxmemory_human", human(server.settings().maxMemoryBytes()));
        line("maxmemory_policy", server.settings().eviction().text());
        line("mem_allocator", "jvm");
    }

    private static String human(long bytes) {
        if (bytes < 1024) {
            return bytes + "B";
        }
        double value = bytes;
        String units = "BKMGTP";
        int unit = 0;
        while (value >= 1024 && unit < units.length() - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, "%.2f%c", value, units.charAt(unit));
    }

    private void persistence() {
        line("loading", 0);
        line("aof_enabled", server.configuration().get("appendonly").equals("yes") ? 1 : 0);
        line("rdb_bgsave_in_progress", server.persistence().isSaving() ? 1 : 0);
        line("rdb_last_save_time", server.persistence().lastSaveMillis() / 1000);
        server.persistence().figures().forEach(this::line);
    }

    private void stats() {
        long calls = 0;
        for (Command command : server.commands().all()) {
            calls += command.usage.calls();
            for (Command sub : command.subcommands.values()) {
                calls += sub.usage.calls();
            }
        }
        line("total_connections_received", server.accepted());
        line("total_commands_processed", calls);
        line("rejected_connections", server.refusals());
        line("client_output_buffer_limit_disconnections", server.laggards());
        line("expired_keys", server.figure(Figure.EXPIRED));
        line("evicted_keys", server.figure(Figure.EVICTED));
        line("pubsub_channels", server.audience().size(false));
        line("pubsub_patterns", server.audience().size(true));
        line("dropped_notifications", server.audience().dropped());
        line("keyspace_hits", server.figure(Figure.HITS));
        line("keyspace_misses", server.figure(Figure.MISSES));
    }

    private void replication() {
        line("role", "master");
        line("connected_slaves", 0);
        line("master_replid", server.runId());
        line("master_repl_offset", 0);
    }

    private void cpu() {
        long nanos = ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .map(java.time.Duration::toNanos)
                .orElse(0L);
        text.append(String.format(Locale.ROOT, "used_cpu_total:%.6f\r\n", nanos / 1e9));
    }

    private void keyspace() {
        long keys = server.figure(Figure.KEYS);
        if (keys > 0) {
            line("db0", "keys=" + keys + ",expires=" + server.figure(Figure.EXPIRING) + ",avg_ttl=0,subexpiry=0");
        }
    }

    private void commands() {
        for (Command command : server.commands().all()) {
            command(command);
            command.subcommands.values().forEach(this::command);
        }
    }

    private void command(Command command) {
        Command.Usage usage = command.usage;
        if (usage.calls() > 0 || usage.rejectedCalls() > 0) {
            line(
                    "cmdstat_" + command.fullName(),
                    "calls=" + usage.calls() + ",rejected_calls=" + usage.rejectedCalls() + ",failed_calls="
                            + usage.failedCalls());
        }
    }
}
