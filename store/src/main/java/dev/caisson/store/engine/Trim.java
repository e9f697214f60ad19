package dev.caisson.store.engine;

import dev.caisson.store.data.StreamValue;
import dev.caisson.store.data.ValueSettings;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import org.jspecify.annotations.Nullable;

/** The options that XADD and XTRIM share: how much of a stream's beginning goes. */
final class Trim {
    /** Blocks that an approximate trim removes at most where LIMIT is not given. */
    private static final int DEFAULT_BLOCKS = 100;

    private final Call c;
    private final boolean adds;
    private long most = -1; // MAXLEN
    private @Nullable StreamId least; // MINID
    private boolean wholeBlocks;
    private long limit;
    private boolean limited;
    private boolean create = true;
    private int next;

    private Trim(Call c, boolean adds) {
        this.c = c;
        this.adds = adds;
    }

    /** Reads the options from argument 2 on: all of them, or those before the id if {@code adds}. */
    static Trim read(Call c, boolean adds) {
        Trim trim = new Trim(c, adds);
        int i = 2;
        while (i < c.count() && !(adds && !trim.isOption(i))) {
            i = trim.option(i);
        }
        trim.next = i;
        if (trim.limit != 0 && !trim.trims()) {
            throw new ErrorReply("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
        }
        if (!adds && !trim.trims()) {
            throw new ErrorReply("ERR syntax error, XTRIM must be called with a trimming strategy");
        }
        if (trim.limited && !trim.wholeBlocks) {
            throw new ErrorReply("ERR syntax error, LIMIT cannot be used without the special ~ option");
        }
        if (!trim.limited && trim.wholeBlocks) {
            ValueSettings values = c.values();
            trim.limit = (long) DEFAULT_BLOCKS * values.streamMaxBlockEntries();
        }
        return trim;
    }

    private boolean isOption(int arg) {
        Args a = c.args;
        boolean more = arg + 1 < c.count();
        return a.is(arg, "NOMKSTREAM") || (more && (a.is(arg, "MAXLEN") || a.is(arg, "MINID") || a.is(arg, "LIMIT")));
    }

    /** Reads one option; returns the argument after it. */
    private int option(int arg) {
        Args a = c.args;
        boolean more = arg + 1 < c.count();
        if (adds && a.is(arg, "NOMKSTREAM")) {
            create = false;
            return arg + 1;
        }
        if (more && a.is(arg, "LIMIT")) {
            limit = a.integer(arg + 1);
            if (limit < 0) {
                throw new ErrorReply("ERR The LIMIT argument must be >= 0.");
            }
            limited = true;
            return arg + 2;
        }
        boolean size = a.is(arg, "MAXLEN");
        if (!more || (!size && !a.is(arg, "MINID"))) {
            throw ErrorReply.SYNTAX;
        }
        if (trims()) {
            throw new ErrorReply("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
        }
        int value = arg + 1;
        wholeBlocks = false;
        if (arg + 2 < c.count() && (a.is(value, "~") || a.is(value, "="))) {
            wholeBlocks = a.is(value, "~");
            value++;
        }
        if (size) {
            most = a.integer(value);
            if (most < 0) {
                throw new ErrorReply("ERR The MAXLEN argument must be >= 0.");
            }
        } else {
            least = StreamId.parse(a, value, 0);
        }
        return value + 1;
    }

    /** The argument after the options. */
    int next() {
        return next;
    }

    /** Whether a stream is made where there is none. */
    boolean creates() {
        return create;
    }

    /** Whether anything is to go. */
    boolean trims() {
        return most >= 0 || least != null;
    }

    /** Removes what is to go; returns how many entries. */
    long run(StreamValue stream) {
        if (least != null) {
            return stream.trimBefore(least.ms(), least.seq(), wholeBlocks, limit);
        }
        return most < 0 ? 0 : stream.trimToSize(most, wholeBlocks, limit);
    }
}
