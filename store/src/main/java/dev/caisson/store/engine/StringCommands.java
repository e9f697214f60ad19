package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.LongDouble;
import dev.caisson.store.resp.Numbers;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** SET, GET and their kin: strings as one byte array a key ({@link StringEntry}). */
final class StringCommands {
    /** The longest string, as Redis's proto-max-bulk-len. */
    static final long MAX_BYTES = 512L * 1024 * 1024;

    private static final byte[] SET = Expiries.bytes("SET");
    private static final byte[] DEL = Expiries.bytes("DEL");
    private static final byte[] PXAT = Expiries.bytes("PXAT");
    private static final byte[] KEEPTTL = Expiries.bytes("KEEPTTL");
    private static final byte[] LEASE = Expiries.bytes("LEASE");
    private static final byte[] PEXPIREAT = Expiries.bytes("PEXPIREAT");
    private static final byte[] PERSIST = Expiries.bytes("PERSIST");

    private StringCommands() {}

    static void register(CommandTable.Builder t) {
        string(t, "GET", 2, "1.0.0", "Returns the string value of a key.")
                .read()
                .fast()
                .watchable()
                .run(StringCommands::get);
        string(t, "SET", -3, "1.0.0", "Sets the string value of a key, ignoring its type.")
                .write()
                .denyOom()
                .route(StringCommands::shards)
                .run(StringCommands::set);
        string(t, "SETNX", 3, "1.0.0", "Sets the string value of a key only when the key doesn't exist.")
                .write()
                .denyOom()
                .fast()
                .run(StringCommands::setnx);
        string(t, "SETEX", 4, "2.0.0", "Sets the string value and expiration time of a key.")
                .write()
                .denyOom()
                .run(c -> setex(c, true));
        string(t, "PSETEX", 4, "2.6.0", "Sets both string value and expiration time in milliseconds of a key.")
                .write()
                .denyOom()
                .run(c -> setex(c, false));
        string(t, "GETSET", 3, "1.0.0", "Returns the previous string value of a key after setting it to a new value.")
                .write()
                .denyOom()
                .fast()
                .run(StringCommands::getset);
        string(t, "GETDEL", 2, "6.2.0", "Returns the string value of a key after deleting the key.")
                .write()
                .fast()
                .run(StringCommands::getdel);
        string(t, "GETEX", -2, "6.2.0", "Returns the string value of a key after setting its expiration time.")
                .write()
                .fast()
                .run(StringCommands::getex);
        string(t, "APPEND", 3, "2.0.0", "Appends a string to the value of a key.")
                .write()
                .denyOom()
                .fast()
                .run(StringCommands::append);
        string(t, "STRLEN", 2, "2.2.0", "Returns the length of a string value.")
                .read()
                .fast()
                .watchable()
                .run(StringCommands::strlen);
        string(t, "GETRANGE", 4, "2.4.0", "Returns a substring of the string stored at a key.")
                .read()
                .run(StringCommands::getrange);
        string(t, "SUBSTR", 4, "1.0.0", "Returns a substring from a string value.")
                .read()
                .run(StringCommands::getrange);
        string(t, "SETRANGE", 4, "2.2.0", "Overwrites a part of a string value with another by an offset.")
                .write()
                .denyOom()
                .run(StringCommands::setrange);
        string(t, "INCR", 2, "1.0.0", "Increments the integer value of a key by one.")
                .write()
                .denyOom()
                .fast()
                .run(c -> add(c, 1));
        string(t, "DECR", 2, "1.0.0", "Decrements the integer value of a key by one.")
                .write()
                .denyOom()
                .fast()
                .run(c -> add(c, -1));
        string(t, "INCRBY", 3, "1.0.0", "Increments the integer value of a key by a number.")
                .write()
                .denyOom()
                .fast()
                .run(c -> add(c, c.args.integer(2)));
        string(t, "DECRBY", 3, "1.0.0", "Decrements a number from the integer value of a key.")
                .write()
                .denyOom()
                .fast()
                .run(StringCommands::decrby);
        string(t, "INCRBYFLOAT", 3, "2.6.0", "Increments the floating point value of a key by a number.")
                .write()
                .denyOom()
                .fast()
                .run(StringCommands::incrbyfloat);
        t.add("MGET")
                .arity(-2)
                .keys(1, -1, 1)
                .category("string")
                .read()
                .fast()
                .watchable()
                .docs("string", "1.0.0", "O(N)", "Atomically returns the string values of one or more keys.")
                .run(StringCommands::mget);
        t.add("MSET")
                .arity(-3)
                .keys(1, -1, 2)
                .category("string")
                .write()
                .denyOom()
                .docs(
                        "string",
                        "1.0.1",
                        "O(N)",
                        "Atomically creates or modifies the string values of one or more keys.")
                .run(StringCommands::mset);
        t.add("MSETNX")
                .arity(-3)
                .keys(1, -1, 2)
                .category("string")
                .write()
                .denyOom()
                .docs(
                        "string",
                        "1.0.1",
                        "O(N)",
                        "Atomically modifies the string values of one or more keys only when all keys don't exist.")
                .run(StringCommands::msetnx);
    }

    private static Command.Builder string(
            CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add(name).arity(arity).key(1).category("string").docs("string", since, "O(1)", summary);
    }

    // ---- reading

    private static void get(Call c) {
        reply(c, c.string(1));
    }

    private static void reply(Call c, byte @Nullable [] entry) {
        if (entry == null) {
            c.out.nil();
        } else {
            int from = StringEntry.valueOffset(entry);
            c.out.bulk(entry, from, entry.length - from);
        }
    }

    private static void strlen(Call c) {
        byte[] entry = c.string(1);
        c.out.integer(entry == null ? 0 : StringEntry.valueLength(entry));
    }

    private static void mget(Call c) {
        c.work(c.count() - 1);
        c.out.array(c.count() - 1);
        for (int i = 1; i < c.count(); i++) {
            reply(c, c.item(i) instanceof byte[] entry ? entry : null);
        }
    }

    private static void getrange(Call c) {
        long start = c.args.integer(2);
        long end = c.args.integer(3);
        byte[] entry = c.string(1);
        int length = entry == null ? 0 : StringEntry.valueLength(entry);
        if (entry == null || start < 0 && end < 0 && start > end) {
            c.out.bulk("");
            return;
        }
        long from = Math.max(0, start < 0 ? length + start : start);
        long to = Math.min(length - 1L, Math.max(0, end < 0 ? length + end : end));
        if (from > to || length == 0) {
            c.out.bulk("");
        } else {
            c.out.bulk(entry, StringEntry.valueOffset(entry) + (int) from, (int) (to - from + 1));
        }
    }

    // ---- setting

    private static void put(Call c, int key, int value, long expireAt) {
        put(c, key, value, expireAt, false);
    }

    private static void put(Call c, int key, int value, long expireAt, boolean leased) {
        Args a = c.args;
        byte[] entry = StringEntry.of(
                a.bytes(), a.offset(key), a.length(key), a.bytes(), a.offset(value), a.length(value), expireAt);
        if (leased) {
            StringEntry.markLeased(entry);
        }
        c.putString(key, entry);
    }

    private static void set(Call c) {
        if (c.count() == 3) {
            put(c, 1, 2, -1);
            c.changed(1, "set", Event.STRING);
            c.out.ok();
            return;
        }
        boolean nx = false;
        boolean xx = false;
        boolean get = false;
        boolean keep = false;
        long expireAt = -1;
        int time = -1;
        int lease = -1;
        for (int i = 3; i < c.count(); i++) {
            Args a = c.args;
            if (a.is(i, "LEASE") && lease < 0 && !keep && i + 1 < c.count()) {
                lease = ++i;
            } else if (a.is(i, "NX") && !xx) {
                nx = true;
            } else if (a.is(i, "XX") && !nx) {
                xx = true;
            } else if (a.is(i, "GET")) {
                get = true;
            } else if (a.is(i, "KEEPTTL") && time < 0 && lease < 0) {
                keep = true;
            } else if (Expiries.isOption(a, i, time) && !keep && i + 1 < c.count()) {
                time = i++;
            } else {
                throw ErrorReply.SYNTAX;
            }
        }
        if (time >= 0) {
            expireAt = Expiries.option(c, time);
        }
        Leases.Lease hangsOn = lease < 0 ? null : LeaseCommands.leaseOf(c, lease);
        Object old = c.item(1);
        if (get && old != null && !(old instanceof byte[])) {
            throw ErrorReply.WRONGTYPE;
        }
        boolean refused = nx && old != null || xx && old == null;
        if (get) {
            reply(c, (byte[]) old);
        } else if (refused) {
            c.out.nil();
        } else {
            c.out.ok();
        }
        if (refused) {
            return;
        }
        if (keep && old != null) {
            put(c, 1, 2, Keyspace.expireAt(old), Shard.isLeased(old));
        } else {
            put(c, 1, 2, expireAt);
        }
        if (hangsOn != null) {
            LeaseCommands.hang(c, 1, hangsOn);
        }
        c.changed(1, "set", Event.STRING);
        if (time >= 0) {
            c.changed(1, "expire", Event.GENERIC);
            if (expireAt <= c.now()) {
                // in the past: Redis keeps it until it is looked at, which is at once
                c.logAs(DEL, c.args.copy(1));
                c.remove(1);
                return;
            }
        }
        log(c, expireAt, keep, hangsOn);
    }

    private static void log(Call c, long expireAt, boolean keep, Leases.@Nullable Lease hangsOn) {
        List<byte[]> parts = new ArrayList<>(List.of(SET, c.args.copy(1), c.args.copy(2)));
        if (expireAt >= 0) {
            parts.add(PXAT);
            parts.add(Numbers.format(expireAt));
        }
        if (keep) {
            parts.add(KEEPTTL);
        }
        if (hangsOn != null) {
            parts.add(LEASE);
            parts.add(hangsOn.id.bytes());
        }
        c.logAs(parts.toArray(new byte[0][]));
    }

    /** SET names a lease by its identifier, which may belong to another shard. */
    private static long shards(Args args, Session session, Sharding sharding) {
        long shards = 1L << sharding.shardOf(args, 1);
        for (int i = 3; i + 1 < args.count(); i++) {
            if (args.is(i, "LEASE")) {
                shards |= 1L << sharding.shardOf(args, i + 1);
            }
        }
        return shards;
    }

    private static void setnx(Call c) {
        if (c.exists(1)) {
            c.out.integer(0);
            return;
        }
        put(c, 1, 2, -1);
        c.changed(1, "set", Event.STRING);
        c.out.integer(1);
    }

    private static void setex(Call c, boolean seconds) {
        long at = Expiries.at(c, 2, seconds, true, true);
        put(c, 1, 3, at);
        c.changed(1, "set", Event.STRING);
        c.changed(1, "expire", Event.GENERIC);
        c.logAs(SET, c.args.copy(1), c.args.copy(3), PXAT, Numbers.format(at));
        c.out.ok();
    }

    private static void getset(Call c) {
        byte[] old = c.string(1);
        reply(c, old);
        put(c, 1, 2, -1);
        c.changed(1, "set", Event.STRING);
        c.logAs(SET, c.args.copy(1), c.args.copy(2));
    }

    private static void getdel(Call c) {
        byte[] old = c.string(1);
        reply(c, old);
        if (old != null) {
            c.remove(1);
            c.logAs(DEL, c.args.copy(1));
        }
    }

    private static void getex(Call c) {
        boolean persist = false;
        int time = -1;
        for (int i = 2; i < c.count(); i++) {
            if (c.args.is(i, "PERSIST") && time < 0 && !persist) {
                persist = true;
            } else if (Expiries.isOption(c.args, i, time) && !persist && i + 1 < c.count()) {
                time = i++;
            } else {
                throw ErrorReply.SYNTAX;
            }
        }
        byte[] old = c.string(1);
        if (old == null) {
            c.out.nil();
            return;
        }
        long at = time < 0 ? -1 : Expiries.option(c, time);
        reply(c, old);
        if (time >= 0 && at <= c.now()) {
            c.remove(1);
            c.logAs(DEL, c.args.copy(1));
        } else if (time >= 0) {
            c.expireAt(1, at);
            c.changed(1, "expire", Event.GENERIC);
            c.logAs(PEXPIREAT, c.args.copy(1), Numbers.format(at));
        } else if (persist && StringEntry.expireAt(old) >= 0) {
            c.expireAt(1, -1);
            c.changed(1, "persist", Event.GENERIC);
            c.logAs(PERSIST, c.args.copy(1));
        }
    }

    private static void mset(Call c) {
        pairs(c);
        c.work(c.count() / 2);
        for (int i = 1; i < c.count(); i += 2) {
            put(c, i, i + 1, -1);
            c.changed(i, "set", Event.STRING);
        }
        c.out.ok();
    }

    private static void msetnx(Call c) {
        pairs(c);
        c.work(c.count() / 2);
        for (int i = 1; i < c.count(); i += 2) {
            if (c.exists(i)) {
                c.out.integer(0);
                return;
            }
        }
        for (int i = 1; i < c.count(); i += 2) {
            put(c, i, i + 1, -1);
            c.changed(i, "set", Event.STRING);
        }
        c.out.integer(1);
    }

    private static void pairs(Call c) {
        if (c.count() % 2 == 0) {
            throw Errors.arity(c.command.fullName());
        }
    }

    // ---- in place

    private static void append(Call c) {
        byte[] old = c.string(1);
        int more = c.args.length(2);
        if (old == null) {
            put(c, 1, 2, -1);
            c.changed(1, "append", Event.STRING);
            c.out.integer(more);
            return;
        }
        int from = StringEntry.valueOffset(old);
        int length = old.length - from;
        byte[] entry = grown(c, 1, old, (long) length + more);
        System.arraycopy(old, from, entry, entry.length - length - more, length);
        System.arraycopy(c.args.bytes(), c.args.offset(2), entry, entry.length - more, more);
        c.putString(1, entry);
        c.changed(1, "append", Event.STRING);
        c.out.integer((long) length + more);
    }

    private static void setrange(Call c) {
        long offset = c.args.integer(2);
        if (offset < 0) {
            throw new ErrorReply("ERR offset is out of range");
        }
        int more = c.args.length(3);
        byte[] old = c.string(1);
        int length = old == null ? 0 : StringEntry.valueLength(old);
        if (more == 0) {
            c.out.integer(length);
            return;
        }
        if (offset > MAX_BYTES - more) {
            throw tooLong();
        }
        int size = (int) Math.max(length, offset + more);
        byte[] entry = grown(c, 1, old, size);
        int at = entry.length - size;
        if (old != null) {
            System.arraycopy(old, old.length - length, entry, at, length);
        }
        System.arraycopy(c.args.bytes(), c.args.offset(3), entry, at + (int) offset, more);
        c.putString(1, entry);
        c.changed(1, "setrange", Event.STRING);
        c.out.integer(size);
    }

    /** A raw entry of that many zero bytes for the key at {@code arg}, with the time to live of the old one. */
    static byte[] grown(Call c, int arg, byte @Nullable [] old, long size) {
        if (size > MAX_BYTES) {
            throw tooLong();
        }
        byte[] entry = StringEntry.blank(
                c.args.bytes(),
                c.args.offset(arg),
                c.args.length(arg),
                (int) size,
                old == null ? -1 : StringEntry.expireAt(old));
        StringEntry.markRaw(entry);
        if (Shard.isLeased(old)) {
            StringEntry.markLeased(entry);
        }
        return entry;
    }

    private static ErrorReply tooLong() {
        return new ErrorReply("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    }

    // ---- counting

    private static void decrby(Call c) {
        long by = c.args.integer(2);
        if (by == Long.MIN_VALUE) {
            throw new ErrorReply("ERR decrement would overflow");
        }
        add(c, -by);
    }

    private static void add(Call c, long by) {
        byte[] old = c.string(1);
        long value = 0;
        if (old != null) {
            int from = StringEntry.valueOffset(old);
            if (!Numbers.isInteger(old, from, old.length - from)) {
                throw ErrorReply.NOT_INTEGER;
            }
            value = Numbers.parseInteger(old, from, old.length - from);
        }
        long sum = value + by;
        if (((value ^ sum) & (by ^ sum)) < 0) {
            throw new ErrorReply("ERR increment or decrement would overflow");
        }
        replace(c, old, Numbers.format(sum));
        c.changed(1, "incrby", Event.STRING);
        c.out.integer(sum);
    }

    private static void incrbyfloat(Call c) {
        byte[] old = c.string(1);
        LongDouble value = LongDouble.of(0);
        if (old != null) {
            int from = StringEntry.valueOffset(old);
            value = LongDouble.parse(old, from, old.length - from);
        }
        value = value.plus(LongDouble.parse(c.args.bytes(), c.args.offset(2), c.args.length(2)));
        if (value.infinite()) {
            throw new ErrorReply("ERR increment would produce NaN or Infinity");
        }
        byte[] sum = value.format();
        StringEntry.markText(replace(c, old, sum));
        c.changed(1, "incrbyfloat", Event.STRING);
        c.logAs(SET, c.args.copy(1), sum, KEEPTTL);
        c.out.bulk(sum);
    }

    private static byte[] replace(Call c, byte @Nullable [] old, byte[] value) {
        long at = old == null ? -1 : StringEntry.expireAt(old);
        byte[] entry = StringEntry.of(c.args.bytes(), c.args.offset(1), c.args.length(1), value, 0, value.length, at);
        if (Shard.isLeased(old)) {
            StringEntry.markLeased(entry);
        }
        c.putString(1, entry);
        return entry;
    }
}
