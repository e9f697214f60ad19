package dev.caisson.gateway.generic;

import org.jspecify.annotations.Nullable;

/**
 * One JSON value out of a stream, and where in it that value began.
 *
 * @param text the value, nothing around it
 * @param line of its first character in the stream, from 1
 * @param column of its first character in that line, from 1
 */
public record JsonText(String text, int line, int column) {
    /** A text that is the whole input. */
    public static JsonText of(String text) {
        return new JsonText(text, 1, 1);
    }

    /** The error at an offset of the text, told in lines and columns of the stream. */
    JsonException error(int offset, String path, String problem, @Nullable String suggestion) {
        int atLine = line;
        int atColumn = column;
        for (int i = 0; i < Math.min(offset, text.length()); i++) {
            if (text.charAt(i) == '\n') {
                atLine++;
                atColumn = 1;
            } else {
                atColumn++;
            }
        }
        return new JsonException(problem, path, atLine, atColumn, suggestion);
    }
}
