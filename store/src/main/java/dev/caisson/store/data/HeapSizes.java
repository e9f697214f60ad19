package dev.caisson.store.data;

/**
 * What things weigh on the heap, in bytes, for bookkeeping in O(1). The layout is HotSpot's with compressed references
 * (heaps below 32 GB) and without compact object headers; with those the truth is up to 8 bytes an object lower.
 */
public final class HeapSizes {
    /** Header of an object, before its fields; the sum is then rounded up by {@link #object}. */
    public static final int HEADER = 12;

    /** A reference in a field or an array. */
    public static final int REFERENCE = 4;

    private static final int ARRAY_HEADER = 16;
    private static final int ALIGNMENT = 8;

    private HeapSizes() {}

    /** An object whose fields take {@code fieldBytes}. */
    public static int object(int fieldBytes) {
        return (int) aligned(HEADER + fieldBytes);
    }

    /** A byte array of {@code length}. */
    public static long bytes(int length) {
        return aligned(ARRAY_HEADER + (long) length);
    }

    /** An array of {@code length} ints or references. */
    public static long words(int length) {
        return aligned(ARRAY_HEADER + 4L * length);
    }

    /** An array of {@code length} longs. */
    public static long longs(int length) {
        return ARRAY_HEADER + 8L * length;
    }

    private static long aligned(long bytes) {
        return (bytes + (ALIGNMENT - 1)) & -ALIGNMENT;
    }
}
