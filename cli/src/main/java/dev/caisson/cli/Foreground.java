package dev.caisson.cli;

import dev.caisson.scope.CloseReport;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import java.io.IOException;
import java.net.BindException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The life of a command that serves until Ctrl-C or SIGTERM.
 *
 * <pre>
 *   opening ── all is open ──► up ── a signal ──► draining ──► closing ──► report, exit 0 (1 if something was left)
 *      │ something cannot be opened                   │ a second signal
 *      ▼                                              ▼
 *   all closed again, exit 1                       halted, exit 130
 * </pre>
 */
final class Foreground {
    private static final int FORCED = 130; // 128 plus SIGINT, as shells count

    /** Opens what the command serves. */
    @FunctionalInterface
    interface Opening {
        /**
         * @param app owns what is opened
         * @return what to print now that all is up
         * @throws IOException if something cannot be opened, with a message for the user
         */
        String open(Scope app) throws IOException;
    }

    private Foreground() {}

    /**
     * Opens, waits for a signal, closes.
     *
     * @param draining what the first signal has printed: what may still end by itself
     * @return the exit code
     */
    static int run(Console console, String name, int closeWithinSeconds, String draining, Opening opening) {
        Scope app = Scope.open(
                name, ScopeOptions.defaults().closeWithin(Duration.ofSeconds(Math.max(0, closeWithinSeconds))));
        AtomicInteger signals = new AtomicInteger();
        try (Signals _ = Signals.listen(signal -> signalled(console, app, draining, signals.incrementAndGet()))) {
            String greeting;
            try {
                greeting = opening.open(app);
            } catch (IOException | IllegalArgumentException e) {
                app.close();
                console.error(String.valueOf(e.getMessage()));
                return 1;
            }
            console.line(greeting);
            CloseReport report = app.awaitShutdown();
            console.line(report(report));
            return report.clean() ? 0 : 1;
        }
    }

    private static void signalled(Console console, Scope app, String draining, int count) {
        if (count > 1) {
            console.errorLine("caisson: forced");
            Runtime.getRuntime().halt(FORCED);
        }
        console.line("\n" + draining);
        app.shutdown();
    }

    private static String report(CloseReport report) {
        long left = report.left().size() + report.unlistedLeft();
        String first = "Closed " + report.closed() + " resources in "
                + report.took().toMillis() + " ms; left: " + (left == 0 ? "nothing" : String.valueOf(left));
        return report.clean() ? first : first + "\n" + report;
    }

    /** Where somebody tries to listen. */
    record Place(String what, String host, int port, String option) {
        /** The failure to listen here, for the user: whose port is taken, and what to do. */
        IOException failed(IOException cause) {
            for (Throwable at = cause; at != null; at = at.getCause()) {
                if (at instanceof BindException
                        || String.valueOf(at.getMessage()).contains("in use")) {
                    return new IOException(
                            what + " port " + port + " on " + host + " is taken by another process; choose another one"
                                    + " with " + option + " PORT, or " + option + " 0 for any free one",
                            cause);
                }
            }
            return cause;
        }
    }

    /** How the user calls this program, for commands that are printed to be copied. */
    static String caisson() {
        @Nullable String command = System.getenv("CAISSON_COMMAND");
        return command == null ? "caisson" : command;
    }
}
