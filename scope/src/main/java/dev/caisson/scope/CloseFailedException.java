package dev.caisson.scope;

/**
 * A closer threw, or something did not end in time. The message is the close report; what the closers threw is
 * suppressed here. Everything else was closed all the same.
 */
public class CloseFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    CloseFailedException(String message) {
        super(message);
    }
}
