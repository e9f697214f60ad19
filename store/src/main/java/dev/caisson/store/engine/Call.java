package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import dev.caisson.store.data.Value;
import dev.caisson.store.data.ValueSettings;
import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One command while it runs: its arguments, its reply, and the keys it may touch.
 *
 * <p>What a handler does: read keys by the position of their argument ({@link #string}, {@link #value} ...), change them,
 * say {@link #changed} after each change, and write one reply to {@link #out}. It runs alone: no other command sees the
 * shards of its keys meanwhile. It must not keep this object, the arguments or the writer.
 *
 * <p>What is logged: the command as it was given, if it changed something, or what {@link #logAs} said instead. The log is
 * replayed through the same handlers, so a handler whose outcome depends on time, chance or order must resolve it.
 *
 * <p>Not thread-safe: one for each loop, used again and again.
 */
public final class Call {
    private static final Logger LOG = System.getLogger(Call.class.getName());
    static final int CLOCK_MASK = 0xffffff;

    /** How many fields one command removes because their time has come. */
    static final int EXPIRED_FIELDS = 64;

    private final Sharding sharding;
    private final Shard[] shards;
    private final Server server;
    private final Settings settings;
    private final RandomGenerator random;
    private final Session nobody;
    /** Resolved commands since {@link #clearEffects}; RESP arrays. */
    private final RespWriter effects = new RespWriter();

    /** Whether changes are collected for the log. */
    private boolean logging;
    /** Whether it runs what the log holds: then nothing expires by itself. */
    private boolean replaying;

    /** Whether nothing may be logged now: then what has expired is not seen, but stays. */
    private boolean frozen;

    private long now;
    private long monotonic;

    public Args args;
    public RespWriter out;
    public Session session;
    public Command command;

    /** The shard of all keys, if there is one only. */
    private @Nullable Shard single;

    /** The shards that were borrowed, a bit each, where there is no single one. */
    private long borrowed;
    /** How many commands are running within each other. */
    private int depth;

    private boolean changed;
    private boolean resolved;

    /* The item last looked up, so that the steps of a command need not look again. */
    private int lastArg = -1;
    private @Nullable Object lastItem;

    /** Made by the loop, for its life. {@code shards} are all of the store; it touches only those that its thread has. */
    public Call(Sharding sharding, Shard[] shards, Server server, RandomGenerator random, Session nobody) {
        this.sharding = sharding;
        this.shards = shards;
        this.server = server;
        this.settings = server.settings();
        this.random = random;
        this.args = new Args();
        this.out = new RespWriter();
        this.nobody = nobody;
        this.session = nobody;
        nobody.noTouch = true;
        this.command = NONE;
    }

    private static final Command NONE = new Command(new Command.Builder("none"), null);

    // ---- for the loop

    /** Sets the time of the commands that follow, milliseconds since 1970. */
    public void now(long millis) {
        now = millis;
    }

    /** Sets the monotonic time of the commands that follow, in milliseconds from some beginning. */
    public void monotonic(long millis) {
        monotonic = millis;
    }

    /** Whether changes are collected for the log; they are not at first. */
    public void logging(boolean on) {
        logging = on;
    }

    /** Whether commands come from the log: nothing expires but by a logged command. */
    public void replaying(boolean on) {
        replaying = on;
    }

    /** Whether the log takes nothing now, so that nothing may be removed on the way of a read. */
    public void frozen(boolean on) {
        frozen = on;
    }

    public boolean isFrozen() {
        return frozen;
    }

    /** What was changed since the last {@link #clearEffects}, as RESP commands for the log. */
    public RespWriter effects() {
        return effects;
    }

    public void clearEffects() {
        effects.reset();
    }

    /**
     * Runs a command whose arity fits, on the thread that has the shards of its keys.
     *
     * @param only the shard of all its keys, or null to look at each key
     */
    public void execute(Command command, Args args, Session session, RespWriter out, @Nullable Shard only) {
        this.command = command;
        this.args = args;
        this.session = session;
        this.out = out;
        this.single = only;
        this.changed = false;
        this.resolved = false;
        this.lastArg = -1;
        int mark = out.length();
        depth++;
        command.usage.ran();
        try {
            if (command.is(Command.DENY_OOM) && !replaying && !server.budget().makeRoom(this, only)) {
                throw new ErrorReply(Errors.OUT_OF_MEMORY);
            }
            command.handler.run(this);
        } catch (ErrorReply error) {
            command.usage.failed();
            out.truncate(mark);
            out.error(error);
        } catch (RuntimeException | StackOverflowError failure) {
            LOG.log(Level.ERROR, "command " + command + " failed", failure);
            command.usage.failed();
            out.truncate(mark);
            out.error("ERR internal error in '" + command + "': "
                    + failure.getClass().getSimpleName());
        } finally {
            if (changed && logging && !resolved) {
                logVerbatim();
            }
            leave();
        }
    }

    /** Says which shards were borrowed for what comes next. */
    public void borrowed(long shards) {
        borrowed = shards;
        single = null;
    }

    /** The shards that this call may touch now, a bit each. */
    long held() {
        Shard only = single;
        return only != null ? 1L << only.index : borrowed;
    }

    /** Whether the command runs within another, so that it must not wait. */
    boolean isNested() {
        return depth > 1;
    }

    void enter() {
        depth++;
    }

    /** The end of a command; after the outermost, those who wait for what it changed are served. */
    void leave() {
        if (--depth > 0) {
            return;
        }
        while (serveOne()) {
            // what served them may have made others ready
        }
    }

    private boolean serveOne() {
        for (long left = held(); left != 0; left &= left - 1) {
            Waiters waiters = shards[Long.numberOfTrailingZeros(left)].waiters;
            if (waiters.hasReady()) {
                depth++;
                waiters.serve(this);
                depth--;
                return true;
            }
        }
        return false;
    }

    /** Runs a command inside of the running one, as EXEC does: with the same shards, appending to the same reply. */
    void nested(Command inner, Args innerArgs) {
        Command outer = command;
        Args outerArgs = args;
        Shard outerSingle = single;
        boolean outerChanged = changed;
        execute(inner, innerArgs, session, out, outerSingle);
        command = outer;
        args = outerArgs;
        changed = outerChanged;
        resolved = true; // each of them was logged by itself
        lastArg = -1;
    }

    /** Runs a query for the store itself, be it within another command or not; it counts as no use of its keys. */
    void internal(Command query, Args queryArgs, RespWriter into, @Nullable Shard only) {
        within(query, queryArgs, nobody, into, only);
    }

    /** Runs a command for a session that may be another one's; what it changes is logged. */
    void onBehalf(Command other, Args otherArgs, Session whose, RespWriter into) {
        within(other, otherArgs, whose, into, single);
    }

    private void within(Command inner, Args innerArgs, Session whose, RespWriter into, @Nullable Shard only) {
        Command outer = command;
        Args outerArgs = args;
        Session outerSession = session;
        RespWriter outerOut = out;
        Shard outerSingle = single;
        boolean outerChanged = changed;
        boolean outerResolved = resolved;
        depth++;
        try {
            execute(inner, innerArgs, whose, into, only);
        } finally {
            depth--;
            command = outer;
            args = outerArgs;
            session = outerSession;
            out = outerOut;
            single = outerSingle;
            changed = outerChanged;
            resolved = outerResolved;
            lastArg = -1;
        }
    }

    // ---- what a handler asks

    /** Milliseconds since 1970; the same for all commands of a burst. */
    public long now() {
        return now;
    }

    /** Milliseconds that only go forward, for leases. */
    long monotonic() {
        return monotonic;
    }

    public RandomGenerator random() {
        return random;
    }

    public Settings settings() {
        return settings;
    }

    /** What all loops share. */
    public Server server() {
        return server;
    }

    /** The number of arguments, the command's name included. */
    public int count() {
        return args.count();
    }

    /**
     * Refuses the command if it would touch more elements than one command may.
     *
     * @throws ErrorReply that says how to raise the limit
     */
    public void work(long elements) {
        if (elements > settings.workLimit()) {
            throw new ErrorReply("ERR '" + command.fullName() + "' would touch " + elements
                    + " elements, the limit for one command is " + settings.workLimit()
                    + " (CONFIG SET command-work-limit raises it; SCAN and its kin take them in parts)");
        }
    }

    /** All shards, for commands that need all. */
    public Shard[] shards() {
        return shards;
    }

    Shard shard(int arg) {
        Shard only = single;
        return only != null ? only : shards[sharding.shardOf(args, arg)];
    }

    Shard shardOf(Key key) {
        return shards[sharding.shardOf(key.bytes())];
    }

    /** The shard of an argument of another vector. */
    Shard shardOf(Args other, int position) {
        return shards[sharding.shardOf(other, position)];
    }

    // ---- keys

    /** The item of the key at this argument, counted as used; null if there is none, or it has expired. */
    @Nullable
    Object item(int arg) {
        if (arg == lastArg) {
            return lastItem;
        }
        Object item = look(arg);
        if (item != null && !session.noTouch) {
            Keyspace.clock(item, (int) (now / 1000) & CLOCK_MASK);
        }
        if (command.is(Command.READ) && session != nobody) {
            Shard shard = shard(arg);
            if (item != null) {
                shard.count(Figure.HITS);
            } else {
                shard.count(Figure.MISSES);
                shard.tell(args.bytes(), args.offset(arg), args.length(arg), "keymiss", Event.MISSED);
            }
        }
        return item;
    }

    /** As {@link #item}, but does not count as use. */
    @Nullable
    Object look(int arg) {
        Shard shard = shard(arg);
        Object item = shard.peek(args.bytes(), args.offset(arg), args.length(arg));
        if (item != null && expired(item)) {
            if (!frozen) {
                expire(shard, args.bytes(), args.offset(arg), args.length(arg));
            }
            item = null;
        }
        lastArg = arg;
        lastItem = item;
        return item;
    }

    /** Whether there is a key at this argument. */
    public boolean exists(int arg) {
        return item(arg) != null;
    }

    boolean isReplaying() {
        return replaying;
    }

    boolean expired(Object item) {
        long at = Keyspace.expireAt(item);
        return at >= 0 && now > at && !replaying;
    }

    /** Removes a key whose time has come. */
    void expire(Shard shard, byte[] bytes, int offset, int length) {
        shard.take(bytes, offset, length);
        shard.count(Figure.EXPIRED);
        if (logging) {
            effects.array(2);
            effects.bulk("DEL");
            effects.bulk(bytes, offset, length);
        }
        shard.changed(bytes, offset, length, "expired", Event.EXPIRED);
    }

    /** Removes a key to make room. */
    void evict(Shard shard, byte[] key) {
        shard.take(key, 0, key.length);
        shard.count(Figure.EVICTED);
        if (logging) {
            effects.array(2);
            effects.bulk("DEL");
            effects.bulk(key);
        }
        shard.changed(key, 0, key.length, "evicted", Event.EVICTED);
        lastArg = -1;
    }

    /**
     * The entry of the string at this argument, to be read by {@link StringEntry}; null if there is no key.
     *
     * @throws ErrorReply if it is no string
     */
    public byte @Nullable [] string(int arg) {
        Object item = item(arg);
        if (item == null || item instanceof byte[]) {
            return (byte[]) item;
        }
        throw ErrorReply.WRONGTYPE;
    }

    private @Nullable Node node(int arg) {
        Object item = item(arg);
        if (item instanceof byte[]) {
            throw ErrorReply.WRONGTYPE;
        }
        return (Node) item;
    }

    /**
     * The value of the key at this argument, or null if there is no key.
     *
     * @throws ErrorReply if it is of another type
     */
    <T extends Value> @Nullable T value(int arg, Class<T> type) {
        Node node = node(arg);
        if (node == null) {
            return null;
        }
        if (!type.isInstance(node.value)) {
            throw ErrorReply.WRONGTYPE;
        }
        return type.cast(node.value);
    }

    /**
     * The hash at this argument, or null if there is none. Fields whose time has come are removed first, but at most
     * {@value #EXPIRED_FIELDS} for one command; so its readers still pass the time.
     *
     * @throws ErrorReply if it is of another type
     */
    @Nullable
    HashValue hash(int arg) {
        HashValue hash = value(arg, HashValue.class);
        if (hash == null || replaying || hash.nextExpiry() > now) {
            return hash;
        }
        if (!(lastItem instanceof Node node) || expireFields(shard(arg), node, hash)) {
            return hash;
        }
        lastItem = null;
        return null;
    }

    /** Removes fields whose time has come, at most {@value #EXPIRED_FIELDS}; returns whether the key is still there. */
    boolean expireFields(Shard shard, Node node, HashValue hash) {
        if (frozen) {
            return true;
        }
        shard.saveOnce(node);
        List<byte[]> fields = new ArrayList<>();
        hash.removeExpired(
                now, EXPIRED_FIELDS, (b, offset, length) -> fields.add(Arrays.copyOfRange(b, offset, offset + length)));
        if (fields.isEmpty()) {
            return true;
        }
        byte[] key = node.key;
        if (logging) {
            effects.array(2 + fields.size());
            effects.bulk("HDEL");
            effects.bulk(key);
            fields.forEach(effects::bulk);
        }
        shard.recharge(node);
        if (node.leased) {
            Key leased = new Key(key);
            fields.forEach(field -> shard.leases.detachField(leased, new Key(field)));
        }
        shard.changed(key, 0, key.length, "hexpired", Event.HASH);
        if (hash.size() > 0) {
            return true;
        }
        shard.take(key, 0, key.length);
        shard.changed(key, 0, key.length, "del", Event.GENERIC);
        return false;
    }

    /** How values are made. */
    ValueSettings values() {
        return sharding.values();
    }

    /**
     * The value of the key at this argument, made if there is none. Who makes one must leave it non-empty, or call
     * {@link #removeIfEmpty}.
     */
    <T extends Value> T valueForWrite(int arg, Class<T> type, Supplier<T> empty) {
        T value = value(arg, type);
        return value != null ? value : type.cast(putValue(arg, empty.get()));
    }

    /** Makes this the value of the key, in the place of whatever it had, without a time to live; returns the value. */
    public Value putValue(int arg, Value value) {
        Node node = new Node(args.copy(arg), value);
        node.clock = (int) (now / 1000) & CLOCK_MASK;
        put(arg, node);
        return value;
    }

    /** Makes this entry that of the key, in the place of whatever it had. */
    public void putString(int arg, byte[] entry) {
        StringEntry.clock(entry, (int) (now / 1000) & CLOCK_MASK);
        put(arg, entry);
    }

    void put(int arg, Object item) {
        shard(arg).put(item, args.bytes(), args.offset(arg), args.length(arg));
        lastArg = arg;
        lastItem = item;
    }

    /** When the key expires, milliseconds since 1970; -1 for never or no key. */
    public long expireAt(int arg) {
        Object item = item(arg);
        return item == null ? -1 : Keyspace.expireAt(item);
    }

    /** Sets when the key, which exists, expires; -1 for never. */
    public void expireAt(int arg, long at) {
        Object item = look(arg);
        if (item instanceof Node node) {
            shard(arg).expireAt(node, at);
        } else if (item != null) {
            put(arg, StringEntry.withExpiry((byte[]) item, at));
        }
    }

    /** Removes the key; returns whether there was one. Says {@code del} to those who listen. */
    public boolean remove(int arg) {
        return remove(arg, "del");
    }

    boolean remove(int arg, String event) {
        if (look(arg) == null) {
            return false;
        }
        shard(arg).take(args.bytes(), args.offset(arg), args.length(arg));
        lastItem = null;
        changed(arg, event, Event.GENERIC);
        return true;
    }

    /** Removes the key if its value has become empty; returns whether it did. Call it after {@link #changed}. */
    public boolean removeIfEmpty(int arg) {
        return look(arg) instanceof Node node && node.isEmpty() && remove(arg);
    }

    /** Takes the key off its lease (its fields stay on theirs); returns whether it hung on one. */
    boolean detach(int arg) {
        Object item = look(arg);
        if (!Shard.isLeased(item)) {
            return false;
        }
        return shard(arg).leases.detachWhole(new Key(args.copy(arg)));
    }

    /** A field of the hash at this argument is gone, or has a new value: it hangs on no lease any more. */
    void detachField(int arg, int field) {
        if (lastArg == arg && lastItem instanceof Node node && node.leased) {
            shard(arg).leases.detachField(new Key(args.copy(arg)), new Key(args.copy(field)));
        }
    }

    // ---- changes

    /**
     * Must be called after each change of the key at this argument: it counts memory, versions and notifications, and has
     * the command logged.
     *
     * @param event Redis's name of the event, such as "hset"
     * @param kind a constant of {@link Event}
     */
    public void changed(int arg, String event, char kind) {
        changed = true;
        Shard shard = shard(arg);
        Object item = arg == lastArg ? lastItem : shard.peek(args.bytes(), args.offset(arg), args.length(arg));
        if (item instanceof Node node) {
            shard.recharge(node);
        }
        shard.changed(args.bytes(), args.offset(arg), args.length(arg), event, kind);
    }

    /** Has the command logged although none of its keys changed. */
    void mustLog() {
        changed = true;
    }

    /** Logs this command instead of the one that was given; may be called more than once. */
    public void logAs(byte[]... parts) {
        resolved = true;
        if (logging) {
            effects.array(parts.length);
            for (byte[] part : parts) {
                effects.bulk(part);
            }
        }
    }

    /** Logs nothing for this command, whatever it changed. */
    public void logNothing() {
        resolved = true;
    }

    private void logVerbatim() {
        effects.array(args.count());
        for (int i = 0; i < args.count(); i++) {
            effects.bulk(args.bytes(), args.offset(i), args.length(i));
        }
    }

    /** Whether what is at the two arguments is the same key. */
    boolean sameKey(int one, int other) {
        return Arrays.equals(
                args.bytes(),
                args.offset(one),
                args.offset(one) + args.length(one),
                args.bytes(),
                args.offset(other),
                args.offset(other) + args.length(other));
    }
}
