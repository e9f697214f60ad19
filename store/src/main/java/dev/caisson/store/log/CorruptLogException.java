package dev.caisson.store.log;

import java.io.IOException;

/**
 * A file of the log is damaged where a loss of power can not have damaged it. Nothing was changed; reading on would skip
 * what was acknowledged.
 */
public final class CorruptLogException extends IOException {
    private static final long serialVersionUID = 1;

    private final String file;
    private final long offset;

    CorruptLogException(LogFiles files, String file, long offset, String what) {
        super(files.describe(file) + " is damaged at byte " + offset + ": " + what
                + ". Nothing was changed. Restore the folder from a copy, or look at what is left and cut it there with:"
                + " ./caisson store repair " + files.describe());
        this.file = file;
        this.offset = offset;
    }

    /** The file's name in the folder. */
    public String file() {
        return file;
    }

    /** Where the first thing stands that can not be read, in bytes from the beginning. */
    public long offset() {
        return offset;
    }
}
