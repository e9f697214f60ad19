package dev.caisson.store.log;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What each of our files begins with.
 *
 * <pre>
 *   0        8           12        20       28       32
 *   | magic  | version   | index   | salt   | CRC32C |
 * </pre>
 *
 * The checksum is over what stands before it; those of the rest of the file begin with the salt.
 */
record FileHeader(byte[] magic, long index, byte[] salt) {
    static final int BYTES = 32;
    static final int VERSION = 1;

    private static final int CRC_AT = 28;
    private static final byte[] NO_SALT = {};

    byte[] encoded() {
        byte[] bytes = new byte[BYTES];
        System.arraycopy(magic, 0, bytes, 0, magic.length);
        Binary.putInt(bytes, 8, VERSION);
        Binary.putLong(bytes, 12, index);
        System.arraycopy(salt, 0, bytes, 20, salt.length);
        Binary.putInt(bytes, CRC_AT, Binary.crc(NO_SALT, bytes, 0, CRC_AT));
        return bytes;
    }

    /** The header at that place of an array; null if it is none. Other versions are for the caller to tell. */
    static @Nullable FileHeader decode(byte[] magic, byte[] bytes, int at) {
        if (!Arrays.equals(magic, 0, magic.length, bytes, at, at + magic.length)
                || Binary.intAt(bytes, at + CRC_AT) != Binary.crc(NO_SALT, bytes, at, CRC_AT)
                || version(bytes, at) != VERSION) {
            return null;
        }
        return new FileHeader(magic, Binary.longAt(bytes, at + 12), Arrays.copyOfRange(bytes, at + 20, at + CRC_AT));
    }

    static int version(byte[] bytes, int at) {
        return Binary.intAt(bytes, at + 8);
    }
}
