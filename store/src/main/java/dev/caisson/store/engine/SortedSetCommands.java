package dev.caisson.store.engine;

import dev.caisson.store.data.ScoreVisitor;
import dev.caisson.store.data.SortedSetValue;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import org.jspecify.annotations.Nullable;

/**
 * ZADD, ZPOPMIN and their kin on one sorted set; ranges are in {@link SortedSetRanges}, several sets in
 * {@link SortedSetAlgebra}. BZPOPMIN and BZMPOP call {@link #pop} and {@link #zmpop} once there is a member.
 */
final class SortedSetCommands {
    private SortedSetCommands() {}

    static void register(CommandTable.Builder t) {
        one(t, "ZADD", -4, "1.2.0", "O(log(N))", "Adds one or more members to a sorted set, or updates their scores.")
                .write()
                .denyOom()
                .fast()
                .run(c -> Add.of(c).run());
        one(t, "ZINCRBY", 4, "1.2.0", "O(log(N))", "Increments the score of a member in a sorted set.")
                .write()
                .denyOom()
                .fast()
                .run(c -> new Add(c, 2, true).run());
        one(t, "ZREM", -3, "1.2.0", "O(M*log(N))", "Removes one or more members from a sorted set.")
                .write()
                .fast()
                .run(SortedSetCommands::zrem);
        one(t, "ZCARD", 2, "1.2.0", "O(1)", "Returns the number of members in a sorted set.")
                .read()
                .fast()
                .watchable()
                .run(SortedSetCommands::zcard);
        one(t, "ZSCORE", 3, "1.2.0", "O(1)", "Returns the score of a member in a sorted set.")
                .read()
                .fast()
                .watchable()
                .run(c -> score(c, find(c, 1), 2));
        one(t, "ZMSCORE", -3, "6.2.0", "O(N)", "Returns the score of one or more members in a sorted set.")
                .read()
                .fast()
                .watchable()
                .run(SortedSetCommands::zmscore);
        one(
                        t,
                        "ZRANK",
                        -3,
                        "2.0.0",
                        "O(log(N))",
                        "Returns the index of a member in a sorted set ordered by ascending scores.")
                .read()
                .fast()
                .watchable()
                .run(c -> zrank(c, false));
        one(t, "ZREVRANK", -3, "2.0.0", "O(log(N))", "Returns the index of a member ordered by descending scores.")
                .read()
                .fast()
                .watchable()
                .run(c -> zrank(c, true));
        one(t, "ZPOPMIN", -2, "5.0.0", "O(log(N)*M)", "Returns the lowest-scoring members after removing them.")
                .write()
                .fast()
                .run(c -> zpop(c, true));
        one(t, "ZPOPMAX", -2, "5.0.0", "O(log(N)*M)", "Returns the highest-scoring members after removing them.")
                .write()
                .fast()
                .run(c -> zpop(c, false));
        sortedSet(
                        t,
                        "ZMPOP",
                        -4,
                        "7.0.0",
                        "O(K)",
                        "Returns the highest- or lowest-scoring members after removing them.")
                .keys(Counts.keysAfter(1))
                .write()
                .run(c -> zmpop(c, 1));
        one(t, "ZRANDMEMBER", -2, "6.2.0", "O(N)", "Returns one or more random members from a sorted set.")
                .read()
                .run(SortedSetCommands::zrandmember);
        one(t, "ZSCAN", -3, "2.8.0", "O(1)", "Iterates over members and scores of a sorted set.")
                .read()
                .run(SortedSetCommands::zscan);
    }

    static Command.Builder one(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return sortedSet(t, name, arity, since, complexity, summary).key(1);
    }

    static Command.Builder sortedSet(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return t.add(name).arity(arity).category("sortedset").docs("sorted-set", since, complexity, summary);
    }

    static @Nullable SortedSetValue find(Call c, int arg) {
        return c.value(arg, SortedSetValue.class);
    }

    /** ZADD and ZINCRBY. */
    private static final class Add {
        private final Call c;
        private int first; // argument of the first score
        private boolean increments;
        private boolean onlyNew;
        private boolean onlyOld;
        private boolean onlyGreater;
        private boolean onlyLess;
        private boolean countsChanged;

        Add(Call c, int first, boolean increments) {
            this.c = c;
            this.first = first;
            this.increments = increments;
        }

        static Add of(Call c) {
            Add add = new Add(c, 2, false);
            while (add.first < c.count() && add.option(add.first)) {
                add.first++;
            }
            int left = c.count() - add.first;
            if (left == 0 || left % 2 != 0) {
                throw ErrorReply.SYNTAX;
            }
            if (add.onlyNew && add.onlyOld) {
                throw new ErrorReply("ERR XX and NX options at the same time are not compatible");
            }
            if ((add.onlyGreater && (add.onlyNew || add.onlyLess)) || (add.onlyLess && add.onlyNew)) {
                throw new ErrorReply("ERR GT, LT, and/or NX options at the same time are not compatible");
            }
            if (add.increments && left > 2) {
                throw new ErrorReply("ERR INCR option supports a single increment-element pair");
            }
            return add;
        }

        private boolean option(int arg) {
            Args a = c.args;
            if (a.is(arg, "NX")) {
                onlyNew = true;
            } else if (a.is(arg, "XX")) {
                onlyOld = true;
            } else if (a.is(arg, "GT")) {
                onlyGreater = true;
            } else if (a.is(arg, "LT")) {
                onlyLess = true;
            } else if (a.is(arg, "CH")) {
                countsChanged = true;
            } else if (a.is(arg, "INCR")) {
                increments = true;
            } else {
                return false;
            }
            return true;
        }

        void run() {
            double[] scores = new double[(c.count() - first) / 2];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = c.args.number(first + 2 * i);
            }
            SortedSetValue set = find(c, 1);
            if (set == null && onlyOld) {
                answer(0, 0, false, 0);
                return;
            }
            if (increments && set != null) {
                refuseNan(set, scores[0]);
            }
            if (set == null) {
                set = (SortedSetValue) c.putValue(1, new SortedSetValue(c.values()));
            }
            int added = 0;
            int updated = 0;
            boolean met = false;
            double score = 0;
            for (int i = 0; i < scores.length; i++) {
                int member = first + 2 * i + 1;
                double former = set.score(c.args.bytes(), c.args.offset(member), c.args.length(member));
                score = increments && !Double.isNaN(former) ? former + scores[i] : scores[i];
                if (!allows(former, score)) {
                    continue;
                }
                met = true;
                switch (set.put(c.args.bytes(), c.args.offset(member), c.args.length(member), score)) {
                    case ADDED -> added++;
                    case UPDATED -> updated++;
                    case NONE -> {}
                }
            }
            if (added + updated > 0) {
                c.changed(1, increments ? "zincr" : "zadd", Event.SORTED_SET);
            }
            answer(added, updated, met, score);
        }

        private void refuseNan(SortedSetValue set, double by) {
            int member = first + 1;
            double former = set.score(c.args.bytes(), c.args.offset(member), c.args.length(member));
            if (!Double.isNaN(former) && !onlyNew && Double.isNaN(former + by)) {
                throw new ErrorReply("ERR resulting score is not a number (NaN)");
            }
        }

        private boolean allows(double former, double score) {
            if (Double.isNaN(former)) {
                return !onlyOld;
            }
            return !onlyNew && !(onlyGreater && score <= former) && !(onlyLess && score >= former);
        }

        private void answer(int added, int updated, boolean met, double score) {
            if (!increments) {
                c.out.integer(countsChanged ? added + updated : added);
            } else if (met) {
                c.out.number(score);
            } else {
                c.out.nil();
            }
        }
    }

    private static void zrem(Call c) {
        SortedSetValue set = find(c, 1);
        int removed = 0;
        for (int i = 2; i < c.count() && set != null; i++) {
            removed += set.remove(c.args.bytes(), c.args.offset(i), c.args.length(i)) ? 1 : 0;
        }
        if (removed > 0) {
            c.changed(1, "zrem", Event.SORTED_SET);
            c.removeIfEmpty(1);
        }
        c.out.integer(removed);
    }

    private static void zcard(Call c) {
        SortedSetValue set = find(c, 1);
        c.out.integer(set == null ? 0 : set.size());
    }

    private static void score(Call c, @Nullable SortedSetValue set, int arg) {
        double score = set == null ? Double.NaN : set.score(c.args.bytes(), c.args.offset(arg), c.args.length(arg));
        if (Double.isNaN(score)) {
            c.out.nil();
        } else {
            c.out.number(score);
        }
    }

    private static void zmscore(Call c) {
        SortedSetValue set = find(c, 1);
        c.out.array(c.count() - 2);
        for (int i = 2; i < c.count(); i++) {
            score(c, set, i);
        }
    }

    private static void zrank(Call c, boolean backward) {
        if (c.count() > 4) {
            throw Errors.arity(c.command.fullName());
        }
        boolean withScore = c.count() == 4;
        if (withScore && !c.args.is(3, "WITHSCORE")) {
            throw ErrorReply.SYNTAX;
        }
        SortedSetValue set = find(c, 1);
        int rank = set == null ? -1 : set.rank(c.args.bytes(), c.args.offset(2), c.args.length(2));
        if (set == null || rank < 0) {
            if (withScore) {
                c.out.nilArray();
            } else {
                c.out.nil();
            }
            return;
        }
        if (withScore) {
            c.out.array(2);
        }
        c.out.integer(backward ? set.size() - 1 - rank : rank);
        if (withScore) {
            score(c, set, 2);
        }
    }

    // ---- pops

    private static void zpop(Call c, boolean least) {
        if (c.count() > 3) {
            throw ErrorReply.SYNTAX;
        }
        boolean counted = c.count() == 3;
        long count = counted ? Counts.positive(c, 2) : 1;
        SortedSetValue set = find(c, 1);
        if (set == null) {
            c.out.array(0);
            return;
        }
        int taken = (int) Math.min(count, set.size());
        boolean pairs = counted && c.out.protocol() == 3;
        c.out.array(pairs ? taken : 2 * taken);
        pop(c, 1, set, least, taken, pairs);
    }

    /**
     * Takes members off one end of a sorted set, writes each with its score (as a pair of its own if {@code pairs}), tells
     * so, and removes the key if none is left.
     *
     * @param arg where the key stands
     * @param count at most the size of the set
     */
    static void pop(Call c, int arg, SortedSetValue set, boolean least, int count, boolean pairs) {
        c.work(count);
        if (count == 0) {
            return;
        }
        int from = least ? 0 : set.size() - count;
        set.forEach(from, from + count, !least, (bytes, offset, length, score) -> {
            if (pairs) {
                c.out.array(2);
            }
            c.out.bulk(bytes, offset, length).number(score);
        });
        set.removeRanks(from, from + count);
        c.changed(arg, least ? "zpopmin" : "zpopmax", Event.SORTED_SET);
        c.removeIfEmpty(arg);
    }

    /** ZMPOP, and BZMPOP when it finds a member: the count of keys stands at {@code arg}. */
    static void zmpop(Call c, int arg) {
        long keys = Counts.atLeast(c, arg, 1, "ERR numkeys should be greater than 0");
        if (keys > c.count() - arg - 2L) {
            throw ErrorReply.SYNTAX;
        }
        int where = arg + 1 + (int) keys;
        boolean least = c.args.is(where, "MIN");
        if (!least && !c.args.is(where, "MAX")) {
            throw ErrorReply.SYNTAX;
        }
        long count = 1;
        if (where + 1 < c.count()) {
            if (where + 3 != c.count() || !c.args.is(where + 1, "COUNT")) {
                throw ErrorReply.SYNTAX;
            }
            count = Counts.atLeast(c, where + 2, 1, "ERR count should be greater than 0");
        }
        for (int i = arg + 1; i <= arg + keys; i++) {
            SortedSetValue set = find(c, i);
            if (set != null) {
                int taken = (int) Math.min(count, set.size());
                c.out.array(2)
                        .bulk(c.args.bytes(), c.args.offset(i), c.args.length(i))
                        .array(taken);
                pop(c, i, set, least, taken, true);
                return;
            }
        }
        c.out.nilArray();
    }

    // ---- chance and walks

    private static void zrandmember(Call c) {
        if (c.count() == 2) {
            SortedSetValue set = find(c, 1);
            if (set == null) {
                c.out.nil();
            } else {
                set.random(c.random(), (bytes, offset, length, score) -> c.out.bulk(bytes, offset, length));
            }
            return;
        }
        long count = Counts.signed(c, 2);
        boolean scores = c.count() == 4 && c.args.is(3, "WITHSCORES");
        if (c.count() > 4 || (c.count() == 4 && !scores)) {
            throw ErrorReply.SYNTAX;
        }
        if (scores && Math.abs(count) > Long.MAX_VALUE / 2) {
            throw new ErrorReply("ERR value is out of range");
        }
        SortedSetValue set = find(c, 1);
        if (set == null || count == 0) {
            c.out.array(0);
            return;
        }
        long taken = count < 0 ? -count : Math.min(count, set.size());
        c.work(count < 0 ? taken : set.size());
        c.out.array((int) (scores && c.out.protocol() == 2 ? 2 * taken : taken));
        ScoreVisitor reply = reply(c, scores);
        if (count < 0) {
            for (long i = 0; i < taken; i++) {
                set.random(c.random(), reply);
            }
            return;
        }
        Choice choice = new Choice(c.random(), set.size(), taken);
        set.forEach(0, set.size(), false, (bytes, offset, length, score) -> {
            if (choice.next()) {
                reply.visit(bytes, offset, length, score);
            }
        });
    }

    /** Writes members, with their scores if asked for: flat in RESP2, pairs in RESP3. */
    static ScoreVisitor reply(Call c, boolean scores) {
        boolean pairs = scores && c.out.protocol() == 3;
        return (bytes, offset, length, score) -> {
            if (pairs) {
                c.out.array(2);
            }
            c.out.bulk(bytes, offset, length);
            if (scores) {
                c.out.number(score);
            }
        };
    }

    private static void zscan(Call c) {
        Walk.cursor(c.args, 2);
        SortedSetValue set = find(c, 1);
        if (set == null) {
            Walk.empty(c);
            return;
        }
        Walk walk = new Walk(c, false);
        walk.run(
                set.size(),
                cursor -> set.scan(cursor, (bytes, offset, length, score) -> {
                    if (walk.take(bytes, offset, length)) {
                        byte[] text = Numbers.format(score);
                        walk.also(text, 0, text.length);
                    }
                }));
    }
}
