package dev.caisson.store.log;

import java.io.IOException;
import java.util.List;

/**
 * The files of one folder, as far as the log needs them: the only way by which this package reaches a disk.
 *
 * <p>What survives a loss of power is what an implementation promises and no more: the bytes of a file up to its last
 * successful {@link LogFile#force}, under the names that stood when {@link #forceFolder} last succeeded. Everything after
 * that may survive whole, in part, or not at all.
 *
 * <p>Names are plain file names. Thread-safe; a {@link LogFile} is not.
 */
public interface LogFiles {
    /** Names of all files in the folder, in no order. */
    List<String> list() throws IOException;

    /**
     * Makes a new, empty file for writing. The caller owns it and closes it.
     *
     * @throws IOException if the name is taken, too
     */
    LogFile create(String name) throws IOException;

    /** Opens a file for reading. The caller owns it and closes it. */
    LogFile open(String name) throws IOException;

    /** Gives a file another name, atomically, taking the place of a file that has it. */
    void rename(String from, String to) throws IOException;

    /** Removes a file; nothing happens if there is none. */
    void delete(String name) throws IOException;

    /** Returns once the names as they are now survive a loss of power. */
    void forceFolder() throws IOException;

    /**
     * Makes this process the only one that uses the folder. The caller owns the lock and closes it; it also ends with the
     * process, however that ends.
     *
     * @throws IOException if the folder is in use; the message names the holder where it is known
     */
    AutoCloseable lock() throws IOException;

    /** How messages name a file: the path by which a user finds it. */
    String describe(String name);

    /** How messages name the folder. */
    String describe();
}
