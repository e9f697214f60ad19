package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;

/** Commands about the connection itself. */
final class ConnectionCommands {
    private static final int SUBSCRIBED = Command.WHILE_SUBSCRIBED;

    private ConnectionCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("PING")
                .arity(-1)
                .fast()
                .flags(SUBSCRIBED)
                .category("connection")
                .docs("connection", "1.0.0", "O(1)", "Returns the server's liveliness response.")
                .run(ConnectionCommands::ping);
        t.add("ECHO")
                .arity(2)
                .fast()
                .category("connection")
                .docs("connection", "1.0.0", "O(1)", "Returns the given string.")
                .run(c -> c.out.bulk(c.args.bytes(), c.args.offset(1), c.args.length(1)));
        t.add("QUIT")
                .arity(-1)
                .fast()
                .flags(SUBSCRIBED | Command.NO_AUTH | Command.NOT_QUEUED)
                .category("connection")
                .docs("connection", "1.0.0", "O(1)", "Closes the connection.")
                .run(c -> {
                    c.out.ok();
                    c.session.closeWhenSent();
                });
        t.add("SELECT")
                .arity(2)
                .fast()
                .category("connection")
                .docs("connection", "1.0.0", "O(1)", "Changes the selected database.")
                .run(ConnectionCommands::select);
    }

    private static void ping(Call c) {
        if (c.count() > 2) {
            throw Errors.arity("ping");
        }
        if (c.session.subscriptions() > 0 && c.session.protocol() == 2) {
            c.out.array(2);
            c.out.bulk("pong");
            if (c.count() == 2) {
                c.out.bulk(c.args.bytes(), c.args.offset(1), c.args.length(1));
            } else {
                c.out.bulk("");
            }
        } else if (c.count() == 2) {
            c.out.bulk(c.args.bytes(), c.args.offset(1), c.args.length(1));
        } else {
            c.out.simple("PONG");
        }
    }

    private static void select(Call c) {
        if (c.args.integer(1) != 0) {
            throw new ErrorReply("ERR DB index is out of range");
        }
        c.out.ok();
    }
}
