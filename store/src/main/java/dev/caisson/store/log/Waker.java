package dev.caisson.store.log;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Wakes one who holds answers until they are safe: {@link #arm} it, then look once more, then wait. Runs at most once for
 * each time it was armed, on the log's thread.
 */
public final class Waker implements AutoCloseable {
    private final Runnable code;
    private final Log log;
    private final AtomicBoolean armed = new AtomicBoolean();

    Waker(Log log, Runnable code) {
        this.log = log;
        this.code = code;
    }

    /** Asks to be woken by the next change of what is safe, or of the log's state. */
    public void arm() {
        armed.set(true);
    }

    /** Takes back what {@link #arm} asked. */
    public void disarm() {
        armed.set(false);
    }

    void wake() {
        if (armed.get() && armed.compareAndSet(true, false)) {
            code.run();
        }
    }

    /** Ends it; the log forgets it. */
    @Override
    public void close() {
        log.forget(this);
    }
}
