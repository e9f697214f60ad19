package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** COMMAND: what commands there are, and what is known of each. */
final class TableCommands {
    /** Flags in the order and under the names in which COMMAND INFO shows them. */
    private static final Map<Integer, String> FLAGS = new java.util.LinkedHashMap<>();

    static {
        FLAGS.put(Command.WRITE, "write");
        FLAGS.put(Command.READ, "readonly");
        FLAGS.put(Command.DENY_OOM, "denyoom");
        FLAGS.put(Command.ADMIN, "admin");
        FLAGS.put(Command.PUBSUB, "pubsub");
        FLAGS.put(Command.BLOCKING, "blocking");
        FLAGS.put(Command.FAST, "fast");
        FLAGS.put(Command.NO_AUTH, "no_auth");
        FLAGS.put(Command.NO_MULTI, "no_multi");
    }

    private TableCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("COMMAND")
                .arity(-1)
                .category("connection")
                .docs(
                        "server",
                        "2.8.13",
                        "O(N) where N is the total number of Redis commands",
                        "Returns detailed information about all commands.")
                .run(c -> describeAll(c, c.server().commands().all()));
        sub(t, "COUNT", 2, "2.8.13", "Returns a count of commands.")
                .run(c -> c.out.integer(c.server().commands().all().size()));
        sub(t, "INFO", -2, "2.8.13", "Returns information about one, multiple or all commands.")
                .run(TableCommands::details);
        sub(t, "DOCS", -2, "7.0.0", "Returns documentary information about one, multiple or all commands.")
                .run(TableCommands::docs);
        sub(t, "LIST", -2, "7.0.0", "Returns a list of command names.").run(TableCommands::list);
        sub(t, "GETKEYS", -3, "2.8.13", "Extracts the key names from an arbitrary command.")
                .run(c -> keys(c, false));
        sub(t, "GETKEYSANDFLAGS", -3, "7.0.0", "Extracts the key names and access flags for an arbitrary command.")
                .run(c -> keys(c, true));
        sub(t, "HELP", 2, "5.0.0", "Returns helpful text about the different subcommands.")
                .run(c -> Help.write(
                        c.out,
                        "COMMAND",
                        "(no subcommand)",
                        "    Return details about all Redis commands.",
                        "COUNT",
                        "    Return the total number of commands in this Redis server.",
                        "LIST",
                        "    Return a list of all commands in this Redis server.",
                        "INFO [<command-name> ...]",
                        "    Return details about multiple Redis commands.",
                        "    If no command names are given, documentation details for all",
                        "    commands are returned.",
                        "DOCS [<command-name> ...]",
                        "    Return documentation details about multiple Redis commands.",
                        "    If no command names are given, documentation details for all",
                        "    commands are returned.",
                        "GETKEYS <full-command>",
                        "    Return the keys from a full Redis command.",
                        "GETKEYSANDFLAGS <full-command>",
                        "    Return the keys and the access flags from a full Redis command."));
    }

    private static Command.Builder sub(CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add("COMMAND", name).arity(arity).category("connection").docs("server", since, "O(N)", summary);
    }

    /** The command or subcommand ({@code client|id}) of this name, or null. */
    static @Nullable Command find(CommandTable commands, String name) {
        int bar = name.indexOf('|');
        Command command = commands.find(bar < 0 ? name : name.substring(0, bar));
        return bar < 0 || command == null
                ? command
                : command.subcommands().get(name.substring(bar + 1).toLowerCase(Locale.ROOT));
    }

    // ---- INFO

    private static void details(Call c) {
        CommandTable commands = c.server().commands();
        if (c.count() == 2) {
            describeAll(c, commands.all());
            return;
        }
        c.out.array(c.count() - 2);
        for (int i = 2; i < c.count(); i++) {
            Command command = find(commands, c.args.text(i));
            if (command == null) {
                c.out.nil();
            } else {
                describe(c.out, command);
            }
        }
    }

    private static void describeAll(Call c, Collection<Command> commands) {
        c.out.array(commands.size());
        commands.forEach(command -> describe(c.out, command));
    }

    /** The ten fields of COMMAND INFO. */
    private static void describe(RespWriter out, Command command) {
        out.array(10);
        out.bulk(command.fullName());
        out.integer(command.arity());
        List<String> flags = flags(command);
        out.set(flags.size());
        flags.forEach(out::simple);
        out.integer(command.movableKeys() ? 0 : command.firstKey());
        out.integer(command.movableKeys() ? 0 : command.lastKey());
        out.integer(command.movableKeys() || command.firstKey() == 0 ? 0 : command.keyStep());
        out.set(command.categories().size());
        command.categories().forEach(category -> out.simple("@" + category));
        out.array(0);
        keySpecification(out, command);
        out.array(command.subcommands().size());
        command.subcommands().values().forEach(sub -> describe(out, sub));
    }

    private static List<String> flags(Command command) {
        List<String> flags = new ArrayList<>();
        FLAGS.forEach((flag, name) -> {
            if (command.is(flag)) {
                flags.add(name);
            }
        });
        if (command.movableKeys()) {
            flags.add("movablekeys");
        }
        return flags;
    }

    private static void keySpecification(RespWriter out, Command command) {
        if (command.movableKeys() || command.firstKey() == 0) {
            out.array(0);
            return;
        }
        out.array(1);
        out.map(3);
        out.bulk("flags");
        out.set(1);
        out.simple(access(command));
        out.bulk("begin_search");
        out.map(2);
        out.bulk("type").bulk("index").bulk("spec");
        out.map(1);
        out.bulk("index").integer(command.firstKey());
        out.bulk("find_keys");
        out.map(2);
        out.bulk("type").bulk("range").bulk("spec");
        out.map(3);
        // relative to the first key, unless it counts from the end
        int last = command.lastKey() < 0 ? command.lastKey() : command.lastKey() - command.firstKey();
        out.bulk("lastkey").integer(last);
        out.bulk("keystep").integer(command.keyStep());
        out.bulk("limit").integer(0);
    }

    private static String access(Command command) {
        return command.is(Command.WRITE) ? "RW" : "RO";
    }

    // ---- DOCS

    private static void docs(Call c) {
        CommandTable commands = c.server().commands();
        List<Command> wanted = new ArrayList<>();
        if (c.count() == 2) {
            wanted.addAll(commands.all());
        }
        for (int i = 2; i < c.count(); i++) {
            Command command = find(commands, c.args.text(i));
            if (command != null) {
                wanted.add(command);
            }
        }
        c.out.map(wanted.size());
        wanted.forEach(command -> document(c.out, command));
    }

    private static void document(RespWriter out, Command command) {
        out.bulk(command.fullName());
        boolean container = !command.subcommands().isEmpty();
        out.map(container ? 5 : 4);
        out.bulk("summary").bulk(command.summary());
        out.bulk("since").bulk(command.since());
        out.bulk("group").bulk(command.group());
        out.bulk("complexity").bulk(command.complexity());
        if (container) {
            out.bulk("subcommands");
            out.map(command.subcommands().size());
            command.subcommands().values().forEach(sub -> document(out, sub));
        }
    }

    // ---- LIST

    private static void list(Call c) {
        Predicate<Command> wanted = any -> true;
        if (c.count() == 5 && c.args.is(2, "FILTERBY")) {
            String value = c.args.text(4);
            if (c.args.is(3, "MODULE")) {
                wanted = any -> false;
            } else if (c.args.is(3, "ACLCAT")) {
                wanted = each -> each.categories().contains(value.toLowerCase(Locale.ROOT));
            } else if (c.args.is(3, "PATTERN")) {
                byte[] pattern = c.args.copy(4);
                wanted = each ->
                        Glob.matches(pattern, each.fullName().getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
            } else {
                throw ErrorReply.SYNTAX;
            }
        } else if (c.count() != 2) {
            throw ErrorReply.SYNTAX;
        }
        int mark = c.out.mark();
        int count = 0;
        for (Command command : c.server().commands().all()) {
            count += name(c.out, command, wanted);
            for (Command sub : command.subcommands().values()) {
                count += name(c.out, sub, wanted);
            }
        }
        c.out.arrayAt(mark, count);
    }

    private static int name(RespWriter out, Command command, Predicate<Command> wanted) {
        if (!wanted.test(command)) {
            return 0;
        }
        out.bulk(command.fullName());
        return 1;
    }

    // ---- GETKEYS

    private static void keys(Call c, boolean flags) {
        Args inner = c.args.from(2);
        Command command = c.server().commands().find(inner);
        if (command != null && !command.subcommands().isEmpty() && inner.count() > 1) {
            command = command.subcommands().get(inner.text(1).toLowerCase(Locale.ROOT));
        }
        if (command == null) {
            throw new ErrorReply("ERR Invalid command specified");
        }
        if (!command.movableKeys() && command.firstKey() == 0) {
            throw new ErrorReply("ERR The command has no key arguments");
        }
        if (!command.arityFits(inner.count())) {
            throw new ErrorReply("ERR Invalid number of arguments specified for command");
        }
        List<Integer> positions = new ArrayList<>();
        command.keys(inner, positions::add);
        if (positions.isEmpty()) {
            throw new ErrorReply("ERR Invalid arguments specified for command");
        }
        c.out.array(positions.size());
        for (int position : positions) {
            if (flags) {
                c.out.array(2);
            }
            c.out.bulk(inner.bytes(), inner.offset(position), inner.length(position));
            if (flags) {
                c.out.set(1);
                c.out.simple(access(command));
            }
        }
    }
}
