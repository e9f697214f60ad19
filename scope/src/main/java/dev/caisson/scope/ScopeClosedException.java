package dev.caisson.scope;

import org.jspecify.annotations.Nullable;

/**
 * Something was asked of a scope that is closed, closing, draining or cancelled.
 *
 * <p>The message names the scope and what was refused; the cause, where known, is the stack that closed it. A resource
 * that was offered has been closed already, and what its closer threw is suppressed here.
 */
public class ScopeClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    private final boolean traced;

    ScopeClosedException(String message, @Nullable Throwable cause) {
        this(message, cause, true);
    }

    private ScopeClosedException(String message, @Nullable Throwable cause, boolean traced) {
        super(message, cause);
        this.traced = traced;
        if (traced) {
            super.fillInStackTrace();
        }
    }

    /** A reason that is told, not thrown: without a stack, which costs more than all the rest of a close. */
    static ScopeClosedException reason(String message, @Nullable Throwable cause) {
        return new ScopeClosedException(message, cause, false);
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // only the constructor changes it
    public Throwable fillInStackTrace() {
        return traced ? super.fillInStackTrace() : this;
    }
}
