package dev.caisson.store.engine;

import java.util.Arrays;

/**
 * A key with a string value as one byte array, the whole entry of a shard's table.
 *
 * <pre>
 *   byte 0      flags
 *   bytes 1-3   when it was last used, in seconds modulo 2^24 (written by the shard's owner only)
 *   2 or 4      length of the key (4 if LONG_KEY)
 *   0 or 8      when it expires, milliseconds since 1970 (8 if EXPIRES)
 *   key, value
 * </pre>
 *
 * <p>But for bytes 0 (LEASED) to 3 an entry never changes, so a reply may still be written from it when the key has a new one.
 */
public final class StringEntry {
    static final int EXPIRES = 1;
    static final int LONG_KEY = 2;
    /** Shown as "raw" whatever its content: it was appended to or written into. */
    static final int RAW = 4;

    static final int LEASED = 8;
    /** Which of two epochs it was put or last written to a snapshot in, see {@link Shard}. */
    static final int EPOCH = 16;
    /** Not shown as "int" although it is one: arithmetic on fractions made it. */
    static final int TEXT = 32;

    private static final int HEAD = 4;

    private StringEntry() {}

    /** Makes an entry; {@code expireAt} is -1 for never. */
    public static byte[] of(
            byte[] key, int keyOffset, int keyLength, byte[] value, int offset, int length, long expireAt) {
        byte[] entry = blank(key, keyOffset, keyLength, length, expireAt);
        System.arraycopy(value, offset, entry, entry.length - length, length);
        return entry;
    }

    /** Makes an entry whose value is still zeros; the caller fills the last {@code length} bytes. */
    public static byte[] blank(byte[] key, int keyOffset, int keyLength, int length, long expireAt) {
        boolean isLong = keyLength > 0xffff;
        boolean expires = expireAt >= 0;
        int at = HEAD + (isLong ? 4 : 2) + (expires ? 8 : 0);
        byte[] entry = new byte[Math.addExact(Math.addExact(at, keyLength), length)];
        entry[0] = (byte) ((isLong ? LONG_KEY : 0) | (expires ? EXPIRES : 0));
        int next = HEAD;
        if (isLong) {
            entry[next++] = (byte) (keyLength >>> 24);
            entry[next++] = (byte) (keyLength >>> 16);
        }
        entry[next++] = (byte) (keyLength >>> 8);
        entry[next++] = (byte) keyLength;
        if (expires) {
            for (int shift = 56; shift >= 0; shift -= 8) {
                entry[next++] = (byte) (expireAt >>> shift);
            }
        }
        System.arraycopy(key, keyOffset, entry, next, keyLength);
        return entry;
    }

    /** The same key and value with another time; the flags but EXPIRES are kept. */
    static byte[] withExpiry(byte[] entry, long expireAt) {
        int at = valueOffset(entry);
        byte[] changed = of(entry, keyOffset(entry), keyLength(entry), entry, at, entry.length - at, expireAt);
        changed[0] |= (byte) (entry[0] & (RAW | TEXT | LEASED));
        System.arraycopy(entry, 1, changed, 1, 3);
        return changed;
    }

    static int keyLength(byte[] entry) {
        int two = (entry[HEAD] & 0xff) << 8 | (entry[HEAD + 1] & 0xff);
        return (entry[0] & LONG_KEY) == 0 ? two : two << 16 | (entry[HEAD + 2] & 0xff) << 8 | (entry[HEAD + 3] & 0xff);
    }

    static int keyOffset(byte[] entry) {
        return HEAD + ((entry[0] & LONG_KEY) == 0 ? 2 : 4) + ((entry[0] & EXPIRES) == 0 ? 0 : 8);
    }

    static byte[] key(byte[] entry) {
        int from = keyOffset(entry);
        return Arrays.copyOfRange(entry, from, from + keyLength(entry));
    }

    static boolean keyIs(byte[] entry, byte[] bytes, int offset, int length) {
        if (keyLength(entry) != length) {
            return false;
        }
        int from = keyOffset(entry);
        return Arrays.equals(entry, from, from + length, bytes, offset, offset + length);
    }

    /** Where the value begins; it ends with the array. */
    public static int valueOffset(byte[] entry) {
        return keyOffset(entry) + keyLength(entry);
    }

    public static int valueLength(byte[] entry) {
        return entry.length - valueOffset(entry);
    }

    /** When it expires, milliseconds since 1970; -1 for never. */
    public static long expireAt(byte[] entry) {
        if ((entry[0] & EXPIRES) == 0) {
            return -1;
        }
        int at = HEAD + ((entry[0] & LONG_KEY) == 0 ? 2 : 4);
        long time = 0;
        for (int i = 0; i < 8; i++) {
            time = time << 8 | (entry[at + i] & 0xff);
        }
        return time;
    }

    static boolean isRaw(byte[] entry) {
        return (entry[0] & RAW) != 0;
    }

    static void markRaw(byte[] entry) {
        entry[0] |= RAW;
    }

    static boolean isText(byte[] entry) {
        return (entry[0] & TEXT) != 0;
    }

    static void markText(byte[] entry) {
        entry[0] |= TEXT;
    }

    /** Gives an entry the look of another with the same value. */
    static void markLike(byte[] entry, byte[] other) {
        entry[0] |= (byte) (other[0] & (RAW | TEXT));
    }

    static boolean isLeased(byte[] entry) {
        return (entry[0] & LEASED) != 0;
    }

    static void markLeased(byte[] entry) {
        entry[0] |= LEASED;
    }

    static void unmarkLeased(byte[] entry) {
        entry[0] &= ~LEASED;
    }

    static int clock(byte[] entry) {
        return (entry[1] & 0xff) << 16 | (entry[2] & 0xff) << 8 | (entry[3] & 0xff);
    }

    static void clock(byte[] entry, int clock) {
        entry[1] = (byte) (clock >>> 16);
        entry[2] = (byte) (clock >>> 8);
        entry[3] = (byte) clock;
    }

    /** What it takes on the heap: array header and padding included. */
    static long memory(byte[] entry) {
        return (16L + entry.length + 7) & ~7L;
    }

    static boolean epoch(byte[] entry) {
        return (entry[0] & EPOCH) != 0;
    }

    static void epoch(byte[] entry, boolean epoch) {
        entry[0] = (byte) (epoch ? entry[0] | EPOCH : entry[0] & ~EPOCH);
    }
}
