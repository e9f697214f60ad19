package dev.caisson.leaks;

import java.util.List;

/** Something outlived a test. The message names each leak with its state, stack and origin, and the next step. */
public final class LeakError extends AssertionError {
    private static final long serialVersionUID = 1;

    @SuppressWarnings("serial") // an immutable list of strings
    private final List<String> names;

    LeakError(String message, List<String> names) {
        super(message);
        this.names = List.copyOf(names);
        // The stack of the check tells nothing about the leak, and would bury the report.
        setStackTrace(new StackTraceElement[0]);
    }

    /** The names of what leaked: of threads, scopes or descriptors; immutable. */
    public List<String> names() {
        return names;
    }
}
