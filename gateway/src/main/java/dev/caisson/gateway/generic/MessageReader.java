package dev.caisson.gateway.generic;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.DynamicMessage;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A parsed JSON value to a message of a type, by the ProtoJSON mapping. Every refusal names the value's place. */
final class MessageReader {
    /* Recursion is bounded by the depth of the JSON, which JsonReader bounds. */
    private final JsonText input;
    private final TypeSource types;
    private final boolean ignoreUnknown;

    MessageReader(JsonText input, TypeSource types, boolean ignoreUnknown) {
        this.input = input;
        this.types = types;
        this.ignoreUnknown = ignoreUnknown;
    }

    DynamicMessage read(JsonValue value, Descriptor type) {
        return message(value, type, JsonPath.ROOT);
    }

    private DynamicMessage message(JsonValue value, Descriptor type, JsonPath path) {
        return switch (WellKnownTypes.formOf(type)) {
            case MESSAGE -> fields(object(value, type, path), type, path, Set.of());
            case ANY -> any(object(value, type, path), type, path);
            case TIMESTAMP -> time(type, value, path, "a timestamp like \"2026-01-31T12:00:00Z\"", TimeText::timestamp);
            case DURATION -> time(type, value, path, "a duration like \"1.5s\"", TimeText::duration);
            case FIELD_MASK -> fieldMask(type, value, path);
            case STRUCT -> struct(type, object(value, type, path), path);
            case VALUE -> anyValue(type, value, path);
            case LIST -> list(type, value, path);
            case WRAPPER -> {
                FieldDescriptor field = type.findFieldByNumber(1);
                yield DynamicMessage.newBuilder(type)
                        .setField(field, single(field, value, path))
                        .build();
            }
        };
    }

    private JsonValue.Obj object(JsonValue value, Descriptor type, JsonPath path) {
        if (value instanceof JsonValue.Obj object) {
            return object;
        }
        throw error(value, path, "an object is needed (" + type.getFullName() + "), not " + value.kind());
    }

    // ---- ordinary messages

    private DynamicMessage fields(JsonValue.Obj object, Descriptor type, JsonPath path, Set<String> skip) {
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        Set<FieldDescriptor> seen = new HashSet<>();
        Map<OneofDescriptor, String> oneofs = new HashMap<>();
        for (JsonValue.Member member : object.members()) {
            if (skip.contains(member.name())) {
                continue;
            }
            JsonPath here = path.member(member.name());
            FieldDescriptor field = field(type, member, here);
            if (field == null) {
                continue;
            }
            if (!seen.add(field)) {
                throw input.error(member.nameAt(), here.toString(), "this field was given before", null);
            }
            if (member.value() instanceof JsonValue.Null && !takesNull(field)) {
                continue;
            }
            OneofDescriptor oneof = field.getContainingOneof();
            String other = oneof == null ? null : oneofs.put(oneof, member.name());
            if (oneof != null && other != null) {
                throw input.error(
                        member.nameAt(),
                        here.toString(),
                        "only one of the oneof " + oneof.getName() + " can be set, and " + other + " was before",
                        null);
            }
            set(builder, field, member.value(), here);
        }
        requireRequired(builder, type, object, path);
        return builder.buildPartial();
    }

    private @Nullable FieldDescriptor field(Descriptor type, JsonValue.Member member, JsonPath path) {
        String name = member.name();
        for (FieldDescriptor field : type.getFields()) {
            if (field.getJsonName().equals(name) || field.getName().equals(name)) {
                return field;
            }
        }
        if (name.startsWith("[") && name.endsWith("]")) {
            FieldDescriptor extension = types.extension(name.substring(1, name.length() - 1));
            if (extension != null && extension.getContainingType() == type) {
                return extension;
            }
        }
        if (ignoreUnknown) {
            return null;
        }
        List<String> names =
                type.getFields().stream().map(FieldDescriptor::getJsonName).toList();
        List<String> nearest = NearestNames.of(name, names);
        String known = names.isEmpty()
                ? "it has none"
                : "it has " + String.join(", ", names.subList(0, Math.min(8, names.size())))
                        + (names.size() > 8 ? ", …" : "");
        throw input.error(
                member.nameAt(),
                path.toString(),
                type.getFullName() + " has no field \"" + JsonValue.shorten(name) + "\""
                        + (nearest.isEmpty() ? "; " + known : ""),
                nearest.isEmpty() ? null : nearest.getFirst());
    }

    /** Whether null is a value of the field, and not the absence of one. */
    private static boolean takesNull(FieldDescriptor field) {
        return !field.isRepeated() && takesNullItem(field);
    }

    private static boolean isNullValue(EnumDescriptor type) {
        return type.getFullName().equals("google.protobuf.NullValue") && type.findValueByNumber(0) != null;
    }

    private void requireRequired(DynamicMessage.Builder builder, Descriptor type, JsonValue.Obj object, JsonPath path) {
        for (FieldDescriptor field : type.getFields()) {
            if (field.isRequired() && !builder.hasField(field)) {
                throw error(
                        object,
                        path,
                        "the required field \"" + field.getJsonName() + "\" of " + type.getFullName() + " is missing");
            }
        }
    }

    private void set(DynamicMessage.Builder builder, FieldDescriptor field, JsonValue value, JsonPath path) {
        if (field.isMapField()) {
            setMap(builder, field, value, path);
        } else if (!field.isRepeated()) {
            builder.setField(field, single(field, value, path));
        } else if (value instanceof JsonValue.Arr array) {
            int index = 0;
            for (JsonValue item : array.items()) {
                builder.addRepeatedField(field, single(field, item, path.item(index++)));
            }
        } else {
            throw error(value, path, "an array is needed (repeated " + typeName(field) + "), not " + value.kind());
        }
    }

    private void setMap(DynamicMessage.Builder builder, FieldDescriptor field, JsonValue value, JsonPath path) {
        FieldDescriptor keyField = field.getMessageType().findFieldByNumber(1);
        FieldDescriptor valueField = field.getMessageType().findFieldByNumber(2);
        if (!(value instanceof JsonValue.Obj object)) {
            throw error(
                    value,
                    path,
                    "an object is needed (map<" + typeName(keyField) + ", " + typeName(valueField) + ">), not "
                            + value.kind());
        }
        Set<Object> keys = new HashSet<>();
        for (JsonValue.Member member : object.members()) {
            JsonPath here = path.member(member.name());
            Object key = mapKey(keyField, member, here);
            if (!keys.add(key)) {
                throw input.error(member.nameAt(), here.toString(), "this key was given before", null);
            }
            builder.addRepeatedField(
                    field,
                    DynamicMessage.newBuilder(field.getMessageType())
                            .setField(keyField, key)
                            .setField(valueField, single(valueField, member.value(), here))
                            .buildPartial());
        }
    }

    private Object mapKey(FieldDescriptor keyField, JsonValue.Member member, JsonPath path) {
        JsonValue.Str text = new JsonValue.Str(member.name(), member.nameAt());
        if (keyField.getJavaType() == JavaType.BOOLEAN) {
            return switch (member.name()) {
                case "true" -> true;
                case "false" -> false;
                default -> throw error(text, path, "this map's keys are \"true\" and \"false\"");
            };
        }
        return single(keyField, text, path);
    }

    // ---- one value of a field

    private Object single(FieldDescriptor field, JsonValue value, JsonPath path) {
        if (value instanceof JsonValue.Null && !takesNullItem(field)) {
            throw error(value, path, typeName(field) + " is needed, not null");
        }
        return switch (field.getType()) {
            case INT32, SINT32, SFIXED32 -> (int) integer(field, value, path, NumberText.INT32);
            case UINT32, FIXED32 -> (int) integer(field, value, path, NumberText.UINT32);
            case INT64, SINT64, SFIXED64 -> integer(field, value, path, NumberText.INT64);
            case UINT64, FIXED64 -> integer(field, value, path, NumberText.UINT64);
            case DOUBLE -> floating(field, value, path);
            case FLOAT -> (float) floating(field, value, path);
            case BOOL -> {
                if (value instanceof JsonValue.Bool bool) {
                    yield bool.value();
                }
                throw error(value, path, "true or false is needed (bool), not " + value.kind());
            }
            case STRING -> string(value, path);
            case BYTES -> bytes(value, path);
            case ENUM -> enumValue(field, value, path);
            case MESSAGE, GROUP -> message(value, field.getMessageType(), path);
        };
    }

    private static boolean takesNullItem(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case MESSAGE -> WellKnownTypes.formOf(field.getMessageType()) == WellKnownTypes.JsonForm.VALUE;
            case ENUM -> isNullValue(field.getEnumType());
            default -> false;
        };
    }

    private long integer(FieldDescriptor field, JsonValue value, JsonPath path, NumberText.Range range) {
        String text = numberText(field, value, path);
        try {
            return NumberText.integer(text, range);
        } catch (ArithmeticException e) {
            throw error(value, path, value.kind() + " is out of range for " + typeName(field) + " (" + range + ")");
        } catch (NumberFormatException e) {
            throw error(value, path, "a whole number is needed (" + typeName(field) + "), not " + value.kind());
        }
    }

    private double floating(FieldDescriptor field, JsonValue value, JsonPath path) {
        String text = numberText(field, value, path);
        try {
            return NumberText.floating(
                    text, field.getType() == FieldDescriptor.Type.FLOAT, value instanceof JsonValue.Str);
        } catch (ArithmeticException e) {
            throw error(value, path, value.kind() + " is out of range for " + typeName(field));
        } catch (NumberFormatException e) {
            throw error(value, path, "a number is needed (" + typeName(field) + "), not " + value.kind());
        }
    }

    private String numberText(FieldDescriptor field, JsonValue value, JsonPath path) {
        return switch (value) {
            case JsonValue.Num number -> number.text();
            case JsonValue.Str string -> string.text();
            default -> throw error(value, path, "a number is needed (" + typeName(field) + "), not " + value.kind());
        };
    }

    private String string(JsonValue value, JsonPath path) {
        if (!(value instanceof JsonValue.Str string)) {
            throw error(value, path, "a string is needed, not " + value.kind());
        }
        String text = string.text();
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                boolean pair = Character.isHighSurrogate(text.charAt(i))
                        && i + 1 < text.length()
                        && Character.isLowSurrogate(text.charAt(i + 1));
                if (!pair) {
                    throw input.error(string.at(), path.toString(), "this string has half of a surrogate pair", null);
                }
                i++;
            }
        }
        return text;
    }

    private ByteString bytes(JsonValue value, JsonPath path) {
        if (value instanceof JsonValue.Str string) {
            try {
                String standard = string.text().replace('-', '+').replace('_', '/');
                return ByteString.copyFrom(Base64.getDecoder().decode(standard));
            } catch (IllegalArgumentException e) {
                throw input.error(
                        string.at(),
                        path.toString(),
                        "base64 is needed (bytes), not " + value.kind() + ": " + e.getMessage(),
                        null);
            }
        }
        throw error(value, path, "a string of base64 is needed (bytes), not " + value.kind());
    }

    private EnumValueDescriptor enumValue(FieldDescriptor field, JsonValue value, JsonPath path) {
        EnumDescriptor type = field.getEnumType();
        if (value instanceof JsonValue.Null && isNullValue(type)) {
            return type.findValueByNumber(0);
        }
        if (value instanceof JsonValue.Str string) {
            EnumValueDescriptor named = type.findValueByName(string.text());
            if (named == null) {
                List<String> names = type.getValues().stream()
                        .map(EnumValueDescriptor::getName)
                        .toList();
                List<String> nearest = NearestNames.of(string.text(), names);
                throw input.error(
                        string.at(),
                        path.toString(),
                        type.getFullName() + " has no value \"" + JsonValue.shorten(string.text()) + "\""
                                + (nearest.isEmpty()
                                        ? "; it has " + String.join(", ", names.subList(0, Math.min(8, names.size())))
                                        : ""),
                        nearest.isEmpty() ? null : nearest.getFirst());
            }
            return named;
        }
        if (!(value instanceof JsonValue.Num)) {
            throw error(value, path, "a name of " + type.getFullName() + " is needed, not " + value.kind());
        }
        int number = (int) integer(field, value, path, NumberText.INT32);
        EnumValueDescriptor known = type.findValueByNumber(number);
        if (known == null && field.legacyEnumFieldTreatedAsClosed()) {
            throw error(value, path, type.getFullName() + " has no value of number " + number);
        }
        return known != null ? known : type.findValueByNumberCreatingIfUnknown(number);
    }

    // ---- types with a form of their own

    private interface TimeReader {
        @Nullable
        TimeText read(String text);
    }

    private DynamicMessage time(Descriptor type, JsonValue value, JsonPath path, String needed, TimeReader reader) {
        TimeText time = value instanceof JsonValue.Str string ? reader.read(string.text()) : null;
        if (time == null) {
            throw error(value, path, needed + " is needed, not " + value.kind());
        }
        return DynamicMessage.newBuilder(type)
                .setField(type.findFieldByNumber(1), time.seconds())
                .setField(type.findFieldByNumber(2), time.nanos())
                .build();
    }

    private DynamicMessage fieldMask(Descriptor type, JsonValue value, JsonPath path) {
        if (!(value instanceof JsonValue.Str mask)) {
            throw error(value, path, "a field mask like \"a.b,camelCase\" is needed, not " + value.kind());
        }
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        for (String one : mask.text().isEmpty() ? new String[0] : mask.text().split(",", -1)) {
            if (one.isEmpty() || one.indexOf('_') >= 0) {
                throw input.error(
                        mask.at(),
                        path.toString(),
                        "a field mask has lowerCamelCase paths between commas, not \"" + JsonValue.shorten(one) + "\"",
                        null);
            }
            StringBuilder snake = new StringBuilder();
            one.chars().forEach(c -> {
                if (c >= 'A' && c <= 'Z') {
                    snake.append('_').append((char) (c + ('a' - 'A')));
                } else {
                    snake.append((char) c);
                }
            });
            builder.addRepeatedField(type.findFieldByNumber(1), snake.toString());
        }
        return builder.build();
    }

    private DynamicMessage struct(Descriptor type, JsonValue.Obj object, JsonPath path) {
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        setMap(builder, type.findFieldByNumber(1), object, path);
        return builder.build();
    }

    private DynamicMessage list(Descriptor type, JsonValue value, JsonPath path) {
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        set(builder, type.findFieldByNumber(1), value, path);
        return builder.build();
    }

    /** google.protobuf.Value: whatever JSON there is. */
    private DynamicMessage anyValue(Descriptor type, JsonValue value, JsonPath path) {
        FieldDescriptor field = type.findFieldByNumber(
                switch (value) {
                    case JsonValue.Null n -> 1;
                    case JsonValue.Num n -> 2;
                    case JsonValue.Str s -> 3;
                    case JsonValue.Bool b -> 4;
                    case JsonValue.Obj o -> 5;
                    case JsonValue.Arr a -> 6;
                });
        Object content = value instanceof JsonValue.Null
                ? field.getEnumType().findValueByNumberCreatingIfUnknown(0)
                : single(field, value, path);
        return DynamicMessage.newBuilder(type).setField(field, content).build();
    }

    private DynamicMessage any(JsonValue.Obj object, Descriptor type, JsonPath path) {
        if (object.members().isEmpty()) {
            return DynamicMessage.getDefaultInstance(type);
        }
        Map<String, JsonValue.Member> members = new HashMap<>();
        List<String> repeated = new ArrayList<>();
        for (JsonValue.Member member : object.members()) {
            if (members.put(member.name(), member) != null) {
                repeated.add(member.name());
            }
        }
        JsonValue.Member typeMember = members.get("@type");
        if (typeMember == null || !(typeMember.value() instanceof JsonValue.Str url)) {
            throw error(object, path, "google.protobuf.Any needs \"@type\", like \"type.googleapis.com/package.Type\"");
        }
        JsonPath typePath = path.member("@type");
        if (repeated.contains("@type")) {
            throw input.error(url.at(), typePath.toString(), "\"@type\" is given twice", null);
        }
        if (url.text().indexOf('/') < 0 || url.text().endsWith("/")) {
            throw input.error(
                    url.at(),
                    typePath.toString(),
                    "a type is named \"type.googleapis.com/package.Type\", not \"" + JsonValue.shorten(url.text())
                            + "\"",
                    null);
        }
        return DynamicMessage.newBuilder(type)
                .setField(type.findFieldByNumber(1), url.text())
                .setField(type.findFieldByNumber(2), anyContent(object, members, url.text(), typeMember, path))
                .build();
    }

    private ByteString anyContent(
            JsonValue.Obj object,
            Map<String, JsonValue.Member> members,
            String url,
            JsonValue.Member typeMember,
            JsonPath path) {
        JsonValue.Member raw = members.get("@value");
        if (raw != null && members.size() == 2 && object.members().size() == 2) {
            return bytes(raw.value(), path.member("@value"));
        }
        String name = url.substring(url.lastIndexOf('/') + 1);
        Descriptor content = types.messageType(name);
        if (content == null) {
            throw error(
                    typeMember.value(),
                    path.member("@type"),
                    "there is no message type " + JsonValue.shorten(name)
                            + " among the descriptors; give its bytes as \"@value\" in base64");
        }
        if (WellKnownTypes.formOf(content) == WellKnownTypes.JsonForm.MESSAGE) {
            return fields(object, content, path, Set.of("@type")).toByteString();
        }
        JsonValue.Member value = members.get("value");
        if (value == null || members.size() != 2 || object.members().size() != 2) {
            throw error(object, path, "an Any of " + name + " has \"@type\" and \"value\", nothing else");
        }
        return message(value.value(), content, path.member("value")).toByteString();
    }

    // ---- errors

    private JsonException error(JsonValue value, JsonPath path, String problem) {
        return input.error(value.at(), path.toString(), problem, null);
    }

    private static String typeName(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case MESSAGE -> field.getMessageType().getFullName();
            case ENUM -> field.getEnumType().getFullName();
            default -> field.getType().name().toLowerCase(Locale.ROOT);
        };
    }
}
