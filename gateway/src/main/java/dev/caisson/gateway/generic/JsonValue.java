package dev.caisson.gateway.generic;

import java.util.List;

/** A parsed JSON value that remembers where it stood (offset in characters). */
sealed interface JsonValue {
    int at();

    /** What it is, in the words of an error message. */
    String kind();

    record Member(String name, int nameAt, JsonValue value) {}

    record Obj(List<Member> members, int at) implements JsonValue {
        @Override
        public String kind() {
            return "an object";
        }
    }

    record Arr(List<JsonValue> items, int at) implements JsonValue {
        @Override
        public String kind() {
            return "an array";
        }
    }

    record Str(String text, int at) implements JsonValue {
        @Override
        public String kind() {
            return "the string \"" + shorten(text) + "\"";
        }
    }

    /** A number as it was written; what it is worth depends on the field. */
    record Num(String text, int at) implements JsonValue {
        @Override
        public String kind() {
            return "the number " + shorten(text);
        }
    }

    record Bool(boolean value, int at) implements JsonValue {
        @Override
        public String kind() {
            return String.valueOf(value);
        }
    }

    record Null(int at) implements JsonValue {
        @Override
        public String kind() {
            return "null";
        }
    }

    static String shorten(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
