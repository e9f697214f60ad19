package dev.caisson.scope;

import org.jspecify.annotations.Nullable;

/** A place in the list of its owner; the list is intrusive, so that owning allocates nothing but the handle itself. */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
abstract sealed class Node permits Hold, Task, Timer, Core {
    /* States of a node. It is linked in its owner's list while HELD or CLOSING.
     *
     *   NEW --link--> HELD --beginClose--> CLOSING --> GONE
     *                  '------release---------------->'
     */
    static final byte NEW = 0;
    static final byte HELD = 1;
    static final byte CLOSING = 2;
    static final byte GONE = 3;

    /* All fields below: guarded by the monitor of `owner`; `owner` itself changes only under the monitors of both the
     * old and the new owner, so that whoever locks it and finds it unchanged has locked the right one. */
    @Nullable
    Core owner;

    @Nullable
    Node older;

    @Nullable
    Node newer;

    byte place = NEW;
    long id;

    /** By the clock of the scope that owns it, and of any that may. */
    final long createdNanos;

    final @Nullable Origin origin;

    Node(long createdNanos, @Nullable Origin origin) {
        this.createdNanos = createdNanos;
        this.origin = origin;
    }

    /** Gives it an id, the first time that somebody is going to see it. */
    final void identify() {
        if (id == 0) {
            id = Core.nextNumber();
        }
    }

    abstract Kind kind();

    abstract String name();

    /** Unlinks it from whatever owns it now. Returns the owner, or null if it was not linked any more. */
    final @Nullable Core unlink() {
        for (; ; ) {
            Core now = owner;
            if (now == null) {
                return null;
            }
            synchronized (now) {
                if (owner == now) {
                    if (place != HELD && place != CLOSING) {
                        return null;
                    }
                    now.remove(this);
                    place = GONE;
                    return now;
                }
            }
        }
    }
}
