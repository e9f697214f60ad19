package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** All commands by name, found without allocation and whatever the case. Immutable; shared by all loops. */
public final class CommandTable {
    /* Open addressing over upper-case names; at most a quarter full, so that a miss ends soon. */
    private final byte[][] names;
    private final Command[] commands;
    private final Map<String, Command> byName;

    private CommandTable(Map<String, Command> byName) {
        this.byName = byName;
        int slots = Integer.highestOneBit(Math.max(8, byName.size() * 4 - 1)) << 1;
        names = new byte[slots][];
        commands = new Command[slots];
        for (Command command : byName.values()) {
            byte[] name = command.name.getBytes(StandardCharsets.ISO_8859_1);
            int at = hash(name, 0, name.length) & (slots - 1);
            while (names[at] != null) {
                at = (at + 1) & (slots - 1);
            }
            names[at] = name;
            commands[at] = command;
        }
        int id = 0;
        for (Command command : byName.values()) {
            command.id = id++;
            for (Command sub : command.subcommands.values()) {
                sub.id = id++;
            }
        }
    }

    /** Makes a table from groups: each registers its commands. */
    @SafeVarargs
    public static CommandTable of(Consumer<Builder>... groups) {
        Builder builder = new Builder();
        for (Consumer<Builder> group : groups) {
            group.accept(builder);
        }
        return builder.build();
    }

    /** This table with a further group, whose names are new. */
    CommandTable with(Consumer<Builder> group) {
        Map<String, Command> all = new LinkedHashMap<>(byName);
        for (Command more : of(group).all()) {
            if (all.put(more.name, more) != null) {
                throw new IllegalStateException("command " + more.name + " is registered twice");
            }
        }
        return new CommandTable(all);
    }

    /** The top-level command that the first argument names, or null. */
    public @Nullable Command find(Args args) {
        byte[] bytes = args.bytes();
        int offset = args.offset(0);
        int length = args.length(0);
        int mask = names.length - 1;
        for (int at = hash(bytes, offset, length) & mask; names[at] != null; at = (at + 1) & mask) {
            if (same(names[at], bytes, offset, length)) {
                return commands[at];
            }
        }
        return null;
    }

    /** The top-level command of this name, whatever its case, or null. */
    public @Nullable Command find(String name) {
        return byName.get(name.toUpperCase(Locale.ROOT));
    }

    /** All top-level commands. */
    public Collection<Command> all() {
        return byName.values();
    }

    private static int hash(byte[] bytes, int offset, int length) {
        int h = length;
        for (int i = offset, end = offset + length; i < end; i++) {
            h = h * 31 + upper(bytes[i]);
        }
        return h ^ (h >>> 15);
    }

    private static boolean same(byte[] name, byte[] bytes, int offset, int length) {
        if (name.length != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (name[i] != upper(bytes[offset + i])) {
                return false;
            }
        }
        return true;
    }

    private static int upper(byte b) {
        return b >= 'a' && b <= 'z' ? b - 32 : b;
    }

    /** Collects commands. */
    public static final class Builder {
        private final Map<String, Command.Builder> top = new LinkedHashMap<>();
        private final Map<String, Map<String, Command.Builder>> below = new LinkedHashMap<>();

        /** Begins a top-level command. */
        public Command.Builder add(String name) {
            Command.Builder command = new Command.Builder(name);
            if (top.put(name.toUpperCase(Locale.ROOT), command) != null) {
                throw new IllegalStateException("command " + name + " is registered twice");
            }
            return command;
        }

        /** Begins a subcommand of a container, which is registered too; {@code arity} counts the container's name. */
        public Command.Builder add(String container, String name) {
            Command.Builder command = new Command.Builder(name);
            Command.Builder before = below.computeIfAbsent(
                            container.toUpperCase(Locale.ROOT), any -> new LinkedHashMap<>())
                    .put(name.toLowerCase(Locale.ROOT), command);
            if (before != null) {
                throw new IllegalStateException("command " + container + " " + name + " is registered twice");
            }
            return command;
        }

        CommandTable build() {
            Map<String, Command> all = new LinkedHashMap<>();
            top.forEach((name, builder) -> {
                Command command = new Command(builder, null);
                below.getOrDefault(name, Map.of())
                        .forEach((sub, under) -> command.subcommands.put(sub, new Command(under, command)));
                if (!builder.runs() && command.subcommands.isEmpty()) {
                    throw new IllegalStateException("command " + name + " has no handler");
                }
                all.put(name, command);
            });
            below.keySet().forEach(container -> {
                if (!all.containsKey(container)) {
                    throw new IllegalStateException("subcommands of " + container + ", which is not registered");
                }
            });
            return new CommandTable(all);
        }
    }
}
