package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.nio.charset.StandardCharsets;

/** The id of a stream entry: two unsigned numbers, {@code 1526919030474-55}. */
record StreamId(long ms, long seq) {
    static final StreamId LEAST = new StreamId(0, 0);
    static final StreamId GREATEST = new StreamId(-1, -1);

    private static final int UNSIGNED_DIGITS = 20;

    /** Reads an id; {@code seq} stands in where only the first number is given. */
    static StreamId parse(Args args, int arg, long seq) {
        return parse(args.text(arg), seq);
    }

    static StreamId parse(String text, long seq) {
        int dash = text.indexOf('-');
        return dash < 0
                ? new StreamId(number(text), seq)
                : new StreamId(number(text.substring(0, dash)), number(text.substring(dash + 1)));
    }

    /** Reads the first id of a range: {@code -}, {@code +}, an id, or {@code (id} for what comes after it. */
    static StreamId first(Args args, int arg) {
        String text = args.text(arg);
        if (!text.startsWith("(")) {
            return end(text, 0);
        }
        StreamId id = parse(text.substring(1), 0);
        if (id.equals(GREATEST)) {
            throw new ErrorReply("ERR invalid start ID for the interval");
        }
        return id.next();
    }

    /** Reads the last id of a range, as {@link #first}; {@code (id} for what comes before it. */
    static StreamId last(Args args, int arg) {
        String text = args.text(arg);
        if (!text.startsWith("(")) {
            return end(text, -1);
        }
        StreamId id = parse(text.substring(1), -1);
        if (id.equals(LEAST)) {
            throw new ErrorReply("ERR invalid end ID for the interval");
        }
        return id.seq != 0 ? new StreamId(id.ms, id.seq - 1) : new StreamId(id.ms - 1, -1);
    }

    private static StreamId end(String text, long seq) {
        return text.equals("-") ? LEAST : text.equals("+") ? GREATEST : parse(text, seq);
    }

    /** The id that follows this one, which is not {@link #GREATEST}. */
    StreamId next() {
        return seq != -1 ? new StreamId(ms, seq + 1) : new StreamId(ms + 1, 0);
    }

    byte[] bytes() {
        return toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(ms) + "-" + Long.toUnsignedString(seq);
    }

    /** An unsigned number. */
    static long number(String text) {
        if (text.isEmpty() || text.length() > UNSIGNED_DIGITS || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw invalid();
        }
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException e) {
            throw invalid();
        }
    }

    private static ErrorReply invalid() {
        return new ErrorReply("ERR Invalid stream ID specified as stream command argument");
    }
}
