package dev.caisson.store.engine;

import dev.caisson.store.data.Hashing;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.Reply;
import dev.caisson.store.resp.RespDecoder;
import dev.caisson.store.resp.RespException;
import dev.caisson.store.resp.RespWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** The engine without sockets, loops and log: one shard, one client, a clock that stands still. */
final class TestEngine {
    private final CommandTable commands = Commands.all();
    private final Settings settings = new Settings();
    private final Sharding sharding = new Sharding(1, new Hashing(7, 8));
    private final Shard[] shards = {new Shard(0, sharding, new Hashing(7, 8))};
    private final Session session = new Client();
    private final RespWriter out = new RespWriter();
    private final Call call;
    private long now = 1_700_000_000_000L;

    TestEngine(int protocol) {
        Server server = new Server(
                commands, settings, shards, (loop, code) -> code.run(), new Server.Identity("0".repeat(40), now));
        call = new Call(sharding, shards, server, new Random(1), session);
        call.logging(true);
        session.protocol(protocol);
        out.protocol(protocol);
    }

    Settings settings() {
        return settings;
    }

    long now() {
        return now;
    }

    void advance(long millis) {
        now += millis;
    }

    /** Runs a command as the log is replayed: nothing expires by itself. */
    void replay(List<String> command) {
        call.replaying(true);
        run(command.toArray(new String[0]));
        call.replaying(false);
    }

    /** Runs a command; its reply as it goes over the wire, a character for each byte. */
    String run(String... words) {
        Args args = Args.of(words);
        Command command = commands.find(args);
        call.now(now);
        call.clearEffects();
        out.reset();
        if (command == null) {
            throw new IllegalArgumentException("no command " + words[0]);
        }
        if (args.count() > 1 && !command.subcommands().isEmpty()) {
            command = command.subcommands().get(words[1].toLowerCase(java.util.Locale.ROOT));
        }
        if (!command.arityFits(args.count())) {
            out.error(Errors.arity(command.fullName()));
        } else {
            call.execute(command, args, session, out, shards[0]);
        }
        return new String(out.array(), 0, out.length(), StandardCharsets.ISO_8859_1);
    }

    /** The commands that the last command would log, their parts separated by blanks. */
    List<String> effects() {
        List<String> effects = new ArrayList<>();
        for (List<String> each : effectParts()) {
            effects.add(String.join(" ", each));
        }
        return effects;
    }

    /** The same, as parts. */
    List<List<String>> effectParts() {
        List<List<String>> effects = new ArrayList<>();
        RespWriter log = call.effects();
        RespDecoder decoder = new RespDecoder();
        try {
            decoder.feed(log.array(), 0, log.length());
            for (Reply reply = decoder.next(); reply != null; reply = decoder.next()) {
                List<String> parts = new ArrayList<>();
                for (Reply part : ((Reply.Array) reply).elements()) {
                    parts.add(new String(((Reply.Bulk) part).bytes(), StandardCharsets.ISO_8859_1));
                }
                effects.add(parts);
            }
        } catch (RespException e) {
            throw new IllegalStateException(e);
        }
        return effects;
    }

    /** A digest of all keys and values, their times of expiry included. */
    long digest() {
        long[] sum = {0};
        shards[0].keys.forEach(item -> {
            long content = item instanceof Node node
                    ? node.value.digest()
                    : Arrays.hashCode(Arrays.copyOfRange(
                            (byte[]) item, StringEntry.valueOffset((byte[]) item), ((byte[]) item).length));
            sum[0] += Arrays.hashCode(Keyspace.key(item)) * 31L + content * 1_000_003 + Keyspace.expireAt(item);
        });
        return sum[0];
    }

    /** Keys whose value has nothing in it, though only a stream may be so. */
    int emptyKeys() {
        int[] empty = {0};
        shards[0].keys.forEach(item -> empty[0] += item instanceof Node node && node.isEmpty() ? 1 : 0);
        return empty[0];
    }

    /** What the shard says its entries take, less what they say themselves: 0. */
    long uncounted() {
        long[] sum = {0};
        shards[0].keys.forEach(
                item -> sum[0] += item instanceof Node node ? node.memory() : StringEntry.memory((byte[]) item));
        return shards[0].memoryNow() - shards[0].keys.memory() - sum[0];
    }

    private static final class Client extends Session {
        Client() {
            super(1, 0);
        }

        @Override
        public void closeWhenSent() {}

        @Override
        public int loop() {
            return 0;
        }

        @Override
        protected void left(Watcher watcher, int home) {}

        @Override
        protected void served(Waiter waiter, byte[] reply) {}

        @Override
        public void push(byte[] bytes) {}

        @Override
        public void kill() {}

        @Override
        public String address() {
            return "test";
        }

        @Override
        public String localAddress() {
            return "test";
        }

        @Override
        public int heldBytes() {
            return 0;
        }
    }
}
