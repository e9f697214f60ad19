package dev.caisson.store.data;

import java.util.Arrays;

/**
 * Consecutive entries of a stream in one array. Most entries of a stream have the same fields, so the block keeps the
 * names of its first entry, and an entry with those has values only.
 */
final class StreamBlock {
    /* Implementation note. An entry, numbers at 7 bits a byte, low first:
     *
     *      ms - baseMs | seq | 0: the block's names, else the number of fields | length, bytes of each name and value */

    private static final int OWN_BYTES = HeapSizes.object(2 * 8 + 2 * HeapSizes.REFERENCE + 3 * 4);

    final long baseMs;
    final long baseSeq;
    final byte[] names; // length, bytes of each
    final int nameCount;
    final Packed entries = new Packed();
    int appended; // entries ever put here

    /** A block whose first entry will have this id and these parts. */
    StreamBlock(long baseMs, long baseSeq, int fields, StreamValue.Parts parts) {
        this.baseMs = baseMs;
        this.baseSeq = baseSeq;
        long size = 0;
        for (int i = 0; i < fields; i++) {
            size += numberSize(parts.length(2 * i)) + (long) parts.length(2 * i);
        }
        names = new byte[Math.toIntExact(size)];
        nameCount = fields;
        int at = 0;
        for (int i = 0; i < fields; i++) {
            at = putPart(names, at, parts, 2 * i);
        }
    }

    long memory() {
        return OWN_BYTES + HeapSizes.bytes(names.length) + entries.memory();
    }

    /** The bytes that an entry will take here. */
    long sizeOf(long ms, long seq, int fields, StreamValue.Parts parts) {
        boolean same = hasNames(fields, parts);
        long size = numberSize(ms - baseMs) + (long) numberSize(seq) + (same ? 1 : numberSize(fields));
        for (int i = 0; i < 2 * fields; i++) {
            if (!same || i % 2 == 1) {
                size += numberSize(parts.length(i)) + (long) parts.length(i);
            }
        }
        return size;
    }

    void append(long ms, long seq, int fields, StreamValue.Parts parts) {
        int size = Math.toIntExact(sizeOf(ms, seq, fields, parts));
        boolean same = hasNames(fields, parts);
        int at = entries.open(entries.end(), size);
        byte[] bytes = entries.bytes();
        at = putNumber(bytes, at, ms - baseMs);
        at = putNumber(bytes, at, seq);
        at = putNumber(bytes, at, same ? 0 : fields);
        for (int i = 0; i < 2 * fields; i++) {
            if (!same || i % 2 == 1) {
                at = putPart(bytes, at, parts, i);
            }
        }
        appended++;
    }

    private boolean hasNames(int fields, StreamValue.Parts parts) {
        if (fields != nameCount) {
            return false;
        }
        int at = 0;
        for (int i = 0; i < fields; i++) {
            int length = parts.length(2 * i);
            int start = at + numberSize(length);
            int end = start + length;
            if (end > names.length
                    || !isNumber(names, at, length)
                    || !Arrays.equals(
                            names, start, end, parts.bytes(2 * i), parts.offset(2 * i), parts.offset(2 * i) + length)) {
                return false;
            }
            at = end;
        }
        return true;
    }

    private static boolean isNumber(byte[] bytes, int position, int value) {
        int rest = value;
        int at = position;
        while (rest > 0x7f) {
            if (bytes[at++] != (byte) (rest | 0x80)) {
                return false;
            }
            rest >>>= 7;
        }
        return bytes[at] == rest;
    }

    private static int putPart(byte[] to, int position, StreamValue.Parts parts, int i) {
        int at = putNumber(to, position, parts.length(i));
        System.arraycopy(parts.bytes(i), parts.offset(i), to, at, parts.length(i));
        return at + parts.length(i);
    }

    private static int putNumber(byte[] to, int position, long value) {
        long rest = value;
        int at = position;
        while ((rest & ~0x7fL) != 0) {
            to[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        to[at++] = (byte) rest;
        return at;
    }

    private static int numberSize(long value) {
        return 1 + (63 - Long.numberOfLeadingZeros(value | 1)) / 7;
    }
}
