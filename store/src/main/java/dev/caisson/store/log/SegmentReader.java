package dev.caisson.store.log;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads one segment. Never gives a record whose checksum or index is not right, never allocates by what a damaged length
 * says but by what the file holds, and always ends.
 */
final class SegmentReader implements Closeable {
    /** How a segment ended for its reader. */
    enum Ending {
        /** Exactly after a record. */
        END,
        /** With a seal. */
        SEALED,
        /** With bytes that are no record, or no record that belongs here. */
        DAMAGED
    }

    /** The search for proof computes checksums over at most that many times the file's size. */
    private static final int SEARCH_FACTOR = 16;

    private final FileWindow window;
    private final LogRecord shown = new LogRecord();
    private final @Nullable FileHeader header;
    private final int version;
    private long position;
    private Ending ending = Ending.END;

    private SegmentReader(FileWindow window, byte[] magic) throws IOException {
        this.window = window;
        int at = window.show(0, FileHeader.BYTES);
        header = at < 0 ? null : FileHeader.decode(magic, window.bytes(), at);
        version = at < 0 ? FileHeader.VERSION : FileHeader.version(window.bytes(), at);
        position = at < 0 ? 0 : FileHeader.BYTES;
    }

    /** Opens a segment and reads its header; the caller owns the reader. */
    static SegmentReader open(LogFiles files, String name) throws IOException {
        FileWindow window = new FileWindow(files.open(name));
        try {
            return new SegmentReader(window, Segment.MAGIC);
        } catch (IOException | RuntimeException failure) {
            window.close();
            throw failure;
        }
    }

    /** Whether the header can be read. */
    boolean hasHeader() {
        return header != null;
    }

    /** The version that the header names, if it is there at all. */
    int version() {
        return version;
    }

    /** Whether the file ends before its header does, as only a file does that was being made. */
    boolean unborn() {
        return header == null && window.size() <= FileHeader.BYTES;
    }

    private FileHeader header() {
        FileHeader known = header;
        if (known == null) {
            throw new IllegalStateException("the segment has no header");
        }
        return known;
    }

    long first() {
        return header().index();
    }

    /** Where the next record is expected; at the end, where reading stopped. */
    long position() {
        return position;
    }

    long size() {
        return window.size();
    }

    Ending ending() {
        return ending;
    }

    /** The next record, which must have that index; null where they end, see {@link #ending}. */
    @Nullable
    LogRecord next(long index) throws IOException {
        if (ending != Ending.END || position == window.size()) {
            return null;
        }
        int at = record(position, header().salt());
        if (at < 0 || Binary.longAt(window.bytes(), at + Segment.INDEX) != index) {
            ending = Ending.DAMAGED;
            return null;
        }
        int length = Binary.intAt(window.bytes(), at + Segment.LENGTH);
        if (length == 0) {
            // The seal is the last thing in its file; whatever follows it is not ours.
            ending = position + Segment.RECORD_HEADER == window.size() ? Ending.SEALED : Ending.DAMAGED;
            return null;
        }
        position += Segment.RECORD_HEADER + length;
        shown.show(window.bytes(), at);
        return shown;
    }

    /** Where in the window's array the valid record at a position begins; -1 if there is none. */
    private int record(long from, byte[] salt) throws IOException {
        int at = window.show(from, Segment.RECORD_HEADER);
        if (at < 0) {
            return -1;
        }
        int length = Binary.intAt(window.bytes(), at + Segment.LENGTH);
        if (length < 0) {
            return -1;
        }
        at = window.show(from, (long) Segment.RECORD_HEADER + length);
        if (at < 0 || Binary.intAt(window.bytes(), at) != Segment.checksum(window.bytes(), at, salt)) {
            return -1;
        }
        return at;
    }

    /** What stands behind damage. */
    enum Behind {
        /** Nothing that could be read. */
        NOTHING,
        /** Records, but none that was written after the damaged one was durable: a loss of power explains it. */
        UNFORCED,
        /** A record that was written after the damaged one was durable: no loss of power explains it. */
        PROOF
    }

    /** Looks, after reading stopped at damage, at what stands behind it; the damaged record would have this index. */
    Behind behind(long index) throws IOException {
        byte[] salt = header().salt();
        long limit = index + window.size() / Segment.RECORD_HEADER;
        long work = Math.multiplyExact(window.size(), SEARCH_FACTOR);
        Behind found = Behind.NOTHING;
        for (long from = position; from <= window.size() - Segment.RECORD_HEADER; from++) {
            int at = window.show(from, Segment.RECORD_HEADER);
            if (at < 0) {
                return found;
            }
            long seen = Binary.longAt(window.bytes(), at + Segment.INDEX);
            if (seen < index || seen > limit) {
                continue;
            }
            boolean proves = seen - Binary.intAt(window.bytes(), at + Segment.BEHIND) >= index;
            if (found != Behind.NOTHING && !proves) {
                continue;
            }
            int length = Binary.intAt(window.bytes(), at + Segment.LENGTH);
            if (length < 0 || length > window.size() - from - Segment.RECORD_HEADER) {
                continue;
            }
            work -= length + Segment.RECORD_HEADER;
            if (work < 0) {
                return Behind.PROOF; // not proved, but nobody may cut here without looking
            }
            if (record(from, salt) >= 0) {
                if (proves) {
                    return Behind.PROOF;
                }
                found = Behind.UNFORCED;
            }
        }
        return found;
    }

    @Override
    public void close() throws IOException {
        window.close();
    }
}
