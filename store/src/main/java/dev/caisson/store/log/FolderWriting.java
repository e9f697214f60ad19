package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Writing whole things through an interface that may write less. */
final class FolderWriting {
    /** After that many writes in a row that took nothing, the disk is called full. */
    private static final int EMPTY_WRITES_MAX = 16;

    private static final int COPY_BYTES = 256 << 10;

    private FolderWriting() {}

    /** Writes all that remains. */
    static void writeFully(LogFile file, ByteBuffer bytes) throws IOException {
        int empty = 0;
        while (bytes.hasRemaining()) {
            if (file.write(bytes) > 0) {
                empty = 0;
            } else if (++empty == EMPTY_WRITES_MAX) {
                throw new IOException("nothing could be written, " + empty + " times in a row");
            }
        }
    }

    /**
     * Puts a part of one file, in bytes from and to, into a new file that takes its name only when it is whole and forced.
     * The folder is left to the caller to force.
     */
    static void copy(LogFiles files, String from, String to, Range range) throws IOException {
        String unfinished = to + Recovery.UNFINISHED;
        files.delete(unfinished);
        try (LogFile in = files.open(from);
                LogFile out = files.create(unfinished)) {
            ByteBuffer buffer = ByteBuffer.allocate(COPY_BYTES);
            for (long at = range.from(); at < range.to(); ) {
                buffer.clear().limit((int) Math.min(COPY_BYTES, range.to() - at));
                int read = in.read(buffer, at);
                if (read <= 0) {
                    throw new IOException(files.describe(from) + " became shorter while it was read");
                }
                at += read;
                writeFully(out, buffer.flip());
            }
            out.force();
        }
        files.rename(unfinished, to);
    }

    /** Bytes of a file, the second bound excluded. */
    record Range(long from, long to) {}
}
