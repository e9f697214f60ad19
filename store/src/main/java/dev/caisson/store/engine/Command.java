package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one command: how many arguments it takes, where its keys are, what it may do, and the code that runs.
 * Immutable once its table is built; shared by all loops.
 */
public final class Command {
    /** Changes keys. */
    public static final int WRITE = 1;
    /** Reads keys and changes none. */
    public static final int READ = 1 << 1;
    /** Refused when memory is used up. */
    public static final int DENY_OOM = 1 << 2;

    public static final int ADMIN = 1 << 3;
    public static final int PUBSUB = 1 << 4;
    /** Constant or logarithmic time. */
    public static final int FAST = 1 << 5;
    /** May make its connection wait. */
    public static final int BLOCKING = 1 << 6;
    /** Not allowed between MULTI and EXEC. */
    public static final int NO_MULTI = 1 << 7;
    /** Allowed before authentication. */
    public static final int NO_AUTH = 1 << 8;
    /** Allowed to a RESP2 connection that has subscribed to channels or watches. */
    public static final int WHILE_SUBSCRIBED = 1 << 9;
    /** Needs every shard. */
    public static final int ALL_SHARDS = 1 << 10;
    /** Runs at once although the connection is between MULTI and EXEC. */
    public static final int NOT_QUEUED = 1 << 11;
    /** Deterministic, with keys that are known: {@code X.WATCH} and {@code OBSERVE X} exist. */
    public static final int WATCHABLE = 1 << 12;
    /** Not shown to MONITOR and the slow log: it may carry secrets. */
    public static final int SECRET = 1 << 13;
    /** Touches its session: runs on the loop of the connection, which borrows the shards, after all earlier commands. */
    public static final int HOME = 1 << 14;

    /** The code of a command; runs on the thread that has every shard of the command's keys. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Runs the command and writes exactly one reply.
         *
         * @throws dev.caisson.store.resp.ErrorReply to answer with an error; nothing may have been changed by then
         */
        void run(Call call);
    }

    /** Says where the keys are, for commands of which first, last and step do not tell. */
    @FunctionalInterface
    public interface Keys {
        /**
         * Tells {@code into} the positions of the keys; bad arguments yield none, the handler then answers with the error.
         */
        void find(Args args, KeyPositions into);
    }

    /** Takes the positions of keys, one after another. */
    @FunctionalInterface
    public interface KeyPositions {
        void key(int position);
    }

    /** Says which shards a command needs, where that does not follow from its keys. */
    @FunctionalInterface
    public interface Route {
        /** A bit for each shard; 0 for none. */
        long shards(Args args, Session session, Sharding sharding);
    }

    final String name;
    final int arity;
    final int flags;
    final int firstKey;
    final int lastKey;
    final int keyStep;
    final @Nullable Keys keys;
    final @Nullable Route route;
    final Handler handler;
    final List<String> categories;
    final String summary;
    final String since;
    final String group;
    final String complexity;
    final @Nullable Command parent;
    /** By lower-case name; empty for a command that is no container. */
    final Map<String, Command> subcommands = new TreeMap<>();
    /** Its number in its table; set when the table is made, before anybody sees it. */
    int id;
    /** How often it ran, for INFO commandstats. */
    final Usage usage = new Usage();

    Command(Builder b, @Nullable Command parent) {
        this.name = b.name;
        this.arity = b.arity;
        this.flags = b.flags;
        this.firstKey = b.firstKey;
        this.lastKey = b.lastKey;
        this.keyStep = b.keyStep;
        this.keys = b.keys;
        this.route = b.route;
        this.handler = b.handler;
        this.categories = List.copyOf(b.categories());
        this.summary = b.summary;
        this.since = b.since;
        this.group = b.group;
        this.complexity = b.complexity;
        this.parent = parent;
    }

    /** The name in upper case; that of a subcommand alone, such as {@code ID} of {@code CLIENT ID}. */
    public String name() {
        return name;
    }

    /** The name as Redis writes it, lower case, {@code client|id} for a subcommand. */
    public String fullName() {
        String own = name.toLowerCase(Locale.ROOT);
        return parent == null ? own : parent.fullName() + "|" + own;
    }

    /** How many arguments, the name included; negative: at least that many. */
    public int arity() {
        return arity;
    }

    public boolean is(int flag) {
        return (flags & flag) != 0;
    }

    /** The ACL categories, without the sign. */
    public List<String> categories() {
        return categories;
    }

    public @Nullable Command parent() {
        return parent;
    }

    public Map<String, Command> subcommands() {
        return subcommands;
    }

    public Usage usage() {
        return usage;
    }

    public Handler handler() {
        return handler;
    }

    public String summary() {
        return summary;
    }

    public String since() {
        return since;
    }

    public String group() {
        return group;
    }

    public String complexity() {
        return complexity;
    }

    public int firstKey() {
        return firstKey;
    }

    public int lastKey() {
        return lastKey;
    }

    public int keyStep() {
        return keyStep;
    }

    /** Whether its keys are found by looking at the arguments. */
    public boolean movableKeys() {
        return keys != null;
    }

    public boolean arityFits(int count) {
        return arity >= 0 ? count == arity : count >= -arity;
    }

    /** Tells the positions of the keys among the arguments. */
    public void keys(Args args, KeyPositions into) {
        if (keys != null) {
            keys.find(args, into);
        } else if (firstKey > 0) {
            int last = lastKey < 0 ? args.count() + lastKey : lastKey;
            for (int i = firstKey; i <= last && i < args.count(); i += keyStep) {
                into.key(i);
            }
        }
    }

    /** The shards that it needs, a bit each; 0 if it needs none. */
    public long shards(Args args, Session session, Sharding sharding) {
        if (route != null) {
            return route.shards(args, session, sharding);
        }
        if ((flags & ALL_SHARDS) != 0) {
            return sharding.all();
        }
        if (keys == null) {
            if (firstKey <= 0 || firstKey >= args.count()) {
                return 0;
            }
            if (lastKey == firstKey) {
                return 1L << sharding.shardOf(args, firstKey);
            }
        }
        if (sharding.count() == 1) {
            return 1;
        }
        long[] mask = new long[1];
        keys(args, position -> mask[0] |= 1L << sharding.shardOf(args, position));
        return mask[0];
    }

    @Override
    public String toString() {
        return fullName();
    }

    /** Collects what is known of a command; made by {@link CommandTable.Builder#add}. */
    public static final class Builder {
        private static final Handler NONE = call -> {
            throw new IllegalStateException("no handler");
        };

        private final String name;
        private int arity = -1;
        private int flags;
        private int firstKey;
        private int lastKey;
        private int keyStep = 1;
        private @Nullable Keys keys;
        private @Nullable Route route;
        private Handler handler = NONE;
        private final java.util.ArrayList<String> categories = new java.util.ArrayList<>();
        private String summary = "";
        private String since = "1.0.0";
        private String group = "generic";
        private String complexity = "O(1)";

        Builder(String name) {
            this.name = name.toUpperCase(Locale.ROOT);
        }

        /** How many arguments, the name included; negative: at least that many. */
        public Builder arity(int arity) {
            this.arity = arity;
            return this;
        }

        /** One key at this position. */
        public Builder key(int position) {
            return keys(position, position, 1);
        }

        /** Keys from {@code first} to {@code last} (negative: from the end), every {@code step}th argument. */
        public Builder keys(int first, int last, int step) {
            this.firstKey = first;
            this.lastKey = last;
            this.keyStep = step;
            return this;
        }

        /** Keys found by looking at the arguments. */
        public Builder keys(Keys keys) {
            this.keys = keys;
            return this;
        }

        /** Shards that do not follow from keys. */
        public Builder route(Route route) {
            this.route = route;
            return this;
        }

        /** Adds flags, such as {@link #WRITE}. */
        public Builder flags(int flags) {
            this.flags |= flags;
            return this;
        }

        public Builder write() {
            return flags(WRITE);
        }

        public Builder read() {
            return flags(READ);
        }

        public Builder fast() {
            return flags(FAST);
        }

        public Builder denyOom() {
            return flags(DENY_OOM);
        }

        public Builder watchable() {
            return flags(WATCHABLE);
        }

        /** ACL categories beside those that follow from the flags (read, write, fast, slow, admin, dangerous, blocking). */
        public Builder category(String... names) {
            categories.addAll(List.of(names));
            return this;
        }

        /** What COMMAND DOCS tells. */
        public Builder docs(String group, String since, String complexity, String summary) {
            this.group = group;
            this.since = since;
            this.complexity = complexity;
            this.summary = summary;
            return this;
        }

        /** The code that runs. */
        public Builder run(Handler handler) {
            this.handler = handler;
            return this;
        }

        boolean runs() {
            return handler != NONE;
        }

        private List<String> categories() {
            java.util.TreeSet<String> all = new java.util.TreeSet<>(categories);
            if ((flags & WRITE) != 0) {
                all.add("write");
            }
            if ((flags & READ) != 0) {
                all.add("read");
            }
            if ((flags & ADMIN) != 0) {
                all.add("admin");
                all.add("dangerous");
            }
            if ((flags & PUBSUB) != 0) {
                all.add("pubsub");
            }
            if ((flags & BLOCKING) != 0) {
                all.add("blocking");
            }
            all.add((flags & FAST) != 0 ? "fast" : "slow");
            return List.copyOf(all);
        }
    }

    /** Counts of one command; any loop may add. */
    public static final class Usage {
        private final java.util.concurrent.atomic.LongAdder calls = new java.util.concurrent.atomic.LongAdder();
        private final java.util.concurrent.atomic.LongAdder rejected = new java.util.concurrent.atomic.LongAdder();
        private final java.util.concurrent.atomic.LongAdder failed = new java.util.concurrent.atomic.LongAdder();

        /** It ran, whatever came of it. */
        public void ran() {
            calls.increment();
        }

        /** It was refused before it ran. */
        public void rejected() {
            rejected.increment();
        }

        /** It answered with an error. */
        public void failed() {
            failed.increment();
        }

        public long calls() {
            return calls.sum();
        }

        public long rejectedCalls() {
            return rejected.sum();
        }

        public long failedCalls() {
            return failed.sum();
        }

        public void reset() {
            calls.reset();
            rejected.reset();
            failed.reset();
        }
    }
}
