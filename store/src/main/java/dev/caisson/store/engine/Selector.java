package dev.caisson.store.engine;

import dev.caisson.store.engine.Channels.Kind;
import dev.caisson.store.resp.Args;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A set of ACL rules that permits a command as a whole or not at all: commands, keys, channels. Changed only while a user's
 * rules are being set, on a copy that nobody else sees; then shared by all threads.
 */
final class Selector implements Cloneable {
    /** What a selector says to a command. */
    enum Verdict {
        ALLOWED,
        COMMAND,
        KEY,
        CHANNEL;

        /** As ACL LOG names the reason. */
        String reason() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @param object the command, key or channel that it is about */
    record Finding(Verdict verdict, String object) {
        static final Finding ALLOWED = new Finding(Verdict.ALLOWED, "");
    }

    /** @param access the bits of {@link KeyAccess} that it gives */
    private record KeyPattern(Key pattern, int access) {
        @Override
        public String toString() {
            return switch (access) {
                case KeyAccess.READ -> "%R~" + pattern;
                case KeyAccess.WRITE -> "%W~" + pattern;
                default -> "~" + pattern;
            };
        }
    }

    /** A rule that cannot be set; the message is Redis's. */
    static final class BadRule extends Exception {
        private static final long serialVersionUID = 1;

        BadRule(String message) {
            super(message, null, false, false);
        }

        String reason() {
            return String.valueOf(getMessage());
        }
    }

    private static final String SYNTAX = "Syntax error";

    private boolean allKeys;
    private boolean allChannels;
    /** {@code +@all} was the last that was said of all. */
    private boolean allCommands;

    private List<KeyPattern> keys = new ArrayList<>();
    private List<Key> channels = new ArrayList<>();
    /** What was said of commands since, such as {@code +get}. */
    private List<String> rules = new ArrayList<>();
    /** By {@link Command#id}. */
    private BitSet commands = new BitSet();
    /** First arguments with which a command is allowed that otherwise is not. */
    private Map<Command, Set<String>> firstArguments = new HashMap<>();

    @Override
    protected Selector clone() {
        try {
            Selector copy = (Selector) super.clone();
            copy.keys = new ArrayList<>(keys);
            copy.channels = new ArrayList<>(channels);
            copy.rules = new ArrayList<>(rules);
            copy.commands = (BitSet) commands.clone();
            copy.firstArguments = new HashMap<>();
            firstArguments.forEach((command, first) -> copy.firstArguments.put(command, new HashSet<>(first)));
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    /** Whether it permits everything. */
    boolean permitsAll() {
        return allKeys && allChannels && allCommands && rules.isEmpty();
    }

    // ---- setting rules

    /** @throws BadRule if this is no rule; nothing has changed then */
    void set(String rule, CommandTable table) throws BadRule {
        String lower = rule.toLowerCase(Locale.ROOT);
        switch (lower) {
            case "allkeys", "~*" -> {
                allKeys = true;
                keys.clear();
            }
            case "resetkeys" -> {
                allKeys = false;
                keys.clear();
            }
            case "allchannels", "&*" -> {
                allChannels = true;
                channels.clear();
            }
            case "resetchannels" -> {
                allChannels = false;
                channels.clear();
            }
            case "allcommands", "+@all" -> all(true);
            case "nocommands", "-@all" -> all(false);
            default -> one(rule, lower, table);
        }
    }

    private void one(String rule, String lower, CommandTable table) throws BadRule {
        switch (rule.isEmpty() ? ' ' : rule.charAt(0)) {
            case '~' -> key(rule.substring(1), KeyAccess.BOTH);
            case '%' -> keyWithAccess(rule);
            case '&' -> channel(rule.substring(1));
            case '+', '-' -> {
                boolean allow = rule.charAt(0) == '+';
                if (lower.length() > 1 && lower.charAt(1) == '@') {
                    category(lower.substring(2), allow, table);
                } else {
                    command(lower.substring(1), allow, table);
                }
            }
            default -> throw new BadRule(SYNTAX);
        }
    }

    private void all(boolean allow) {
        allCommands = allow;
        rules.clear();
        commands.clear();
        firstArguments.clear();
    }

    private void keyWithAccess(String rule) throws BadRule {
        int sign = rule.indexOf('~');
        String letters = sign < 0 ? "" : rule.substring(1, sign).toUpperCase(Locale.ROOT);
        if (!letters.matches("[RW]+")) {
            throw new BadRule(SYNTAX);
        }
        int access =
                (letters.indexOf('R') >= 0 ? KeyAccess.READ : 0) | (letters.indexOf('W') >= 0 ? KeyAccess.WRITE : 0);
        key(rule.substring(sign + 1), access);
    }

    private void key(String pattern, int access) throws BadRule {
        if (allKeys) {
            throw new BadRule(
                    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any"
                            + " effect. Try 'resetkeys' to start with an empty list of patterns");
        }
        Key name = pattern(pattern);
        for (int i = 0; i < keys.size(); i++) {
            if (keys.get(i).pattern.equals(name)) {
                keys.set(i, new KeyPattern(name, keys.get(i).access | access));
                return;
            }
        }
        keys.add(new KeyPattern(name, access));
    }

    private void channel(String pattern) throws BadRule {
        if (allChannels) {
            throw new BadRule(
                    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have"
                            + " any effect. Try 'resetchannels' to start with an empty list of channels");
        }
        Key name = pattern(pattern);
        if (!channels.contains(name)) {
            channels.add(name);
        }
    }

    private static Key pattern(String text) throws BadRule {
        if (hasBlanks(text)) {
            throw new BadRule(SYNTAX);
        }
        return new Key(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Whether a name has what Redis allows in none: blanks and null characters. */
    static boolean hasBlanks(String text) {
        return text.chars().anyMatch(c -> c == ' ' || c >= '\t' && c <= '\r' || c == 0);
    }

    private void category(String name, boolean allow, CommandTable table) throws BadRule {
        if (!Users.CATEGORIES.contains(name)) {
            throw new BadRule("Unknown command or category name in ACL");
        }
        for (Command command : table.all()) {
            permitIfIn(command, name, allow);
            command.subcommands.values().forEach(sub -> permitIfIn(sub, name, allow));
        }
        remember("@" + name, allow);
    }

    private void permitIfIn(Command command, String category, boolean allow) {
        if (command.categories.contains(category)) {
            permit(command, allow);
        }
    }

    private void permit(Command command, boolean allow) {
        commands.set(command.id, allow != allCommands);
    }

    private void command(String name, boolean allow, CommandTable table) throws BadRule {
        int bar = name.indexOf('|');
        Command command = table.find(bar < 0 ? name : name.substring(0, bar));
        if (command == null) {
            throw new BadRule("Unknown command or category name in ACL");
        }
        if (bar < 0) {
            permit(command, allow);
            command.subcommands.values().forEach(sub -> permit(sub, allow));
            firstArguments.remove(command);
        } else {
            subcommand(command, name.substring(bar + 1), allow);
        }
        remember(name, allow);
    }

    private void subcommand(Command command, String name, boolean allow) throws BadRule {
        Command sub = command.subcommands.get(name);
        if (sub != null) {
            permit(sub, allow);
            return;
        }
        if (!command.subcommands.isEmpty()) {
            throw new BadRule(
                    name.indexOf('|') >= 0
                            ? "Allowing first-arg of a subcommand is not supported"
                            : "Unknown command or category name in ACL");
        }
        if (!allow) {
            throw new BadRule("Unknown command or category name in ACL");
        }
        if (name.isEmpty()) {
            throw new BadRule(SYNTAX);
        }
        firstArguments.computeIfAbsent(command, any -> new HashSet<>()).add(name);
    }

    /** The rule takes the place of an earlier one of the same command, and of those of its subcommands. */
    private void remember(String what, boolean allow) {
        rules.removeIf(rule -> rule.substring(1).equals(what) || rule.startsWith(what + "|", 1));
        rules.add((allow ? "+" : "-") + what);
    }

    // ---- asking

    /** Whether it permits the command with these arguments. */
    Finding find(Command command, Args args) {
        if (!permits(command, args)) {
            return new Finding(Verdict.COMMAND, command.fullName());
        }
        Finding[] found = {Finding.ALLOWED};
        if (!allKeys) {
            int[] number = {0};
            command.keys(args, position -> {
                int needed = KeyAccess.needed(command, number[0]++);
                if (found[0] == Finding.ALLOWED && !permitsKey(args, position, needed)) {
                    found[0] = new Finding(Verdict.KEY, args.text(position));
                }
            });
        }
        if (found[0] == Finding.ALLOWED && !allChannels && command.is(Command.PUBSUB)) {
            return findChannel(command, args);
        }
        return found[0];
    }

    private boolean permits(Command command, Args args) {
        if (command.is(Command.NO_AUTH) || commands.get(command.id) != allCommands) {
            return true;
        }
        Set<String> first = firstArguments.get(command);
        return first != null && args.count() > 1 && first.contains(args.text(1).toLowerCase(Locale.ROOT));
    }

    private boolean permitsKey(Args args, int position, int needed) {
        for (KeyPattern each : keys) {
            if ((each.access & needed) == needed
                    && Glob.matches(each.pattern.bytes(), args.bytes(), args.offset(position), args.length(position))) {
                return true;
            }
        }
        return false;
    }

    private Finding findChannel(Command command, Args args) {
        boolean patterns = command.name.equals("PSUBSCRIBE");
        int last = switch (command.name) {
            case "SUBSCRIBE", "SSUBSCRIBE", "PSUBSCRIBE" -> args.count();
            case "PUBLISH", "SPUBLISH" -> 2;
            default -> 0;
        };
        for (int i = 1; i < last; i++) {
            if (!permitsChannel(args.copy(i), patterns)) {
                return new Finding(Verdict.CHANNEL, args.text(i));
            }
        }
        return Finding.ALLOWED;
    }

    /** Whether a subscription may go on. */
    boolean permits(Kind kind, Key name) {
        return kind == Kind.MONITOR || permitsChannel(name.bytes(), kind == Kind.PATTERN);
    }

    /** A pattern must be among the patterns as it is: whether one covers another is not tried. */
    private boolean permitsChannel(byte[] name, boolean isPattern) {
        if (allChannels) {
            return true;
        }
        for (Key each : channels) {
            if (isPattern ? Arrays.equals(each.bytes(), name) : Glob.matches(each.bytes(), name)) {
                return true;
            }
        }
        return false;
    }

    // ---- showing

    String keyRules() {
        return allKeys ? "~*" : join(keys, "");
    }

    String channelRules() {
        return allChannels ? "&*" : join(channels, "&");
    }

    String commandRules() {
        return (allCommands ? "+@all" : "-@all") + (rules.isEmpty() ? "" : " " + String.join(" ", rules));
    }

    private static String join(List<?> all, String prefix) {
        StringBuilder text = new StringBuilder();
        for (Object each : all) {
            text.append(text.isEmpty() ? "" : " ").append(prefix).append(each);
        }
        return text.toString();
    }

    /** As ACL LIST writes it. */
    @Override
    public String toString() {
        String keyRules = keyRules();
        String channelRules = channelRules();
        return (keyRules.isEmpty() ? "" : keyRules + " ")
                + (allChannels ? "" : "resetchannels ")
                + (channelRules.isEmpty() ? "" : channelRules + " ")
                + commandRules();
    }
}
