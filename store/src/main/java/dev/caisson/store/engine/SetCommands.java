package dev.caisson.store.engine;

import dev.caisson.store.data.SetValue;
import dev.caisson.store.data.Slice;
import dev.caisson.store.data.SliceVisitor;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** SADD, SINTER and their kin. */
final class SetCommands {
    private static final byte[] SREM = Expiries.bytes("SREM");
    private static final byte[] DEL = Expiries.bytes("DEL");

    private SetCommands() {}

    static void register(CommandTable.Builder t) {
        one(t, "SADD", -3, "1.0.0", "O(N)", "Adds one or more members to a set. Creates the key if it doesn't exist.")
                .write()
                .denyOom()
                .fast()
                .run(SetCommands::sadd);
        one(t, "SREM", -3, "1.0.0", "O(N)", "Removes one or more members from a set.")
                .write()
                .fast()
                .run(SetCommands::srem);
        one(t, "SPOP", -2, "1.0.0", "O(N)", "Returns one or more random members from a set after removing them.")
                .write()
                .fast()
                .run(SetCommands::spop);
        one(t, "SISMEMBER", 3, "1.0.0", "O(1)", "Determines whether a member belongs to a set.")
                .read()
                .fast()
                .watchable()
                .run(SetCommands::sismember);
        one(t, "SMISMEMBER", -3, "6.2.0", "O(N)", "Determines whether multiple members belong to a set.")
                .read()
                .fast()
                .watchable()
                .run(SetCommands::smismember);
        one(t, "SCARD", 2, "1.0.0", "O(1)", "Returns the number of members in a set.")
                .read()
                .fast()
                .watchable()
                .run(SetCommands::scard);
        one(t, "SMEMBERS", 2, "1.0.0", "O(N)", "Returns all members of a set.")
                .read()
                .watchable()
                .run(SetCommands::smembers);
        one(t, "SRANDMEMBER", -2, "1.0.0", "O(N)", "Get one or multiple random members from a set")
                .read()
                .run(SetCommands::srandmember);
        one(t, "SSCAN", -3, "2.8.0", "O(1)", "Iterates over members of a set.")
                .read()
                .run(SetCommands::sscan);
        set(t, "SMOVE", 4, "1.0.0", "O(1)", "Moves a member from one set to another.")
                .keys(1, 2, 1)
                .write()
                .fast()
                .run(SetCommands::smove);
        set(t, "SINTER", -2, "1.0.0", "O(N*M)", "Returns the intersect of multiple sets.")
                .keys(1, -1, 1)
                .read()
                .watchable()
                .run(c -> reply(c, SetCommands::intersection));
        set(t, "SUNION", -2, "1.0.0", "O(N)", "Returns the union of multiple sets.")
                .keys(1, -1, 1)
                .read()
                .watchable()
                .run(c -> reply(c, SetCommands::union));
        set(t, "SDIFF", -2, "1.0.0", "O(N)", "Returns the difference of multiple sets.")
                .keys(1, -1, 1)
                .read()
                .watchable()
                .run(c -> reply(c, SetCommands::difference));
        set(t, "SINTERSTORE", -3, "1.0.0", "O(N*M)", "Stores the intersect of multiple sets in a key.")
                .keys(1, -1, 1)
                .write()
                .denyOom()
                .run(c -> store(c, SetCommands::intersection));
        set(t, "SUNIONSTORE", -3, "1.0.0", "O(N)", "Stores the union of multiple sets in a key.")
                .keys(1, -1, 1)
                .write()
                .denyOom()
                .run(c -> store(c, SetCommands::union));
        set(t, "SDIFFSTORE", -3, "1.0.0", "O(N)", "Stores the difference of multiple sets in a key.")
                .keys(1, -1, 1)
                .write()
                .denyOom()
                .run(c -> store(c, SetCommands::difference));
        set(t, "SINTERCARD", -3, "7.0.0", "O(N*M)", "Returns the number of members of the intersect of multiple sets.")
                .keys(Counts.keysAfter(1))
                .read()
                .watchable()
                .run(SetCommands::sintercard);
    }

    private static Command.Builder one(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return set(t, name, arity, since, complexity, summary).key(1);
    }

    private static Command.Builder set(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return t.add(name).arity(arity).category("set").docs("set", since, complexity, summary);
    }

    private static @Nullable SetValue find(Call c, int arg) {
        return c.value(arg, SetValue.class);
    }

    // ---- members

    private static void sadd(Call c) {
        SetValue set = c.valueForWrite(1, SetValue.class, () -> new SetValue(c.values(), c.count() - 2));
        int added = 0;
        for (int i = 2; i < c.count(); i++) {
            added += set.add(c.args.bytes(), c.args.offset(i), c.args.length(i)) ? 1 : 0;
        }
        if (added > 0) {
            c.changed(1, "sadd", Event.SET);
        }
        c.out.integer(added);
    }

    private static void srem(Call c) {
        SetValue set = find(c, 1);
        int removed = 0;
        for (int i = 2; i < c.count() && set != null; i++) {
            removed += set.remove(c.args.bytes(), c.args.offset(i), c.args.length(i)) ? 1 : 0;
        }
        if (removed > 0) {
            c.changed(1, "srem", Event.SET);
            c.removeIfEmpty(1);
        }
        c.out.integer(removed);
    }

    private static void sismember(Call c) {
        c.out.integer(contains(c, find(c, 1), 2) ? 1 : 0);
    }

    private static void smismember(Call c) {
        SetValue set = find(c, 1);
        c.out.array(c.count() - 2);
        for (int i = 2; i < c.count(); i++) {
            c.out.integer(contains(c, set, i) ? 1 : 0);
        }
    }

    private static boolean contains(Call c, @Nullable SetValue set, int arg) {
        return set != null && set.contains(c.args.bytes(), c.args.offset(arg), c.args.length(arg));
    }

    private static void scard(Call c) {
        SetValue set = find(c, 1);
        c.out.integer(set == null ? 0 : set.size());
    }

    private static void smembers(Call c) {
        SetValue set = find(c, 1);
        if (set == null) {
            c.out.set(0);
            return;
        }
        c.work(set.size());
        c.out.set(set.size());
        set.forEach(c.out::bulk);
    }

    private static void smove(Call c) {
        SetValue from = find(c, 1);
        if (from == null) {
            c.out.integer(0);
            return;
        }
        find(c, 2); // of another type: an error, and nothing moves
        if (!contains(c, from, 3) || c.sameKey(1, 2)) {
            c.out.integer(contains(c, from, 3) ? 1 : 0);
            return;
        }
        Args a = c.args;
        from.remove(a.bytes(), a.offset(3), a.length(3));
        c.changed(1, "srem", Event.SET);
        c.removeIfEmpty(1);
        SetValue to = c.valueForWrite(2, SetValue.class, () -> new SetValue(c.values()));
        if (to.add(a.bytes(), a.offset(3), a.length(3))) {
            c.changed(2, "sadd", Event.SET);
        }
        c.out.integer(1);
    }

    private static void sscan(Call c) {
        Walk.cursor(c.args, 2);
        SetValue set = find(c, 1);
        if (set == null) {
            Walk.empty(c);
            return;
        }
        Walk walk = new Walk(c, false);
        walk.run(set.size(), cursor -> set.scan(cursor, walk::take));
    }

    // ---- chance

    private static void spop(Call c) {
        if (c.count() > 3) {
            throw ErrorReply.SYNTAX;
        }
        if (c.count() == 3) {
            spop(c, Counts.positive(c, 2));
            return;
        }
        SetValue set = find(c, 1);
        if (set == null) {
            c.out.nil();
            return;
        }
        byte[] member = random(c, set);
        set.remove(member, 0, member.length);
        c.logAs(SREM, c.args.copy(1), member);
        c.changed(1, "spop", Event.SET);
        c.removeIfEmpty(1);
        c.out.bulk(member);
    }

    private static void spop(Call c, long count) {
        SetValue set = find(c, 1);
        if (set == null || count == 0) {
            c.out.set(0);
            return;
        }
        c.work(Math.min(count, set.size()));
        if (count >= set.size()) {
            c.out.set(set.size());
            set.forEach(c.out::bulk);
            c.logAs(DEL, c.args.copy(1));
            c.changed(1, "spop", Event.SET);
            c.remove(1);
            return;
        }
        byte[][] log = new byte[2 + (int) count][];
        log[0] = SREM;
        log[1] = c.args.copy(1);
        c.out.set((int) count);
        for (int i = 2; i < log.length; i++) {
            byte[] member = random(c, set);
            log[i] = member;
            set.remove(member, 0, member.length);
            c.out.bulk(member);
        }
        c.logAs(log);
        c.changed(1, "spop", Event.SET);
    }

    private static byte[] random(Call c, SetValue set) {
        Slice slice = new Slice();
        set.random(c.random(), slice::set);
        return slice.copy();
    }

    private static void srandmember(Call c) {
        if (c.count() > 3) {
            throw ErrorReply.SYNTAX;
        }
        if (c.count() == 2) {
            SetValue set = find(c, 1);
            if (set == null) {
                c.out.nil();
            } else {
                set.random(c.random(), c.out::bulk);
            }
            return;
        }
        long count = Counts.signed(c, 2);
        SetValue set = find(c, 1);
        if (set == null || count == 0) {
            c.out.array(0);
        } else if (count < 0) {
            c.work(-count);
            c.out.array((int) -count);
            for (long i = 0; i < -count; i++) {
                set.random(c.random(), c.out::bulk);
            }
        } else {
            c.work(set.size());
            c.out.array((int) Math.min(count, set.size()));
            Choice choice = new Choice(c.random(), set.size(), count);
            set.forEach((bytes, offset, length) -> {
                if (choice.next()) {
                    c.out.bulk(bytes, offset, length);
                }
            });
        }
    }

    // ---- several sets

    /** Hands out the members of a result one by one; each once, the sets being those at the arguments. */
    @FunctionalInterface
    private interface Operation {
        void run(Call c, List<@Nullable SetValue> sets, SliceVisitor visitor);
    }

    /** The sets of the keys at the arguments, null for a key that is not there. */
    private static List<@Nullable SetValue> sets(Call c, int from, int to) {
        List<@Nullable SetValue> sets = new ArrayList<>();
        for (int i = from; i < to; i++) {
            sets.add(find(c, i));
        }
        return sets;
    }

    private static void reply(Call c, Operation operation) {
        List<@Nullable SetValue> sets = sets(c, 1, c.count());
        int mark = c.out.mark();
        int[] members = {0};
        operation.run(c, sets, (bytes, offset, length) -> {
            c.out.bulk(bytes, offset, length);
            members[0]++;
        });
        c.out.setAt(mark, members[0]);
    }

    private static void store(Call c, Operation operation) {
        List<@Nullable SetValue> sets = sets(c, 2, c.count());
        SetValue result = new SetValue(c.values());
        operation.run(c, sets, result::add);
        if (result.size() == 0) {
            c.remove(1);
        } else {
            c.putValue(1, result);
            c.changed(1, c.command.fullName(), Event.SET);
        }
        c.out.integer(result.size());
    }

    private static void intersection(Call c, List<@Nullable SetValue> sets, SliceVisitor visitor) {
        intersect(c, sets, Long.MAX_VALUE, visitor);
    }

    private static void intersect(Call c, List<@Nullable SetValue> sets, long limit, SliceVisitor visitor) {
        if (sets.contains(null)) {
            return;
        }
        SetValue[] bySize = sets.toArray(new SetValue[0]);
        Arrays.sort(bySize, Comparator.comparingInt(SetValue::size));
        c.work((long) bySize[0].size() * bySize.length);
        long[] left = {limit};
        bySize[0].forEach((bytes, offset, length) -> {
            for (int i = 1; i < bySize.length && left[0] > 0; i++) {
                if (!bySize[i].contains(bytes, offset, length)) {
                    return;
                }
            }
            if (left[0]-- > 0) {
                visitor.visit(bytes, offset, length);
            }
        });
    }

    private static void union(Call c, List<@Nullable SetValue> sets, SliceVisitor visitor) {
        long work = 0;
        int largest = 0;
        for (SetValue set : sets) {
            work += set == null ? 0 : set.size();
            largest = Math.max(largest, set == null ? 0 : set.size());
        }
        c.work(work);
        SetValue seen = new SetValue(c.values(), largest);
        for (SetValue set : sets) {
            if (set != null) {
                set.forEach((bytes, offset, length) -> {
                    if (seen.add(bytes, offset, length)) {
                        visitor.visit(bytes, offset, length);
                    }
                });
            }
        }
    }

    private static void difference(Call c, List<@Nullable SetValue> sets, SliceVisitor visitor) {
        SetValue first = sets.getFirst();
        if (first == null) {
            return;
        }
        c.work((long) first.size() * sets.size());
        first.forEach((bytes, offset, length) -> {
            for (int i = 1; i < sets.size(); i++) {
                SetValue other = sets.get(i);
                if (other != null && other.contains(bytes, offset, length)) {
                    return;
                }
            }
            visitor.visit(bytes, offset, length);
        });
    }

    private static void sintercard(Call c) {
        long keys = Counts.atLeast(c, 1, 1, "ERR numkeys should be greater than 0");
        if (keys > c.count() - 2) {
            throw new ErrorReply("ERR Number of keys can't be greater than number of args");
        }
        int next = 2 + (int) keys;
        long limit = 0;
        for (int i = next; i < c.count(); i += 2) {
            if (!c.args.is(i, "LIMIT") || i + 1 == c.count()) {
                throw ErrorReply.SYNTAX;
            }
            limit = Counts.atLeast(c, i + 1, 0, "ERR LIMIT can't be negative");
        }
        long[] members = {0};
        intersect(c, sets(c, 2, next), limit == 0 ? Long.MAX_VALUE : limit, (bytes, offset, length) -> members[0]++);
        c.out.integer(members[0]);
    }
}
