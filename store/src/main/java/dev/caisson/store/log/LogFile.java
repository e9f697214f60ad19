package dev.caisson.store.log;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One open file. Not thread-safe: its opener owns it. */
public interface LogFile extends Closeable {
    /**
     * Writes bytes at the end of the file.
     *
     * @return how many, at least one if any remain: often fewer than remain
     */
    int write(ByteBuffer bytes) throws IOException;

    /**
     * Returns once all that was written survives a loss of power. When this fails, nobody knows what of the bytes since
     * the last success survives, and a later success does not tell either.
     */
    void force() throws IOException;

    /** The length in bytes. */
    long size() throws IOException;

    /**
     * Reads bytes from a position, in bytes from the beginning.
     *
     * @return how many; -1 at the end
     */
    int read(ByteBuffer into, long position) throws IOException;
}
