package dev.caisson.leaks;

/** The kinds of things that a test can leave behind. */
public enum LeakKind {
    /** A platform thread that is still alive. */
    THREAD("thread"),
    /** A virtual thread that is still alive; JDK 21 or newer. */
    VIRTUAL_THREAD("virtual thread"),
    /** A scope of Caisson that is still open, as told by the management bean {@code dev.caisson:type=Scopes}. */
    SCOPE("scope"),
    /** An open socket, pipe or file of this process; only where {@code /proc/self/fd} exists. */
    DESCRIPTOR("descriptor");

    private final String label;

    LeakKind(String label) {
        this.label = label;
    }

    String label() {
        return label;
    }
}
