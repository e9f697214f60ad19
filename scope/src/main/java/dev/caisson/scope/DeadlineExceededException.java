package dev.caisson.scope;

/** Why a scope was cancelled whose deadline has passed. */
public final class DeadlineExceededException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DeadlineExceededException(String message) {
        super(message);
    }
}
