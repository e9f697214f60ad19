package dev.caisson.gateway.generic;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;

/**
 * Messages as JSON and back, by the <a href="https://protobuf.dev/programming-guides/json/">ProtoJSON</a> mapping.
 * Immutable.
 *
 * <ul>
 *   <li>Reading is strict: what is not RFC 8259, an unknown field, a value of the wrong type or out of range, a name given
 *       twice, two members of a oneof, a missing required field is a {@link JsonException} that names the place.
 *   <li>Writing never fails: an {@code Any} of unknown type is {@code {"@type": …, "@value": base64}} (which is read back
 *       too), and a value without a JSON form (a timestamp of the year 20000) is written by its fields.
 *   <li>Nesting deeper than {@link #MAX_DEPTH} is refused when reading; sizes are for {@link JsonSplitter}, or whoever
 *       holds the bytes, to bound.
 * </ul>
 */
public final class JsonMessages {
    /** Objects and arrays one inside the other; protobuf itself takes no more. */
    public static final int MAX_DEPTH = 100;

    private final TypeSource types;
    private final boolean pretty;
    private final boolean defaults;
    private final boolean ignoreUnknown;

    private JsonMessages(TypeSource types, boolean pretty, boolean defaults, boolean ignoreUnknown) {
        this.types = types;
        this.pretty = pretty;
        this.defaults = defaults;
        this.ignoreUnknown = ignoreUnknown;
    }

    /** One line a message, unset fields left out, unknown fields refused. */
    public static JsonMessages of(TypeSource types) {
        return new JsonMessages(types, false, false, false);
    }

    /** Writes with line breaks and an indent of two. */
    public JsonMessages pretty() {
        return new JsonMessages(types, true, defaults, ignoreUnknown);
    }

    /** Writes fields that have their default value too, where the type does not tell unset from default. */
    public JsonMessages withDefaults() {
        return new JsonMessages(types, pretty, true, ignoreUnknown);
    }

    /** Skips fields that the message does not have, instead of refusing them. */
    public JsonMessages ignoringUnknownFields() {
        return new JsonMessages(types, pretty, defaults, true);
    }

    /**
     * Reads a message.
     *
     * @throws JsonException that names the place
     */
    public DynamicMessage parse(JsonText json, Descriptor type) {
        JsonValue value = JsonReader.read(json, MAX_DEPTH);
        return new MessageReader(json, types, ignoreUnknown).read(value, type);
    }

    /** Reads a message from a text that is the whole input. */
    public DynamicMessage parse(String json, Descriptor type) {
        return parse(JsonText.of(json), type);
    }

    /** Writes a message. */
    public String print(Message message) {
        JsonWriter writer = new JsonWriter(types, pretty, defaults);
        writer.message(message, 0);
        return writer.toString();
    }
}
