package dev.caisson.leaks;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Pulls values out of a JSON text (RFC 8259) without holding the text: as much as reading the JVM's thread dump needs.
 *
 * <p>Errors: any departure from the grammar, and nesting deeper than {@value #MAX_DEPTH}, is an IOException that tells
 * the position. Numbers are handed out as their text. Not safe for use by several threads.
 */
final class JsonReader {
    static final int MAX_DEPTH = 64;

    private static final int NOTHING = -2;

    private final Reader in;
    private int peeked = NOTHING;
    private long position;
    private int depth;

    JsonReader(Reader in) {
        this.in = in;
    }

    void beginObject() throws IOException {
        expect('{');
        descend();
    }

    void beginArray() throws IOException {
        expect('[');
        descend();
    }

    /** The next name of the object that was begun, or null at its end. */
    @Nullable
    String nextName(boolean first) throws IOException {
        if (ends('}', first)) {
            return null;
        }
        String name = string();
        expect(':');
        return name;
    }

    /** Whether the array that was begun has one more value. */
    boolean hasNext(boolean first) throws IOException {
        return !ends(']', first);
    }

    /** A whole value: String (also for numbers), Boolean, List, Map, or null. */
    @Nullable
    Object value() throws IOException {
        int next = peek();
        switch (next) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            default:
                return literal();
        }
    }

    private Map<String, @Nullable Object> object() throws IOException {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        beginObject();
        for (String name = nextName(true); name != null; name = nextName(false)) {
            object.put(name, value());
        }
        return object;
    }

    private List<@Nullable Object> array() throws IOException {
        List<@Nullable Object> array = new ArrayList<>();
        beginArray();
        for (boolean first = true; hasNext(first); first = false) {
            array.add(value());
        }
        return array;
    }

    private String string() throws IOException {
        expect('"');
        StringBuilder text = new StringBuilder();
        for (int c = read(); c != '"'; c = read()) {
            if (c < 0) {
                throw wrong("the text ends inside a string");
            }
            if (c < ' ') {
                throw wrong("a control character inside a string");
            }
            text.append(c == '\\' ? escaped() : (char) c);
        }
        return text.toString();
    }

    private char escaped() throws IOException {
        int c = read();
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case '"', '\\', '/':
                return (char) c;
            case 'u':
                return unicode();
            default:
                throw wrong("an unknown escape");
        }
    }

    private char unicode() throws IOException {
        int code = 0;
        for (int i = 0; i < 4; i++) {
            int c = read();
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw wrong("\\u needs four hex digits");
            }
            code = code * 16 + digit;
        }
        return (char) code;
    }

    private @Nullable Object literal() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int c = peek(); c >= 0 && (Character.isLetterOrDigit(c) || "+-.".indexOf(c) >= 0); c = peekRaw()) {
            text.append((char) read());
        }
        String literal = text.toString();
        switch (literal) {
            case "true":
                return true;
            case "false":
                return false;
            case "null":
                return null;
            default:
                if (!literal.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")) {
                    throw wrong("no value");
                }
                return literal;
        }
    }

    private boolean ends(char end, boolean first) throws IOException {
        if (peek() == end) {
            read();
            depth--;
            return true;
        }
        if (!first) {
            expect(',');
        }
        return false;
    }

    private void descend() throws IOException {
        if (++depth > MAX_DEPTH) {
            throw wrong("nested deeper than " + MAX_DEPTH);
        }
    }

    private void expect(char wanted) throws IOException {
        int c = peek();
        if (c != wanted) {
            throw wrong("expected '" + wanted + "' but found " + (c < 0 ? "the end" : "'" + (char) c + "'"));
        }
        read();
    }

    /** The next character that is not white space, left in place. */
    private int peek() throws IOException {
        int c = peekRaw();
        while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            read();
            c = peekRaw();
        }
        return c;
    }

    private int peekRaw() throws IOException {
        if (peeked == NOTHING) {
            peeked = in.read();
        }
        return peeked;
    }

    private int read() throws IOException {
        int c = peekRaw();
        peeked = NOTHING;
        position++;
        return c;
    }

    private IOException wrong(String what) {
        return new IOException("not JSON: " + what + " at character " + position);
    }
}
