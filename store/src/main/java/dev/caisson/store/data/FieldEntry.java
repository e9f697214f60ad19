package dev.caisson.store.data;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** One field of a large hash in one byte array that never changes. */
final class FieldEntry {
    /* Implementation note:
     *
     *      field length * 2 + (1: expires), 7 bits a byte, low first | time of expiry, 8 bytes, if it expires | field | value */

    static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN)
            .withInvokeExactBehavior();

    private FieldEntry() {}

    static byte[] of(
            byte[] fields, int field, int fieldLength, byte[] values, int value, int valueLength, long expiry) {
        boolean expires = expiry != HashValue.NEVER;
        long head = (long) fieldLength << 1 | (expires ? 1 : 0);
        int headSize = 1;
        while (head >>> (7 * headSize) != 0) {
            headSize++;
        }
        int timeSize = expires ? 8 : 0;
        byte[] entry = new byte[Math.addExact(headSize + timeSize + fieldLength, valueLength)];
        for (int i = 0; i < headSize; i++) {
            entry[i] = (byte) (head >>> (7 * i) & 0x7f | (i < headSize - 1 ? 0x80 : 0));
        }
        if (expires) {
            LONG.set(entry, headSize, expiry);
        }
        int at = headSize + timeSize;
        System.arraycopy(fields, field, entry, at, fieldLength);
        System.arraycopy(values, value, entry, at + fieldLength, valueLength);
        return entry;
    }

    static int fieldStart(byte[] entry) {
        int at = headSize(entry);
        return expires(entry) ? at + 8 : at;
    }

    static int fieldLength(byte[] entry) {
        long head = 0;
        int i = 0;
        for (int shift = 0; ; shift += 7) {
            byte b = entry[i++];
            head |= (b & 0x7fL) << shift;
            if (b >= 0) {
                return (int) (head >>> 1);
            }
        }
    }

    static int valueStart(byte[] entry) {
        return fieldStart(entry) + fieldLength(entry);
    }

    /** Milliseconds since 1970, or {@link HashValue#NEVER}. */
    static long expiry(byte[] entry) {
        return expires(entry) ? (long) LONG.get(entry, headSize(entry)) : HashValue.NEVER;
    }

    private static boolean expires(byte[] entry) {
        return (entry[0] & 1) != 0;
    }

    private static int headSize(byte[] entry) {
        int i = 0;
        while (entry[i] < 0) {
            i++;
        }
        return i + 1;
    }
}
