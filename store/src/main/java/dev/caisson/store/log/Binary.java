package dev.caisson.store.log;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** Numbers in byte arrays, big-endian, and the checksum of all our files: CRC32C. */
final class Binary {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private Binary() {}

    static int intAt(byte[] bytes, int at) {
        return (int) INT.get(bytes, at);
    }

    static long longAt(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at);
    }

    static void putInt(byte[] bytes, int at, int value) {
        INT.set(bytes, at, value);
    }

    static void putLong(byte[] bytes, int at, long value) {
        LONG.set(bytes, at, value);
    }

    /** CRC32C of a slice, begun with the file's salt, so that bytes of another file, or made by a user, do not pass. */
    static int crc(byte[] salt, byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(salt, 0, salt.length);
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    static byte[] salt(long value) {
        byte[] salt = new byte[8];
        putLong(salt, 0, value);
        return salt;
    }
}
