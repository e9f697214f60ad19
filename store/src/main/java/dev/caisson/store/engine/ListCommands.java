package dev.caisson.store.engine;

import dev.caisson.store.data.ListValue;
import dev.caisson.store.data.Slice;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * LPUSH, LRANGE and their kin that never wait. Those that wait call {@link #pop}, {@link #move} and {@link #popMany} once
 * there is an element.
 */
final class ListCommands {
    private ListCommands() {}

    static void register(CommandTable.Builder t) {
        writes(t, "LPUSH", -3, "1.0.0", "O(N)", "Prepends one or more elements to a list. Creates the key if needed.")
                .denyOom()
                .fast()
                .run(c -> push(c, true, true));
        writes(t, "RPUSH", -3, "1.0.0", "O(N)", "Appends one or more elements to a list. Creates the key if needed.")
                .denyOom()
                .fast()
                .run(c -> push(c, false, true));
        writes(t, "LPUSHX", -3, "2.2.0", "O(N)", "Prepends one or more elements to a list only when the list exists.")
                .denyOom()
                .fast()
                .run(c -> push(c, true, false));
        writes(t, "RPUSHX", -3, "2.2.0", "O(N)", "Appends an element to a list only when the list exists.")
                .denyOom()
                .fast()
                .run(c -> push(c, false, false));
        writes(t, "LPOP", -2, "1.0.0", "O(N)", "Returns the first elements in a list after removing them.")
                .fast()
                .run(c -> lpop(c, true));
        writes(t, "RPOP", -2, "1.0.0", "O(N)", "Returns and removes the last elements of a list.")
                .fast()
                .run(c -> lpop(c, false));
        writes(t, "LSET", 4, "1.0.0", "O(N)", "Sets the value of an element in a list by its index.")
                .denyOom()
                .run(ListCommands::lset);
        writes(t, "LINSERT", 5, "2.2.0", "O(N)", "Inserts an element before or after another element in a list.")
                .denyOom()
                .run(ListCommands::linsert);
        writes(t, "LREM", 4, "1.0.0", "O(N+M)", "Removes elements from a list.").run(ListCommands::lrem);
        writes(t, "LTRIM", 4, "1.0.0", "O(N)", "Removes elements from both ends a list.")
                .run(ListCommands::ltrim);
        list(t, "LLEN", 2, "1.0.0", "O(1)", "Returns the length of a list.")
                .key(1)
                .read()
                .fast()
                .watchable()
                .run(ListCommands::llen);
        list(t, "LINDEX", 3, "1.0.0", "O(N)", "Returns an element from a list by its index.")
                .key(1)
                .read()
                .watchable()
                .run(ListCommands::lindex);
        list(t, "LRANGE", 4, "1.0.0", "O(S+N)", "Returns a range of elements from a list.")
                .key(1)
                .read()
                .watchable()
                .run(ListCommands::lrange);
        list(t, "LPOS", -3, "6.0.6", "O(N)", "Returns the index of matching elements in a list.")
                .key(1)
                .read()
                .run(c -> Positions.of(c).run());
        list(
                        t,
                        "LMOVE",
                        5,
                        "6.2.0",
                        "O(1)",
                        "Returns an element after popping it from one list and pushing it to another.")
                .keys(1, 2, 1)
                .write()
                .denyOom()
                .run(c -> lmove(c, isLeft(c.args, 3), isLeft(c.args, 4)));
        list(t, "RPOPLPUSH", 3, "1.2.0", "O(1)", "Returns the last element of a list after moving it to another list.")
                .keys(1, 2, 1)
                .write()
                .denyOom()
                .run(c -> lmove(c, false, true));
        list(t, "LMPOP", -4, "7.0.0", "O(N+M)", "Returns multiple elements from a list after removing them.")
                .keys(Counts.keysAfter(1))
                .write()
                .run(c -> lmpop(c, 1));
    }

    private static Command.Builder writes(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return list(t, name, arity, since, complexity, summary).key(1).write();
    }

    private static Command.Builder list(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return t.add(name).arity(arity).category("list").docs("list", since, complexity, summary);
    }

    private static @Nullable ListValue find(Call c, int arg) {
        return c.value(arg, ListValue.class);
    }

    /** Whether the argument is LEFT, not RIGHT. */
    static boolean isLeft(Args args, int arg) {
        if (args.is(arg, "LEFT")) {
            return true;
        }
        if (args.is(arg, "RIGHT")) {
            return false;
        }
        throw ErrorReply.SYNTAX;
    }

    // ---- the ends

    private static void push(Call c, boolean left, boolean create) {
        ListValue list = find(c, 1);
        if (list == null && !create) {
            c.out.integer(0);
            return;
        }
        if (list == null) {
            list = (ListValue) c.putValue(1, new ListValue(c.values()));
        }
        for (int i = 2; i < c.count(); i++) {
            add(list, left, c.args.bytes(), c.args.offset(i), c.args.length(i));
        }
        c.changed(1, left ? "lpush" : "rpush", Event.LIST);
        c.out.integer(list.size());
    }

    private static void add(ListValue list, boolean left, byte[] bytes, int offset, int length) {
        if (left) {
            list.addFirst(bytes, offset, length);
        } else {
            list.addLast(bytes, offset, length);
        }
    }

    private static void lpop(Call c, boolean left) {
        if (c.count() > 3) {
            throw Errors.arity(c.command.fullName());
        }
        boolean counted = c.count() == 3;
        long count = counted ? Counts.positive(c, 2) : 1;
        ListValue list = find(c, 1);
        if (list == null) {
            if (counted) {
                c.out.nilArray();
            } else {
                c.out.nil();
            }
        } else if (counted) {
            popMany(c, 1, list, left, count);
        } else {
            c.out.bulk(pop(c, 1, list, left));
        }
    }

    /**
     * Takes one element off a list that is not empty, tells so, and removes the key if it was the last one.
     *
     * @param arg where the list's key stands
     */
    static byte[] pop(Call c, int arg, ListValue list, boolean left) {
        byte[] element = take(list, left);
        c.changed(arg, left ? "lpop" : "rpop", Event.LIST);
        c.removeIfEmpty(arg);
        return element;
    }

    private static byte[] take(ListValue list, boolean left) {
        byte[] element = left ? list.pollFirst() : list.pollLast();
        if (element == null) {
            throw new IllegalStateException("a key with an empty list");
        }
        return element;
    }

    /** As {@link #pop}, for up to {@code most} elements, which it writes as an array. */
    static void popMany(Call c, int arg, ListValue list, boolean left, long most) {
        int count = (int) Math.min(most, list.size());
        c.work(count);
        c.out.array(count);
        for (int i = 0; i < count; i++) {
            c.out.bulk(take(list, left));
        }
        if (count > 0) {
            c.changed(arg, left ? "lpop" : "rpop", Event.LIST);
            c.removeIfEmpty(arg);
        }
    }

    private static void lmove(Call c, boolean fromLeft, boolean toLeft) {
        ListValue from = find(c, 1);
        if (from == null) {
            c.out.nil();
            return;
        }
        c.out.bulk(move(c, from, fromLeft, toLeft));
    }

    /**
     * Moves an element from the list of the key at argument 1, which is not empty, to the one at argument 2, which may be
     * the same or not be there yet.
     *
     * @throws ErrorReply if there is something else than a list; then nothing has moved
     */
    static byte[] move(Call c, ListValue from, boolean fromLeft, boolean toLeft) {
        find(c, 2);
        byte[] element = take(from, fromLeft);
        ListValue to = c.sameKey(1, 2) ? from : c.valueForWrite(2, ListValue.class, () -> new ListValue(c.values()));
        add(to, toLeft, element, 0, element.length);
        c.changed(2, toLeft ? "lpush" : "rpush", Event.LIST);
        c.changed(1, fromLeft ? "lpop" : "rpop", Event.LIST);
        c.removeIfEmpty(1);
        return element;
    }

    /** LMPOP, and BLMPOP when it finds an element: the count of keys stands at {@code arg}. */
    static void lmpop(Call c, int arg) {
        Pop pop = Pop.of(c, arg);
        for (int i = arg + 1; i <= arg + pop.keys; i++) {
            ListValue list = find(c, i);
            if (list != null) {
                c.out.array(2).bulk(c.args.bytes(), c.args.offset(i), c.args.length(i));
                popMany(c, i, list, pop.left, pop.count);
                return;
            }
        }
        c.out.nilArray();
    }

    /** The arguments of LMPOP and BLMPOP. */
    record Pop(int keys, boolean left, long count) {
        static Pop of(Call c, int arg) {
            long keys = Counts.atLeast(c, arg, 1, "ERR numkeys should be greater than 0");
            if (keys > c.count() - arg - 2L) {
                throw ErrorReply.SYNTAX;
            }
            int where = arg + 1 + (int) keys;
            boolean left = isLeft(c.args, where);
            long count = 1;
            if (where + 1 < c.count()) {
                if (where + 3 != c.count() || !c.args.is(where + 1, "COUNT")) {
                    throw ErrorReply.SYNTAX;
                }
                count = Counts.atLeast(c, where + 2, 1, "ERR count should be greater than 0");
            }
            return new Pop((int) keys, left, count);
        }
    }

    // ---- inside

    private static void llen(Call c) {
        ListValue list = find(c, 1);
        c.out.integer(list == null ? 0 : list.size());
    }

    private static void lindex(Call c) {
        ListValue list = find(c, 1);
        long index = list == null ? 0 : c.args.integer(2);
        Slice element = new Slice();
        if (list != null && list.get(index < 0 ? index + list.size() : index, element)) {
            c.out.bulk(element.bytes(), element.offset(), element.length());
        } else {
            c.out.nil();
        }
    }

    private static void lrange(Call c) {
        long start = c.args.integer(2);
        long stop = c.args.integer(3);
        ListValue list = find(c, 1);
        if (list == null) {
            c.out.array(0);
            return;
        }
        int from = Counts.from(start, list.size());
        int to = Counts.to(start, stop, list.size());
        c.work(to - from);
        c.out.array(to - from);
        list.forEach(from, to, c.out::bulk);
    }

    private static void lset(Call c) {
        ListValue list = find(c, 1);
        if (list == null) {
            throw ErrorReply.NO_SUCH_KEY;
        }
        long index = c.args.integer(2);
        if (index < 0) {
            index += list.size();
        }
        if (index < 0 || index >= list.size()) {
            throw ErrorReply.INDEX_OUT_OF_RANGE;
        }
        list.set((int) index, c.args.bytes(), c.args.offset(3), c.args.length(3));
        c.changed(1, "lset", Event.LIST);
        c.out.ok();
    }

    private static void linsert(Call c) {
        boolean after = c.args.is(2, "AFTER");
        if (!after && !c.args.is(2, "BEFORE")) {
            throw ErrorReply.SYNTAX;
        }
        ListValue list = find(c, 1);
        if (list == null) {
            c.out.integer(0);
            return;
        }
        c.work(list.size());
        int pivot = list.indexOf(c.args.bytes(), c.args.offset(3), c.args.length(3));
        if (pivot < 0) {
            c.out.integer(-1);
            return;
        }
        list.insertAt(after ? pivot + 1 : pivot, c.args.bytes(), c.args.offset(4), c.args.length(4));
        c.changed(1, "linsert", Event.LIST);
        c.out.integer(list.size());
    }

    private static void lrem(Call c) {
        long count = c.args.integer(2);
        ListValue list = find(c, 1);
        if (list == null) {
            c.out.integer(0);
            return;
        }
        c.work(list.size());
        int removed = list.remove(count, c.args.bytes(), c.args.offset(3), c.args.length(3));
        if (removed > 0) {
            c.changed(1, "lrem", Event.LIST);
            c.removeIfEmpty(1);
        }
        c.out.integer(removed);
    }

    private static void ltrim(Call c) {
        long start = c.args.integer(2);
        long stop = c.args.integer(3);
        ListValue list = find(c, 1);
        if (list != null) {
            int from = Counts.from(start, list.size());
            list.keep(from, Counts.to(start, stop, list.size()));
            c.changed(1, "ltrim", Event.LIST);
            c.removeIfEmpty(1);
        }
        c.out.ok();
    }

    /** LPOS: positions of elements equal to argument 2. */
    private static final class Positions {
        private final Call c;
        private long rank = 1;
        private long count = -1; // none given
        private long most = 0; // comparisons; 0 for no limit
        private long seen;
        private long compared;
        private int found;

        private Positions(Call c) {
            this.c = c;
        }

        static Positions of(Call c) {
            Positions p = new Positions(c);
            for (int i = 3; i < c.count(); i += 2) {
                if (i + 1 == c.count()) {
                    throw ErrorReply.SYNTAX;
                }
                if (c.args.is(i, "RANK")) {
                    p.rank = Counts.signed(c, i + 1);
                    if (p.rank == 0) {
                        throw new ErrorReply("ERR RANK can't be zero: use 1 to start from the first match, 2 from the"
                                + " second ... or use negative to start from the end of the list");
                    }
                } else if (c.args.is(i, "COUNT")) {
                    p.count = Counts.atLeast(c, i + 1, 0, "ERR COUNT can't be negative");
                } else if (c.args.is(i, "MAXLEN")) {
                    p.most = Counts.atLeast(c, i + 1, 0, "ERR MAXLEN can't be negative");
                } else {
                    throw ErrorReply.SYNTAX;
                }
            }
            return p;
        }

        void run() {
            ListValue list = find(c, 1);
            int mark = c.out.mark();
            if (list != null) {
                c.work(most == 0 ? list.size() : Math.min(most, list.size()));
                ListValue.Search search = (bytes, offset, length) -> look(list, bytes, offset, length);
                if (rank > 0) {
                    list.forEachForward(search);
                } else {
                    list.forEachBackward(search);
                }
            }
            if (count >= 0) {
                c.out.arrayAt(mark, found);
            } else if (found == 0) {
                c.out.nil();
            }
        }

        private boolean look(ListValue list, byte[] bytes, int offset, int length) {
            Args a = c.args;
            boolean equal =
                    Arrays.equals(bytes, offset, offset + length, a.bytes(), a.offset(2), a.offset(2) + a.length(2));
            compared++;
            if (equal && ++seen >= Math.abs(rank)) {
                c.out.integer(rank > 0 ? compared - 1 : list.size() - compared);
                found++;
                if (count < 0 || (count > 0 && found >= count)) {
                    return false;
                }
            }
            return most == 0 || compared < most;
        }
    }
}
