package dev.caisson.store.engine;

import dev.caisson.store.engine.Channels.Kind;
import dev.caisson.store.resp.RespWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** SUBSCRIBE, PUBLISH, PUBSUB and their kin. They run on the loop of their connection, after all it sent before. */
final class PubSubCommands {
    private static final int FLAGS = Command.PUBSUB | Command.WHILE_SUBSCRIBED;

    private PubSubCommands() {}

    static void register(CommandTable.Builder t) {
        subscriber(t, "SUBSCRIBE", -2, "2.0.0", "Listens for messages published to channels.")
                .run(c -> subscribe(c, Kind.CHANNEL));
        subscriber(t, "UNSUBSCRIBE", -1, "2.0.0", "Stops listening to messages posted to channels.")
                .run(c -> unsubscribe(c, Kind.CHANNEL));
        subscriber(
                        t,
                        "PSUBSCRIBE",
                        -2,
                        "2.0.0",
                        "Listens for messages published to channels that match one or more patterns.")
                .run(c -> subscribe(c, Kind.PATTERN));
        subscriber(
                        t,
                        "PUNSUBSCRIBE",
                        -1,
                        "2.0.0",
                        "Stops listening to messages published to channels that match one or more patterns.")
                .run(c -> unsubscribe(c, Kind.PATTERN));
        subscriber(t, "SSUBSCRIBE", -2, "7.0.0", "Listens for messages published to shard channels.")
                .run(c -> subscribe(c, Kind.SHARD));
        subscriber(t, "SUNSUBSCRIBE", -1, "7.0.0", "Stops listening to messages posted to shard channels.")
                .run(c -> unsubscribe(c, Kind.SHARD));
        t.add("PUBLISH")
                .arity(3)
                .flags(Command.PUBSUB)
                .fast()
                .docs(
                        "pubsub",
                        "2.0.0",
                        "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total number of subscribed patterns (by any client).",
                        "Posts a message to a channel.")
                .run(c -> publish(c, false));
        t.add("SPUBLISH")
                .arity(3)
                .flags(Command.PUBSUB)
                .fast()
                .docs(
                        "pubsub",
                        "7.0.0",
                        "O(N) where N is the number of clients subscribed to the receiving shard channel.",
                        "Post a message to a shard channel")
                .run(c -> publish(c, true));
        t.add("PUBSUB")
                .arity(-2)
                .docs("pubsub", "2.8.0", "Depends on subcommand.", "A container for Pub/Sub commands.");
        sub(t, "CHANNELS", -2, "2.8.0", "Returns the active channels.").run(c -> names(c, Kind.CHANNEL));
        sub(t, "SHARDCHANNELS", -2, "7.0.0", "Returns the active shard channels.")
                .run(c -> names(c, Kind.SHARD));
        sub(t, "NUMSUB", -2, "2.8.0", "Returns a count of subscribers to channels.")
                .run(c -> counts(c, Kind.CHANNEL));
        sub(t, "SHARDNUMSUB", -2, "7.0.0", "Returns the count of subscribers of shard channels.")
                .run(c -> counts(c, Kind.SHARD));
        sub(t, "NUMPAT", 2, "2.8.0", "Returns a count of unique pattern subscriptions.")
                .run(c -> c.out.integer(c.server().audience().size(true)));
        sub(t, "HELP", 2, "6.2.0", "Returns helpful text about the different subcommands.")
                .run(c -> Help.write(
                        c.out,
                        "PUBSUB",
                        "CHANNELS [<pattern>]",
                        "    Return the currently active channels matching a <pattern> (default: '*').",
                        "NUMPAT",
                        "    Return number of subscriptions to patterns.",
                        "NUMSUB [<channel> ...]",
                        "    Return the number of subscribers for the specified channels, excluding",
                        "    pattern subscriptions(default: no channels).",
                        "SHARDCHANNELS [<pattern>]",
                        "    Return the currently active shard level channels matching a <pattern> (default: '*').",
                        "SHARDNUMSUB [<shardchannel> ...]",
                        "    Return the number of subscribers for the specified shard level channel(s)"));
    }

    private static Command.Builder subscriber(
            CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add(name)
                .arity(arity)
                .flags(FLAGS)
                .docs("pubsub", since, "O(N) where N is the number of channels.", summary);
    }

    private static Command.Builder sub(CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add("PUBSUB", name).arity(arity).flags(Command.PUBSUB).docs("pubsub", since, "O(N)", summary);
    }

    // ---- subscribers

    private static void subscribe(Call c, Kind kind) {
        Channels channels = c.server().audience().of(c.session.loop());
        Confirmations out = new Confirmations(c, kind, c.count() - 1);
        for (int i = 1; i < c.count(); i++) {
            Key name = new Key(c.args.copy(i));
            channels.join(c.session, kind, name);
            out.confirm(kind.subscribed, name);
        }
    }

    private static void unsubscribe(Call c, Kind kind) {
        Channels channels = c.server().audience().of(c.session.loop());
        List<Key> names = new ArrayList<>();
        for (int i = 1; i < c.count(); i++) {
            names.add(new Key(c.args.copy(i)));
        }
        if (names.isEmpty()) {
            names.addAll(c.session.joined(kind));
        }
        Confirmations out = new Confirmations(c, kind, Math.max(1, names.size()));
        if (names.isEmpty()) {
            out.confirmNothing();
        }
        for (Key name : names) {
            channels.leave(c.session, kind, name);
            out.confirm(kind.unsubscribed, name);
        }
    }

    /**
     * The confirmations of one command. On a socket each is a reply of its own: a push in RESP3, as Redis has it. In this
     * process, where one request has one reply, they are an array.
     */
    private static final class Confirmations {
        private final RespWriter out;
        private final Session session;
        private final Kind kind;

        Confirmations(Call c, Kind kind, int count) {
            this.out = c.out;
            this.session = c.session;
            this.kind = kind;
            session.confirms();
            if (session.inProcess()) {
                out.array(count);
            }
        }

        void confirm(String what, Key name) {
            begin(what);
            out.bulk(name.bytes());
            end();
        }

        void confirmNothing() {
            begin(kind.unsubscribed);
            out.nil();
            end();
        }

        private void begin(String what) {
            if (session.inProcess()) {
                out.array(3);
            } else {
                out.push(3);
            }
            out.bulk(what);
        }

        private void end() {
            out.integer(kind == Kind.SHARD ? session.shardChannels() : session.channels() + session.patterns());
        }
    }

    // ---- publishers

    private static void publish(Call c, boolean sharded) {
        c.out.integer(c.server().audience().publish(sharded, c.args.copy(1), c.args.copy(2)));
    }

    private static void names(Call c, Kind kind) {
        if (c.count() > 3) {
            throw Errors.subcommandArity(c);
        }
        Predicate<Key> wanted = any -> true;
        if (c.count() == 3) {
            byte[] pattern = c.args.copy(2);
            wanted = name -> Glob.matches(pattern, name.bytes());
        }
        List<Key> names = c.server().audience().names(kind, wanted);
        c.out.array(names.size());
        names.forEach(name -> c.out.bulk(name.bytes()));
    }

    private static void counts(Call c, Kind kind) {
        c.out.array(2 * (c.count() - 2));
        for (int i = 2; i < c.count(); i++) {
            Key name = new Key(c.args.copy(i));
            c.out.bulk(name.bytes()).integer(c.server().audience().count(kind, name));
        }
    }
}
