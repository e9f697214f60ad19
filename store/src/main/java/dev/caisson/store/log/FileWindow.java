package dev.caisson.store.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A file seen through a buffer that moves along it and grows only as far as the file really reaches. */
final class FileWindow implements Closeable {
    private static final int WINDOW_BYTES = 1 << 20;

    private final LogFile file;
    private final long size;
    private byte[] bytes;
    private long base;
    private int filled;

    FileWindow(LogFile file) throws IOException {
        this.file = file;
        this.size = file.size();
        this.bytes = new byte[(int) Math.min(WINDOW_BYTES, size)];
    }

    /** The size when it was opened, in bytes. */
    long size() {
        return size;
    }

    /** The array that the bytes lie in after {@link #show}. */
    byte[] bytes() {
        return bytes;
    }

    /** Makes bytes of the file visible; returns where they begin in the array, or -1 if the file does not have them. */
    int show(long position, long length) throws IOException {
        if (length < 0 || length > size - position || length > Integer.MAX_VALUE - 64) {
            return -1;
        }
        if (position < base || position + length > base + filled) {
            if (length > bytes.length) {
                bytes = Arrays.copyOf(bytes, (int) length);
            }
            move(position);
            if (filled < length) {
                return -1;
            }
        }
        return (int) (position - base);
    }

    private void move(long position) throws IOException {
        int kept = 0;
        if (position >= base && position < base + filled) {
            kept = (int) (base + filled - position);
            System.arraycopy(bytes, (int) (position - base), bytes, 0, kept);
        }
        base = position;
        filled = kept;
        int wanted = (int) Math.min(bytes.length, size - position);
        while (filled < wanted) {
            int read = file.read(ByteBuffer.wrap(bytes, filled, wanted - filled), base + filled);
            if (read <= 0) {
                return;
            }
            filled += read;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
