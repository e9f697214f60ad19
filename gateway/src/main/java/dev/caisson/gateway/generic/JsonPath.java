package dev.caisson.gateway.generic;

import org.jspecify.annotations.Nullable;

/**
 * Where a value stands, from the root: {@code $.items[3]["a key"]}. A linked list from the inside out, so that a path
 * costs one small object a level and no text until somebody asks.
 */
final class JsonPath {
    static final JsonPath ROOT = new JsonPath(null, null, -1);

    private final @Nullable JsonPath parent;
    private final @Nullable String name;
    private final int index;

    private JsonPath(@Nullable JsonPath parent, @Nullable String name, int index) {
        this.parent = parent;
        this.name = name;
        this.index = index;
    }

    JsonPath member(String member) {
        return new JsonPath(this, member, -1);
    }

    JsonPath item(int at) {
        return new JsonPath(this, null, at);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        append(text);
        return text.toString();
    }

    private void append(StringBuilder text) {
        if (parent == null) {
            text.append('$');
            return;
        }
        parent.append(text);
        if (name == null) {
            text.append('[').append(index).append(']');
        } else if (name.length() < 100 && name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
            text.append('.').append(name);
        } else {
            text.append('[');
            JsonWriter.quote(JsonValue.shorten(name), text);
            text.append(']');
        }
    }
}
