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

    ScopeClosedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
