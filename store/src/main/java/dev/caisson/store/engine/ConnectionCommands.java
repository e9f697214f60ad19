package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
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
        t.add("HELLO")
                .arity(-1)
                .fast()
                .flags(Command.NO_AUTH | Command.SECRET)
                .category("connection")
                .docs("connection", "6.0.0", "O(1)", "Handshakes with the Redis server.")
                .run(ConnectionCommands::hello);
        t.add("AUTH")
                .arity(-2)
                .fast()
                .flags(Command.NO_AUTH | Command.SECRET)
                .category("connection")
                .docs("connection", "1.0.0", "O(N)", "Authenticates the connection.")
                .run(ConnectionCommands::auth);
        t.add("RESET")
                .arity(1)
                .fast()
                .flags(SUBSCRIBED | Command.NO_AUTH | Command.NOT_QUEUED | Command.HOME)
                .route(TransactionCommands::watchedShards)
                .category("connection")
                .docs("connection", "6.2.0", "O(1)", "Resets the connection.")
                .run(ConnectionCommands::reset);
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
        long index = c.args.integer(1);
        if (index != (int) index) {
            throw new ErrorReply("ERR value is out of range, value must between -2147483648 and 2147483647");
        }
        if (index != 0) {
            throw new ErrorReply("ERR DB index is out of range");
        }
        c.out.ok();
    }

    // ---- who it is

    /** {@code HELLO [protocol [AUTH user password] [SETNAME name]]}. */
    private static void hello(Call c) {
        Args args = c.args;
        int protocol = c.session.protocol();
        if (c.count() > 1) {
            long version =
                    Numeric.integer(args, 1, new ErrorReply("ERR Protocol version is not an integer or out of range"));
            if (version < 2 || version > 3) {
                throw new ErrorReply("NOPROTO unsupported protocol version");
            }
            protocol = (int) version;
        }
        int auth = 0;
        int name = 0;
        for (int i = 2; i < c.count(); i++) {
            if (args.is(i, "AUTH") && i + 2 < c.count()) {
                auth = i;
                i += 2;
            } else if (args.is(i, "SETNAME") && i + 1 < c.count()) {
                name = ++i;
            } else {
                throw new ErrorReply("ERR Syntax error in HELLO option '" + args.text(i) + "'");
            }
        }
        if (auth > 0) {
            login(c, args.text(auth + 1), args.copy(auth + 2));
        }
        if (!c.session.authenticated()) {
            throw new ErrorReply(
                    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO"
                            + " <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP"
                            + " protocol version at the same time");
        }
        if (name > 0) {
            ClientCommands.setName(c.session, args.text(name));
        }
        if (protocol != c.session.protocol()) {
            c.session.protocol(protocol);
            c.out.protocol(protocol);
        }
        c.out.map(7);
        c.out.bulk("server").bulk("redis");
        c.out.bulk("version").bulk(Server.REDIS_VERSION);
        c.out.bulk("proto").integer(protocol);
        c.out.bulk("id").integer(c.session.id());
        c.out.bulk("mode").bulk("standalone");
        c.out.bulk("role").bulk("master");
        c.out.bulk("modules").array(0);
    }

    private static void auth(Call c) {
        if (c.count() > 3) {
            throw ErrorReply.SYNTAX;
        }
        if (c.count() == 2) {
            if (c.server().users().initial().rules().noPassword) {
                throw new ErrorReply("ERR AUTH <password> called without any password configured for the default user."
                        + " Are you sure your configuration is correct?");
            }
            login(c, "default", c.args.copy(1));
        } else {
            login(c, c.args.text(1), c.args.copy(2));
        }
        c.out.ok();
    }

    private static void login(Call c, String name, byte[] password) {
        Users users = c.server().users();
        User user = users.find(name);
        if (user == null || !user.admits(password)) {
            users.notAdmitted(name, c.session, c.now());
            throw new ErrorReply("WRONGPASS invalid username-password pair or user is disabled.");
        }
        c.session.authenticate(user, true);
    }

    /** Makes the connection as it was when it came. */
    private static void reset(Call c) {
        Session session = c.session;
        TransactionCommands.forget(c);
        session.abandonTransaction();
        session.stopWatching();
        c.server().audience().of(session.loop()).leave(session);
        session.noTouch = false;
        session.noEvict = false;
        session.name("");
        session.protocol(session.firstProtocol());
        c.out.protocol(session.firstProtocol());
        User first = session.firstUser(c.server().users());
        session.authenticate(first, first == null || first.isOpen());
        c.out.simple("RESET");
    }
}
