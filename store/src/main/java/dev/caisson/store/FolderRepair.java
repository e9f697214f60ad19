package dev.caisson.store;

import dev.caisson.store.log.CorruptLogException;
import dev.caisson.store.log.FolderFiles;
import dev.caisson.store.log.Recovered;
import dev.caisson.store.log.Repair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Looks through the folder of a store that is not running, and cuts its log at the first damage if it is told to. What it cuts
 * it keeps, in files beside it whose names begin with {@code cut-}.
 */
public final class FolderRepair {
    private FolderRepair() {}

    /**
     * What was found, and done.
     *
     * @param readable whether a store can open the folder now
     * @param lines sentences for people
     */
    public record Report(boolean readable, List<String> lines) {
        /** Copies the list. */
        public Report {
            lines = List.copyOf(lines);
        }
    }

    /**
     * Reads everything and changes nothing.
     *
     * @throws IOException if the folder is in use, or cannot be read
     */
    public static Report inspect(Path folder) throws Exception {
        return report(Repair.inspect(FolderFiles.of(folder)));
    }

    /**
     * Cuts at the first damage, until what is left can be read.
     *
     * @throws IOException if the folder is in use, cannot be written, or there is nothing before the damage to cut to
     */
    public static Report cut(Path folder) throws Exception {
        return report(Repair.cut(FolderFiles.of(folder)));
    }

    private static Report report(Repair.Report found) {
        List<String> lines = new ArrayList<>(found.done());
        CorruptLogException damage = found.damage();
        if (damage != null) {
            lines.add(String.valueOf(damage.getMessage()));
        }
        Recovered recovered = found.recovered();
        if (recovered != null) {
            lines.addAll(recovered.warnings());
            lines.add("It can be read, up to record " + recovered.last() + ": "
                    + (recovered.snapshot() == 0 ? "" : "a snapshot of the first " + recovered.snapshot() + ", and ")
                    + recovered.records() + " from the log.");
        }
        return new Report(damage == null, lines);
    }
}
