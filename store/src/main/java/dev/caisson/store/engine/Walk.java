package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import org.jspecify.annotations.Nullable;

/** What HSCAN, SSCAN and ZSCAN were asked, and the reply they collect. */
final class Walk {
    /** Buckets looked at for each element asked for, so that a walk through a sparse table ends too. */
    private static final int BUCKETS_PER_ELEMENT = 10;

    private static final int CURSOR_DIGITS = 20;

    /** One step of a scan; returns the next cursor. */
    @FunctionalInterface
    interface Step {
        long scan(long cursor);
    }

    private final Call c;
    private final long cursor;
    private final byte @Nullable [] pattern;
    private final long count;
    private final boolean values;
    private final RespWriter found = new RespWriter();
    private int elements;
    private int parts;

    /** Reads the options after the cursor, which is argument 2. */
    Walk(Call c, boolean mayOmitValues) {
        this.c = c;
        this.cursor = cursor(c.args, 2);
        byte[] match = null;
        long wanted = 10;
        boolean withValues = true;
        for (int i = 3; i < c.count(); i++) {
            boolean more = i + 1 < c.count();
            if (more && c.args.is(i, "COUNT")) {
                wanted = c.args.integer(++i);
                if (wanted < 1) {
                    throw ErrorReply.SYNTAX;
                }
            } else if (more && c.args.is(i, "MATCH")) {
                match = c.args.copy(++i);
            } else if (c.args.is(i, "NOVALUES")) {
                if (!mayOmitValues) {
                    throw new ErrorReply("ERR NOVALUES option can only be used in HSCAN");
                }
                withValues = false;
            } else if (c.args.is(i, "NOVALUES")) {
                throw new ErrorReply("ERR NOVALUES option can only be used in HSCAN");
            } else {
                throw ErrorReply.SYNTAX;
            }
        }
        pattern = match;
        count = wanted;
        values = withValues;
    }

    /** The cursor at {@code arg}. */
    static long cursor(Args args, int arg) {
        String text = args.text(arg);
        if (text.length() > CURSOR_DIGITS || !text.chars().allMatch(ch -> ch >= '0' && ch <= '9') || text.isEmpty()) {
            throw new ErrorReply("ERR invalid cursor");
        }
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw new ErrorReply("ERR invalid cursor");
        }
    }

    /** The reply for a key that is not there. */
    static void empty(Call c) {
        c.out.array(2).bulk("0").array(0);
    }

    /** Whether values are wanted beside the fields. */
    boolean values() {
        return values;
    }

    /** Writes an element if it is wanted; returns whether it was. */
    boolean take(byte[] bytes, int offset, int length) {
        if (pattern != null && !Glob.matches(pattern, bytes, offset, length)) {
            return false;
        }
        also(bytes, offset, length);
        elements++;
        return true;
    }

    /** Writes a part that belongs to the element just taken. */
    void also(byte[] bytes, int offset, int length) {
        found.bulk(bytes, offset, length);
        parts++;
    }

    /** Takes steps until there are enough elements, and writes the reply. */
    void run(int size, Step step) {
        c.work(Math.min(count, size));
        long buckets = count > Long.MAX_VALUE / BUCKETS_PER_ELEMENT ? Long.MAX_VALUE : count * BUCKETS_PER_ELEMENT;
        long at = cursor;
        do {
            at = step.scan(at);
        } while (at != 0 && --buckets > 0 && elements < count);
        c.out.array(2).bulk(Long.toUnsignedString(at)).array(parts);
        c.out.raw(found.array(), 0, found.length());
    }
}
