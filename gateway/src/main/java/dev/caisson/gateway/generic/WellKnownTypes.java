package dev.caisson.gateway.generic;

import com.google.protobuf.AnyProto;
import com.google.protobuf.ApiProto;
import com.google.protobuf.DescriptorProtos;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DurationProto;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.FieldMaskProto;
import com.google.protobuf.SourceContextProto;
import com.google.protobuf.StructProto;
import com.google.protobuf.TimestampProto;
import com.google.protobuf.TypeProto;
import com.google.protobuf.WrappersProto;
import com.google.rpc.ErrorDetailsProto;
import com.google.rpc.StatusProto;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The files that every protobuf program has, and which of their types have a JSON form of their own. */
final class WellKnownTypes {
    /** By file name, as in an import statement. */
    static final Map<String, FileDescriptor> FILES = byName(List.of(
            AnyProto.getDescriptor(),
            ApiProto.getDescriptor(),
            DescriptorProtos.getDescriptor(),
            DurationProto.getDescriptor(),
            EmptyProto.getDescriptor(),
            FieldMaskProto.getDescriptor(),
            SourceContextProto.getDescriptor(),
            StructProto.getDescriptor(),
            TimestampProto.getDescriptor(),
            TypeProto.getDescriptor(),
            WrappersProto.getDescriptor(),
            StatusProto.getDescriptor(),
            ErrorDetailsProto.getDescriptor()));

    static final TypeSource SOURCE = messages(FILES)::get;

    private WellKnownTypes() {}

    /** How a type is written in JSON (protobuf's "ProtoJSON format", table "JSON mapping"). */
    enum JsonForm {
        MESSAGE,
        ANY,
        TIMESTAMP,
        DURATION,
        FIELD_MASK,
        STRUCT,
        VALUE,
        LIST,
        WRAPPER
    }

    /**
     * The JSON form of a type. A type that has a well-known name but not the well-known fields (descriptors come from
     * servers, and servers may lie) is an ordinary message.
     */
    static JsonForm formOf(Descriptor type) {
        String name = type.getFullName();
        if (!name.startsWith("google.protobuf.")) {
            return JsonForm.MESSAGE;
        }
        return switch (name.substring("google.protobuf.".length())) {
            case "Any" ->
                form(JsonForm.ANY, type, single(FieldDescriptor.Type.STRING), single(FieldDescriptor.Type.BYTES));
            case "Timestamp" -> secondsAndNanos(JsonForm.TIMESTAMP, type);
            case "Duration" -> secondsAndNanos(JsonForm.DURATION, type);
            case "FieldMask" -> form(JsonForm.FIELD_MASK, type, repeated(FieldDescriptor.Type.STRING));
            case "Struct" -> isStruct(type) ? JsonForm.STRUCT : JsonForm.MESSAGE;
            case "Value" -> isValue(type) ? JsonForm.VALUE : JsonForm.MESSAGE;
            case "ListValue" -> isListValue(type) ? JsonForm.LIST : JsonForm.MESSAGE;
            case "DoubleValue" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.DOUBLE));
            case "FloatValue" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.FLOAT));
            case "Int64Value" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.INT64));
            case "UInt64Value" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.UINT64));
            case "Int32Value" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.INT32));
            case "UInt32Value" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.UINT32));
            case "BoolValue" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.BOOL));
            case "StringValue" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.STRING));
            case "BytesValue" -> form(JsonForm.WRAPPER, type, single(FieldDescriptor.Type.BYTES));
            default -> JsonForm.MESSAGE;
        };
    }

    private record Shape(FieldDescriptor.Type type, boolean repeated) {}

    private static Shape single(FieldDescriptor.Type type) {
        return new Shape(type, false);
    }

    private static Shape repeated(FieldDescriptor.Type type) {
        return new Shape(type, true);
    }

    private static JsonForm secondsAndNanos(JsonForm form, Descriptor type) {
        return form(form, type, single(FieldDescriptor.Type.INT64), single(FieldDescriptor.Type.INT32));
    }

    /** The form, if the fields numbered 1, 2, … are of those types and there are no others. */
    private static JsonForm form(JsonForm form, Descriptor type, Shape... shapes) {
        return hasShape(type, shapes) ? form : JsonForm.MESSAGE;
    }

    private static boolean hasShape(Descriptor type, Shape... shapes) {
        if (type.getFields().size() != shapes.length) {
            return false;
        }
        for (int i = 0; i < shapes.length; i++) {
            FieldDescriptor field = type.findFieldByNumber(i + 1);
            if (field == null
                    || field.getType() != shapes[i].type()
                    || field.isRepeated() != shapes[i].repeated()
                    || field.isRequired()) {
                return false;
            }
        }
        return true;
    }

    private static boolean isStruct(Descriptor type) {
        FieldDescriptor fields = type.findFieldByNumber(1);
        return type.getFields().size() == 1
                && fields != null
                && fields.isMapField()
                && fields.getMessageType().findFieldByNumber(1).getType() == FieldDescriptor.Type.STRING
                && fields.getMessageType().findFieldByNumber(2).getJavaType() == FieldDescriptor.JavaType.MESSAGE
                && isValue(fields.getMessageType().findFieldByNumber(2).getMessageType());
    }

    private static boolean isValue(Descriptor type) {
        return type.getFullName().equals("google.protobuf.Value")
                && hasShape(
                        type,
                        single(FieldDescriptor.Type.ENUM),
                        single(FieldDescriptor.Type.DOUBLE),
                        single(FieldDescriptor.Type.STRING),
                        single(FieldDescriptor.Type.BOOL),
                        single(FieldDescriptor.Type.MESSAGE),
                        single(FieldDescriptor.Type.MESSAGE))
                && type.findFieldByNumber(5).getMessageType().getFullName().equals("google.protobuf.Struct")
                && type.findFieldByNumber(6).getMessageType().getFullName().equals("google.protobuf.ListValue")
                && type.findFieldByNumber(5).getMessageType().findFieldByNumber(1) != null
                && isListValueOf(type.findFieldByNumber(6).getMessageType(), type);
    }

    private static boolean isListValue(Descriptor type) {
        FieldDescriptor values = type.findFieldByNumber(1);
        return values != null
                && values.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                && isListValueOf(type, values.getMessageType())
                && isValue(values.getMessageType());
    }

    private static boolean isListValueOf(Descriptor list, Descriptor value) {
        FieldDescriptor values = list.findFieldByNumber(1);
        return hasShape(list, repeated(FieldDescriptor.Type.MESSAGE))
                && values != null
                && values.getMessageType() == value;
    }

    private static Map<String, FileDescriptor> byName(List<FileDescriptor> files) {
        Map<String, FileDescriptor> byName = new HashMap<>();
        files.forEach(file -> byName.put(file.getName(), file));
        return Map.copyOf(byName);
    }

    private static Map<String, Descriptor> messages(Map<String, FileDescriptor> files) {
        Map<String, Descriptor> messages = new HashMap<>();
        files.values().forEach(file -> file.getMessageTypes().forEach(type -> addNested(messages, type)));
        return Map.copyOf(messages);
    }

    private static void addNested(Map<String, Descriptor> messages, Descriptor type) {
        messages.put(type.getFullName(), type);
        type.getNestedTypes().forEach(nested -> addNested(messages, nested));
    }

    /** Whether the descriptor is one of the types that only exist for a map's entries. */
    static boolean isMapEntry(@Nullable Descriptor type) {
        return type != null && type.getOptions().getMapEntry();
    }
}
