package dev.caisson.scope;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A scope's hold on one resource: the cheap way to own, and to stop owning, without a search.
 *
 * <p>Thread-safe. Of {@link #release}, {@link #close} and the closing of the scope exactly one wins; the others do
 * nothing. After that the hold keeps the resource reachable no more.
 *
 * @param <T> the resource
 */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
public final class Hold<T> extends Node implements AutoCloseable {
    final Kind kind;
    private final String name;

    /* Guarded by the owner's monitor; resource is also read without it, and null once the hold has ended. */
    private @Nullable T resource;
    private @Nullable Closer<? super T> closer;
    /** Who closes it, while that is a caller of {@link #close} and not the scope. */
    @Nullable
    Thread closedBy;
    /** Its entry among the owned objects, if it was owned by {@link Scope#own}. */
    @Nullable
    Claim claim;
    /** Shown in the census by the scope of the resource instead. */
    boolean hidden;

    Hold(Core core, Kind kind, String name, T resource, Closer<? super T> closer) {
        super(core.clock.nanoTime(), core.originOf(kind));
        this.kind = kind;
        this.name = name;
        this.resource = resource;
        this.closer = closer;
    }

    /**
     * The resource.
     *
     * @throws IllegalStateException if it was released or closed
     */
    public T resource() {
        T now = resource;
        if (now == null) {
            throw new IllegalStateException(
                    kind + " '" + name + "' of scope '" + ownerPath() + "' was released or closed");
        }
        return now;
    }

    /**
     * Forgets the resource without closing it.
     *
     * @return whether this call did it; false if the resource was released before, or is closed or closing
     */
    public boolean release() {
        for (; ; ) {
            Core now = owner;
            if (now == null) {
                return false;
            }
            synchronized (now) {
                if (owner != now) {
                    continue;
                }
                if (place != HELD) {
                    return false;
                }
                now.remove(this);
                place = GONE;
            }
            clear();
            Events.released(this, now, "released");
            return true;
        }
    }

    /**
     * Closes the resource now, on the calling thread, and forgets it. Does nothing if it was released, or is closed or
     * closing. A scope that closes meanwhile waits for this call.
     *
     * @throws CloseFailedException if the closer throws; the resource is forgotten all the same
     */
    @Override
    public void close() {
        Core now = beginClose();
        if (now == null) {
            return;
        }
        try {
            callClose(now.closeWithin);
        } catch (Exception failure) {
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            CloseFailedException told = new CloseFailedException(
                    "closing " + kind + " '" + name + "' of scope '" + now.path() + "' failed");
            told.initCause(failure);
            throw told;
        } finally {
            ended("closed");
        }
    }

    private @Nullable Core beginClose() {
        for (; ; ) {
            Core now = owner;
            if (now == null) {
                return null;
            }
            synchronized (now) {
                if (owner != now) {
                    continue;
                }
                if (place != HELD) {
                    return null;
                }
                place = CLOSING;
                closedBy = Thread.currentThread();
                return now;
            }
        }
    }

    /**
     * Makes another scope the owner; it is then the newest there. Atomic: at every moment exactly one scope owns it.
     *
     * @return this
     * @throws ScopeClosedException if the other scope is not open; the resource stays where it was
     * @throws IllegalStateException if the resource was released or closed
     */
    public Hold<T> moveTo(Scope other) {
        String why = other.core.adopt(this);
        if (why == null) {
            return this;
        }
        String what = kind + " '" + name + "' cannot move from '" + ownerPath() + "' to '" + other.path() + "': " + why;
        throw other.core.state == Core.OPEN ? new IllegalStateException(what) : new ScopeClosedException(what, null);
    }

    @Override
    Kind kind() {
        return kind;
    }

    @Override
    String name() {
        return name;
    }

    @Nullable
    T resourceOrNull() {
        return resource;
    }

    @Nullable
    Closer<? super T> closerOrNull() {
        return closer;
    }

    private String ownerPath() {
        Core now = owner;
        return now == null ? "?" : now.path();
    }

    /** Runs the closer. Only for who moved the hold to CLOSING. */
    void callClose(Duration within) throws Exception {
        T held = resource;
        Closer<? super T> how = closer;
        if (held != null && how != null) {
            how.close(held, within);
        }
    }

    /** Runs the closer's drain, if the resource is still held. */
    void callDrain(Duration within) throws Exception {
        T held = resource;
        Closer<? super T> how = closer;
        if (held != null && how != null) {
            how.drain(held, within);
        }
    }

    /** Whether draining it would do nothing. */
    boolean drainsNothing() {
        return closer instanceof Closers.NotDraining;
    }

    /** Leaves the owner's list after the closer has run, or has been given up. */
    void ended(String how) {
        Core from = unlink();
        clear();
        Core last = owner;
        if (from != null) {
            Events.released(this, from, how);
        } else if (last != null) {
            last.registry.leftEnded(this); // the scope did not wait for it any longer
        }
    }

    /** Gives up the claim of a hold that was never linked. */
    void disown() {
        clear();
    }

    private void clear() {
        resource = null;
        closer = null;
        closedBy = null;
        Claim own = claim;
        if (own != null) {
            claim = null;
            own.end();
        }
    }

    @Override
    public String toString() {
        return kind + " '" + name + "' of '" + ownerPath() + "'" + (resource == null ? " (ended)" : "");
    }
}
