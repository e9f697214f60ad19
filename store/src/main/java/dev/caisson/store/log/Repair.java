package dev.caisson.store.log;

import dev.caisson.store.log.FolderWriting.Range;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Looks through the log of a store that is not running, and cuts it at the first damage if it is told to. What it cuts it
 * keeps: in files of their own, whose names begin with {@code cut-}, and which nobody reads.
 */
public final class Repair {
    /** Each round sets one file aside, so this is a bound on files only. */
    private static final int ROUNDS_MAX = 100_000;

    private final LogFiles files;
    private final List<String> done = new ArrayList<>();

    private Repair(LogFiles files) {
        this.files = files;
    }

    /**
     * What was found and done.
     *
     * @param recovered what recovery would give now; null if it would refuse
     * @param damage why it would refuse; null if it would not
     * @param done what was changed, in sentences
     */
    public record Report(
            @Nullable Recovered recovered, @Nullable CorruptLogException damage, List<String> done) {
        /** Copies the list. */
        public Report {
            done = List.copyOf(done);
        }
    }

    /** Reads everything and changes nothing. */
    public static Report inspect(LogFiles files) throws Exception {
        try (AutoCloseable lock = locked(files)) {
            return new Repair(files).look();
        }
    }

    /**
     * Cuts the log at the first damage, again and again until what is left can be read: records from there on are lost to
     * the store, and kept aside.
     *
     * @throws IOException if it is the only snapshot that is damaged: there is nothing before the damage to cut to
     */
    public static Report cut(LogFiles files) throws Exception {
        try (AutoCloseable lock = locked(files)) {
            Repair repair = new Repair(files);
            Report report = repair.look();
            for (int round = 0; report.damage() != null && round < ROUNDS_MAX; round++) {
                repair.cutAt(report.damage());
                report = repair.look();
            }
            return report;
        }
    }

    private static AutoCloseable locked(LogFiles files) throws IOException {
        return files.lock();
    }

    private Report look() throws IOException {
        try {
            return new Report(Recovery.check(files), null, done);
        } catch (CorruptLogException damage) {
            return new Report(null, damage, done);
        }
    }

    private void cutAt(CorruptLogException damage) throws IOException {
        if (SnapshotFile.among(List.of(damage.file())).isEmpty()) {
            cutSegments(damage);
            return;
        }
        if (SnapshotFile.among(files.list()).size() == 1
                && Segment.among(files.list()).firstKey() > 1) {
            throw new IOException(files.describe(damage.file()) + " is damaged at byte " + damage.offset()
                    + ", and it is the only snapshot: there is nothing before the damage to cut to. Restore the folder"
                    + " from a copy; or, to begin anew, move its files away");
        }
        setAside(damage.file(), damage.offset());
        files.forceFolder();
    }

    private void cutSegments(CorruptLogException damage) throws IOException {
        long first = Segment.among(List.of(damage.file())).firstKey();
        if (damage.offset() == 0
                && first > 1
                && first == Segment.among(files.list()).firstKey()
                && SnapshotFile.among(files.list()).isEmpty()) {
            throw new IOException(
                    damage.getMessage() + " (which would leave nothing here: to begin anew, move the files away)");
        }
        // Later segments first: whenever this is interrupted, what is left is damaged in the same place.
        for (String later : Segment.among(files.list())
                .tailMap(first, false)
                .descendingMap()
                .values()) {
            setAside(later, 0);
        }
        files.forceFolder();
        if (damage.offset() <= FileHeader.BYTES) {
            setAside(damage.file(), 0);
        } else {
            String copy = Recovery.cutName(damage.file(), damage.offset());
            long size = size(damage.file());
            FolderWriting.copy(files, damage.file(), copy, new Range(damage.offset(), size));
            FolderWriting.copy(files, damage.file(), damage.file(), new Range(0, damage.offset()));
            done.add("cut " + (size - damage.offset()) + " bytes off " + files.describe(damage.file())
                    + "; they are in " + files.describe(copy));
        }
        files.forceFolder();
    }

    private long size(String name) throws IOException {
        try (LogFile file = files.open(name)) {
            return file.size();
        }
    }

    private void setAside(String name, long offset) throws IOException {
        String aside = Recovery.cutName(name, offset);
        files.rename(name, aside);
        done.add("set " + files.describe(name) + " aside as " + files.describe(aside));
    }
}
