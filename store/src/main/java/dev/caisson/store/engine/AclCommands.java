package dev.caisson.store.engine;

import dev.caisson.store.engine.Selector.Finding;
import dev.caisson.store.engine.User.Rules;
import dev.caisson.store.engine.Users.Refusal;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** ACL. */
final class AclCommands {
    private static final int MAX_RANDOM_BITS = 4096;
    private static final int USUAL_RANDOM_BITS = 256;
    private static final int USUAL_LOG = 10;

    private AclCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("ACL")
                .arity(-2)
                .docs("server", "6.0.0", "Depends on subcommand.", "A container for Access List Control commands.");
        admin(t, "SETUSER", -3, "Creates and modifies an ACL user and its rules.")
                .flags(Command.SECRET)
                .run(AclCommands::setUser);
        admin(t, "DELUSER", -3, "Deletes ACL users, and terminates their connections.")
                .run(AclCommands::deleteUser);
        admin(t, "GETUSER", 3, "Lists the ACL rules of a user.").run(AclCommands::getUser);
        admin(t, "LIST", 2, "Dumps the effective rules in ACL file format.").run(c -> {
            List<User> all = c.server().users().all();
            c.out.array(all.size());
            all.forEach(user -> c.out.bulk(user.toString()));
        });
        admin(t, "USERS", 2, "Lists all ACL users.").run(c -> {
            List<User> all = c.server().users().all();
            c.out.array(all.size());
            all.forEach(user -> c.out.bulk(user.name()));
        });
        admin(t, "LOG", -2, "Lists recent security events generated due to ACL rules.")
                .run(AclCommands::log);
        admin(t, "DRYRUN", -4, "Simulates the execution of a command by a user, without executing the command.")
                .run(AclCommands::dryRun);
        for (String name : new String[] {"LOAD", "SAVE"}) {
            admin(t, name, 2, "Refused: users are not kept in a file.").run(c -> {
                throw new ErrorReply(
                        "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the"
                                + " ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis"
                                + " configuration file set) in order to store users in the Redis configuration.");
            });
        }
        sub(t, "WHOAMI", 2, "Returns the authenticated username of the current connection.")
                .run(c -> c.out.bulk(c.session.user()));
        sub(t, "CAT", -2, "Lists the ACL categories, or the commands inside a category.")
                .run(AclCommands::categories);
        sub(t, "GENPASS", -2, "Generates a pseudorandom, secure password that can be used to identify ACL users.")
                .run(AclCommands::password);
        sub(t, "HELP", 2, "Returns helpful text about the different subcommands.")
                .run(c -> Help.write(
                        c.out,
                        "ACL",
                        "CAT [<category>]",
                        "    List all commands that belong to <category>, or all command categories",
                        "    when no category is specified.",
                        "DELUSER <username> [<username> ...]",
                        "    Delete a list of users.",
                        "DRYRUN <username> <command> [<arg> ...]",
                        "    Returns whether the user can execute the given command without executing the command.",
                        "GETUSER <username>",
                        "    Get the user's details.",
                        "GENPASS [<bits>]",
                        "    Generate a secure 256-bit user password. The optional `bits` argument can",
                        "    be used to specify a different size.",
                        "LIST",
                        "    Show users details in config file format.",
                        "LOG [<count> | RESET]",
                        "    Show the ACL log entries.",
                        "SETUSER <username> <attribute> [<attribute> ...]",
                        "    Create or modify a user with the specified attributes.",
                        "USERS",
                        "    List all the registered usernames.",
                        "WHOAMI",
                        "    Return the current connection username."));
    }

    private static Command.Builder sub(CommandTable.Builder t, String name, int arity, String summary) {
        return t.add("ACL", name).arity(arity).docs("server", "6.0.0", "O(N)", summary);
    }

    private static Command.Builder admin(CommandTable.Builder t, String name, int arity, String summary) {
        return sub(t, name, arity, summary).flags(Command.ADMIN);
    }

    private static void setUser(Call c) {
        String name = c.args.text(2);
        if (Selector.hasBlanks(name)) {
            throw new ErrorReply("ERR Usernames can't contain spaces or null characters");
        }
        User user = c.server().users().set(name, Users.rules(c.args, 3));
        c.server().endForbidden(user);
        c.out.ok();
    }

    private static void deleteUser(Call c) {
        Users users = c.server().users();
        for (int i = 2; i < c.count(); i++) {
            if (c.args.text(i).equals("default")) {
                throw new ErrorReply("ERR The 'default' user cannot be removed");
            }
        }
        int removed = 0;
        for (int i = 2; i < c.count(); i++) {
            User user = users.remove(c.args.text(i));
            if (user != null) {
                removed++;
                for (Session each : c.server().sessions()) {
                    if (each.account() == user) {
                        ClientCommands.end(c, each);
                    }
                }
            }
        }
        c.out.integer(removed);
    }

    private static void getUser(Call c) {
        User user = c.server().users().find(c.args.text(2));
        if (user == null) {
            c.out.nil();
            return;
        }
        Rules rules = user.rules();
        RespWriter out = c.out;
        out.map(6);
        out.bulk("flags");
        List<String> flags = rules.flags();
        out.set(flags.size());
        flags.forEach(out::bulk);
        out.bulk("passwords").array(rules.passwords.size());
        rules.passwords.forEach(out::bulk);
        write(out, rules.root);
        out.bulk("selectors").array(rules.selectors.size());
        for (Selector each : rules.selectors) {
            out.map(3);
            write(out, each);
        }
    }

    private static void write(RespWriter out, Selector selector) {
        out.bulk("commands").bulk(selector.commandRules());
        out.bulk("keys").bulk(selector.keyRules());
        out.bulk("channels").bulk(selector.channelRules());
    }

    private static void categories(Call c) {
        if (c.count() > 3) {
            throw Errors.subcommandArity(c);
        }
        if (c.count() == 2) {
            c.out.array(Users.CATEGORIES.size());
            Users.CATEGORIES.forEach(c.out::bulk);
            return;
        }
        String category = Users.category(c.args.text(2));
        if (category == null) {
            throw new ErrorReply("ERR Unknown category '" + c.args.text(2) + "'");
        }
        int mark = c.out.mark();
        int count = 0;
        for (Command command : c.server().commands().all()) {
            count += name(c.out, command, category);
            for (Command sub : command.subcommands.values()) {
                count += name(c.out, sub, category);
            }
        }
        c.out.arrayAt(mark, count);
    }

    private static int name(RespWriter out, Command command, String category) {
        if (!command.categories.contains(category)) {
            return 0;
        }
        out.bulk(command.fullName());
        return 1;
    }

    private static void password(Call c) {
        ErrorReply bad = new ErrorReply("ERR ACL GENPASS argument must be the number of bits for the output password, a"
                + " positive number up to " + MAX_RANDOM_BITS);
        if (c.count() > 3) {
            throw Errors.subcommandArity(c);
        }
        long bits = c.count() == 3 ? c.args.integer(2) : USUAL_RANDOM_BITS;
        if (bits < 1 || bits > MAX_RANDOM_BITS) {
            throw bad;
        }
        int digits = (int) ((bits + 3) / 4);
        byte[] random = new byte[(digits + 1) / 2];
        new SecureRandom().nextBytes(random);
        c.out.bulk(HexFormat.of().formatHex(random).substring(0, digits));
    }

    private static void dryRun(Call c) {
        User user = c.server().users().find(c.args.text(2));
        if (user == null) {
            throw new ErrorReply("ERR User '" + c.args.text(2) + "' not found");
        }
        Args inner = c.args.from(3);
        Command command = lookup(c.server().commands(), inner);
        if (command == null) {
            throw new ErrorReply("ERR Command '" + inner.text(0) + "' not found");
        }
        if (!command.arityFits(inner.count())) {
            throw Errors.arity(command.fullName());
        }
        Finding found = c.server().users().find(user, command, inner);
        if (found.verdict() == Selector.Verdict.ALLOWED) {
            c.out.ok();
        } else {
            c.out.bulk(Users.text(user, found, true));
        }
    }

    private static @Nullable Command lookup(CommandTable commands, Args args) {
        Command command = commands.find(args);
        if (command != null && !command.subcommands.isEmpty() && args.count() > 1) {
            return command.subcommands.get(args.text(1).toLowerCase(Locale.ROOT));
        }
        return command;
    }

    private static void log(Call c) {
        Users users = c.server().users();
        if (c.count() > 3) {
            throw Errors.subcommandArity(c);
        }
        if (c.count() == 3 && c.args.is(2, "RESET")) {
            users.forgetRefusals();
            c.out.ok();
            return;
        }
        long most = c.count() == 3 ? Math.max(0, c.args.integer(2)) : USUAL_LOG;
        List<Refusal> refusals = users.refusals((int) Math.min(most, Users.MAX_LOGGED));
        c.out.array(refusals.size());
        for (Refusal each : refusals) {
            c.out.map(10);
            c.out.bulk("count").integer(each.count);
            c.out.bulk("reason").bulk(each.reason);
            c.out.bulk("context").bulk(each.context);
            c.out.bulk("object").bulk(each.object);
            c.out.bulk("username").bulk(each.user);
            c.out.bulk("age-seconds").number((c.now() - each.createdAtMillis) / 1000.0);
            c.out.bulk("client-info").bulk(each.client);
            c.out.bulk("entry-id").integer(each.id);
            c.out.bulk("timestamp-created").integer(each.createdAtMillis);
            c.out.bulk("timestamp-last-updated").integer(each.updatedAtMillis);
        }
    }
}
