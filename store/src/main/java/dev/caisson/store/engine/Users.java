package dev.caisson.store.engine;

import dev.caisson.store.engine.Selector.BadRule;
import dev.caisson.store.engine.Selector.Finding;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The ACL users of a store, and the log of what was refused to them. Thread-safe: few look-ups and fewer changes, under one
 * lock. The default user is always there: connections begin as it.
 */
public final class Users {
    /** The ACL categories of Redis. */
    static final List<String> CATEGORIES = List.of(
            "keyspace",
            "read",
            "write",
            "set",
            "sortedset",
            "list",
            "hash",
            "string",
            "bitmap",
            "hyperloglog",
            "geo",
            "stream",
            "pubsub",
            "admin",
            "fast",
            "slow",
            "blocking",
            "dangerous",
            "connection",
            "transaction",
            "scripting");

    /** How many users there can be. */
    static final int MAX_USERS = 10_000;

    /** How many refusals are remembered. */
    static final int MAX_LOGGED = 128;

    /** A refusal like an earlier one within this time is counted with it. */
    private static final long SAME_MILLIS = 60_000;

    private static final String DEFAULT = "default";
    private static final String WATCH = ".WATCH";

    /** A refusal, and those like it. */
    static final class Refusal {
        final long id;
        final String reason;
        final String context;
        final String object;
        final String user;
        final long createdAtMillis;
        String client;
        long updatedAtMillis;
        long count = 1;

        Refusal(long id, String reason, String context, String object, String user, long now, String client) {
            this.id = id;
            this.reason = reason;
            this.context = context;
            this.object = object;
            this.user = user;
            this.createdAtMillis = now;
            this.updatedAtMillis = now;
            this.client = client;
        }

        private boolean isLike(Refusal other) {
            return reason.equals(other.reason)
                    && context.equals(other.context)
                    && object.equals(other.object)
                    && user.equals(other.user);
        }
    }

    private final CommandTable commands;
    private final User initial = new User(DEFAULT);
    private final TreeMap<String, User> byName = new TreeMap<>();
    private final List<Refusal> log = new ArrayList<>();
    private long refusals;

    Users(CommandTable commands) {
        this.commands = commands;
        byName.put(DEFAULT, initial);
        try {
            initial.set(List.of("on", "nopass", "~*", "&*", "+@all"), commands);
        } catch (BadRule impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** The user that connections begin as. */
    public User initial() {
        return initial;
    }

    /** The user of this name; null if there is none. */
    synchronized @Nullable User find(String name) {
        return byName.get(name);
    }

    /** All users, by name. */
    synchronized List<User> all() {
        return new ArrayList<>(byName.values());
    }

    /** Sets the one password of the default user; empty for none. */
    public synchronized void password(String password) {
        try {
            initial.set(password.isEmpty() ? List.of("nopass") : List.of("resetpass", ">" + password), commands);
        } catch (BadRule impossible) {
            throw new AssertionError(impossible);
        }
    }

    /**
     * Makes or changes a user.
     *
     * @throws ErrorReply in Redis's words; nothing has changed then
     */
    synchronized User set(String name, List<String> rules) {
        User user = byName.get(name);
        boolean fresh = user == null;
        if (user == null) {
            if (byName.size() >= MAX_USERS) {
                throw new ErrorReply("ERR there are " + MAX_USERS + " users already, which is the limit");
            }
            user = new User(name);
        }
        try {
            user.set(rules, commands);
        } catch (BadRule bad) {
            throw new ErrorReply("ERR " + bad.reason());
        }
        if (fresh) {
            byName.put(name, user);
        }
        return user;
    }

    /** Removes a user; null if there was none. */
    synchronized @Nullable User remove(String name) {
        return byName.remove(name);
    }

    // ---- what is refused

    /**
     * Refuses a command that the rules of its client's user do not permit, and remembers it.
     *
     * @param context "toplevel", or "multi" inside a transaction
     * @throws ErrorReply NOPERM
     */
    public void check(Session session, Command command, Args args, String context, long now) {
        User user = session.account();
        if (user == null) {
            return;
        }
        Finding found = find(user, command, args);
        if (found.verdict() != Selector.Verdict.ALLOWED) {
            refused(found.verdict().reason(), context, found.object(), session, now);
            throw new ErrorReply("NOPERM " + text(user, found, false));
        }
    }

    /** What the rules say to a command; to watch a query, one must be allowed to run it. */
    Finding find(User user, Command command, Args args) {
        Finding found = user.find(command, args);
        if (found.verdict() != Selector.Verdict.ALLOWED) {
            return found;
        }
        if (command.name.equals("OBSERVE") && args.count() > 1) {
            Args inner = args.from(1);
            Command query = commands.find(inner);
            return query == null ? found : user.find(query, inner);
        }
        if (command.name.endsWith(WATCH)) {
            Command query = commands.find(command.name.substring(0, command.name.length() - WATCH.length()));
            return query == null ? found : user.find(query, args);
        }
        return found;
    }

    /** The sentence about what is missing; {@code verbose}: with its name. */
    static String text(User user, Finding found, boolean verbose) {
        return switch (found.verdict()) {
            case ALLOWED -> "";
            case COMMAND -> "User " + user.name() + " has no permissions to run the '" + found.object() + "' command";
            case KEY ->
                verbose
                        ? "User " + user.name() + " has no permissions to access the '" + found.object() + "' key"
                        : "No permissions to access a key";
            case CHANNEL ->
                verbose
                        ? "User " + user.name() + " has no permissions to access the '" + found.object() + "' channel"
                        : "No permissions to access a channel";
        };
    }

    /** Remembers that somebody could not enter. */
    void notAdmitted(String name, Session session, long now) {
        log(new Refusal(
                0,
                "auth",
                session.inTransaction() ? "multi" : "toplevel",
                "AUTH",
                name,
                now,
                ClientCommands.line(session, now)));
    }

    private void refused(String reason, String context, String object, Session session, long now) {
        log(new Refusal(0, reason, context, object, session.user(), now, ClientCommands.line(session, now)));
    }

    private synchronized void log(Refusal refusal) {
        for (int i = 0; i < log.size(); i++) {
            Refusal before = log.get(i);
            if (before.isLike(refusal) && refusal.updatedAtMillis - before.updatedAtMillis <= SAME_MILLIS) {
                before.count++;
                before.updatedAtMillis = refusal.updatedAtMillis;
                before.client = refusal.client;
                log.remove(i);
                log.addFirst(before);
                return;
            }
        }
        log.addFirst(new Refusal(
                refusals++,
                refusal.reason,
                refusal.context,
                refusal.object,
                refusal.user,
                refusal.createdAtMillis,
                refusal.client));
        if (log.size() > MAX_LOGGED) {
            log.removeLast();
        }
    }

    /** The latest refusals, at most so many, the latest first. */
    synchronized List<Refusal> refusals(int most) {
        return List.copyOf(log.subList(0, Math.min(most, log.size())));
    }

    synchronized void forgetRefusals() {
        log.clear();
    }

    /** How the categories of a text are called; null if one is unknown. */
    static @Nullable String category(String name) {
        String lower = name.toLowerCase(java.util.Locale.ROOT);
        return CATEGORIES.contains(lower) ? lower : null;
    }

    /** The rules that a SETUSER command gives: arguments from {@code from} on, those between parentheses joined. */
    static List<String> rules(Args args, int from) {
        List<String> rules = new ArrayList<>();
        StringBuilder open = null;
        String first = "";
        for (int i = from; i < args.count(); i++) {
            String each = args.text(i);
            if (open == null && each.startsWith("(") && !each.endsWith(")")) {
                open = new StringBuilder(each);
                first = each;
            } else if (open != null) {
                open.append(' ').append(each);
                if (each.endsWith(")")) {
                    rules.add(open.toString());
                    open = null;
                }
            } else {
                rules.add(each);
            }
        }
        if (open != null) {
            throw new ErrorReply("ERR Unmatched parenthesis in acl selector starting at '" + first + "'.");
        }
        return Arrays.asList(rules.toArray(new String[0]));
    }
}
