package dev.caisson.leaks;

/** What a test or a fixture may tell the leak check. */
public final class Leaks {
    private Leaks() {}

    /**
     * Takes everything that lives now as meant to stay: it is not told by this test nor by any later one of the run.
     * For what is started once and shared by all tests of the JVM, right after its start. Thread-safe; costs a few
     * milliseconds.
     *
     * @param reason why it stays; not blank
     * @throws IllegalArgumentException if the reason is blank
     */
    public static void ignoreCurrent(String reason) {
        if (reason.isBlank()) {
            throw new IllegalArgumentException("say why what lives now is no leak");
        }
        Suite.current().ignoreCurrent();
    }
}
