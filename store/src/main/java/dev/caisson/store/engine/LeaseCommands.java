package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import dev.caisson.store.engine.Leases.Lease;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Leases: keys and fields that live as long as somebody says so. {@code LEASE.GRANT ms} makes one, {@code LEASE.KEEPALIVE}
 * gives it its full time again, its end takes all that hangs on it, in one step.
 */
final class LeaseCommands {
    /** The longest lease. */
    static final long MAX_MILLIS = TimeUnit.DAYS.toMillis(3650);
    /** The longest identifier, in bytes. */
    static final int MAX_ID_BYTES = 512;

    private static final byte[] GRANT = Expiries.bytes("LEASE.GRANT");
    private static final byte[] REVOKE = Expiries.bytes("LEASE.REVOKE");
    private static final byte[] ID = Expiries.bytes("ID");

    private LeaseCommands() {}

    static void register(CommandTable.Builder t) {
        lease(t, "LEASE.GRANT", -2, "Makes a lease of so many milliseconds, and returns its identifier.")
                .write()
                .fast()
                .flags(Command.DENY_OOM)
                .route(LeaseCommands::home)
                .run(LeaseCommands::grant);
        lease(t, "LEASE.KEEPALIVE", 2, "Gives a lease its full time again.")
                .read()
                .fast()
                .route(LeaseCommands::home)
                .run(LeaseCommands::keepAlive);
        lease(t, "LEASE.REVOKE", 2, "Ends a lease: removes all that hangs on it, and returns how many that were.")
                .write()
                .flags(Command.ALL_SHARDS)
                .run(LeaseCommands::revoke);
        lease(t, "LEASE.ATTACH", -3, "Hangs a key, or fields of a hash, on a lease.")
                .write()
                .keys(2, 2, 1)
                .route(LeaseCommands::homeAndKey)
                .run(LeaseCommands::attach);
        lease(t, "LEASE.TTL", -2, "Returns the milliseconds that a lease has left and those it was granted.")
                .read()
                .route((args, session, sharding) -> args.count() > 2 ? sharding.all() : home(args, session, sharding))
                .run(LeaseCommands::ttl);
        lease(t, "LEASE.LIST", 1, "Returns the identifiers of all leases.")
                .read()
                .flags(Command.ALL_SHARDS)
                .run(LeaseCommands::list);
        lease(t, "LEASE.HSET", -5, "Sets fields of a hash and hangs them on a lease, in one step.")
                .write()
                .denyOom()
                .keys(2, 2, 1)
                .route(LeaseCommands::homeAndKey)
                .run(LeaseCommands::hset);
    }

    private static Command.Builder lease(CommandTable.Builder t, String name, int arity, String summary) {
        return t.add(name).arity(arity).category("keyspace").docs("lease", "7.4.0", "O(1)", summary);
    }

    /** The shard of the identifier; of a lease without one, that of the client's loop, where it will get a fitting one. */
    private static long home(Args args, Session session, Sharding sharding) {
        if (args.is(0, "LEASE.GRANT")) {
            return args.count() == 4
                    ? 1L << sharding.shardOf(args, 3)
                    : 1L << Math.floorMod(session.loop(), sharding.count());
        }
        return 1L << sharding.shardOf(args, 1);
    }

    private static long homeAndKey(Args args, Session session, Sharding sharding) {
        return 1L << sharding.shardOf(args, 1) | 1L << sharding.shardOf(args, 2);
    }

    // ---- the lease itself

    private static void grant(Call c) {
        long millis = c.args.integer(1);
        if (millis <= 0 || millis > MAX_MILLIS) {
            throw new ErrorReply("ERR a lease lasts 1 to " + MAX_MILLIS + " milliseconds, not " + millis);
        }
        long all = 0;
        for (Shard shard : c.shards()) {
            all += shard.figure(Shard.Figure.LEASES);
        }
        if (all >= c.settings().maxLeases()) {
            throw new ErrorReply("ERR the store holds " + all
                    + " leases, the most allowed (CONFIG SET lease-max raises it); revoke some");
        }
        Key id;
        if (c.count() == 2) {
            id = fresh(c);
        } else if (c.count() == 4 && c.args.is(2, "ID")) {
            if (c.args.length(3) == 0 || c.args.length(3) > MAX_ID_BYTES) {
                throw new ErrorReply("ERR the identifier of a lease has 1 to " + MAX_ID_BYTES + " bytes");
            }
            id = new Key(c.args.copy(3));
            if (c.shardOf(id).leases.find(id) != null) {
                throw new ErrorReply("ERR there is a lease of this identifier already");
            }
        } else {
            throw ErrorReply.SYNTAX;
        }
        c.shardOf(id).leases.grant(id, millis, c.monotonic());
        c.mustLog();
        c.logAs(GRANT, c.args.copy(1), ID, id.bytes());
        c.out.bulk(id.bytes());
    }

    /** An identifier that belongs to the shard at hand: drawn until it does. */
    private static Key fresh(Call c) {
        while (true) {
            String text = HexFormat.of().toHexDigits(c.random().nextLong());
            Key id = new Key(text.getBytes(StandardCharsets.ISO_8859_1));
            if ((c.held() & 1L << c.shardOf(id).index) != 0
                    && c.shardOf(id).leases.find(id) == null) {
                return id;
            }
        }
    }

    /** The lease named at this argument; one whose time is up is none. */
    private static Lease found(Call c, int arg) {
        Lease lease = find(c, arg);
        if (lease == null) {
            throw new ErrorReply("NOLEASE no such lease");
        }
        return lease;
    }

    private static @Nullable Lease find(Call c, int arg) {
        Key id = new Key(c.args.copy(arg));
        Lease lease = c.shardOf(id).leases.find(id);
        return lease == null || lease.deadline <= c.monotonic() && !c.isReplaying() ? null : lease;
    }

    private static void keepAlive(Call c) {
        Lease lease = found(c, 1);
        c.shardOf(lease.id).leases.keepAlive(lease, c.monotonic());
        c.out.integer(lease.millis);
    }

    private static void revoke(Call c) {
        Lease lease = found(c, 1);
        c.out.integer(end(c, lease));
    }

    /** Ends a lease, with all shards at hand; returns how many keys and fields went. */
    static int end(Call c, Lease lease) {
        int[] removed = new int[1];
        for (Shard shard : c.shards()) {
            List<Key> keys = new ArrayList<>();
            List<Key> fields = new ArrayList<>();
            shard.leases.each(lease.id, (key, field) -> {
                keys.add(key);
                fields.add(field == null ? WHOLE : field);
            });
            for (int i = 0; i < keys.size(); i++) {
                removed[0] += remove(c, shard, keys.get(i), fields.get(i));
            }
        }
        c.shardOf(lease.id).leases.forget(lease);
        c.mustLog();
        c.logAs(REVOKE, lease.id.bytes());
        return removed[0];
    }

    /** Stands for the key as a whole, where a field is wanted; compared by identity. */
    private static final Key WHOLE = new Key(new byte[0]);

    @SuppressWarnings("ReferenceEquality") // WHOLE is one of a kind
    private static int remove(Call c, Shard shard, Key key, Key field) {
        byte[] bytes = key.bytes();
        if (field == WHOLE) {
            if (shard.take(bytes, 0, bytes.length) == null) {
                return 0;
            }
            shard.changed(bytes, 0, bytes.length, "del", Event.GENERIC);
            return 1;
        }
        Object item = shard.peek(bytes, 0, bytes.length); // first: a snapshot wants the field with its lease
        shard.leases.detachField(key, field);
        if (!(item instanceof Node node && node.value instanceof HashValue hash)
                || !hash.remove(field.bytes(), 0, field.bytes().length, c.now())) {
            return 0;
        }
        shard.recharge(node);
        shard.changed(bytes, 0, bytes.length, "hdel", Event.HASH);
        if (node.isEmpty()) {
            shard.take(bytes, 0, bytes.length);
            shard.changed(bytes, 0, bytes.length, "del", Event.GENERIC);
        }
        return 1;
    }

    private static void ttl(Call c) {
        boolean keys = c.count() == 3 && c.args.is(2, "KEYS");
        if (c.count() > 2 && !keys) {
            throw ErrorReply.SYNTAX;
        }
        Lease lease = found(c, 1);
        c.out.array(keys ? 3 : 2);
        c.out.integer(lease.deadline - c.monotonic());
        c.out.integer(lease.millis);
        if (keys) {
            int mark = c.out.mark();
            int[] count = new int[1];
            for (Shard shard : c.shards()) {
                Key[] last = new Key[1];
                shard.leases.each(lease.id, (key, field) -> {
                    if (!key.equals(last[0])) {
                        c.out.bulk(key.bytes());
                        count[0]++;
                        last[0] = key;
                    }
                });
            }
            c.out.arrayAt(mark, count[0]);
        }
    }

    private static void list(Call c) {
        int mark = c.out.mark();
        int count = 0;
        for (Shard shard : c.shards()) {
            c.work(count + shard.leases.size());
            for (Lease lease : shard.leases.all()) {
                c.out.bulk(lease.id.bytes());
                count++;
            }
        }
        c.out.arrayAt(mark, count);
    }

    // ---- what hangs on it

    private static void attach(Call c) {
        Lease lease = found(c, 1);
        Object item = c.look(2);
        if (item == null) {
            throw ErrorReply.NO_SUCH_KEY;
        }
        if (c.count() == 3) {
            hang(c, 2, null, lease);
            c.mustLog();
            c.out.integer(1);
            return;
        }
        if (!c.args.is(3, "FIELDS") || c.count() < 6 || c.args.integer(4) != c.count() - 5) {
            throw ErrorReply.SYNTAX;
        }
        HashValue hash = c.value(2, HashValue.class);
        if (hash == null) {
            throw ErrorReply.NO_SUCH_KEY;
        }
        int attached = 0;
        for (int i = 5; i < c.count(); i++) {
            if (hash.expiry(c.args.bytes(), c.args.offset(i), c.args.length(i), c.now()) != HashValue.ABSENT) {
                hang(c, 2, new Key(c.args.copy(i)), lease);
                attached++;
            }
        }
        if (attached > 0) {
            c.mustLog();
        }
        c.out.integer(attached);
    }

    /** Hangs the key at {@code arg}, which exists, or a field of it, on the lease. */
    private static void hang(Call c, int arg, @Nullable Key field, Lease lease) {
        Shard shard = c.shard(arg);
        mark(c.look(arg));
        shard.leases.attach(new Key(c.args.copy(arg)), field, lease.id);
    }

    /** For RENAME: hangs the key at {@code arg} on what it hung on under its former name. */
    static void carry(Call c, int arg, Leases.Attached leases) {
        Shard shard = c.shard(arg);
        Key key = new Key(c.args.copy(arg));
        mark(c.look(arg));
        if (leases.whole != null) {
            shard.leases.attach(key, null, leases.whole);
        }
        leases.fields.forEach((field, lease) -> shard.leases.attach(key, field, lease));
    }

    private static void mark(@Nullable Object item) {
        if (item instanceof Node node) {
            node.leased = true;
        } else if (item != null) {
            StringEntry.markLeased((byte[]) item);
        }
    }

    /** For SET: the lease named at {@code arg}, or an error. */
    static Lease leaseOf(Call c, int arg) {
        return found(c, arg);
    }

    /** For SET: hangs the key on the lease. */
    static void hang(Call c, int key, Lease lease) {
        hang(c, key, null, lease);
    }

    private static void hset(Call c) {
        if (c.count() % 2 == 0) {
            throw Errors.arity("lease.hset");
        }
        Lease lease = found(c, 1);
        HashValue hash = c.valueForWrite(2, HashValue.class, () -> new HashValue(c.values()));
        int created = 0;
        for (int i = 3; i < c.count(); i += 2) {
            Args a = c.args;
            if (hash.put(
                    a.bytes(),
                    a.offset(i),
                    a.length(i),
                    a.bytes(),
                    a.offset(i + 1),
                    a.length(i + 1),
                    HashValue.NEVER,
                    c.now())) {
                created++;
            }
            hang(c, 2, new Key(a.copy(i)), lease);
        }
        c.changed(2, "hset", Event.HASH);
        c.out.integer(created);
    }
}
