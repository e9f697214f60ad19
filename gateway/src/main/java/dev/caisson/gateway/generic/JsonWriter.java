package dev.caisson.gateway.generic;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Messages to JSON by the ProtoJSON mapping; never fails. Not thread-safe; one use. */
final class JsonWriter {
    /* Recursion: a message that was parsed is at most 100 deep, but an Any starts a parse anew; MAX_DEPTH bounds those. */
    private static final int MAX_DEPTH = 200;

    private final TypeSource types;
    private final boolean pretty;
    private final boolean defaults;
    private final StringBuilder out = new StringBuilder();

    JsonWriter(TypeSource types, boolean pretty, boolean defaults) {
        this.types = types;
        this.pretty = pretty;
        this.defaults = defaults;
    }

    @Override
    public String toString() {
        return out.toString();
    }

    void message(Message message, int depth) {
        String text;
        switch (WellKnownTypes.formOf(message.getDescriptorForType())) {
            case ANY -> any(message, depth);
            case TIMESTAMP -> {
                text = timeOf(message).toTimestamp();
                quoteOrFields(text, message, depth);
            }
            case DURATION -> {
                text = timeOf(message).toDuration();
                quoteOrFields(text, message, depth);
            }
            case FIELD_MASK -> quote(maskText((List<?>) field(message, 1)), out);
            case STRUCT -> map(field(message, 1), message.getDescriptorForType().findFieldByNumber(1), depth);
            case VALUE -> value(message, depth);
            case LIST ->
                list((List<?>) field(message, 1), message.getDescriptorForType().findFieldByNumber(1), depth);
            case WRAPPER ->
                single(field(message, 1), message.getDescriptorForType().findFieldByNumber(1), depth);
            case MESSAGE -> {
                ObjectText object = new ObjectText(depth);
                fields(message, object, depth);
                object.end();
            }
        }
    }

    private static Object field(Message message, int number) {
        return message.getField(message.getDescriptorForType().findFieldByNumber(number));
    }

    private static TimeText timeOf(Message message) {
        return new TimeText((Long) field(message, 1), (Integer) field(message, 2));
    }

    private void quoteOrFields(@Nullable String text, Message message, int depth) {
        if (text != null) {
            quote(text, out);
            return;
        }
        ObjectText object = new ObjectText(depth);
        fields(message, object, depth);
        object.end();
    }

    private void fields(Message message, ObjectText object, int depth) {
        Map<FieldDescriptor, Object> set = message.getAllFields();
        if (defaults) {
            set = new TreeMap<>(set);
            for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
                if (!field.hasPresence()) {
                    set.putIfAbsent(field, message.getField(field));
                }
            }
        }
        set.forEach((field, value) -> {
            object.name(field.isExtension() ? "[" + field.getFullName() + "]" : field.getJsonName());
            if (field.isMapField()) {
                map(value, field, depth + 1);
            } else if (field.isRepeated()) {
                list((List<?>) value, field, depth + 1);
            } else {
                single(value, field, depth + 1);
            }
        });
    }

    private void map(Object entries, FieldDescriptor field, int depth) {
        FieldDescriptor keyField = field.getMessageType().findFieldByNumber(1);
        FieldDescriptor valueField = field.getMessageType().findFieldByNumber(2);
        ObjectText object = new ObjectText(depth);
        for (Object entry : (List<?>) entries) {
            Object key = ((Message) entry).getField(keyField);
            object.name(keyField.getType() == FieldDescriptor.Type.STRING ? (String) key : keyText(key, keyField));
            single(((Message) entry).getField(valueField), valueField, depth + 1);
        }
        object.end();
    }

    private static String keyText(Object key, FieldDescriptor keyField) {
        return switch (keyField.getType()) {
            case UINT32, FIXED32 -> Integer.toUnsignedString((Integer) key);
            case UINT64, FIXED64 -> Long.toUnsignedString((Long) key);
            default -> key.toString();
        };
    }

    private void list(List<?> items, FieldDescriptor field, int depth) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            out.append(i == 0 ? "" : ",");
            lineBreak(depth + 1);
            single(items.get(i), field, depth + 1);
        }
        lineBreak(depth);
        out.append(']');
    }

    private void single(Object value, FieldDescriptor field, int depth) {
        switch (field.getType()) {
            case INT32, SINT32, SFIXED32, BOOL -> out.append(value);
            case UINT32, FIXED32 -> out.append(Integer.toUnsignedString((Integer) value));
            case INT64, SINT64, SFIXED64 -> out.append('"').append(value).append('"');
            case UINT64, FIXED64 ->
                out.append('"').append(Long.toUnsignedString((Long) value)).append('"');
            case DOUBLE -> floating((Double) value, value.toString());
            case FLOAT -> floating((Float) value, value.toString());
            case STRING -> quote((String) value, out);
            case BYTES -> base64((ByteString) value);
            case ENUM -> enumValue((EnumValueDescriptor) value);
            case MESSAGE, GROUP -> message((Message) value, depth);
        }
    }

    private void floating(double value, String text) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            out.append('"').append(text).append('"'); // Java's words for them are ProtoJSON's
        } else {
            out.append(text.endsWith(".0") ? text.substring(0, text.length() - 2) : text);
        }
    }

    private void base64(ByteString bytes) {
        out.append('"')
                .append(Base64.getEncoder().encodeToString(bytes.toByteArray()))
                .append('"');
    }

    private void enumValue(EnumValueDescriptor value) {
        if (value.getType().getFullName().equals("google.protobuf.NullValue")) {
            out.append("null");
        } else if (value.getIndex() == -1) {
            out.append(value.getNumber()); // a number that this version of the enum does not know
        } else {
            quote(value.getName(), out);
        }
    }

    private void value(Message message, int depth) {
        Map<FieldDescriptor, Object> set = message.getAllFields();
        if (set.isEmpty()) {
            out.append("null");
            return;
        }
        Map.Entry<FieldDescriptor, Object> kind = set.entrySet().iterator().next();
        if (kind.getKey().getNumber() == 1) {
            out.append("null");
        } else {
            single(kind.getValue(), kind.getKey(), depth);
        }
    }

    private static String maskText(List<?> paths) {
        StringBuilder text = new StringBuilder();
        for (Object path : paths) {
            text.append(text.isEmpty() ? "" : ",");
            boolean upper = false;
            for (char c : path.toString().toCharArray()) {
                if (c == '_') {
                    upper = true;
                } else {
                    text.append(upper ? Character.toUpperCase(c) : c);
                    upper = false;
                }
            }
        }
        return text.toString();
    }

    private void any(Message any, int depth) {
        String url = (String) field(any, 1);
        ByteString bytes = (ByteString) field(any, 2);
        ObjectText object = new ObjectText(depth);
        if (!url.isEmpty() || !bytes.isEmpty()) {
            object.name("@type");
            quote(url, out);
            Message content = depth < MAX_DEPTH ? content(url, bytes) : null;
            if (content == null) {
                object.name("@value");
                base64(bytes);
            } else if (WellKnownTypes.formOf(content.getDescriptorForType()) == WellKnownTypes.JsonForm.MESSAGE) {
                fields(content, object, depth);
            } else {
                object.name("value");
                message(content, depth + 1);
            }
        }
        object.end();
    }

    private @Nullable Message content(String url, ByteString bytes) {
        Descriptor type = types.messageType(url.substring(url.lastIndexOf('/') + 1));
        try {
            return type == null ? null : DynamicMessage.parseFrom(type, bytes, types.extensions());
        } catch (InvalidProtocolBufferException e) {
            return null;
        }
    }

    /** The commas and line breaks of an object. */
    private final class ObjectText {
        private final int depth;
        private boolean empty = true;

        ObjectText(int depth) {
            this.depth = depth;
            out.append('{');
        }

        void name(String name) {
            out.append(empty ? "" : ",");
            empty = false;
            lineBreak(depth + 1);
            quote(name, out);
            out.append(pretty ? ": " : ":");
        }

        void end() {
            if (!empty) {
                lineBreak(depth);
            }
            out.append('}');
        }
    }

    private void lineBreak(int depth) {
        if (pretty) {
            out.append('\n').repeat("  ", depth);
        }
    }

    /**
     * A JSON string. Beyond what JSON demands, control characters above ASCII and halves of surrogate pairs are escaped,
     * so that what a server sends can neither steer a terminal nor break an encoder.
     */
    static void quote(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    boolean pair = Character.isHighSurrogate(c)
                            && i + 1 < text.length()
                            && Character.isLowSurrogate(text.charAt(i + 1));
                    if (pair) {
                        out.append(c).append(text.charAt(++i));
                    } else if (Character.isISOControl(c)
                            || Character.isSurrogate(c)
                            || c == '\u2028'
                            || c == '\u2029') {
                        out.append("\\u").append(String.format("%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
