package dev.caisson.store.data;

import java.util.Arrays;

/**
 * Byte strings one after the other in one array, walked from either end. A position is the offset of an entry in the array;
 * {@link #end} is the position behind the last one. Small collections live in one of these: nothing is lighter, and up to
 * some hundred entries nothing is faster.
 */
final class Packed {
    /* Implementation note. An entry is its length, its bytes, and the size of both, which is read backwards:
     *
     *      length (7 bits a byte, low first) | bytes | size of the two before (7 bits a byte, high first, flag on the left)
     *
     * so that an entry of up to 125 bytes costs two bytes more than its content. */

    private static final int OWN_BYTES = HeapSizes.object(HeapSizes.REFERENCE + 8);
    private static final int SLACK = 16;
    private static final byte[] NONE = {};

    private byte[] bytes;
    private int used;
    private int count;

    Packed() {
        bytes = NONE;
    }

    private Packed(byte[] bytes, int count) {
        this.bytes = bytes;
        this.used = bytes.length;
        this.count = count;
    }

    /** An array of exactly the size needed. */
    Packed copy() {
        return new Packed(Arrays.copyOf(bytes, used), count);
    }

    byte[] bytes() {
        return bytes;
    }

    int count() {
        return count;
    }

    int end() {
        return used;
    }

    long memory() {
        return OWN_BYTES + HeapSizes.bytes(bytes.length);
    }

    /** The bytes an entry of {@code length} takes. */
    static int size(int length) {
        int front = varintSize(length) + length;
        return front + varintSize(front);
    }

    int length(int at) {
        byte first = bytes[at];
        return first >= 0 ? first : longLength(at);
    }

    private int longLength(int at) {
        int length = 0;
        int i = at;
        for (int shift = 0; ; shift += 7) {
            byte b = bytes[i++];
            length |= (b & 0x7f) << shift;
            if (b >= 0) {
                return length;
            }
        }
    }

    /** Where the bytes of the entry at {@code at} begin. */
    int start(int at) {
        int i = at;
        while (bytes[i] < 0) {
            i++;
        }
        return i + 1;
    }

    int next(int at) {
        return at + size(length(at));
    }

    /** The entry before the one at {@code at}, which is not the first. */
    int previous(int at) {
        int i = at - 1;
        int size = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = bytes[i--];
            size |= (b & 0x7f) << shift;
            if (b >= 0) {
                return i + 1 - size;
            }
        }
    }

    /** The n-th entry, walked to from the nearer end; {@link #end} for n = count. */
    int index(int n) {
        int at;
        if (n <= count / 2) {
            at = 0;
            for (int i = 0; i < n; i++) {
                at = next(at);
            }
        } else {
            at = used;
            for (int i = count; i > n; i--) {
                at = previous(at);
            }
        }
        return at;
    }

    boolean is(int at, byte[] other, int offset, int length) {
        if (length(at) != length) {
            return false;
        }
        int start = start(at);
        return Arrays.equals(bytes, start, start + length, other, offset, offset + length);
    }

    /** The first entry equal to the slice among every {@code stride}-th from the first, or -1. */
    int find(int stride, byte[] other, int offset, int length) {
        int at = 0;
        while (at < used) {
            if (is(at, other, offset, length)) {
                return at;
            }
            for (int i = 0; i < stride; i++) {
                at = next(at);
            }
        }
        return -1;
    }

    void append(byte[] from, int offset, int length) {
        insert(used, from, offset, length);
    }

    /** Puts an entry before the one at {@code at}. The slice is not of this array. */
    void insert(int at, byte[] from, int offset, int length) {
        int start = open(at, length);
        System.arraycopy(from, offset, bytes, start, length);
    }

    /** Makes room for an entry of {@code length} before {@code at}; returns where its bytes are to be written. */
    int open(int at, int length) {
        int size = size(length);
        shift(at, size);
        count++;
        return frame(at, length);
    }

    /** Gives the entry at {@code at} other bytes; the slice is not of this array. */
    void replace(int at, byte[] from, int offset, int length) {
        int former = size(length(at));
        int size = size(length);
        if (size != former) {
            shift(at + former, size - former);
        }
        int start = frame(at, length);
        System.arraycopy(from, offset, bytes, start, length);
    }

    void remove(int at) {
        removeRange(at, next(at), 1);
    }

    /** Removes the {@code entries} between two positions. */
    void removeRange(int from, int to, int entries) {
        shift(to, from - to);
        count -= entries;
        if (bytes.length - used > used / 2 + 2 * SLACK) {
            bytes = Arrays.copyOf(bytes, used + SLACK);
        }
    }

    /** Takes away what the array has in reserve. */
    void trim() {
        if (bytes.length > used) {
            bytes = Arrays.copyOf(bytes, used);
        }
    }

    /** Moves the bytes from {@code at} on by {@code by}, either way. */
    private void shift(int at, int by) {
        int needed = Math.addExact(used, by);
        byte[] to = bytes;
        if (needed > bytes.length) {
            to = new byte[(int) Math.min(Integer.MAX_VALUE - 8, Math.max(needed, used + used / 4L + SLACK))];
            System.arraycopy(bytes, 0, to, 0, at);
        }
        System.arraycopy(bytes, at, to, at + by, used - at);
        bytes = to;
        used = needed;
    }

    /** Writes length and size around the place of the bytes, which is returned. */
    private int frame(int at, int length) {
        int i = at;
        int rest = length;
        while (rest > 0x7f) {
            bytes[i++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[i++] = (byte) rest;
        int size = i - at + length;
        int last = i + length + varintSize(size) - 1;
        int left = size;
        while (left > 0x7f) {
            bytes[last--] = (byte) (left | 0x80);
            left >>>= 7;
        }
        bytes[last] = (byte) left;
        return i;
    }

    private static int varintSize(int value) {
        return value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;
    }
}
