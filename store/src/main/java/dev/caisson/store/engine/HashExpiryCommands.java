package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import java.util.ArrayList;
import java.util.List;

/** HEXPIRE, HTTL and their kin: fields that expire. */
final class HashExpiryCommands {
    private static final byte[] HPEXPIREAT = Expiries.bytes("HPEXPIREAT");
    private static final byte[] HDEL = Expiries.bytes("HDEL");
    private static final byte[] FIELDS = Expiries.bytes("FIELDS");

    /** The latest time a field can have, as in Redis: 46 bits of milliseconds. */
    private static final long LATEST_MILLIS = (1L << 46) - 1;

    private static final int NO_FIELD = -2;
    private static final int NO_TIME = -1;
    private static final int NOT_MET = 0;
    private static final int SET = 1;
    private static final int DELETED = 2;

    private HashExpiryCommands() {}

    static void register(CommandTable.Builder t) {
        expires(t, "HEXPIRE", "Set expiry for hash field using relative time to expire (seconds)", true, true);
        expires(t, "HPEXPIRE", "Set expiry for hash field using relative time to expire (milliseconds)", false, true);
        expires(t, "HEXPIREAT", "Set expiry for hash field using an absolute Unix timestamp (seconds)", true, false);
        expires(
                t,
                "HPEXPIREAT",
                "Set expiry for hash field using an absolute Unix timestamp (milliseconds)",
                false,
                false);
        tells(t, "HTTL", "Returns the TTL in seconds of a hash field.", true, true);
        tells(t, "HPTTL", "Returns the TTL in milliseconds of a hash field.", false, true);
        tells(
                t,
                "HEXPIRETIME",
                "Returns the expiration time of a hash field as a Unix timestamp, in seconds.",
                true,
                false);
        tells(
                t,
                "HPEXPIRETIME",
                "Returns the expiration time of a hash field as a Unix timestamp, in msec.",
                false,
                false);
        HashCommands.hash(t, "HPERSIST", -5, "7.4.0", "O(N)", "Removes the expiration time for each specified field")
                .write()
                .fast()
                .run(HashExpiryCommands::hpersist);
    }

    private static void expires(
            CommandTable.Builder t, String name, String summary, boolean seconds, boolean relative) {
        HashCommands.hash(t, name, -6, "7.4.0", "O(N)", summary)
                .write()
                .denyOom()
                .fast()
                .run(c -> hexpire(c, seconds, relative));
    }

    private static void tells(CommandTable.Builder t, String name, String summary, boolean seconds, boolean relative) {
        HashCommands.hash(t, name, -5, "7.4.0", "O(N)", summary).read().fast().run(c -> httl(c, seconds, relative));
    }

    private static void hexpire(Call c, boolean seconds, boolean relative) {
        long at = time(c, seconds, relative);
        String condition = condition(c.args, 3);
        int first = fields(c, condition.isEmpty() ? 3 : 4, "ERR Parameter `numFields` should be greater than 0");
        HashValue hash = c.hash(1);
        c.out.array(c.count() - first);
        List<byte[]> set = new ArrayList<>();
        List<byte[]> deleted = new ArrayList<>();
        for (int i = first; i < c.count(); i++) {
            int done = hash == null ? NO_FIELD : expire(c, hash, i, at, condition);
            if (done == SET) {
                set.add(c.args.copy(i));
            } else if (done == DELETED) {
                deleted.add(c.args.copy(i));
            }
            c.out.integer(done);
        }
        if (!set.isEmpty()) {
            c.changed(1, "hexpire", Event.HASH);
            byte[] count = Numbers.format(set.size());
            log(c, set, HPEXPIREAT, c.args.copy(1), Numbers.format(at), FIELDS, count);
        }
        if (!deleted.isEmpty()) {
            c.changed(1, "hdel", Event.HASH);
            log(c, deleted, HDEL, c.args.copy(1));
            c.removeIfEmpty(1);
        }
    }

    private static void log(Call c, List<byte[]> fields, byte[]... head) {
        byte[][] all = new byte[head.length + fields.size()][];
        System.arraycopy(head, 0, all, 0, head.length);
        for (int i = 0; i < fields.size(); i++) {
            all[head.length + i] = fields.get(i);
        }
        c.logAs(all);
    }

    /** Gives one field a time; returns what is told of it. */
    private static int expire(Call c, HashValue hash, int field, long at, String condition) {
        Args a = c.args;
        long now = c.now();
        long former = hash.expiry(a.bytes(), a.offset(field), a.length(field), now);
        if (former == HashValue.ABSENT) {
            return NO_FIELD;
        }
        boolean met = switch (condition) {
            case "NX" -> former == HashValue.NEVER;
            case "XX" -> former != HashValue.NEVER;
            case "GT" -> former != HashValue.NEVER && at > former;
            case "LT" -> former == HashValue.NEVER || at < former;
            default -> true;
        };
        if (!met) {
            return NOT_MET;
        }
        if (at <= now) {
            hash.remove(a.bytes(), a.offset(field), a.length(field), now);
            c.detachField(1, field);
            return DELETED;
        }
        hash.expire(a.bytes(), a.offset(field), a.length(field), at, now);
        return SET;
    }

    private static long time(Call c, boolean seconds, boolean relative) {
        long given = c.args.integer(2);
        if (given < 0) {
            throw new ErrorReply("ERR invalid expire time, must be >= 0");
        }
        long base = relative ? c.now() : 0;
        if (given > (seconds ? LATEST_MILLIS / 1000 : LATEST_MILLIS)
                || (seconds ? given * 1000 : given) > LATEST_MILLIS - base) {
            throw Errors.invalidExpire(c.command.fullName());
        }
        return (seconds ? given * 1000 : given) + base;
    }

    private static String condition(Args args, int arg) {
        for (String each : List.of("NX", "XX", "GT", "LT")) {
            if (args.is(arg, each)) {
                return each;
            }
        }
        return "";
    }

    /** Reads FIELDS and the count at {@code arg}; returns where the fields begin. */
    private static int fields(Call c, int arg, String notPositive) {
        if (arg >= c.count() || !c.args.is(arg, "FIELDS")) {
            throw new ErrorReply("ERR Mandatory argument FIELDS is missing or not at the right position");
        }
        long count = Counts.atLeast(c, arg + 1, 1, notPositive);
        if (count != c.count() - arg - 2) {
            throw new ErrorReply("ERR The `numfields` parameter must match the number of arguments");
        }
        return arg + 2;
    }

    private static void httl(Call c, boolean seconds, boolean relative) {
        HashValue hash = c.hash(1);
        int first = fields(c, 2, "ERR Number of fields must be a positive integer");
        c.out.array(c.count() - first);
        for (int i = first; i < c.count(); i++) {
            long at = hash == null
                    ? HashValue.ABSENT
                    : hash.expiry(c.args.bytes(), c.args.offset(i), c.args.length(i), c.now());
            if (at == HashValue.ABSENT) {
                c.out.integer(NO_FIELD);
            } else if (at == HashValue.NEVER) {
                c.out.integer(NO_TIME);
            } else {
                long millis = relative ? at - c.now() : at;
                c.out.integer(seconds ? (millis + 999) / 1000 : millis);
            }
        }
    }

    private static void hpersist(Call c) {
        HashValue hash = c.hash(1);
        int first = fields(c, 2, "ERR Number of fields must be a positive integer");
        c.out.array(c.count() - first);
        boolean changed = false;
        for (int i = first; i < c.count(); i++) {
            Args a = c.args;
            long at = hash == null ? HashValue.ABSENT : hash.expiry(a.bytes(), a.offset(i), a.length(i), c.now());
            if (hash == null || at == HashValue.ABSENT) {
                c.out.integer(NO_FIELD);
            } else if (at == HashValue.NEVER) {
                c.out.integer(NO_TIME);
            } else {
                hash.expire(a.bytes(), a.offset(i), a.length(i), HashValue.NEVER, c.now());
                changed = true;
                c.out.integer(SET);
            }
        }
        if (changed) {
            c.changed(1, "hpersist", Event.HASH);
        }
    }
}
