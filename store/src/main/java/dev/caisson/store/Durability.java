package dev.caisson.store;

import dev.caisson.store.log.Sync;

/** When what was written is forced to the disk, and so what a loss of power may take; for stores that keep a folder. */
public enum Durability {
    /** Every reply, read, push and future waits until all that it has seen is forced: nothing that was acknowledged is lost. */
    ALWAYS(Sync.ALWAYS),
    /** Forced once a second: at most two seconds of acknowledged writes are lost. */
    EVERYSEC(Sync.EVERYSEC),
    /** Forced after some megabytes, before a snapshot and at the end; else when the operating system likes. */
    NO(Sync.NO);

    private final Sync sync;

    Durability(Sync sync) {
        this.sync = sync;
    }

    Sync sync() {
        return sync;
    }
}
