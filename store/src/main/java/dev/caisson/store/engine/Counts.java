package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;

/** Integer arguments that have bounds, and ranges of positions, in Redis's words. */
final class Counts {
    private static final String NOT_POSITIVE = "ERR value is out of range, must be positive";
    private static final String OUT_OF_RANGE =
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

    private Counts() {}

    /** An integer of at least {@code least}; whatever else it is, the answer is {@code otherwise}. */
    static long atLeast(Call c, int arg, long least, String otherwise) {
        Args a = c.args;
        if (arg < a.count() && Numbers.isInteger(a.bytes(), a.offset(arg), a.length(arg))) {
            long value = a.integer(arg);
            if (value >= least) {
                return value;
            }
        }
        throw new ErrorReply(otherwise);
    }

    /** An integer that is not negative. */
    static long positive(Call c, int arg) {
        return atLeast(c, arg, 0, NOT_POSITIVE);
    }

    /** An integer whose negative is one too. */
    static long signed(Call c, int arg) {
        long value = c.args.integer(arg);
        if (value == Long.MIN_VALUE) {
            throw new ErrorReply(OUT_OF_RANGE);
        }
        return value;
    }

    /** The first position of {@code start} to {@code stop}, negative ones from the end, in something of {@code size}. */
    static int from(long start, int size) {
        return (int) Math.min(size, Math.max(0, start < 0 ? start + size : start));
    }

    /** The position after the last one of {@code start} to {@code stop}; not less than {@link #from}. */
    static int to(long start, long stop, int size) {
        long last = stop < 0 ? stop + size : stop;
        return (int) Math.max(from(start, size), Math.min(size - 1L, last) + 1);
    }

    /**
     * The keys after a count at {@code arg}.
     *
     * @return how many they are; 0 if the count is none, or more than there are arguments
     */
    static int keys(Args args, int arg) {
        if (arg >= args.count() || !Numbers.isInteger(args.bytes(), args.offset(arg), args.length(arg))) {
            return 0;
        }
        long count = args.integer(arg);
        return count < 1 || count > args.count() - arg - 1L ? 0 : (int) count;
    }

    /** Finds the keys after a count at {@code arg}. */
    static Command.Keys keysAfter(int arg) {
        return (args, into) -> {
            int count = keys(args, arg);
            for (int i = 1; i <= count; i++) {
                into.key(arg + i);
            }
        };
    }

    /** Finds the destination at argument 1 and the keys after the count at argument 2. */
    static Command.Keys destinationAndKeys() {
        return (args, into) -> {
            int count = keys(args, 2);
            if (count > 0) {
                into.key(1);
            }
            for (int i = 1; i <= count; i++) {
                into.key(2 + i);
            }
        };
    }
}
