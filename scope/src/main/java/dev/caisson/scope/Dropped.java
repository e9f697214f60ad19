package dev.caisson.scope;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;

/** Notices that a handle has become unreachable while its scope is still open. */
final class Dropped extends WeakReference<Object> {
    final Core core;
    /** Whether what runs may end first: for a handle that is not the scope itself. */
    final boolean drains;

    Dropped(Object handle, Core core, boolean drains, ReferenceQueue<Object> queue) {
        super(handle, queue);
        this.core = core;
        this.drains = drains;
    }
}
