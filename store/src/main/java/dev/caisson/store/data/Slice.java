package dev.caisson.store.data;

import java.util.Arrays;

/**
 * Where some bytes stand: filled by a look-up, reused by the caller, so that reading allocates nothing. The bytes belong to
 * the value that was asked and are good until its next change; nobody writes to them.
 */
public final class Slice {
    private static final byte[] NONE = {};

    private byte[] bytes = NONE;
    private int offset;
    private int length;

    /** An empty slice. */
    public Slice() {}

    /** The array in which the bytes stand. */
    public byte[] bytes() {
        return bytes;
    }

    /** Where they begin. */
    public int offset() {
        return offset;
    }

    /** How many they are. */
    public int length() {
        return length;
    }

    /** An array of its own with the bytes. */
    public byte[] copy() {
        return Arrays.copyOfRange(bytes, offset, offset + length);
    }

    /** Makes this slice point at other bytes. */
    public void set(byte[] newBytes, int newOffset, int newLength) {
        bytes = newBytes;
        offset = newOffset;
        length = newLength;
    }

    /** Lets go of the array. */
    public void clear() {
        set(NONE, 0, 0);
    }
}
