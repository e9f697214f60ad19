package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import java.util.Locale;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Commands on keys of any type: removal, expiry, renaming, walks. */
final class KeyCommands {
    private static final byte[] DEL = Expiries.bytes("DEL");
    private static final byte[] PEXPIREAT = Expiries.bytes("PEXPIREAT");
    private static final int CLOCK_MASK = 0xffffff;
    /** How often RANDOMKEY tries again when it hits a key that has expired. */
    private static final int RANDOM_TRIES = 100;

    private KeyCommands() {}

    static void register(CommandTable.Builder t) {
        many(t, "DEL", "1.0.0", "Deletes one or more keys.").write().run(KeyCommands::del);
        many(t, "UNLINK", "4.0.0", "Asynchronously deletes one or more keys.")
                .write()
                .fast()
                .run(KeyCommands::del);
        many(t, "EXISTS", "1.0.0", "Determines whether one or more keys exist.")
                .read()
                .fast()
                .watchable()
                .run(KeyCommands::exists);
        many(
                        t,
                        "TOUCH",
                        "3.2.1",
                        "Returns the number of existing keys out of those specified after updating the time they"
                                + " were last accessed.")
                .read()
                .fast()
                .run(KeyCommands::exists);
        key(t, "TYPE", 2, "1.0.0", "Determines the type of value stored at a key.")
                .read()
                .fast()
                .watchable()
                .run(KeyCommands::type);
        key(t, "TTL", 2, "1.0.0", "Returns the expiration time in seconds of a key.")
                .read()
                .fast()
                .run(c -> ttl(c, true, true));
        key(t, "PTTL", 2, "2.6.0", "Returns the expiration time in milliseconds of a key.")
                .read()
                .fast()
                .run(c -> ttl(c, false, true));
        key(t, "EXPIRETIME", 2, "7.0.0", "Returns the expiration time of a key as a Unix timestamp.")
                .read()
                .fast()
                .run(c -> ttl(c, true, false));
        key(t, "PEXPIRETIME", 2, "7.0.0", "Returns the expiration time of a key as a Unix milliseconds timestamp.")
                .read()
                .fast()
                .run(c -> ttl(c, false, false));
        key(t, "EXPIRE", -3, "1.0.0", "Sets the expiration time of a key in seconds.")
                .write()
                .fast()
                .run(c -> expire(c, true, true));
        key(t, "PEXPIRE", -3, "2.6.0", "Sets the expiration time of a key in milliseconds.")
                .write()
                .fast()
                .run(c -> expire(c, false, true));
        key(t, "EXPIREAT", -3, "1.2.0", "Sets the expiration time of a key to a Unix timestamp.")
                .write()
                .fast()
                .run(c -> expire(c, true, false));
        key(t, "PEXPIREAT", -3, "2.6.0", "Sets the expiration time of a key to a Unix milliseconds timestamp.")
                .write()
                .fast()
                .run(c -> expire(c, false, false));
        key(t, "PERSIST", 2, "2.2.0", "Removes the expiration time of a key.")
                .write()
                .fast()
                .run(KeyCommands::persist);
        t.add("RENAME")
                .arity(3)
                .keys(1, 2, 1)
                .category("keyspace")
                .write()
                .docs("generic", "1.0.0", "O(1)", "Renames a key and overwrites the destination.")
                .run(c -> rename(c, false));
        t.add("RENAMENX")
                .arity(3)
                .keys(1, 2, 1)
                .category("keyspace")
                .write()
                .fast()
                .docs("generic", "1.0.0", "O(1)", "Renames a key only when the target key name doesn't exist.")
                .run(c -> rename(c, true));
        t.add("COPY")
                .arity(-3)
                .keys(1, 2, 1)
                .category("keyspace")
                .write()
                .denyOom()
                .docs("generic", "6.2.0", "O(N)", "Copies the value of a key to a new key.")
                .run(KeyCommands::copy);
        all(t, "RANDOMKEY", 1, "1.0.0", "Returns a random key name from the database.")
                .read()
                .run(KeyCommands::randomKey);
        all(t, "DBSIZE", 1, "1.0.0", "Returns the number of keys in the database.")
                .read()
                .fast()
                .run(KeyCommands::dbsize);
        all(t, "KEYS", 2, "1.0.0", "Returns all key names that match a pattern.")
                .read()
                .category("dangerous")
                .run(KeyCommands::keys);
        all(t, "FLUSHALL", -1, "1.0.0", "Removes all keys from all databases.")
                .write()
                .category("dangerous")
                .run(KeyCommands::flush);
        all(t, "FLUSHDB", -1, "1.0.0", "Remove all keys from the current database.")
                .write()
                .category("dangerous")
                .run(KeyCommands::flush);
        t.add("SCAN")
                .arity(-2)
                .category("keyspace")
                .read()
                .route(KeyCommands::shardOfCursor)
                .docs("generic", "2.8.0", "O(1)", "Iterates over the key names in the database.")
                .run(KeyCommands::scan);
        t.add("OBJECT").arity(-2).docs("generic", "2.2.3", "O(1)", "A container for object introspection commands.");
        object(t, "ENCODING", "Returns the internal encoding of a Redis object.", KeyCommands::encoding);
        object(t, "IDLETIME", "Returns the time since the last access to a Redis object.", KeyCommands::idleTime);
        object(t, "REFCOUNT", "Returns the reference count of a value of a key.", (c, item) -> c.out.integer(1));
        object(t, "FREQ", "Returns the logarithmic access frequency counter of a Redis object.", (c, item) -> {
            throw new ErrorReply(
                    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that"
                            + " when switching between policies at runtime LRU and LFU data will take some time to adjust.");
        });
        t.add("OBJECT", "HELP")
                .arity(2)
                .category("keyspace")
                .docs("generic", "6.2.0", "O(1)", "Returns helpful text about the different subcommands.")
                .run(c -> Help.write(
                        c.out,
                        "OBJECT",
                        "ENCODING <key>",
                        "    Return the encoding of the value of <key>, by the names that Redis has for it.",
                        "FREQ <key>",
                        "    Return an error: the access frequency of keys is not tracked.",
                        "IDLETIME <key>",
                        "    Return the seconds since the last access to <key>.",
                        "REFCOUNT <key>",
                        "    Return 1: values are not shared."));
        t.add("MEMORY").arity(-2).docs("server", "4.0.0", "O(1)", "A container for memory diagnostics commands.");
        t.add("MEMORY", "USAGE")
                .arity(-3)
                .key(2)
                .read()
                .docs("server", "4.0.0", "O(1)", "Estimates the memory usage of a key.")
                .run(KeyCommands::memoryUsage);
    }

    private static Command.Builder key(CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add(name).arity(arity).key(1).category("keyspace").docs("generic", since, "O(1)", summary);
    }

    private static Command.Builder many(CommandTable.Builder t, String name, String since, String summary) {
        return t.add(name).arity(-2).keys(1, -1, 1).category("keyspace").docs("generic", since, "O(N)", summary);
    }

    private static Command.Builder all(CommandTable.Builder t, String name, int arity, String since, String summary) {
        return t.add(name)
                .arity(arity)
                .flags(Command.ALL_SHARDS)
                .category("keyspace")
                .docs("generic", since, "O(N)", summary);
    }

    private static void object(CommandTable.Builder t, String name, String summary, BiConsumer<Call, Object> tell) {
        t.add("OBJECT", name)
                .arity(3)
                .key(2)
                .category("keyspace")
                .read()
                .docs("generic", "2.2.3", "O(1)", summary)
                .run(c -> {
                    Object item = c.look(2);
                    if (item == null) {
                        c.out.nil();
                    } else {
                        tell.accept(c, item);
                    }
                });
    }

    // ---- being there

    private static void del(Call c) {
        int removed = 0;
        for (int i = 1; i < c.count(); i++) {
            if (c.remove(i)) {
                removed++;
            }
        }
        c.out.integer(removed);
    }

    private static void exists(Call c) {
        int found = 0;
        for (int i = 1; i < c.count(); i++) {
            if (c.exists(i)) {
                found++;
            }
        }
        c.out.integer(found);
    }

    private static void type(Call c) {
        Object item = c.look(1);
        c.out.simple(item == null ? "none" : Keyspace.type(item));
    }

    // ---- expiry

    private static void ttl(Call c, boolean seconds, boolean relative) {
        Object item = c.look(1);
        if (item == null) {
            c.out.integer(-2);
            return;
        }
        long at = Keyspace.expireAt(item);
        if (at < 0) {
            c.out.integer(-1);
            return;
        }
        long millis = relative ? Math.max(0, at - c.now()) : at;
        c.out.integer(seconds ? (millis + 500) / 1000 : millis);
    }

    private static void expire(Call c, boolean seconds, boolean relative) {
        boolean nx = false;
        boolean xx = false;
        boolean gt = false;
        boolean lt = false;
        for (int i = 3; i < c.count(); i++) {
            if (c.args.is(i, "NX")) {
                nx = true;
            } else if (c.args.is(i, "XX")) {
                xx = true;
            } else if (c.args.is(i, "GT")) {
                gt = true;
            } else if (c.args.is(i, "LT")) {
                lt = true;
            } else {
                throw new ErrorReply("ERR Unsupported option " + c.args.text(i));
            }
        }
        if (nx && (xx || gt || lt)) {
            throw new ErrorReply("ERR NX and XX, GT or LT options at the same time are not compatible");
        }
        if (gt && lt) {
            throw new ErrorReply("ERR GT and LT options at the same time are not compatible");
        }
        long at = Expiries.at(c, 2, seconds, relative, false);
        Object item = c.item(1);
        if (item == null) {
            c.out.integer(0);
            return;
        }
        long now = Keyspace.expireAt(item);
        // a key that never expires counts as one that expires at the end of time
        if (nx && now >= 0 || xx && now < 0 || gt && (now < 0 || at <= now) || lt && now >= 0 && at >= now) {
            c.out.integer(0);
            return;
        }
        if (at <= c.now()) {
            c.remove(1);
            c.logAs(DEL, c.args.copy(1));
        } else {
            c.expireAt(1, at);
            c.changed(1, "expire", Event.GENERIC);
            c.logAs(PEXPIREAT, c.args.copy(1), Numbers.format(at));
        }
        c.out.integer(1);
    }

    private static void persist(Call c) {
        boolean leased = c.detach(1);
        if (c.expireAt(1) < 0 && !leased) {
            c.out.integer(0);
            return;
        }
        c.expireAt(1, -1);
        c.changed(1, "persist", Event.GENERIC);
        c.out.integer(1);
    }

    // ---- moving

    private static void rename(Call c, boolean onlyNew) {
        Object item = c.item(1);
        if (item == null) {
            throw ErrorReply.NO_SUCH_KEY;
        }
        if (c.sameKey(1, 2)) {
            if (onlyNew) {
                c.out.integer(0);
            } else {
                c.out.ok();
            }
            return;
        }
        if (onlyNew && c.look(2) != null) {
            c.out.integer(0);
            return;
        }
        Object moved = under(c, 2, item, false);
        Leases.Attached leases = c.shard(1).leases.detach(new Key(c.args.copy(1)));
        c.remove(1, "rename_from");
        c.put(2, moved);
        if (leases != null) {
            LeaseCommands.carry(c, 2, leases);
        }
        c.changed(2, "rename_to", Event.GENERIC);
        if (onlyNew) {
            c.out.integer(1);
        } else {
            c.out.ok();
        }
    }

    private static void copy(Call c) {
        boolean replace = false;
        for (int i = 3; i < c.count(); i++) {
            if (c.args.is(i, "REPLACE")) {
                replace = true;
            } else if (c.args.is(i, "DB") && i + 1 < c.count()) {
                if (c.args.integer(++i) != 0) {
                    throw new ErrorReply("ERR DB index is out of range");
                }
            } else {
                throw ErrorReply.SYNTAX;
            }
        }
        if (c.sameKey(1, 2)) {
            throw new ErrorReply("ERR source and destination objects are the same");
        }
        Object item = c.item(1);
        if (item == null || !replace && c.look(2) != null) {
            c.out.integer(0);
            return;
        }
        if (item instanceof Node node) {
            c.work(node.value.size());
        }
        c.put(2, under(c, 2, item, true));
        c.changed(2, "copy_to", Event.GENERIC);
        c.out.integer(1);
    }

    /** The item, or a copy of it, as that of the key at {@code arg}. */
    private static Object under(Call c, int arg, Object item, boolean copied) {
        Args a = c.args;
        if (item instanceof byte[] entry) {
            int from = StringEntry.valueOffset(entry);
            byte[] moved = StringEntry.of(
                    a.bytes(),
                    a.offset(arg),
                    a.length(arg),
                    entry,
                    from,
                    entry.length - from,
                    StringEntry.expireAt(entry));
            StringEntry.markLike(moved, entry);
            StringEntry.clock(moved, StringEntry.clock(entry));
            return moved;
        }
        Node node = (Node) item;
        Node moved = new Node(a.copy(arg), copied ? node.value.copy() : node.value);
        moved.expireAt = node.expireAt;
        moved.clock = node.clock;
        return moved;
    }

    // ---- all keys

    private static void dbsize(Call c) {
        long size = 0;
        for (Shard shard : c.shards()) {
            size += shard.keys.size();
        }
        c.out.integer(size);
    }

    private static void randomKey(Call c) {
        for (int tries = 0; tries < RANDOM_TRIES; tries++) {
            long total = 0;
            for (Shard shard : c.shards()) {
                total += shard.keys.size();
            }
            if (total == 0) {
                break;
            }
            long pick = c.random().nextLong(total);
            int at = 0;
            while (pick >= c.shards()[at].keys.size()) {
                pick -= c.shards()[at++].keys.size();
            }
            Object item = c.shards()[at].random(c.random());
            if (item != null && !c.expired(item)) {
                c.out.bulk(Keyspace.key(item));
                return;
            }
            if (item != null) {
                byte[] key = Keyspace.key(item);
                c.expire(c.shards()[at], key, 0, key.length);
            }
        }
        c.out.nil();
    }

    private static void keys(Call c) {
        byte[] pattern = c.args.copy(1);
        long total = 0;
        for (Shard shard : c.shards()) {
            total += shard.keys.size();
        }
        c.work(total);
        boolean all = pattern.length == 1 && pattern[0] == '*';
        int mark = c.out.mark();
        int[] found = new int[1];
        for (Shard shard : c.shards()) {
            shard.keys.forEach(item -> {
                byte[] key = Keyspace.key(item);
                if (!c.expired(item) && (all || Glob.matches(pattern, key))) {
                    c.out.bulk(key);
                    found[0]++;
                }
            });
        }
        c.out.arrayAt(mark, found[0]);
    }

    private static void flush(Call c) {
        if (c.count() > 2 || c.count() == 2 && !c.args.is(1, "ASYNC") && !c.args.is(1, "SYNC")) {
            throw ErrorReply.SYNTAX;
        }
        for (Shard shard : c.shards()) {
            shard.clear();
        }
        c.mustLog();
        c.out.ok();
    }

    // ---- walking

    /** Cursors count the shards in their lowest digit, to the base of the number of shards. */
    private static long shardOfCursor(Args args, Session session, Sharding sharding) {
        int from = args.offset(1);
        if (!Numbers.isInteger(args.bytes(), from, args.length(1))) {
            return 0;
        }
        return 1L << Long.remainderUnsigned(Numbers.parseInteger(args.bytes(), from, args.length(1)), sharding.count());
    }

    private static void scan(Call c) {
        if (!Numbers.isInteger(c.args.bytes(), c.args.offset(1), c.args.length(1)) || c.args.integer(1) < 0) {
            throw new ErrorReply("ERR invalid cursor");
        }
        long cursor = c.args.integer(1);
        byte @Nullable [] pattern = null;
        String type = null;
        long count = 10;
        for (int i = 2; i < c.count(); i += 2) {
            if (c.args.is(i, "NOVALUES")) {
                throw new ErrorReply("ERR NOVALUES option can only be used in HSCAN");
            }
            if (i + 1 >= c.count()) {
                throw ErrorReply.SYNTAX;
            }
            if (c.args.is(i, "MATCH")) {
                pattern = c.args.copy(i + 1);
            } else if (c.args.is(i, "COUNT")) {
                count = c.args.integer(i + 1);
                if (count < 1) {
                    throw ErrorReply.SYNTAX;
                }
            } else if (c.args.is(i, "TYPE")) {
                type = c.args.text(i + 1).toLowerCase(Locale.ROOT);
            } else {
                throw ErrorReply.SYNTAX;
            }
        }
        c.work(Math.min(count, c.shards()[(int) (cursor % c.shards().length)].keys.size()));
        walk(c, cursor, pattern, type, count);
    }

    private static void walk(Call c, long cursor, byte @Nullable [] pattern, @Nullable String type, long count) {
        int shards = c.shards().length;
        int at = (int) (cursor % shards);
        Keyspace keys = c.shards()[at].keys;
        // as many buckets without a hit as Redis looks at: ten for each wanted
        long buckets = count > Long.MAX_VALUE / 10 ? Long.MAX_VALUE : count * 10;
        java.util.ArrayList<byte[]> found = new java.util.ArrayList<>();
        long next = cursor / shards;
        do {
            next = keys.scan(next, item -> {
                if (c.expired(item) || type != null && !Keyspace.type(item).equals(type)) {
                    return;
                }
                byte[] key = Keyspace.key(item);
                if (pattern == null || Glob.matches(pattern, key)) {
                    found.add(key);
                }
            });
        } while (next != 0 && found.size() < count && --buckets > 0);
        long reply = next != 0 ? next * shards + at : at + 1 < shards ? at + 1 : 0;
        c.out.array(2);
        c.out.bulkInteger(reply);
        c.out.array(found.size());
        found.forEach(c.out::bulk);
    }

    // ---- looking inside

    private static void encoding(Call c, Object item) {
        if (item instanceof byte[] entry) {
            int from = StringEntry.valueOffset(entry);
            int length = entry.length - from;
            if (StringEntry.isRaw(entry)) {
                c.out.bulk("raw");
            } else if (!StringEntry.isText(entry) && Numbers.isInteger(entry, from, length)) {
                c.out.bulk("int");
            } else {
                c.out.bulk(length <= 44 ? "embstr" : "raw");
            }
            return;
        }
        c.out.bulk(((Node) item).value.encoding());
    }

    private static void idleTime(Call c, Object item) {
        int now = (int) (c.now() / 1000) & CLOCK_MASK;
        c.out.integer((now - Keyspace.clock(item)) & CLOCK_MASK);
    }

    private static void memoryUsage(Call c) {
        if (c.count() > 3) {
            if (c.count() != 5 || !c.args.is(3, "SAMPLES")) {
                throw ErrorReply.SYNTAX;
            }
            if (c.args.integer(4) < 0) {
                throw ErrorReply.SYNTAX;
            }
        }
        Object item = c.look(2);
        if (item == null) {
            c.out.nil();
        } else {
            c.out.integer(Keyspace.memory(item));
        }
    }
}
