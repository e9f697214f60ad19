package dev.caisson.gateway.generic;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * RFC 8259 JSON to a tree that knows its offsets. Strict: no comments, no single quotes, no trailing commas; where one of
 * these is met, the error says so. Not thread-safe; one use.
 */
final class JsonReader {
    private final JsonText input;
    private final String text;
    private final int maxDepth;
    private final Deque<Object> path = new ArrayDeque<>(); // String: a member; Integer: an index
    private int at;

    private JsonReader(JsonText input, int maxDepth) {
        this.input = input;
        this.text = input.text();
        this.maxDepth = maxDepth;
    }

    /**
     * Reads one value and nothing after it.
     *
     * @throws JsonException if it is not JSON, or nested deeper than {@code maxDepth}
     */
    static JsonValue read(JsonText input, int maxDepth) {
        JsonReader reader = new JsonReader(input, maxDepth);
        reader.skipSpace();
        if (reader.at == reader.text.length()) {
            throw reader.error("nothing there, where a JSON value is needed");
        }
        JsonValue value = reader.value(0);
        reader.skipSpace();
        if (reader.at < reader.text.length()) {
            throw reader.error("something follows the end of the value: " + reader.seen());
        }
        return value;
    }

    private JsonValue value(int depth) {
        if (at == text.length()) {
            throw error("the text ends where a value is needed");
        }
        int start = at;
        char c = text.charAt(at);
        return switch (c) {
            case '{' -> object(deeper(depth));
            case '[' -> array(deeper(depth));
            case '"' -> new JsonValue.Str(string(), start);
            case 't' -> word("true", new JsonValue.Bool(true, start));
            case 'f' -> word("false", new JsonValue.Bool(false, start));
            case 'n' -> word("null", new JsonValue.Null(start));
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> new JsonValue.Num(number(), start);
            case '\'' -> throw error("JSON strings stand in double quotes, this one in single quotes");
            case '/', '#' -> throw error("JSON has no comments");
            default -> throw error("a value is needed, not " + seen());
        };
    }

    private int deeper(int depth) {
        if (depth == maxDepth) {
            throw error("nested deeper than " + maxDepth + " levels");
        }
        return depth + 1;
    }

    private JsonValue object(int depth) {
        int start = at++;
        List<JsonValue.Member> members = new ArrayList<>();
        skipSpace();
        if (peek() == '}') {
            at++;
            return new JsonValue.Obj(members, start);
        }
        while (true) {
            skipSpace();
            if (peek() != '"') {
                throw error(nameNeeded(members.isEmpty()));
            }
            int nameAt = at;
            String name = string();
            path.addLast(name);
            skipSpace();
            if (peek() != ':') {
                throw error("a colon is needed after a name, not " + seen());
            }
            at++;
            skipSpace();
            members.add(new JsonValue.Member(name, nameAt, value(depth)));
            path.removeLast();
            skipSpace();
            char next = peek();
            if (next == '}') {
                at++;
                return new JsonValue.Obj(members, start);
            }
            if (next != ',' || at == text.length()) {
                throw error("a comma or } is needed, not " + seen());
            }
            at++;
        }
    }

    private String nameNeeded(boolean first) {
        char c = peek();
        if (c == '}' && !first) {
            return "a comma stands before the closing }; JSON allows none there";
        }
        if (c == '\'') {
            return "JSON names stand in double quotes, this one in single quotes";
        }
        if (Character.isLetter(c) || c == '_') {
            return "JSON names stand in double quotes, this one in none";
        }
        return "a name in double quotes is needed, not " + seen();
    }

    private JsonValue array(int depth) {
        int start = at++;
        List<JsonValue> items = new ArrayList<>();
        skipSpace();
        if (peek() == ']') {
            at++;
            return new JsonValue.Arr(items, start);
        }
        while (true) {
            skipSpace();
            path.addLast(items.size());
            if (peek() == ']') {
                throw error("a comma stands before the closing ]; JSON allows none there");
            }
            items.add(value(depth));
            path.removeLast();
            skipSpace();
            char next = peek();
            if (next == ']') {
                at++;
                return new JsonValue.Arr(items, start);
            }
            if (next != ',' || at == text.length()) {
                throw error("a comma or ] is needed, not " + seen());
            }
            at++;
        }
    }

    private String string() {
        int open = at++;
        int plain = at;
        StringBuilder unescaped = null;
        while (true) {
            if (at == text.length()) {
                at = open;
                throw error("this string has no closing quote");
            }
            char c = text.charAt(at);
            if (c == '"') {
                String tail = text.substring(plain, at++);
                return unescaped == null ? tail : unescaped.append(tail).toString();
            }
            if (c < ' ') {
                throw error("a control character stands in a string; write it as "
                        + (c == '\n' ? "\\n" : c == '\t' ? "\\t" : String.format("\\u%04x", (int) c)));
            }
            if (c == '\\') {
                unescaped = unescaped == null ? new StringBuilder() : unescaped;
                unescaped.append(text, plain, at).append(escape());
                plain = at;
            } else {
                at++;
            }
        }
    }

    private char escape() {
        char c = at + 1 < text.length() ? text.charAt(at + 1) : '\0';
        if (c == 'u') {
            return unicode();
        }
        int which = "\"\\/bfnrt".indexOf(c);
        if (which < 0) {
            throw error("\\" + (c < ' ' ? "" : c) + " is no escape of JSON");
        }
        at += 2;
        return "\"\\/\b\f\n\r\t".charAt(which);
    }

    private char unicode() {
        int code = 0;
        for (int i = at + 2; i < at + 6; i++) {
            int digit = i < text.length() ? Character.digit(text.charAt(i), 16) : -1;
            if (digit < 0 || text.charAt(i) > 'f') {
                throw error("\\u needs four hexadecimal digits");
            }
            code = code * 16 + digit;
        }
        at += 6;
        return (char) code;
    }

    private String number() {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        int whole = at;
        digits();
        if (text.charAt(whole) == '0' && at > whole + 1) {
            at = start;
            throw error("a JSON number has no leading zero");
        }
        if (peek() == '.') {
            at++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            digits();
        }
        return text.substring(start, at);
    }

    private void digits() {
        int start = at;
        while (peek() >= '0' && peek() <= '9') {
            at++;
        }
        if (at == start) {
            throw error("a digit is needed here, not " + seen());
        }
    }

    private JsonValue word(String word, JsonValue value) {
        if (!text.startsWith(word, at)) {
            throw error("a value is needed, not " + seen());
        }
        at += word.length();
        return value;
    }

    private void skipSpace() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                return;
            }
            at++;
        }
    }

    /** The next character, or NUL at the end (which no rule accepts: a NUL in the text fails like any other). */
    private char peek() {
        return at < text.length() ? text.charAt(at) : '\0';
    }

    /** What stands here, for a message. */
    private String seen() {
        if (at == text.length()) {
            return "the end of the text";
        }
        int end = at;
        while (end < text.length() && end < at + 20 && Character.isLetterOrDigit(text.charAt(end))) {
            end++;
        }
        String word = text.substring(at, Math.max(end, text.offsetByCodePoints(at, 1)));
        return word.charAt(0) < ' ' ? String.format("the control character U+%04X", (int) word.charAt(0)) : word;
    }

    private JsonException error(String problem) {
        JsonPath where = JsonPath.ROOT;
        for (Object step : path) {
            where = step instanceof String name ? where.member(name) : where.item((Integer) step);
        }
        return input.error(at, where.toString(), problem, null);
    }
}
