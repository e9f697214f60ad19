package dev.caisson.store.log;

import dev.caisson.store.log.FolderWriting.Range;
import dev.caisson.store.log.SegmentReader.Behind;
import dev.caisson.store.log.SegmentReader.Ending;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads a folder: the newest snapshot that is whole, then the records after it.
 *
 * <ul>
 *   <li>Never skips anything: each record has the index after the one before.
 *   <li>A segment was begun only when all before it was forced. So damage in any but the last one is corruption, and
 *       refused, and what a segment holds beyond the beginning of the next one counts for nothing (the force of such bytes
 *       failed, and they were written again).
 *   <li>In the last segment, damage is a torn tail unless a record behind it proves that it was forced once.
 *   <li>What the last segment holds may be in memory only, after a process was killed, or be given up by the system already,
 *       after a force failed. So, unless the log was closed in order, what is good of it is written again, to a new file,
 *       before anybody builds on it. The old file is replaced in one step: recovery may be interrupted anywhere.
 * </ul>
 */
final class Recovery {
    /** Files whose name ends with this were never finished; nobody reads them, and recovery deletes them. */
    static final String UNFINISHED = ".tmp";

    static final String CUT = "cut-";

    private final LogFiles files;
    private final RecoverySink sink;
    private final boolean changes;
    private final List<String> warnings = new ArrayList<>();
    private final List<SnapshotDamage> damaged = new ArrayList<>();
    private long base;
    private long expected = 1;
    private long records;
    private long logBytes;
    private long cutBytes;

    private Recovery(LogFiles files, RecoverySink sink, boolean changes) {
        this.files = files;
        this.sink = sink;
        this.changes = changes;
    }

    /** Recovers, and leaves the folder so that the record after the last can be written to a new segment. */
    static Recovered run(LogFiles files, RecoverySink sink) throws IOException {
        return new Recovery(files, sink, true).run();
    }

    /** Reads everything and changes nothing. */
    static Recovered check(LogFiles files) throws IOException {
        return new Recovery(files, new Nowhere(), false).run();
    }

    private Recovered run() throws IOException {
        List<String> names = files.list();
        if (changes) {
            for (String name : names) {
                if (name.endsWith(UNFINISHED)) {
                    files.delete(name);
                }
            }
        }
        snapshot(SnapshotFile.among(names));
        segments(Segment.among(names).entrySet());
        for (SnapshotDamage one : damaged) {
            if (one.index() >= expected) {
                throw irreplaceable(one); // the log does not reach as far as what the snapshot stood for
            }
            warnings.add(files.describe(SnapshotFile.name(one.index())) + " is damaged at byte "
                    + one.damage().offset() + " (" + one.damage().what()
                    + "); the store was read from an older one and the log");
        }
        if (changes) {
            files.forceFolder(); // a deletion or renaming that was seen may be undone yet, in this life or the one
            // before
        }
        return new Recovered(base, expected - 1, records, logBytes, cutBytes, warnings);
    }

    private record SnapshotDamage(long index, SnapshotFile.Damage damage) {}

    private CorruptLogException irreplaceable(SnapshotDamage one) {
        return new CorruptLogException(
                files,
                SnapshotFile.name(one.index()),
                one.damage().offset(),
                one.damage().what() + ", and there is nothing older to begin with");
    }

    private void snapshot(NavigableMap<Long, String> snapshots) throws IOException {
        for (long index : snapshots.descendingKeySet()) {
            SnapshotFile.Damage damage = SnapshotFile.read(files, index, (bytes, offset, length) -> {});
            if (damage == null) {
                damage = SnapshotFile.read(files, index, sink::block);
                if (damage != null) {
                    throw new IOException(files.describe(SnapshotFile.name(index)) + " changed while it was read");
                }
                base = index;
                expected = index + 1;
                return;
            }
            damaged.add(new SnapshotDamage(index, damage));
        }
    }

    private void segments(Collection<Map.Entry<Long, String>> all) throws IOException {
        List<Map.Entry<Long, String>> left = new ArrayList<>(all);
        while (left.size() > 1 && left.get(1).getKey() <= base + 1) {
            left.removeFirst(); // the snapshot has it all
        }
        if (left.isEmpty()) {
            return;
        }
        long first = left.getFirst().getKey();
        if (first > base + 1 && !damaged.isEmpty()) {
            throw irreplaceable(damaged.getFirst());
        }
        if (first > base + 1) {
            throw new CorruptLogException(
                    files,
                    left.getFirst().getValue(),
                    0,
                    "the log begins with record " + first + ", and the records from " + (base + 1) + " on are missing");
        }
        expected = first;
        Tail before = null;
        for (int i = 0; i < left.size(); i++) {
            boolean last = i == left.size() - 1;
            Tail tail =
                    segment(left.get(i), last ? Long.MAX_VALUE : left.get(i + 1).getKey());
            if (last && changes) {
                settle(before, tail);
            }
            before = tail;
        }
        expected = Math.max(expected, base + 1);
    }

    /** A segment that was read: how far it counts, how long it is, whether it was sealed there. */
    private record Tail(String name, long counts, long size, boolean sealed) {}

    /** Reads one segment up to the index at which the next one begins. */
    private Tail segment(Map.Entry<Long, String> named, long next) throws IOException {
        String name = named.getValue();
        boolean last = next == Long.MAX_VALUE;
        Tail tail;
        Behind behind = Behind.NOTHING;
        try (SegmentReader reader = SegmentReader.open(files, name)) {
            if (last && reader.unborn()) {
                return new Tail(name, 0, reader.size(), false);
            }
            checkHeader(named, reader);
            for (LogRecord one; expected < next && (one = reader.next(expected)) != null; expected++) {
                if (expected > base) {
                    sink.apply(one);
                    records++;
                }
            }
            tail = new Tail(name, reader.position(), reader.size(), reader.ending() == Ending.SEALED);
            logBytes += tail.counts();
            if (!last && expected < next) {
                throw new CorruptLogException(
                        files, name, tail.counts(), "record " + expected + " can not be read, and segments follow");
            }
            if (!last || reader.ending() != Ending.DAMAGED) {
                return tail;
            }
            behind = reader.behind(expected);
        }
        if (behind == Behind.PROOF) {
            throw new CorruptLogException(
                    files, name, tail.counts(), "record " + expected + " can not be read, and it was once on the disk");
        }
        torn(name, new Range(tail.counts(), tail.size()), behind);
        return tail;
    }

    /** Leaves nothing behind that the next recovery would read and this one did not, nor anything that may not be on the disk. */
    private void settle(@Nullable Tail before, Tail last) throws IOException {
        if (last.counts() > FileHeader.BYTES) {
            if (!last.sealed()) {
                writeAgain(last);
            }
            return;
        }
        // The segment before becomes the last one; what it holds beyond its end, records whose force failed, goes
        // first.
        if (before != null && before.counts() < before.size()) {
            writeAgain(before);
        }
        files.delete(last.name());
    }

    private void writeAgain(Tail tail) throws IOException {
        FolderWriting.copy(files, tail.name(), tail.name(), new Range(0, tail.counts()));
    }

    private void checkHeader(Map.Entry<Long, String> named, SegmentReader reader) throws IOException {
        if (!reader.hasHeader() && reader.version() != FileHeader.VERSION && !reader.unborn()) {
            throw new CorruptLogException(
                    files,
                    named.getValue(),
                    0,
                    "its header is damaged, or of format version " + reader.version() + ", and this program reads "
                            + FileHeader.VERSION);
        }
        if (!reader.hasHeader() || reader.first() != named.getKey()) {
            throw new CorruptLogException(
                    files, named.getValue(), 0, "its header can not be read, or is that of another segment");
        }
    }

    private void torn(String name, Range tail, Behind behind) throws IOException {
        cutBytes = tail.to() - tail.from();
        String cut = "the tail of " + files.describe(name) + " was torn; " + cutBytes + " bytes from byte "
                + tail.from() + " on were cut, before record " + expected;
        if (behind == Behind.UNFORCED) {
            String copy = cutName(name, tail.from());
            if (changes) {
                FolderWriting.copy(files, name, copy, tail);
            }
            cut += ". Later records in it can be read; they were never forced. A copy is in " + files.describe(copy);
        }
        warnings.add(cut);
    }

    static String cutName(String name, long offset) {
        return CUT + name + "-" + offset;
    }

    /** For who only wants to know whether it can be read. */
    private static final class Nowhere implements RecoverySink {
        @Override
        public void block(byte[] bytes, int offset, int length) {}

        @Override
        public void apply(LogRecord logged) {}
    }
}
