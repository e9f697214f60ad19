package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;

/** Commands about the server as a whole, and those of Redis that this store answers with a reason why not. */
final class ServerCommands {
    private static final String NO_LUA =
            "ERR this store runs no scripts and no functions; transactions (MULTI) and watches do without";

    private ServerCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("TIME")
                .arity(1)
                .fast()
                .docs("server", "2.6.0", "O(1)", "Returns the server time.")
                .run(ServerCommands::time);
        t.add("ROLE")
                .arity(1)
                .fast()
                .category("admin", "dangerous")
                .docs("server", "2.8.12", "O(1)", "Returns the replication role.")
                .run(c -> c.out.array(3).bulk("master").integer(0).array(0));
        t.add("WAIT")
                .arity(3)
                .category("connection")
                .docs(
                        "generic",
                        "3.0.0",
                        "O(1)",
                        "Returns the number of replicas that have all writes so far: none here.")
                .run(ServerCommands::await);
        t.add("INFO")
                .arity(-1)
                .category("dangerous")
                .docs("server", "1.0.0", "O(1)", "Returns information and statistics about the server.")
                .run(Status::run);
        scripting(t);
        for (String name : new String[] {"CLUSTER", "ASKING", "READONLY", "READWRITE"}) {
            t.add(name)
                    .arity(name.equals("CLUSTER") ? -2 : 1)
                    .category("connection")
                    .docs("cluster", "3.0.0", "O(1)", "Refused: this store is no cluster.")
                    .run(c -> {
                        throw new ErrorReply("ERR This instance has cluster support disabled");
                    });
        }
    }

    private static void scripting(CommandTable.Builder t) {
        for (String name : new String[] {"EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO"}) {
            t.add(name)
                    .arity(-3)
                    .category("scripting")
                    .docs("scripting", "2.6.0", "O(1)", "Refused: this store runs no scripts.")
                    .run(c -> {
                        throw new ErrorReply(NO_LUA);
                    });
        }
        for (String name : new String[] {"SCRIPT", "FUNCTION"}) {
            t.add(name)
                    .arity(-2)
                    .category("scripting")
                    .docs("scripting", "2.6.0", "O(1)", "FLUSH does nothing; the rest is refused.")
                    .run(c -> {
                        if (!c.args.is(1, "FLUSH") || c.count() > 3) {
                            throw new ErrorReply(NO_LUA);
                        }
                        c.out.ok();
                    });
        }
    }

    private static void time(Call c) {
        c.out.array(2);
        c.out.bulkInteger(c.now() / 1000);
        c.out.bulkInteger(c.now() % 1000 * 1000);
    }

    private static void await(Call c) {
        c.args.integer(1);
        long timeout = Numeric.integer(c.args, 2, new ErrorReply("ERR timeout is not an integer or out of range"));
        if (timeout < 0) {
            throw new ErrorReply("ERR timeout is negative");
        }
        c.out.integer(0);
    }
}
