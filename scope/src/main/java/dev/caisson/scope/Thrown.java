package dev.caisson.scope;

/** What somebody else's code has thrown, as text: asking it for its words runs code of theirs, which may throw again. */
final class Thrown {
    private Thrown() {}

    static String text(Throwable thrown) {
        try {
            return String.valueOf(thrown.toString());
        } catch (Throwable wordless) {
            return thrown.getClass().getName() + " (whose toString threw "
                    + wordless.getClass().getName() + ")";
        }
    }

    /** Notes what happened on the way, unless it is the same thing again. */
    @SuppressWarnings("ReferenceEquality") // what the JDK refuses is the same object
    static void suppress(Throwable in, Throwable also) {
        if (in != also) {
            in.addSuppressed(also);
        }
    }
}
