package dev.caisson.scope;

import java.time.Duration;
import java.util.List;

/**
 * What closing a scope came to. Immutable; holds text and what closers threw, never the resources.
 *
 * @param path the scope
 * @param complete whether everything had been tried when the report was made; if not, the rest goes on in the background
 * @param closed how many resources, tasks, timers and scopes ended in order
 * @param took how long it took
 * @param failures closers that threw, oldest failure first, at most {@value #MAX_LISTED}
 * @param left what did not end in time, with the stack of where it hangs, at most {@value #MAX_LISTED}
 * @param undrained what had not drained when closing began
 * @param unlistedFailures how many more closers threw
 * @param unlistedLeft how many more did not end in time, or have not been tried yet
 */
public record CloseReport(
        String path,
        boolean complete,
        long closed,
        Duration took,
        List<Failure> failures,
        List<Left> left,
        List<Left> undrained,
        long unlistedFailures,
        long unlistedLeft) {

    /** How many failures, and how many things left, are listed one by one. */
    public static final int MAX_LISTED = 100;

    private static final int SHOWN_FRAMES = 12;

    /** A closer that threw. */
    public record Failure(String kind, String name, String path, Throwable error) {}

    /**
     * Something that did not end.
     *
     * @param why in which way
     * @param stack where it hangs, innermost frame first; empty if unknown
     * @param origin where it was made, if that was kept
     */
    public record Left(
            String kind,
            String name,
            String path,
            String why,
            List<StackTraceElement> stack,
            List<StackTraceElement> origin) {}

    /** Copies the lists. */
    public CloseReport {
        failures = List.copyOf(failures);
        left = List.copyOf(left);
        undrained = List.copyOf(undrained);
    }

    static CloseReport nothing(String path) {
        return new CloseReport(path, true, 0, Duration.ZERO, List.of(), List.of(), List.of(), 0, 0);
    }

    /** Whether everything ended in time and nothing threw. */
    public boolean clean() {
        return complete && failures.isEmpty() && left.isEmpty() && unlistedFailures == 0 && unlistedLeft == 0;
    }

    void throwIfNotClean() {
        if (clean()) {
            return;
        }
        CloseFailedException failed = new CloseFailedException(toString());
        for (Failure failure : failures) {
            failed.addSuppressed(failure.error());
        }
        throw failed;
    }

    /** The report for people: one line, and a paragraph for each thing that went wrong. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        out.append("scope '").append(path).append("': closed ").append(closed);
        out.append(closed == 1 ? " resource in " : " resources in ").append(human(took));
        long allLeft = left.size() + unlistedLeft;
        long allFailed = failures.size() + unlistedFailures;
        out.append(allLeft == 0 ? ", nothing left" : ", " + allLeft + " left");
        if (allFailed > 0) {
            out.append(", ").append(allFailed).append(" failed");
        }
        if (!complete) {
            out.append("; the deadline passed, the rest goes on in the background");
        }
        for (Left one : undrained) {
            describe(out, "not drained", one);
        }
        for (Left one : left) {
            describe(out, "left", one);
        }
        for (Failure one : failures) {
            out.append("\n  failed: ")
                    .append(one.kind())
                    .append(" '")
                    .append(one.name())
                    .append("' of '");
            out.append(one.path()).append("': ").append(Thrown.text(one.error()));
        }
        if (unlistedLeft > 0) {
            out.append("\n  and ").append(unlistedLeft).append(" more left, or not tried yet");
        }
        if (unlistedFailures > 0) {
            out.append("\n  and ").append(unlistedFailures).append(" more failed");
        }
        return out.toString();
    }

    private static void describe(StringBuilder out, String label, Left one) {
        out.append("\n  ")
                .append(label)
                .append(": ")
                .append(one.kind())
                .append(" '")
                .append(one.name());
        out.append("' of '").append(one.path()).append("': ").append(one.why());
        frames(out, "at", one.stack());
        if (!one.origin().isEmpty()) {
            out.append("\n    made");
            frames(out, "at", one.origin());
        }
    }

    private static void frames(StringBuilder out, String at, List<StackTraceElement> frames) {
        int shown = 0;
        for (StackTraceElement frame : frames) {
            if (shown++ == SHOWN_FRAMES) {
                out.append("\n      ... ").append(frames.size() - SHOWN_FRAMES).append(" more");
                return;
            }
            out.append("\n      ").append(at).append(' ').append(frame);
        }
    }

    private static String human(Duration took) {
        long micros = took.toNanos() / 1_000;
        if (micros < 10_000) {
            return micros / 1_000 + "." + (micros / 100) % 10 + " ms";
        }
        long millis = micros / 1_000;
        return millis < 10_000 ? millis + " ms" : millis / 1_000 + " s";
    }
}
