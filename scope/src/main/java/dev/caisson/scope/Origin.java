package dev.caisson.scope;

import java.util.List;

/** The stack that made something, as a throwable that is never thrown; rendered only when asked for. */
final class Origin extends Throwable {
    private static final long serialVersionUID = 1;

    /** Frames kept when it is rendered. */
    private static final int MAX_FRAMES = 48;

    private static final String OWN = Origin.class.getPackageName() + ".";

    Origin(String message) {
        super(message);
    }

    /** The frames, this package's own left out at the top. */
    List<StackTraceElement> frames() {
        return trim(getStackTrace());
    }

    static List<StackTraceElement> trim(StackTraceElement[] stack) {
        int from = 0;
        while (from < stack.length && isOwn(stack[from].getClassName())) {
            from++;
        }
        int to = Math.min(stack.length, from + MAX_FRAMES);
        return from == stack.length ? List.of() : List.of(java.util.Arrays.copyOfRange(stack, from, to));
    }

    private static boolean isOwn(String className) {
        if (!className.startsWith(OWN) || className.indexOf('.', OWN.length()) >= 0) {
            return false;
        }
        String top = className.substring(OWN.length());
        int inner = top.indexOf('$');
        return switch (inner < 0 ? top : top.substring(0, inner)) {
            case "Scope", "Core", "Node", "Hold", "Task", "Timer", "Group", "LazyScope", "Origin", "Registry" -> true;
            default -> false;
        };
    }
}
