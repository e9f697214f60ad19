package dev.caisson.store.log;

import java.util.List;

/**
 * What recovery found.
 *
 * @param snapshot the index of the snapshot it began with; 0 for none
 * @param last the index of the last record, or of the snapshot if there is none after it; 0 for an empty folder
 * @param records how many records were applied
 * @param logBytes how many bytes the segments that were read hold
 * @param cutBytes how many bytes of a torn tail were cut
 * @param warnings sentences for people: what was cut, what was set aside
 */
public record Recovered(long snapshot, long last, long records, long logBytes, long cutBytes, List<String> warnings) {
    /** Copies the list. */
    public Recovered {
        warnings = List.copyOf(warnings);
    }
}
