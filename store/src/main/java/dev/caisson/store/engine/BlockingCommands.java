package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * BLPOP and its kin. Each is a command that does not wait, run on the first key that has something; where none has, the
 * client becomes a {@link Waiter} of all its keys, in the same step.
 */
final class BlockingCommands {
    /** How a blocking command takes an element. */
    interface Pop {
        /** Whether the key has something of the right type. */
        boolean isThere(Shard shard, Key key, Call call);

        /** The shards that taking from this key needs. */
        long shards(Call call, Waiter waiter, Key key);

        /** Takes, and writes the whole reply. Something is there. */
        void take(Call call, Waiter waiter, Key key, RespWriter out);

        /** Whether the reply, where it must not wait and nothing is there, is an empty array. */
        boolean wantsArray();
    }

    private static final int FLAGS = Command.HOME | Command.BLOCKING | Command.WRITE;
    /** The longest time to wait that is understood, as in Redis. */
    private static final double MAX_SECONDS = Long.MAX_VALUE / 1000.0;

    private BlockingCommands() {}

    /** Registers the blocking forms of commands of {@code table}. */
    static void register(CommandTable.Builder t, CommandTable table) {
        Command lpop = known(table, "LPOP");
        Command rpop = known(table, "RPOP");
        Command lmove = known(table, "LMOVE");
        Command lmpop = known(table, "LMPOP");
        pop(
                t,
                "BLPOP",
                "list",
                "2.0.0",
                "Removes and returns the first element in a list. Blocks until one is available.",
                new ListPop(lpop));
        pop(
                t,
                "BRPOP",
                "list",
                "2.0.0",
                "Removes and returns the last element in a list. Blocks until one is available.",
                new ListPop(rpop));
        t.add("BLMOVE")
                .arity(6)
                .keys(1, 2, 1)
                .flags(FLAGS | Command.DENY_OOM)
                .category("list")
                .docs(
                        "list",
                        "6.2.0",
                        "O(1)",
                        "Pops an element from a list, pushes it to another list and returns it."
                                + " Blocks until one is available.")
                .run(c -> move(c, lmove, c.args.copy(3), c.args.copy(4), 5));
        t.add("BRPOPLPUSH")
                .arity(4)
                .keys(1, 2, 1)
                .flags(FLAGS | Command.DENY_OOM)
                .category("list")
                .docs(
                        "list",
                        "2.2.0",
                        "O(1)",
                        "Pops an element from a list, pushes it to another list and returns it."
                                + " Blocks until one is available.")
                .run(c -> move(c, lmove, Expiries.bytes("RIGHT"), Expiries.bytes("LEFT"), 3));
        t.add("BLMPOP")
                .arity(-5)
                .keys(BlockingCommands::numbered)
                .flags(FLAGS)
                .category("list")
                .docs(
                        "list",
                        "7.0.0",
                        "O(N+M)",
                        "Pops the first element from one of multiple lists. Blocks until one is" + " available.")
                .run(c -> multi(c, new MultiPop(lmpop, "list")));
        sorted(t, table);
    }

    private static void sorted(CommandTable.Builder t, CommandTable table) {
        Command zpopmin = known(table, "ZPOPMIN");
        Command zpopmax = known(table, "ZPOPMAX");
        Command zmpop = known(table, "ZMPOP");
        pop(
                t,
                "BZPOPMIN",
                "sorted-set",
                "5.0.0",
                "Removes and returns the member with the lowest score. Blocks until one is available.",
                new SortedPop(zpopmin));
        pop(
                t,
                "BZPOPMAX",
                "sorted-set",
                "5.0.0",
                "Removes and returns the member with the highest score. Blocks until one is available.",
                new SortedPop(zpopmax));
        t.add("BZMPOP")
                .arity(-5)
                .keys(BlockingCommands::numbered)
                .flags(FLAGS)
                .category("sortedset")
                .docs(
                        "sorted-set",
                        "7.0.0",
                        "O(K)+O(M*log(N))",
                        "Removes and returns a member by score from one or more"
                                + " sorted sets. Blocks until one is available.")
                .run(c -> multi(c, new MultiPop(zmpop, "zset")));
    }

    private static Command known(CommandTable table, String name) {
        Command command = table.find(name);
        if (command == null) {
            throw new IllegalStateException(name + " is not registered");
        }
        return command;
    }

    private static void pop(CommandTable.Builder t, String name, String group, String since, String summary, Pop pop) {
        t.add(name)
                .arity(-3)
                .keys(1, -2, 1)
                .flags(FLAGS)
                .fast()
                .category(group.replace("-", ""))
                .docs(group, since, "O(N)", summary)
                .run(c -> first(c, pop, 1, c.count() - 1, timeout(c, c.count() - 1)));
    }

    private static void numbered(Args args, Command.KeyPositions into) {
        if (args.count() < 4) {
            return;
        }
        String text = args.text(2);
        if (text.isEmpty() || text.length() > 9 || !text.chars().allMatch(ch -> ch >= '0' && ch <= '9')) {
            return;
        }
        int keys = Integer.parseInt(text);
        for (int i = 3; i < 3 + keys && i < args.count(); i++) {
            into.key(i);
        }
    }

    /** The timeout in milliseconds; rounded up, so that a positive one never means forever. */
    private static long timeout(Call c, int arg) {
        double seconds;
        try {
            seconds = c.args.number(arg);
        } catch (ErrorReply notANumber) {
            throw new ErrorReply("ERR timeout is not a float or out of range");
        }
        if (seconds < 0) {
            throw new ErrorReply("ERR timeout is negative");
        }
        if (!(seconds < MAX_SECONDS)) {
            throw new ErrorReply("ERR timeout is out of range");
        }
        return (long) Math.ceil(seconds * 1000);
    }

    /** Takes from the first key that has something, or waits for all. */
    private static void first(Call c, Pop pop, int from, int to, long timeoutMillis) {
        List<Key> keys = new ArrayList<>();
        long shards = 0;
        for (int i = from; i < to; i++) {
            keys.add(new Key(c.args.copy(i)));
            shards |= 1L << c.shard(i).index;
        }
        wait(c, new Waiter(c.session, pop, c.args.detach(), keys, shards, timeoutMillis), from);
    }

    private static void wait(Call c, Waiter waiter, int firstKey) {
        for (int i = 0; i < waiter.keys.size(); i++) {
            Key key = waiter.keys.get(i);
            Object item = c.look(firstKey + i);
            if (item != null && !waiter.pop.isThere(c.shardOf(key), key, c)) {
                throw ErrorReply.WRONGTYPE;
            }
            if (item != null) {
                waiter.pop.take(c, waiter, key, c.out);
                return;
            }
        }
        if (c.isNested()) {
            if (waiter.pop.wantsArray()) {
                c.out.nilArray();
            } else {
                c.out.nil();
            }
            return;
        }
        park(c, waiter);
    }

    /** Has the client wait, in the same step in which nothing was found. */
    static void park(Call c, Waiter waiter) {
        waiter.keys.forEach(key -> c.shardOf(key).waiters.add(key, waiter));
        c.session.waits(waiter);
    }

    private static void move(Call c, Command lmove, byte[] whereFrom, byte[] whereTo, int timeoutArg) {
        direction(whereFrom);
        direction(whereTo);
        long timeoutMillis = timeout(c, timeoutArg);
        Move move = new Move(lmove, c.args.copy(2), whereFrom, whereTo);
        Key source = new Key(c.args.copy(1));
        wait(
                c,
                new Waiter(c.session, move, c.args.detach(), List.of(source), 1L << c.shard(1).index, timeoutMillis),
                1);
    }

    private static void direction(byte[] where) {
        String text = new String(where, StandardCharsets.ISO_8859_1);
        if (!text.equalsIgnoreCase("LEFT") && !text.equalsIgnoreCase("RIGHT")) {
            throw ErrorReply.SYNTAX;
        }
    }

    private static void multi(Call c, MultiPop pop) {
        long timeoutMillis = timeout(c, 1);
        long keys;
        try {
            keys = c.args.integer(2);
        } catch (ErrorReply notANumber) {
            keys = 0;
        }
        if (keys <= 0) {
            throw new ErrorReply("ERR numkeys should be greater than 0");
        }
        if (keys > c.count() - 4) {
            throw ErrorReply.SYNTAX;
        }
        int where = 3 + (int) keys;
        pop.check(c, where);
        first(c, pop.with(c, where), 3, where, timeoutMillis);
    }

    private static boolean has(Shard shard, Key key, Call call, String type) {
        Object item = shard.peek(key.bytes(), 0, key.bytes().length);
        return item instanceof Node node
                && !call.expired(item)
                && node.value.type().equals(type)
                && node.value.size() > 0;
    }

    private record ListPop(Command command) implements Pop {
        @Override
        public boolean isThere(Shard shard, Key key, Call call) {
            return has(shard, key, call, "list");
        }

        @Override
        public long shards(Call call, Waiter waiter, Key key) {
            return 1L << call.shardOf(key).index;
        }

        @Override
        public void take(Call call, Waiter waiter, Key key, RespWriter out) {
            out.array(2);
            out.bulk(key.bytes());
            call.onBehalf(command, Args.of(Expiries.bytes(command.name), key.bytes()), waiter.session(), out);
        }

        @Override
        public boolean wantsArray() {
            return true;
        }
    }

    private record SortedPop(Command command) implements Pop {
        @Override
        public boolean isThere(Shard shard, Key key, Call call) {
            return has(shard, key, call, "zset");
        }

        @Override
        public long shards(Call call, Waiter waiter, Key key) {
            return 1L << call.shardOf(key).index;
        }

        /** The reply of ZPOPMIN is an array of member and score: its header gives way to one that counts the key too. */
        @Override
        public void take(Call call, Waiter waiter, Key key, RespWriter out) {
            RespWriter popped = new RespWriter();
            popped.protocol(out.protocol());
            call.onBehalf(command, Args.of(Expiries.bytes(command.name), key.bytes()), waiter.session(), popped);
            out.array(3);
            out.bulk(key.bytes());
            int header = "*2\r\n".length();
            out.raw(popped.array(), header, popped.length() - header);
        }

        @Override
        public boolean wantsArray() {
            return true;
        }
    }

    private record Move(Command command, byte[] to, byte[] whereFrom, byte[] whereTo) implements Pop {
        @Override
        public boolean isThere(Shard shard, Key key, Call call) {
            return has(shard, key, call, "list");
        }

        @Override
        public long shards(Call call, Waiter waiter, Key key) {
            return 1L << call.shardOf(key).index | 1L << call.shardOf(new Key(to)).index;
        }

        @Override
        public void take(Call call, Waiter waiter, Key key, RespWriter out) {
            call.onBehalf(
                    command,
                    Args.of(Expiries.bytes(command.name), key.bytes(), to, whereFrom, whereTo),
                    waiter.session(),
                    out);
        }

        @Override
        public boolean wantsArray() {
            return false;
        }
    }

    /** LMPOP or ZMPOP of one key; {@code rest} is what follows the keys. */
    private record MultiPop(Command command, String type, byte[]... rest) implements Pop {
        MultiPop(Command command, String type) {
            this(command, type, new byte[0][]);
        }

        MultiPop with(Call c, int where) {
            byte[][] all = new byte[c.count() - where][];
            for (int i = where; i < c.count(); i++) {
                all[i - where] = c.args.copy(i);
            }
            return new MultiPop(command, type, all);
        }

        void check(Call c, int where) {
            boolean list = type.equals("list");
            if (!c.args.is(where, list ? "LEFT" : "MIN") && !c.args.is(where, list ? "RIGHT" : "MAX")) {
                throw ErrorReply.SYNTAX;
            }
            if (c.count() == where + 3 && c.args.is(where + 1, "COUNT")) {
                long count;
                try {
                    count = c.args.integer(where + 2);
                } catch (ErrorReply notANumber) {
                    count = 0;
                }
                if (count <= 0) {
                    throw new ErrorReply("ERR count should be greater than 0");
                }
            } else if (c.count() != where + 1) {
                throw ErrorReply.SYNTAX;
            }
        }

        @Override
        public boolean isThere(Shard shard, Key key, Call call) {
            return has(shard, key, call, type);
        }

        @Override
        public long shards(Call call, Waiter waiter, Key key) {
            return 1L << call.shardOf(key).index;
        }

        @Override
        public void take(Call call, Waiter waiter, Key key, RespWriter out) {
            byte[][] all = new byte[3 + rest.length][];
            all[0] = Expiries.bytes(command.name);
            all[1] = Expiries.bytes("1");
            all[2] = key.bytes();
            System.arraycopy(rest, 0, all, 3, rest.length);
            call.onBehalf(command, Args.of(all), waiter.session(), out);
        }

        @Override
        public boolean wantsArray() {
            return true;
        }
    }
}
