package dev.caisson.gateway.generic;

import org.jspecify.annotations.Nullable;

/** JSON that is not what a message needs. Says where: the message reads {@code line 3, column 12, $.items[3].price: …}. */
public final class JsonException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final String problem;
    private final String path;
    private final int line;
    private final int column;
    private final @Nullable String suggestion;

    JsonException(String problem, String path, int line, int column, @Nullable String suggestion) {
        super("line " + line + ", column " + column + ", " + path + ": " + problem
                + (suggestion == null ? "" : "; did you mean \"" + suggestion + "\"?"));
        this.problem = problem;
        this.path = path;
        this.line = line;
        this.column = column;
        this.suggestion = suggestion;
    }

    /** What is wrong, without the place. */
    public String problem() {
        return problem;
    }

    /** Which value, as in {@code $.items[3].price}; {@code $} is the whole message. */
    public String path() {
        return path;
    }

    /** The line in the input, from 1. */
    public int line() {
        return line;
    }

    /** The column in that line, from 1, in characters (UTF-16). */
    public int column() {
        return column;
    }

    /** The name that was probably meant, or null. */
    public @Nullable String suggestion() {
        return suggestion;
    }
}
