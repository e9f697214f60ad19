package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/**
 * The format of a snapshot, all that the records up to an index came to: a {@link FileHeader} with that index, blocks, and a
 * footer at the very end, which is a block of length -1.
 *
 * <pre>
 *   0        4        8              16
 *   | CRC32C | length | block number | payload: whole commands in RESP
 *   | CRC32C |   -1   | blocks       | entries (8 bytes) | payload bytes of all blocks (8 bytes)
 * </pre>
 *
 * A snapshot takes its name only when it is whole and forced, so one that can not be read was damaged later.
 */
final class SnapshotFile {
    static final byte[] MAGIC = "CAISSNAP".getBytes(StandardCharsets.US_ASCII);

    private static final String PREFIX = "snapshot-";
    private static final String SUFFIX = ".snap";
    private static final int CRC = 0;
    private static final int LENGTH = 4;
    private static final int NUMBER = 8;
    private static final int BLOCK_HEADER = 16;
    private static final int ENTRIES = 16;
    private static final int PAYLOAD_BYTES = 24;
    private static final int FOOTER = 32;
    private static final int FOOTER_MARK = -1;

    private SnapshotFile() {}

    static String name(long index) {
        return PREFIX + Segment.digits(index) + SUFFIX;
    }

    /** The snapshots among these names, by their index. */
    static NavigableMap<Long, String> among(Collection<String> names) {
        return Segment.numbered(names, PREFIX, SUFFIX);
    }

    /** Writes one snapshot under a name that recovery deletes, then gives it its own. One thread. */
    static final class Writing implements AutoCloseable {
        private final LogFiles files;
        private final LogFile file;
        private final FileHeader header;
        private long blocks;
        private long entries;
        private long payloadBytes;
        private boolean finished;

        private Writing(LogFiles files, LogFile file, FileHeader header) {
            this.files = files;
            this.file = file;
            this.header = header;
        }

        static Writing begin(LogFiles files, long index, long salt) throws IOException {
            String unfinished = name(index) + Recovery.UNFINISHED;
            files.delete(unfinished);
            Writing writing =
                    new Writing(files, files.create(unfinished), new FileHeader(MAGIC, index, Binary.salt(salt)));
            try {
                FolderWriting.writeFully(writing.file, ByteBuffer.wrap(writing.header.encoded()));
            } catch (IOException failure) {
                writing.close();
                throw failure;
            }
            return writing;
        }

        /** Adds a block: whole commands, that stand for so many entries. */
        void block(byte[] payload, int length, int entriesInIt) throws IOException {
            byte[] head = new byte[BLOCK_HEADER];
            Binary.putInt(head, LENGTH, length);
            Binary.putLong(head, NUMBER, blocks);
            Binary.putInt(head, CRC, Blocks.crc(header.salt(), head, payload, length));
            FolderWriting.writeFully(file, ByteBuffer.wrap(head));
            FolderWriting.writeFully(file, ByteBuffer.wrap(payload, 0, length));
            blocks++;
            entries += entriesInIt;
            payloadBytes += length;
        }

        /** Ends the file, forces it, and gives it its name, for good. */
        void finish() throws IOException {
            byte[] footer = new byte[FOOTER];
            Binary.putInt(footer, LENGTH, FOOTER_MARK);
            Binary.putLong(footer, NUMBER, blocks);
            Binary.putLong(footer, ENTRIES, entries);
            Binary.putLong(footer, PAYLOAD_BYTES, payloadBytes);
            Binary.putInt(footer, CRC, Binary.crc(header.salt(), footer, LENGTH, FOOTER - LENGTH));
            FolderWriting.writeFully(file, ByteBuffer.wrap(footer));
            file.force();
            file.close();
            String name = name(header.index());
            files.rename(name + Recovery.UNFINISHED, name);
            finished = true;
            files.forceFolder();
        }

        long payloadBytes() {
            return payloadBytes;
        }

        long entries() {
            return entries;
        }

        /** Closes the file and, if it was not finished, removes it. */
        @Override
        public void close() throws IOException {
            if (!finished) {
                try (file) {
                    files.delete(name(header.index()) + Recovery.UNFINISHED);
                }
            }
        }
    }

    /** The checksum of a block, whose header and payload lie in two arrays. */
    private static final class Blocks {
        static int crc(byte[] salt, byte[] head, byte[] payload, int length) {
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(salt, 0, salt.length);
            crc.update(head, LENGTH, BLOCK_HEADER - LENGTH);
            crc.update(payload, 0, length);
            return (int) crc.getValue();
        }
    }

    /** Takes blocks while a snapshot is read. */
    @FunctionalInterface
    interface BlockSink {
        void block(byte[] bytes, int offset, int length);
    }

    /** Where a snapshot is damaged, and how. */
    record Damage(long offset, String what) {}

    /** Reads a snapshot to its end; null if it is whole, else the first damage, after the blocks before it. */
    static @Nullable Damage read(LogFiles files, long index, BlockSink sink) throws IOException {
        String name = name(index);
        try (FileWindow window = new FileWindow(files.open(name))) {
            int at = window.show(0, FileHeader.BYTES);
            if (at >= 0 && FileHeader.version(window.bytes(), at) != FileHeader.VERSION) {
                return new Damage(
                        0,
                        "its format is version " + FileHeader.version(window.bytes(), at) + ", and this program reads "
                                + FileHeader.VERSION);
            }
            FileHeader header = at < 0 ? null : FileHeader.decode(MAGIC, window.bytes(), at);
            if (header == null || header.index() != index) {
                return new Damage(0, "the header can not be read");
            }
            return read(window, header.salt(), sink);
        }
    }

    private static @Nullable Damage read(FileWindow window, byte[] salt, BlockSink sink) throws IOException {
        long position = FileHeader.BYTES;
        long payloadBytes = 0;
        for (long number = 0; ; number++) {
            int at = window.show(position, BLOCK_HEADER);
            if (at < 0) {
                return new Damage(position, "the file ends without its footer");
            }
            int length = Binary.intAt(window.bytes(), at + LENGTH);
            if (length == FOOTER_MARK) {
                return footer(window, position, salt, number, payloadBytes);
            }
            at = length < 0 ? -1 : window.show(position, (long) BLOCK_HEADER + length);
            if (at < 0
                    || Binary.longAt(window.bytes(), at + NUMBER) != number
                    || Binary.intAt(window.bytes(), at + CRC)
                            != Binary.crc(salt, window.bytes(), at + LENGTH, BLOCK_HEADER - LENGTH + length)) {
                return new Damage(position, "a block can not be read");
            }
            sink.block(window.bytes(), at + BLOCK_HEADER, length);
            payloadBytes += length;
            position += BLOCK_HEADER + length;
        }
    }

    private static @Nullable Damage footer(FileWindow window, long position, byte[] salt, long blocks, long bytes)
            throws IOException {
        int at = window.show(position, FOOTER);
        boolean whole = at >= 0
                && position + FOOTER == window.size()
                && Binary.intAt(window.bytes(), at + CRC)
                        == Binary.crc(salt, window.bytes(), at + LENGTH, FOOTER - LENGTH)
                && Binary.longAt(window.bytes(), at + NUMBER) == blocks
                && Binary.longAt(window.bytes(), at + PAYLOAD_BYTES) == bytes;
        return whole ? null : new Damage(position, "the footer can not be read, or does not fit");
    }
}
