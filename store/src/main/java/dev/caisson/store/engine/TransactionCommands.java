package dev.caisson.store.engine;

import dev.caisson.store.engine.Session.Queued;
import dev.caisson.store.engine.Session.Transaction;
import dev.caisson.store.engine.Session.Watched;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;

/** MULTI, EXEC, DISCARD, WATCH, UNWATCH. All run on the loop of their connection. */
final class TransactionCommands {
    /** How many commands a transaction may hold. */
    static final int MAX_QUEUED = 100_000;

    private TransactionCommands() {}

    static void register(CommandTable.Builder t) {
        int home = Command.HOME | Command.NOT_QUEUED;
        t.add("MULTI")
                .arity(1)
                .flags(home)
                .fast()
                .category("transaction")
                .docs("transactions", "1.2.0", "O(1)", "Starts a transaction.")
                .run(TransactionCommands::multi);
        t.add("EXEC")
                .arity(1)
                .flags(home)
                .category("transaction")
                .route(TransactionCommands::shards)
                .docs(
                        "transactions",
                        "1.2.0",
                        "Depends on commands in the transaction",
                        "Executes all commands in a transaction.")
                .run(TransactionCommands::exec);
        t.add("DISCARD")
                .arity(1)
                .flags(home)
                .fast()
                .category("transaction")
                .route(TransactionCommands::watchedShards)
                .docs("transactions", "2.0.0", "O(N)", "Discards a transaction.")
                .run(TransactionCommands::discard);
        t.add("WATCH")
                .arity(-2)
                .keys(1, -1, 1)
                .flags(home)
                .fast()
                .category("transaction")
                .docs(
                        "transactions",
                        "2.2.0",
                        "O(1)",
                        "Monitors changes to keys to determine the execution of a transaction.")
                .run(TransactionCommands::watch);
        t.add("UNWATCH")
                .arity(-1)
                .flags(Command.HOME)
                .fast()
                .category("transaction")
                .route(TransactionCommands::watchedShards)
                .docs("transactions", "2.2.0", "O(1)", "Forgets about watched keys of a transaction.")
                .run(TransactionCommands::unwatch);
    }

    static long watchedShards(Args args, Session session, Sharding sharding) {
        long mask = 0;
        for (Watched each : session.watched) {
            mask |= 1L << each.shard();
        }
        return mask;
    }

    private static long shards(Args args, Session session, Sharding sharding) {
        long mask = watchedShards(args, session, sharding);
        if (session.transaction != null) {
            for (Queued each : session.transaction.commands) {
                mask |= each.command().shards(each.args(), session, sharding);
            }
        }
        return mask;
    }

    private static void multi(Call c) {
        if (c.session.transaction != null) {
            throw new ErrorReply("ERR MULTI calls can not be nested");
        }
        c.session.transaction = new Transaction();
        c.out.ok();
    }

    private static void discard(Call c) {
        if (c.session.transaction == null) {
            throw new ErrorReply("ERR DISCARD without MULTI");
        }
        end(c);
        c.out.ok();
    }

    private static void exec(Call c) {
        Transaction transaction = c.session.transaction;
        if (transaction == null) {
            throw new ErrorReply("ERR EXEC without MULTI");
        }
        boolean intact = intact(c);
        end(c);
        if (transaction.broken) {
            throw new ErrorReply("EXECABORT Transaction discarded because of previous errors.");
        }
        if (!intact) {
            c.out.nilArray();
            return;
        }
        c.out.array(transaction.commands.size());
        for (Queued each : transaction.commands) {
            try {
                c.server().users().check(c.session, each.command(), each.args(), "multi", c.now());
            } catch (ErrorReply denied) {
                c.out.error(
                        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call."
                                + " This command is no longer allowed for the following reason: " + denied.line());
                continue;
            }
            c.nested(each.command(), each.args());
        }
    }

    /** Whether nothing that is watched has changed. */
    private static boolean intact(Call c) {
        for (Watched each : c.session.watched) {
            Shard shard = c.shards()[each.shard()];
            byte[] key = each.key().bytes();
            Object item = shard.peek(key, 0, key.length);
            if (item != null && c.expired(item)) {
                c.expire(shard, key, 0, key.length);
            }
            if (shard.version(each.key()) != each.version()) {
                return false;
            }
        }
        return true;
    }

    private static void end(Call c) {
        c.session.transaction = null;
        forget(c);
    }

    static void forget(Call c) {
        for (Watched each : c.session.watched) {
            c.shards()[each.shard()].unwatch(each.key());
        }
        c.session.watched.clear();
    }

    private static void watch(Call c) {
        if (c.session.transaction != null) {
            throw new ErrorReply("ERR WATCH inside MULTI is not allowed");
        }
        for (int i = 1; i < c.count(); i++) {
            Key key = new Key(c.args.copy(i));
            c.look(i); // what has expired is gone from now on
            Shard shard = c.shard(i);
            if (c.session.watched.stream().noneMatch(each -> each.key().equals(key))) {
                c.session.watched.add(new Watched(key, shard.index, shard.watch(key)));
            }
        }
        c.out.ok();
    }

    private static void unwatch(Call c) {
        if (c.count() > 1) {
            throw new ErrorReply(
                    "ERR UNWATCH takes no arguments: it ends WATCH of a transaction; a watched query ends with"
                            + " its own command and fingerprint, such as GET.UNWATCH " + c.args.text(1));
        }
        forget(c);
        c.out.ok();
    }
}
