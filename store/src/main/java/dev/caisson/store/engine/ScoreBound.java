package dev.caisson.store.engine;

import dev.caisson.store.data.SortedSetValue;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import java.util.Arrays;

/**
 * One end of a range of a sorted set, as ZRANGE takes it: a rank, a score such as {@code (1.5} or {@code -inf}, or a member
 * such as {@code [a}, {@code (a}, {@code -} or {@code +}. Members stand before it or not, which is a rank.
 */
sealed interface ScoreBound {
    /** How many members stand before the range that begins here. */
    int begin(SortedSetValue set);

    /** How many members stand before the end of the range that ends here. */
    int end(SortedSetValue set);

    /** A score; {@code exclusive} leaves those out that have just it. */
    record Score(double score, boolean exclusive) implements ScoreBound {
        @Override
        public int begin(SortedSetValue set) {
            return set.below(score, exclusive);
        }

        @Override
        public int end(SortedSetValue set) {
            return set.below(score, !exclusive);
        }
    }

    /** A member. */
    record Member(byte[] member, boolean exclusive) implements ScoreBound {
        @Override
        public int begin(SortedSetValue set) {
            return set.belowLex(member, 0, member.length, exclusive);
        }

        @Override
        public int end(SortedSetValue set) {
            return set.belowLex(member, 0, member.length, !exclusive);
        }
    }

    /** Before all members, or after all. */
    record Edge(boolean last) implements ScoreBound {
        @Override
        public int begin(SortedSetValue set) {
            return last ? set.size() : 0;
        }

        @Override
        public int end(SortedSetValue set) {
            return last ? set.size() : 0;
        }
    }

    /** Reads a score. */
    static ScoreBound score(Args args, int arg) {
        boolean exclusive = args.length(arg) > 0 && args.bytes()[args.offset(arg)] == '(';
        int skip = exclusive ? 1 : 0;
        int length = args.length(arg) - skip;
        double score = length == 0 // nothing reads as 0, as in Redis
                ? 0
                : Numbers.parseDouble(
                        args.bytes(), args.offset(arg) + skip, length, new ErrorReply("ERR min or max is not a float"));
        return new Score(score, exclusive);
    }

    /** Reads a member. */
    static ScoreBound member(Args args, int arg) {
        byte[] text = args.copy(arg);
        char first = text.length == 0 ? 0 : (char) text[0];
        if (first == '(' || first == '[') {
            return new Member(Arrays.copyOfRange(text, 1, text.length), first == '(');
        }
        if (text.length == 1 && (first == '-' || first == '+')) {
            return new Edge(first == '+');
        }
        throw new ErrorReply("ERR min or max not valid string range item");
    }
}
