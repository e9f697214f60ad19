package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** CLIENT. */
final class ClientCommands {
    private ClientCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("CLIENT")
                .arity(-2)
                .docs("connection", "2.4.0", "Depends on subcommand.", "A container for client connection commands.");
        sub(t, "ID", 2, "5.0.0", "Returns the unique client ID of the connection.")
                .fast()
                .run(c -> c.out.integer(c.session.id()));
        sub(t, "GETNAME", 2, "2.6.9", "Returns the name of the connection.")
                .fast()
                .run(ClientCommands::getName);
        sub(t, "SETNAME", 3, "2.6.9", "Sets the connection name.").fast().run(ClientCommands::setName);
        sub(t, "SETINFO", 4, "7.2.0", "Sets information specific to the client or connection.")
                .fast()
                .run(ClientCommands::setInfo);
        sub(t, "INFO", 2, "6.2.0", "Returns information about the connection.")
                .fast()
                .run(c -> c.out.verbatim("txt", line(c.session, c.now()) + "\n"));
        sub(t, "LIST", -2, "2.4.0", "Lists open connections.")
                .flags(Command.ADMIN)
                .run(ClientCommands::list);
        sub(t, "KILL", -3, "2.4.0", "Terminates open connections.")
                .flags(Command.ADMIN)
                .run(ClientCommands::kill);
        sub(t, "UNBLOCK", -3, "5.0.0", "Unblocks a client blocked by a blocking command from a different connection.")
                .flags(Command.ADMIN)
                .run(ClientCommands::unblock);
        sub(t, "NO-EVICT", 3, "7.0.0", "Sets the client eviction mode of the connection.")
                .flags(Command.ADMIN)
                .run(c -> {
                    c.session.noEvict = onOff(c);
                    c.out.ok();
                });
        sub(
                        t,
                        "NO-TOUCH",
                        3,
                        "7.2.0",
                        "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.")
                .fast()
                .run(c -> {
                    c.session.noTouch = onOff(c);
                    c.out.ok();
                });
        sub(
                        t,
                        "GETREDIR",
                        2,
                        "6.0.0",
                        "Returns the client ID to which the connection's tracking notifications are redirected.")
                .fast()
                .run(c -> c.out.integer(-1));
        sub(t, "REPLY", 3, "3.2.0", "Instructs the server whether to reply to commands.")
                .run(ClientCommands::reply);
        sub(
                        t,
                        "TRACKINGINFO",
                        2,
                        "6.2.0",
                        "Returns information about server-assisted client-side caching for the connection.")
                .run(c -> {
                    c.out.map(3);
                    c.out.bulk("flags").set(1).bulk("off");
                    c.out.bulk("redirect").integer(-1);
                    c.out.bulk("prefixes").array(0);
                });
        sub(t, "HELP", 2, "5.0.0", "Returns helpful text about the different subcommands.")
                .fast()
                .run(c -> Help.write(
                        c.out,
                        "CLIENT",
                        "GETNAME",
                        "    Return the name of the current connection.",
                        "GETREDIR",
                        "    Return the client ID we are redirecting to when tracking is enabled.",
                        "ID",
                        "    Return the ID of the current connection.",
                        "INFO",
                        "    Return information about the current client connection.",
                        "KILL <ip:port>",
                        "    Kill connection made from <ip:port>.",
                        "KILL <option> <value> [<option> <value> [...]]",
                        "    Kill connections. Options are: ADDR, LADDR, TYPE, USER, SKIPME, ID, MAXAGE.",
                        "LIST [options ...]",
                        "    Return information about client connections. Options: TYPE, ID.",
                        "NO-EVICT (ON|OFF)",
                        "    Protect current client connection from eviction.",
                        "NO-TOUCH (ON|OFF)",
                        "    Will not touch LRU/LFU stats when this mode is on.",
                        "REPLY (ON|OFF|SKIP)",
                        "    Control the replies sent to the current connection.",
                        "SETINFO <option> <value>",
                        "    Set client meta attr. Options are: LIB-NAME, LIB-VER.",
                        "SETNAME <name>",
                        "    Assign the name <name> to the current connection.",
                        "TRACKINGINFO",
                        "    Report tracking status for the current connection.",
                        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
                        "    Unblock the specified blocked client."));
    }

    private static Command.Builder sub(CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add("CLIENT", name).arity(arity).category("connection").docs("connection", since, "O(1)", summary);
    }

    private static void getName(Call c) {
        String name = c.session.name();
        if (name.isEmpty()) {
            c.out.nil();
        } else {
            c.out.bulk(name);
        }
    }

    private static void setName(Call c) {
        setName(c.session, c.args.text(2));
        c.out.ok();
    }

    /** @throws ErrorReply if the name has characters that CLIENT LIST could not show */
    static void setName(Session session, String name) {
        if (!isPrintable(name)) {
            throw new ErrorReply("ERR Client names cannot contain spaces, newlines or special characters.");
        }
        session.name(name);
    }

    private static boolean isPrintable(String text) {
        return text.chars().allMatch(c -> c >= '!' && c <= '~');
    }

    private static void setInfo(Call c) {
        String option = c.args.text(2).toLowerCase(Locale.ROOT);
        String value = c.args.text(3);
        if (!option.equals("lib-name") && !option.equals("lib-ver")) {
            throw new ErrorReply("ERR Unrecognized option '" + c.args.text(2) + "'");
        }
        if (!isPrintable(value)) {
            throw new ErrorReply("ERR " + c.args.text(2) + " cannot contain spaces, newlines or special characters.");
        }
        if (option.equals("lib-name")) {
            c.session.libraryName(value);
        } else {
            c.session.libraryVersion(value);
        }
        c.out.ok();
    }

    private static void reply(Call c) {
        if (c.session.inProcess()) {
            throw new ErrorReply("ERR CLIENT REPLY is for connections; in the process each request has its reply");
        }
        if (c.args.is(2, "ON")) {
            c.session.replies(Session.Replies.ALL);
            c.out.ok();
        } else if (c.args.is(2, "OFF")) {
            c.session.replies(Session.Replies.NONE);
        } else if (c.args.is(2, "SKIP")) {
            c.session.replies(Session.Replies.NOT_NEXT);
        } else {
            throw ErrorReply.SYNTAX;
        }
    }

    private static void unblock(Call c) {
        if (c.count() > 4) {
            throw ErrorReply.SYNTAX;
        }
        boolean error = c.count() == 4 && c.args.is(3, "ERROR");
        if (c.count() == 4 && !error && !c.args.is(3, "TIMEOUT")) {
            throw new ErrorReply("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        }
        Session session = c.server().session(c.args.integer(2));
        boolean waited =
                session != null && session.unblock(error ? "UNBLOCKED client unblocked via CLIENT UNBLOCK" : null);
        c.out.integer(waited ? 1 : 0);
    }

    private static boolean onOff(Call c) {
        if (c.args.is(2, "ON")) {
            return true;
        }
        if (c.args.is(2, "OFF")) {
            return false;
        }
        throw ErrorReply.SYNTAX;
    }

    // ---- LIST

    private static void list(Call c) {
        Predicate<Session> wanted = any -> true;
        if (c.count() == 4 && c.args.is(2, "TYPE")) {
            wanted = type(c.args.text(3));
        } else if (c.count() >= 4 && c.args.is(2, "ID")) {
            Set<Long> ids = new HashSet<>();
            for (int i = 3; i < c.count(); i++) {
                ids.add(Numeric.integer(c.args, i, new ErrorReply("ERR Invalid client ID")));
            }
            wanted = each -> ids.contains(each.id());
        } else if (c.count() != 2) {
            throw ErrorReply.SYNTAX;
        }
        StringBuilder lines = new StringBuilder();
        for (Session each : c.server().sessions()) {
            if (wanted.test(each)) {
                lines.append(line(each, c.now())).append('\n');
            }
        }
        c.out.verbatim("txt", lines.toString());
    }

    private static Predicate<Session> type(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "normal" -> each -> each.subscriptions() == 0;
            case "pubsub" -> each -> each.subscriptions() > 0;
            case "master", "replica", "slave" -> each -> false;
            default -> throw new ErrorReply("ERR Unknown client type '" + name + "'");
        };
    }

    /** A client as CLIENT LIST shows it; what has no meaning here is 0. */
    static String line(Session session, long now) {
        Command last = session.lastCommand();
        return "id=" + session.id() + " addr=" + session.address() + " laddr=" + session.localAddress() + " fd=0 name="
                + session.name() + " age=" + seconds(now - session.createdAtMillis()) + " idle="
                + seconds(now - session.activeAtMillis()) + " flags=" + flags(session) + " db=0 sub="
                + session.channels() + " psub=" + session.patterns() + " ssub=" + session.shardChannels() + " multi="
                + session.queuedCommands() + " watch=" + session.watched.size() + " qbuf=" + session.heldBytes()
                + " qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd="
                + (last == null ? "NULL" : last.fullName()) + " user=" + session.user() + " redir=-1 resp="
                + session.protocol() + " lib-name=" + session.libraryName() + " lib-ver=" + session.libraryVersion();
    }

    private static long seconds(long millis) {
        return Math.max(0, millis) / 1000;
    }

    private static String flags(Session session) {
        String flags = (session.isMonitor() ? "O" : "")
                + (session.subscriptions() > 0 ? "P" : "")
                + (session.inTransaction() ? "x" : "")
                + (session.noEvict ? "e" : "")
                + (session.noTouch ? "T" : "");
        return flags.isEmpty() ? "N" : flags;
    }

    // ---- KILL

    private static void kill(Call c) {
        if (c.count() == 3) {
            String address = c.args.text(2);
            for (Session each : c.server().sessions()) {
                if (each.address().equals(address)) {
                    end(c, each);
                    c.out.ok();
                    return;
                }
            }
            throw new ErrorReply("ERR No such client");
        }
        Predicate<Session> wanted = filters(c);
        long killed = 0;
        for (Session each : c.server().sessions()) {
            if (wanted.test(each)) {
                end(c, each);
                killed++;
            }
        }
        c.out.integer(killed);
    }

    private static Predicate<Session> filters(Call c) {
        Args args = c.args;
        if (c.count() % 2 != 0) {
            throw ErrorReply.SYNTAX;
        }
        List<Predicate<Session>> all = new ArrayList<>();
        boolean skipMe = true;
        for (int i = 2; i < c.count(); i += 2) {
            String value = args.text(i + 1);
            if (args.is(i, "SKIPME")) {
                skipMe = switch (value.toLowerCase(Locale.ROOT)) {
                    case "yes" -> true;
                    case "no" -> false;
                    default -> throw ErrorReply.SYNTAX;
                };
            } else {
                all.add(filter(c, i, value));
            }
        }
        Session self = skipMe ? c.session : null;
        return each -> each != self && all.stream().allMatch(filter -> filter.test(each));
    }

    private static Predicate<Session> filter(Call c, int at, String value) {
        Args args = c.args;
        if (args.is(at, "ID")) {
            long id = Numeric.integer(args, at + 1, badId());
            if (id < 1) {
                throw badId();
            }
            return each -> each.id() == id;
        }
        if (args.is(at, "MAXAGE")) {
            long seconds =
                    Numeric.integer(args, at + 1, new ErrorReply("ERR maxage is not an integer or out of range"));
            if (seconds < 1) {
                throw new ErrorReply("ERR maxage should be greater than 0");
            }
            long now = c.now();
            return each -> seconds(now - each.createdAtMillis()) >= seconds;
        }
        if (args.is(at, "TYPE")) {
            return type(value);
        }
        if (args.is(at, "ADDR")) {
            return each -> each.address().equals(value);
        }
        if (args.is(at, "LADDR")) {
            return each -> each.localAddress().equals(value);
        }
        if (args.is(at, "USER")) {
            return user(c, value);
        }
        throw ErrorReply.SYNTAX;
    }

    private static ErrorReply badId() {
        return new ErrorReply("ERR client-id should be greater than 0");
    }

    private static Predicate<Session> user(Call c, String name) {
        if (c.server().users().find(name) == null) {
            throw new ErrorReply("ERR No such user '" + name + "'");
        }
        return each -> each.authenticated() && each.user().equals(name);
    }

    /** Ends a client; one that kills itself gets its reply first. */
    static void end(Call c, @Nullable Session session) {
        if (session == c.session) {
            c.session.closeWhenSent();
        } else if (session != null) {
            session.kill();
        }
    }
}
