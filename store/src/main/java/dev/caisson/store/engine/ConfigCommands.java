package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** CONFIG. */
final class ConfigCommands {
    private ConfigCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("CONFIG")
                .arity(-2)
                .docs("server", "2.0.0", "Depends on subcommand.", "A container for server configuration commands.");
        sub(t, "GET", -3, "Returns the effective values of configuration parameters.")
                .run(ConfigCommands::get);
        sub(t, "SET", -4, "Sets configuration parameters in-flight.").run(ConfigCommands::set);
        sub(t, "RESETSTAT", 2, "Resets the server's statistics.")
                .flags(Command.ALL_SHARDS)
                .run(ConfigCommands::resetStat);
        sub(t, "REWRITE", 2, "Persists the effective configuration to file.").run(c -> {
            throw new ErrorReply("ERR The server is running without a config file");
        });
        sub(t, "HELP", 2, "Returns helpful text about the different subcommands.")
                .run(c -> Help.write(
                        c.out,
                        "CONFIG",
                        "GET <pattern>",
                        "    Return parameters matching the glob-like <pattern> and their values.",
                        "SET <directive> <value>",
                        "    Set the configuration <directive> to <value>.",
                        "RESETSTAT",
                        "    Reset statistics reported by the INFO command.",
                        "REWRITE",
                        "    Rewrite the configuration file."));
    }

    private static Command.Builder sub(CommandTable.Builder t, String name, int arity, String summary) {
        return t.add("CONFIG", name).arity(arity).flags(Command.ADMIN).docs("server", "2.0.0", "O(N)", summary);
    }

    private static void get(Call c) {
        List<String> patterns = new ArrayList<>();
        for (int i = 2; i < c.count(); i++) {
            patterns.add(c.args.text(i));
        }
        Map<String, String> found = c.server().configuration().find(patterns);
        c.out.map(found.size());
        found.forEach((name, value) -> c.out.bulk(name).bulk(value));
    }

    private static void set(Call c) {
        if (c.count() % 2 != 0) {
            throw ErrorReply.SYNTAX;
        }
        List<String> pairs = new ArrayList<>();
        for (int i = 2; i < c.count(); i++) {
            pairs.add(c.args.text(i));
        }
        c.server().configuration().set(pairs);
        c.out.ok();
    }

    private static void resetStat(Call c) {
        c.server().resetCounts();
        for (Shard shard : c.shards()) {
            shard.resetFigures();
        }
        c.out.ok();
    }
}
