package dev.caisson.store.engine;

import dev.caisson.store.data.SortedSetValue;
import dev.caisson.store.resp.ErrorReply;
import org.jspecify.annotations.Nullable;

/** ZRANGE, ZCOUNT, ZREMRANGEBYSCORE and their kin: whatever has two ends. */
final class SortedSetRanges {
    /* Implementation note. Each range, however it is given, becomes ranks from (inclusive) and to (exclusive). */

    private enum By {
        RANK,
        SCORE,
        LEX
    }

    private SortedSetRanges() {}

    static void register(CommandTable.Builder t) {
        ranges(t, "ZRANGE", -4, "1.2.0", "Returns members in a sorted set within a range of indexes.", null, false);
        ranges(t, "ZREVRANGE", -4, "1.2.0", "Returns members in a sorted set in reverse order.", By.RANK, true);
        ranges(t, "ZRANGEBYSCORE", -4, "1.0.5", "Returns members within a range of scores.", By.SCORE, false);
        ranges(
                t,
                "ZREVRANGEBYSCORE",
                -4,
                "2.2.0",
                "Returns members within a range of scores, reversed.",
                By.SCORE,
                true);
        ranges(t, "ZRANGEBYLEX", -4, "2.8.9", "Returns members within a lexicographical range.", By.LEX, false);
        ranges(
                t,
                "ZREVRANGEBYLEX",
                -4,
                "2.8.9",
                "Returns members within a lexicographical range, reversed.",
                By.LEX,
                true);
        SortedSetCommands.sortedSet(
                        t,
                        "ZRANGESTORE",
                        -5,
                        "6.2.0",
                        "O(log(N)+M)",
                        "Stores a range of members from sorted set in a key.")
                .keys(1, 2, 1)
                .write()
                .denyOom()
                .run(SortedSetRanges::zrangestore);
        counts(
                t,
                "ZCOUNT",
                "2.0.0",
                "Returns the count of members in a sorted set that have scores within a range.",
                By.SCORE);
        counts(t, "ZLEXCOUNT", "2.8.9", "Returns the number of members within a lexicographical range.", By.LEX);
        removes(t, "ZREMRANGEBYRANK", "2.0.0", "Removes members in a sorted set within a range of indexes.", By.RANK);
        removes(t, "ZREMRANGEBYSCORE", "1.2.0", "Removes members in a sorted set within a range of scores.", By.SCORE);
        removes(t, "ZREMRANGEBYLEX", "2.8.9", "Removes members within a lexicographical range.", By.LEX);
    }

    private static void ranges(
            CommandTable.Builder t,
            String name,
            int arity,
            String since,
            String summary,
            @Nullable By by,
            boolean backward) {
        SortedSetCommands.one(t, name, arity, since, "O(log(N)+M)", summary)
                .read()
                .watchable()
                .run(c -> new Range(c, 1, by, backward, false).reply());
    }

    private static void counts(CommandTable.Builder t, String name, String since, String summary, By by) {
        SortedSetCommands.one(t, name, 4, since, "O(log(N))", summary)
                .read()
                .fast()
                .watchable()
                .run(c -> {
                    ScoreBound[] ends = ends(c, 2, 3, by);
                    SortedSetValue set = SortedSetCommands.find(c, 1);
                    c.out.integer(set == null ? 0 : Math.max(0, ends[1].end(set) - ends[0].begin(set)));
                });
    }

    private static void removes(CommandTable.Builder t, String name, String since, String summary, By by) {
        SortedSetCommands.one(t, name, 4, since, "O(log(N)+M)", summary).write().run(c -> remove(c, by));
    }

    private static ScoreBound[] ends(Call c, int least, int most, By by) {
        return by == By.SCORE
                ? new ScoreBound[] {ScoreBound.score(c.args, least), ScoreBound.score(c.args, most)}
                : new ScoreBound[] {ScoreBound.member(c.args, least), ScoreBound.member(c.args, most)};
    }

    private static void remove(Call c, By by) {
        long start = by == By.RANK ? c.args.integer(2) : 0;
        long stop = by == By.RANK ? c.args.integer(3) : 0;
        ScoreBound[] ends = by == By.RANK ? new ScoreBound[0] : ends(c, 2, 3, by);
        SortedSetValue set = SortedSetCommands.find(c, 1);
        if (set == null) {
            c.out.integer(0);
            return;
        }
        int from = by == By.RANK ? Counts.from(start, set.size()) : ends[0].begin(set);
        int to = by == By.RANK ? Counts.to(start, stop, set.size()) : ends[1].end(set);
        if (from >= to) {
            c.out.integer(0);
            return;
        }
        c.work(to - from);
        set.removeRanks(from, to);
        c.changed(1, c.command.fullName(), Event.SORTED_SET);
        c.removeIfEmpty(1);
        c.out.integer(to - from);
    }

    private static void zrangestore(Call c) {
        Range range = new Range(c, 2, null, false, true);
        SortedSetValue set = SortedSetCommands.find(c, 2);
        SortedSetValue result = new SortedSetValue(c.values());
        if (set != null) {
            range.resolve(set);
            c.work(range.to - range.from);
            set.forEach(range.from, range.to, false, result::put);
        }
        if (result.size() == 0) {
            c.remove(1);
        } else {
            c.putValue(1, result);
            c.changed(1, "zrangestore", Event.SORTED_SET);
        }
        c.out.integer(result.size());
    }

    /** The arguments of ZRANGE and all that are like it, and then the ranks they mean. */
    private static final class Range {
        private final Call c;
        private final int key;
        private By by;
        private boolean backward;
        private boolean scores;
        private long skip;
        private long limit = -1;
        private long start;
        private long stop;
        private ScoreBound[] ends = {};
        private int from;
        private int to;

        /**
         * Reads the arguments.
         *
         * @param key where the key stands; the two ends and the options follow
         * @param by what the command's name says of the ends; null if an option may say it, and REV too
         */
        Range(Call c, int key, @Nullable By by, boolean backward, boolean stores) {
            this.c = c;
            this.key = key;
            this.by = by == null ? By.RANK : by;
            this.backward = backward;
            boolean limited = false;
            boolean said = by != null;
            boolean turned = by != null;
            for (int i = key + 3; i < c.count(); i++) {
                int left = c.count() - i - 1;
                if (!stores && c.args.is(i, "WITHSCORES")) {
                    scores = true;
                } else if (c.args.is(i, "LIMIT") && left >= 2) {
                    skip = c.args.integer(i + 1);
                    limit = c.args.integer(i + 2);
                    limited = true;
                    i += 2;
                } else if (!turned && c.args.is(i, "REV")) {
                    this.backward = true;
                    turned = true;
                } else if (!said && c.args.is(i, "BYSCORE")) {
                    this.by = By.SCORE;
                    said = true;
                } else if (!said && c.args.is(i, "BYLEX")) {
                    this.by = By.LEX;
                    said = true;
                } else {
                    throw ErrorReply.SYNTAX;
                }
            }
            if (limited && limit != -1 && this.by == By.RANK) {
                throw new ErrorReply(
                        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or" + " BYLEX");
            }
            if (scores && this.by == By.LEX) {
                throw new ErrorReply("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
            }
            readEnds();
        }

        private void readEnds() {
            if (by == By.RANK) {
                start = c.args.integer(key + 1);
                stop = c.args.integer(key + 2);
            } else {
                ends = backward ? ends(c, key + 2, key + 1, by) : ends(c, key + 1, key + 2, by);
            }
        }

        /** Finds the ranks, from less than or equal to {@code to}. */
        void resolve(SortedSetValue set) {
            int size = set.size();
            if (by == By.RANK) {
                int first = Counts.from(start, size);
                int end = Counts.to(start, stop, size);
                from = backward ? size - end : first;
                to = backward ? size - first : end;
                return;
            }
            from = ends[0].begin(set);
            to = Math.max(from, ends[1].end(set));
            long wanted = limit < 0 ? Integer.MAX_VALUE : limit;
            int skipped = skip < 0 ? to - from : (int) Math.min(skip, to - from);
            int taken = (int) Math.min(wanted, to - from - skipped);
            if (backward) {
                to -= skipped;
                from = to - taken;
            } else {
                from += skipped;
                to = from + taken;
            }
        }

        void reply() {
            SortedSetValue set = SortedSetCommands.find(c, key);
            if (set == null) {
                c.out.array(0);
                return;
            }
            resolve(set);
            c.work(to - from);
            c.out.array(scores && c.out.protocol() == 2 ? 2 * (to - from) : to - from);
            set.forEach(from, to, backward, SortedSetCommands.reply(c, scores));
        }
    }
}
