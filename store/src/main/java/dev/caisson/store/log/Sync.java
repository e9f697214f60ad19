package dev.caisson.store.log;

/** When the log forces what it wrote, and so what a loss of power may take. */
public enum Sync {
    /** Before anything is acknowledged: nothing that was acknowledged is lost. */
    ALWAYS,
    /**
     * Once a second. What is lost was acknowledged within two seconds: the last two before the cut as long as a force takes
     * less than one, else the two before the disk stalled, because acknowledgements then wait.
     */
    EVERYSEC,
    /** When a segment is full, before a snapshot, and at the end; else as the operating system likes. */
    NO
}
