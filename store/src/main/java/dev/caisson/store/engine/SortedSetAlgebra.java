package dev.caisson.store.engine;

import dev.caisson.store.data.ScoreVisitor;
import dev.caisson.store.data.SetValue;
import dev.caisson.store.data.SortedSetValue;
import dev.caisson.store.data.Value;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** ZUNION, ZINTER, ZDIFF and their kin. A plain set counts as a sorted set whose scores are all 1. */
final class SortedSetAlgebra {
    /* Implementation note. Every result is collected in a SortedSetValue, which is what a store form keeps and what the
     * other forms answer from, since replies are in the order of scores. */

    private enum Operation {
        UNION,
        INTER,
        DIFF
    }

    private enum Aggregate {
        SUM,
        MIN,
        MAX;

        double of(double a, double b) {
            return switch (this) {
                case SUM -> orZero(a + b);
                case MIN -> Math.min(a, b);
                case MAX -> Math.max(a, b);
            };
        }
    }

    private SortedSetAlgebra() {}

    static void register(CommandTable.Builder t) {
        replies(t, "ZUNION", "Returns the union of multiple sorted sets.", Operation.UNION);
        replies(t, "ZINTER", "Returns the intersect of multiple sorted sets.", Operation.INTER);
        replies(t, "ZDIFF", "Returns the difference between multiple sorted sets.", Operation.DIFF);
        stores(t, "ZUNIONSTORE", "2.0.0", "Stores the union of multiple sorted sets in a key.", Operation.UNION);
        stores(t, "ZINTERSTORE", "2.0.0", "Stores the intersect of multiple sorted sets in a key.", Operation.INTER);
        stores(t, "ZDIFFSTORE", "6.2.0", "Stores the difference of multiple sorted sets in a key.", Operation.DIFF);
        SortedSetCommands.sortedSet(
                        t, "ZINTERCARD", -3, "7.0.0", "O(N*K)", "Returns the number of members of the intersect.")
                .keys(Counts.keysAfter(1))
                .read()
                .watchable()
                .run(SortedSetAlgebra::zintercard);
    }

    private static void replies(CommandTable.Builder t, String name, String summary, Operation operation) {
        SortedSetCommands.sortedSet(t, name, -3, "6.2.0", "O(N)+O(M*log(M))", summary)
                .keys(Counts.keysAfter(1))
                .read()
                .watchable()
                .run(c -> {
                    Input input = new Input(c, 1, operation, true);
                    SortedSetValue result = input.result(operation);
                    c.out.array(input.scores && c.out.protocol() == 2 ? 2 * result.size() : result.size());
                    result.forEach(0, result.size(), false, SortedSetCommands.reply(c, input.scores));
                });
    }

    private static void stores(CommandTable.Builder t, String name, String since, String summary, Operation operation) {
        SortedSetCommands.sortedSet(t, name, -4, since, "O(N)+O(M*log(M))", summary)
                .keys(Counts.destinationAndKeys())
                .write()
                .denyOom()
                .run(c -> {
                    SortedSetValue result = new Input(c, 2, operation, false).result(operation);
                    if (result.size() == 0) {
                        c.remove(1);
                    } else {
                        c.putValue(1, result);
                        c.changed(1, c.command.fullName(), Event.SORTED_SET);
                    }
                    c.out.integer(result.size());
                });
    }

    private static void zintercard(Call c) {
        int keys = keys(c, 1);
        int next = 2 + keys;
        long limit = 0;
        for (int i = next; i < c.count(); i += 2) {
            if (!c.args.is(i, "LIMIT") || i + 1 == c.count()) {
                throw ErrorReply.SYNTAX;
            }
            limit = Counts.atLeast(c, i + 1, 0, "ERR LIMIT can't be negative");
        }
        List<Source> sources = Source.read(c, 2, keys);
        long most = limit == 0 ? Long.MAX_VALUE : limit;
        long[] members = {0};
        intersect(c, sources, Aggregate.SUM, (bytes, offset, length, score) -> members[0]++);
        c.out.integer(Math.min(most, members[0]));
    }

    /** The count of keys at {@code arg}. */
    private static int keys(Call c, int arg) {
        long keys = c.args.integer(arg);
        if (keys < 1) {
            throw new ErrorReply("ERR at least 1 input key is needed for '" + c.command.fullName() + "' command");
        }
        if (keys > c.count() - arg - 1L) {
            throw ErrorReply.SYNTAX;
        }
        return (int) keys;
    }

    private static double orZero(double score) {
        return Double.isNaN(score) ? 0 : score;
    }

    /** A key of the command: its set, of either kind, or none; and its weight. */
    private static final class Source {
        private final @Nullable SortedSetValue sorted;
        private final @Nullable SetValue plain;
        private double weight = 1;

        private Source(@Nullable SortedSetValue sorted, @Nullable SetValue plain) {
            this.sorted = sorted;
            this.plain = plain;
        }

        static List<Source> read(Call c, int from, int count) {
            List<Source> sources = new ArrayList<>();
            for (int i = from; i < from + count; i++) {
                Value value = c.value(i, Value.class);
                if (value instanceof SortedSetValue set) {
                    sources.add(new Source(set, null));
                } else if (value instanceof SetValue set) {
                    sources.add(new Source(null, set));
                } else if (value == null) {
                    sources.add(new Source(null, null));
                } else {
                    throw ErrorReply.WRONGTYPE;
                }
            }
            return sources;
        }

        int size() {
            return sorted != null ? sorted.size() : plain != null ? plain.size() : 0;
        }

        /** The weighted score of a member, or NaN if it is not there. */
        double score(byte[] bytes, int offset, int length) {
            if (sorted != null) {
                double score = sorted.score(bytes, offset, length);
                return Double.isNaN(score) ? score : orZero(score * weight);
            }
            return plain != null && plain.contains(bytes, offset, length) ? weight : Double.NaN;
        }

        void forEach(ScoreVisitor visitor) {
            if (sorted != null) {
                sorted.forEach(
                        0,
                        sorted.size(),
                        false,
                        (bytes, offset, length, score) -> visitor.visit(bytes, offset, length, orZero(score * weight)));
            } else if (plain != null) {
                plain.forEach((bytes, offset, length) -> visitor.visit(bytes, offset, length, weight));
            }
        }
    }

    /** The arguments from the count of keys on. */
    private static final class Input {
        private final Call c;
        private final List<Source> sources;
        private Aggregate aggregate = Aggregate.SUM;
        private boolean scores;

        /**
         * Reads them.
         *
         * @param arg where the count of keys stands
         * @param replies whether WITHSCORES is understood
         */
        Input(Call c, int arg, Operation operation, boolean replies) {
            this.c = c;
            int keys = keys(c, arg);
            sources = Source.read(c, arg + 1, keys);
            int i = arg + 1 + keys;
            while (i < c.count()) {
                int left = c.count() - i - 1;
                if (operation != Operation.DIFF && c.args.is(i, "WEIGHTS") && left >= keys) {
                    readWeights(i + 1);
                    i += 1 + keys;
                } else if (operation != Operation.DIFF && c.args.is(i, "AGGREGATE") && left >= 1) {
                    aggregate = aggregate(i + 1);
                    i += 2;
                } else if (replies && c.args.is(i, "WITHSCORES")) {
                    scores = true;
                    i++;
                } else {
                    throw ErrorReply.SYNTAX;
                }
            }
        }

        private void readWeights(int arg) {
            for (int i = 0; i < sources.size(); i++) {
                sources.get(i).weight = Numbers.parseDouble(
                        c.args.bytes(),
                        c.args.offset(arg + i),
                        c.args.length(arg + i),
                        new ErrorReply("ERR weight value is not a float"));
            }
        }

        private Aggregate aggregate(int arg) {
            for (Aggregate each : Aggregate.values()) {
                if (c.args.is(arg, each.name())) {
                    return each;
                }
            }
            throw ErrorReply.SYNTAX;
        }

        SortedSetValue result(Operation operation) {
            SortedSetValue result = new SortedSetValue(c.values());
            switch (operation) {
                case UNION -> unite(result);
                case INTER -> intersect(c, sources, aggregate, result::put);
                case DIFF -> subtract(result);
            }
            return result;
        }

        private void unite(SortedSetValue result) {
            long work = 0;
            for (Source source : sources) {
                work += source.size();
            }
            c.work(work);
            for (Source source : sources) {
                source.forEach((bytes, offset, length, score) -> {
                    double former = result.score(bytes, offset, length);
                    result.put(bytes, offset, length, Double.isNaN(former) ? score : aggregate.of(former, score));
                });
            }
        }

        private void subtract(SortedSetValue result) {
            Source first = sources.getFirst();
            c.work((long) first.size() * sources.size());
            first.forEach((bytes, offset, length, score) -> {
                for (int i = 1; i < sources.size(); i++) {
                    if (!Double.isNaN(sources.get(i).score(bytes, offset, length))) {
                        return;
                    }
                }
                result.put(bytes, offset, length, score);
            });
        }
    }

    private static void intersect(Call c, List<Source> sources, Aggregate aggregate, ScoreVisitor visitor) {
        Source[] bySize = sources.toArray(new Source[0]);
        Arrays.sort(bySize, Comparator.comparingInt(Source::size));
        c.work((long) bySize[0].size() * bySize.length);
        bySize[0].forEach((bytes, offset, length, score) -> {
            double sum = score;
            for (int i = 1; i < bySize.length; i++) {
                double other = bySize[i].score(bytes, offset, length);
                if (Double.isNaN(other)) {
                    return;
                }
                sum = aggregate.of(sum, other);
            }
            visitor.visit(bytes, offset, length, sum);
        });
    }
}
