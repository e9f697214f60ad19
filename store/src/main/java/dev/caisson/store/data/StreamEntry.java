package dev.caisson.store.data;

import org.jspecify.annotations.Nullable;

/** One entry of a stream while it is visited: its id, then its fields one by one. Good during the visit only. */
public final class StreamEntry {
    private long ms;
    private long seq;
    private int fields;
    private int read;
    private byte[] bytes = {};
    private int at;
    private byte @Nullable [] names; // of the block, if the entry has those
    private int nameAt;

    StreamEntry() {}

    /** The first half of the id: milliseconds, unsigned. */
    public long ms() {
        return ms;
    }

    /** The second half of the id, unsigned. */
    public long seq() {
        return seq;
    }

    /** The number of fields, each with its value. */
    public int fields() {
        return fields;
    }

    /** Moves to the next field and its value; false after the last one. */
    public boolean next(Slice field, Slice value) {
        if (read == fields) {
            return false;
        }
        read++;
        if (names != null) {
            nameAt = take(names, nameAt, field);
        } else {
            at = take(bytes, at, field);
        }
        at = take(bytes, at, value);
        return true;
    }

    /** Points at an entry that {@link StreamBlock} wrote. */
    void set(StreamBlock block, byte[] newBytes, int start) {
        bytes = newBytes;
        read = 0;
        at = start;
        ms = block.baseMs + varint();
        seq = varint();
        fields = (int) varint();
        names = null;
        if (fields == 0) {
            names = block.names;
            fields = block.nameCount;
            nameAt = 0;
        }
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = bytes[at++];
            value |= (b & 0x7fL) << shift;
            if (b >= 0) {
                return value;
            }
        }
    }

    private static int take(byte[] from, int position, Slice slice) {
        int length = 0;
        int i = position;
        for (int shift = 0; ; shift += 7) {
            byte b = from[i++];
            length |= (b & 0x7f) << shift;
            if (b >= 0) {
                slice.set(from, i, length);
                return i + length;
            }
        }
    }
}
