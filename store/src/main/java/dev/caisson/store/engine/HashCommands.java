package dev.caisson.store.engine;

import dev.caisson.store.data.FieldVisitor;
import dev.caisson.store.data.HashValue;
import dev.caisson.store.data.Slice;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.LongDouble;
import dev.caisson.store.resp.Numbers;
import org.jspecify.annotations.Nullable;

/** HSET, HGET and their kin; the expiry of fields is in {@link HashExpiryCommands}. */
final class HashCommands {
    private HashCommands() {}

    static void register(CommandTable.Builder t) {
        writes(t, "HSET", -4, "2.0.0", "O(N)", "Creates or modifies the value of a field in a hash.")
                .denyOom()
                .fast()
                .run(c -> hset(c, false));
        writes(t, "HMSET", -4, "2.0.0", "O(N)", "Sets the values of multiple fields.")
                .denyOom()
                .fast()
                .run(c -> hset(c, true));
        writes(
                        t,
                        "HSETNX",
                        4,
                        "2.0.0",
                        "O(1)",
                        "Sets the value of a field in a hash only when the field doesn't exist.")
                .denyOom()
                .fast()
                .run(HashCommands::hsetnx);
        writes(t, "HDEL", -3, "2.0.0", "O(N)", "Deletes one or more fields and their values from a hash.")
                .fast()
                .run(HashCommands::hdel);
        writes(t, "HINCRBY", 4, "2.0.0", "O(1)", "Increments the integer value of a field in a hash by a number.")
                .denyOom()
                .fast()
                .run(HashCommands::hincrby);
        writes(t, "HINCRBYFLOAT", 4, "2.6.0", "O(1)", "Increments the floating point value of a field by a number.")
                .denyOom()
                .fast()
                .run(HashCommands::hincrbyfloat);
        reads(t, "HGET", 3, "2.0.0", "O(1)", "Returns the value of a field in a hash.")
                .fast()
                .watchable()
                .run(HashCommands::hget);
        reads(t, "HMGET", -3, "2.0.0", "O(N)", "Returns the values of all fields in a hash.")
                .fast()
                .watchable()
                .run(HashCommands::hmget);
        reads(t, "HGETALL", 2, "2.0.0", "O(N)", "Returns all fields and values in a hash.")
                .watchable()
                .run(HashCommands::hgetall);
        reads(t, "HKEYS", 2, "2.0.0", "O(N)", "Returns all fields in a hash.")
                .watchable()
                .run(c -> all(c, true));
        reads(t, "HVALS", 2, "2.0.0", "O(N)", "Returns all values in a hash.")
                .watchable()
                .run(c -> all(c, false));
        reads(t, "HLEN", 2, "2.0.0", "O(1)", "Returns the number of fields in a hash.")
                .fast()
                .watchable()
                .run(HashCommands::hlen);
        reads(t, "HEXISTS", 3, "2.0.0", "O(1)", "Determines whether a field exists in a hash.")
                .fast()
                .watchable()
                .run(c -> c.out.integer(find(c, 2) == null ? 0 : 1));
        reads(t, "HSTRLEN", 3, "3.2.0", "O(1)", "Returns the length of the value of a field.")
                .fast()
                .watchable()
                .run(HashCommands::hstrlen);
        reads(t, "HRANDFIELD", -2, "6.2.0", "O(N)", "Returns one or more random fields from a hash.")
                .run(HashCommands::hrandfield);
        reads(t, "HSCAN", -3, "2.8.0", "O(1)", "Iterates over fields and values of a hash.")
                .run(HashCommands::hscan);
    }

    private static Command.Builder reads(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return hash(t, name, arity, since, complexity, summary).read();
    }

    private static Command.Builder writes(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return hash(t, name, arity, since, complexity, summary).write();
    }

    static Command.Builder hash(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return t.add(name).arity(arity).key(1).category("hash").docs("hash", since, complexity, summary);
    }

    // ---- writing

    /** The hash of the key at argument 1, made if there is none. */
    private static HashValue made(Call c) {
        HashValue hash = c.hash(1);
        return hash != null ? hash : (HashValue) c.putValue(1, new HashValue(c.values()));
    }

    private static void hset(Call c, boolean ok) {
        if (c.count() % 2 != 0) {
            throw Errors.arity(c.command.fullName());
        }
        HashValue hash = made(c);
        int created = 0;
        for (int i = 2; i < c.count(); i += 2) {
            created += put(c, hash, i, i + 1) ? 1 : 0;
        }
        c.changed(1, "hset", Event.HASH);
        if (ok) {
            c.out.ok();
        } else {
            c.out.integer(created);
        }
    }

    private static boolean put(Call c, HashValue hash, int field, int value) {
        Args a = c.args;
        c.detachField(1, field);
        return hash.put(
                a.bytes(),
                a.offset(field),
                a.length(field),
                a.bytes(),
                a.offset(value),
                a.length(value),
                HashValue.NEVER,
                c.now());
    }

    private static void hsetnx(Call c) {
        if (find(c, 2) != null) {
            c.out.integer(0);
            return;
        }
        put(c, made(c), 2, 3);
        c.changed(1, "hset", Event.HASH);
        c.out.integer(1);
    }

    private static void hdel(Call c) {
        HashValue hash = c.hash(1);
        int removed = 0;
        for (int i = 2; i < c.count() && hash != null && hash.size() > 0; i++) {
            if (hash.remove(c.args.bytes(), c.args.offset(i), c.args.length(i), c.now())) {
                c.detachField(1, i);
                removed++;
            }
        }
        if (removed > 0) {
            c.changed(1, "hdel", Event.HASH);
            c.removeIfEmpty(1);
        }
        c.out.integer(removed);
    }

    private static void hincrby(Call c) {
        long by = c.args.integer(3);
        Slice old = find(c, 2);
        long value = old == null
                ? 0
                : Numbers.parseInteger(
                        old.bytes(), old.offset(), old.length(), new ErrorReply("ERR hash value is not an integer"));
        long sum = value + by;
        if (((value ^ sum) & (by ^ sum)) < 0) {
            throw new ErrorReply("ERR increment or decrement would overflow");
        }
        store(c, Numbers.format(sum));
        c.changed(1, "hincrby", Event.HASH);
        c.out.integer(sum);
    }

    private static void hincrbyfloat(Call c) {
        Args a = c.args;
        LongDouble by = LongDouble.parse(a.bytes(), a.offset(3), a.length(3));
        if (by.infinite()) {
            throw new ErrorReply("ERR value is NaN or Infinity");
        }
        Slice old = find(c, 2);
        LongDouble value = LongDouble.of(0);
        if (old != null) {
            value = LongDouble.parse(
                    old.bytes(), old.offset(), old.length(), new ErrorReply("ERR hash value is not a float"));
        }
        value = value.plus(by);
        if (value.infinite()) {
            throw new ErrorReply("ERR increment would produce NaN or Infinity");
        }
        byte[] sum = value.format();
        store(c, sum);
        c.changed(1, "hincrbyfloat", Event.HASH);
        c.out.bulk(sum);
    }

    /** Gives the field at argument 2 a value; it expires when it did before. */
    private static void store(Call c, byte[] value) {
        Args a = c.args;
        HashValue hash = made(c);
        long expiry = hash.expiry(a.bytes(), a.offset(2), a.length(2), c.now());
        hash.put(
                a.bytes(),
                a.offset(2),
                a.length(2),
                value,
                0,
                value.length,
                expiry == HashValue.ABSENT ? HashValue.NEVER : expiry,
                c.now());
    }

    // ---- reading

    /** The value of the field at {@code arg} of the hash at argument 1, or null. */
    private static @Nullable Slice find(Call c, int arg) {
        HashValue hash = c.hash(1);
        Slice value = new Slice();
        return hash != null && hash.get(c.args.bytes(), c.args.offset(arg), c.args.length(arg), c.now(), value)
                ? value
                : null;
    }

    private static void hget(Call c) {
        reply(c, find(c, 2));
    }

    private static void hmget(Call c) {
        HashValue hash = c.hash(1);
        Slice value = new Slice();
        c.work(c.count() - 2);
        c.out.array(c.count() - 2);
        for (int i = 2; i < c.count(); i++) {
            boolean there =
                    hash != null && hash.get(c.args.bytes(), c.args.offset(i), c.args.length(i), c.now(), value);
            reply(c, there ? value : null);
        }
    }

    private static void reply(Call c, @Nullable Slice value) {
        if (value == null) {
            c.out.nil();
        } else {
            c.out.bulk(value.bytes(), value.offset(), value.length());
        }
    }

    private static void hgetall(Call c) {
        HashValue hash = c.hash(1);
        if (hash == null) {
            c.out.map(0);
            return;
        }
        c.work(hash.size());
        int mark = c.out.mark();
        int[] fields = {0};
        hash.forEach(c.now(), (bytes, field, fieldLength, value, valueLength) -> {
            c.out.bulk(bytes, field, fieldLength).bulk(bytes, value, valueLength);
            fields[0]++;
        });
        c.out.mapAt(mark, fields[0]);
    }

    private static void all(Call c, boolean keys) {
        HashValue hash = c.hash(1);
        if (hash == null) {
            c.out.array(0);
            return;
        }
        c.work(hash.size());
        int mark = c.out.mark();
        int[] fields = {0};
        hash.forEach(c.now(), (bytes, field, fieldLength, value, valueLength) -> {
            if (keys) {
                c.out.bulk(bytes, field, fieldLength);
            } else {
                c.out.bulk(bytes, value, valueLength);
            }
            fields[0]++;
        });
        c.out.arrayAt(mark, fields[0]);
    }

    private static void hlen(Call c) {
        HashValue hash = c.hash(1);
        c.out.integer(hash == null ? 0 : hash.size());
    }

    private static void hstrlen(Call c) {
        Slice value = find(c, 2);
        c.out.integer(value == null ? 0 : value.length());
    }

    private static void hscan(Call c) {
        Walk.cursor(c.args, 2);
        HashValue hash = c.hash(1);
        if (hash == null) {
            Walk.empty(c);
            return;
        }
        Walk walk = new Walk(c, true);
        walk.run(
                hash.size(),
                cursor -> hash.scan(cursor, c.now(), (bytes, field, fieldLength, value, valueLength) -> {
                    if (walk.take(bytes, field, fieldLength) && walk.values()) {
                        walk.also(bytes, value, valueLength);
                    }
                }));
    }

    private static void hrandfield(Call c) {
        if (c.count() == 2) {
            HashValue hash = c.hash(1);
            if (hash == null
                    || !hash.random(
                            c.random(),
                            c.now(),
                            (bytes, field, length, value, valueLength) -> c.out.bulk(bytes, field, length))) {
                c.out.nil();
            }
            return;
        }
        long count = Counts.signed(c, 2);
        boolean values = c.count() == 4 && c.args.is(3, "WITHVALUES");
        if (c.count() > 4 || (c.count() == 4 && !values)) {
            throw ErrorReply.SYNTAX;
        }
        if (values && Math.abs(count) > Long.MAX_VALUE / 2) {
            throw new ErrorReply("ERR value is out of range");
        }
        HashValue hash = c.hash(1);
        if (hash == null || count == 0) {
            c.out.array(0);
        } else if (count < 0) {
            c.work(-count);
            repeated(c, hash, -count, values);
        } else {
            c.work(hash.size());
            chosen(c, hash, count, values);
        }
    }

    private static void repeated(Call c, HashValue hash, long count, boolean values) {
        Pairs pairs = new Pairs(c, values);
        for (long i = 0; i < count && hash.random(c.random(), c.now(), pairs); i++) {
            pairs.taken++;
        }
        pairs.end();
    }

    private static void chosen(Call c, HashValue hash, long count, boolean values) {
        int[] there = {0};
        hash.forEach(c.now(), (bytes, field, fieldLength, value, valueLength) -> there[0]++);
        Choice choice = new Choice(c.random(), there[0], count);
        Pairs pairs = new Pairs(c, values);
        hash.forEach(c.now(), (bytes, field, fieldLength, value, valueLength) -> {
            if (choice.next()) {
                pairs.visit(bytes, field, fieldLength, value, valueLength);
                pairs.taken++;
            }
        });
        pairs.end();
    }

    /** Fields, with or without values: flat in RESP2, pairs in RESP3. */
    private static final class Pairs implements FieldVisitor {
        private final Call c;
        private final boolean values;
        private final int mark;
        private int taken;

        Pairs(Call c, boolean values) {
            this.c = c;
            this.values = values;
            this.mark = c.out.mark();
        }

        @Override
        public void visit(byte[] bytes, int field, int fieldLength, int value, int valueLength) {
            if (values && c.out.protocol() == 3) {
                c.out.array(2);
            }
            c.out.bulk(bytes, field, fieldLength);
            if (values) {
                c.out.bulk(bytes, value, valueLength);
            }
        }

        void end() {
            c.out.arrayAt(mark, values && c.out.protocol() == 2 ? 2 * taken : taken);
        }
    }
}
