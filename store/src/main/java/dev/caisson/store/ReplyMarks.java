package dev.caisson.store;

import dev.caisson.store.resp.RespWriter;
import java.util.Arrays;

/**
 * Where the replies of an output end and which of them answer a change, for the moment when such an answer must be taken
 * back. Belongs to a loop.
 */
final class ReplyMarks {
    /* For each reply its end, and below its lowest bit whether it answers a change. */
    private long[] marks = new long[16];
    private int count;
    private final boolean on;

    /** {@code on} is false where nothing is ever taken back; then it keeps nothing. */
    ReplyMarks(boolean on) {
        this.on = on;
    }

    void add(int end, boolean wrote) {
        long before = count == 0 ? 0 : marks[count - 1] >>> 1;
        if (!on || end == before) { // the second: the client wants no reply
            return;
        }
        if (count == marks.length) {
            marks = Arrays.copyOf(marks, count * 2);
        }
        marks[count++] = (long) end << 1 | (wrote ? 1 : 0);
    }

    void clear() {
        count = 0;
    }

    long[] copy() {
        return Arrays.copyOf(marks, count);
    }

    /** The output with this error in the place of each reply that answers a change. */
    static byte[] takenBack(byte[] output, int length, long[] marks, String error) {
        RespWriter out = new RespWriter();
        int from = 0;
        for (long mark : marks) {
            int end = (int) (mark >>> 1);
            if ((mark & 1) != 0) {
                out.error(error);
            } else {
                out.raw(output, from, end - from);
            }
            from = end;
        }
        out.raw(output, from, length - from);
        return Arrays.copyOf(out.array(), out.length());
    }
}
