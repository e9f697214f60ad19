package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.Locale;

/**
 * Watched queries, in both spellings: {@code GET.WATCH k} with {@code GET.UNWATCH fingerprint}, and {@code OBSERVE GET k}
 * with {@code UNOBSERVE fingerprint}. All run on the loop of their connection, with the shards of the query, so a
 * change either is in the first result or is told later.
 */
final class WatchCommands {
    private static final int FLAGS = Command.HOME | Command.NO_MULTI | Command.WHILE_SUBSCRIBED;

    private WatchCommands() {}

    /** Registers the watched forms of what can be watched in {@code table}. */
    static void register(CommandTable.Builder t, CommandTable table) {
        for (Command command : table.all()) {
            if (command.is(Command.WATCHABLE)) {
                watch(t, command);
            }
        }
        t.add("OBSERVE")
                .arity(-2)
                .flags(FLAGS)
                .category("pubsub")
                .keys((args, into) -> inner(table, args, into))
                .docs(
                        "pubsub",
                        "7.4.0",
                        "O(1) beyond the query",
                        "Runs a query, and again whenever its result changes.")
                .run(c -> observe(c, table));
        t.add("UNOBSERVE")
                .arity(-2)
                .flags(FLAGS)
                .category("pubsub")
                .docs("pubsub", "7.4.0", "O(N)", "Ends observed queries, by fingerprint.")
                .run(WatchCommands::unobserve);
    }

    private static void watch(CommandTable.Builder t, Command command) {
        Command.Builder watch = t.add(command.name + ".WATCH")
                .arity(command.arity)
                .flags(FLAGS)
                .category("pubsub")
                .docs(
                        "pubsub",
                        "7.4.0",
                        "O(1) beyond the query",
                        "Runs " + command.name + ", and again whenever its result changes.")
                .run(c -> {
                    WatchedQuery query = join(c, command, 1, false);
                    c.out.array(3);
                    WatchedQuery.head(c.out, query);
                    c.nested(command, query.args);
                });
        if (command.keys != null) {
            watch.keys(command.keys);
        } else {
            watch.keys(command.firstKey, command.lastKey, command.keyStep);
        }
        t.add(command.name + ".UNWATCH")
                .arity(2)
                .flags(FLAGS)
                .category("pubsub")
                .docs("pubsub", "7.4.0", "O(1)", "Ends a watched " + command.name + ", by fingerprint.")
                .run(c -> {
                    if (c.session.stopWatching(c.args.text(1), command) == 0) {
                        throw new ErrorReply("ERR no such watch");
                    }
                    c.out.ok();
                });
    }

    private static void inner(CommandTable table, Args args, Command.KeyPositions into) {
        Command command = table.find(args.text(1));
        if (command != null && command.is(Command.WATCHABLE) && command.arityFits(args.count() - 1)) {
            Args inner = without(args, 1);
            command.keys(inner, position -> into.key(position + 1));
        }
    }

    private static Args without(Args args, int count) {
        Args rest = new Args();
        rest.reset(args.bytes());
        for (int i = count; i < args.count(); i++) {
            rest.add(args.offset(i), args.length(i));
        }
        return rest;
    }

    private static void observe(Call c, CommandTable table) {
        String name = c.args.text(1).toUpperCase(Locale.ROOT);
        Command command = table.find(name);
        if (command == null) {
            throw new ErrorReply("ERR unknown command '" + name + "'");
        }
        if (!command.is(Command.WATCHABLE)) {
            throw new ErrorReply("ERR " + name + " cannot be observed: " + reason(command));
        }
        if (!command.arityFits(c.count() - 1)) {
            throw Errors.arity(command.fullName());
        }
        WatchedQuery query = join(c, command, 2, true);
        c.out.array(5);
        WatchedQuery.observed(c.out, query);
        c.nested(command, query.args);
    }

    private static String reason(Command command) {
        if (command.is(Command.WRITE)) {
            return "it changes keys";
        }
        if (command.is(Command.BLOCKING)) {
            return "it waits";
        }
        return command.firstKey > 0 || command.keys != null
                ? "its result changes with time or chance"
                : "its result does not follow from known keys";
    }

    private static WatchedQuery join(Call c, Command command, int from, boolean observing) {
        Session session = c.session;
        Vector vector = new Vector(command, c.args, from);
        Watcher before = session.watcher(vector);
        if (before != null) {
            return before.query();
        }
        // who may watch may not therefore read
        c.server().users().check(session, command, vector.args(), "toplevel", c.now());
        if (session.watchCount() >= c.settings().maxWatchesPerClient()) {
            throw new ErrorReply("ERR a connection may watch at most "
                    + c.settings().maxWatchesPerClient() + " queries (CONFIG SET watch-max-per-client raises it)");
        }
        long all = 0;
        for (Shard shard : c.shards()) {
            all += shard.figure(Shard.Figure.WATCHERS);
        }
        if (all >= c.settings().maxWatches()) {
            throw new ErrorReply(
                    "ERR the store holds " + all + " watches, the most allowed (CONFIG SET watch-max raises it)");
        }
        long[] shards = new long[1];
        Args inner = vector.args();
        command.keys(inner, position -> shards[0] |= 1L << c.shardOf(inner, position).index);
        if (shards[0] == 0) {
            throw ErrorReply.SYNTAX;
        }
        WatchedQuery query = Watches.join(c, vector, command, shards[0]);
        Watcher watcher = new Watcher(session, query, observing);
        c.shards()[query.home()].watches().joined(query, watcher);
        session.startWatching(vector, watcher);
        return query;
    }

    private static void unobserve(Call c) {
        int ended = 0;
        for (int i = 1; i < c.count(); i++) {
            ended += c.session.stopWatching(c.args.text(i), null);
        }
        c.out.integer(ended);
    }
}
