package dev.caisson.cli;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Empty;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A message with something in every field, to be filled in: lists and maps of one, the first member of each oneof,
 * messages inside messages until one would contain itself. What it writes as JSON can be sent as it is.
 */
final class JsonTemplate {
    private static final int MAX_DEPTH = 8;

    private JsonTemplate() {}

    static DynamicMessage of(Descriptor type) {
        return of(type, Set.of());
    }

    private static DynamicMessage of(Descriptor type, Set<Descriptor> inside) {
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        if (type.getFullName().equals("google.protobuf.Any")) {
            return DynamicMessage.newBuilder(type)
                    .setField(
                            type.findFieldByNumber(1),
                            Any.pack(Empty.getDefaultInstance()).getTypeUrl())
                    .build();
        }
        if (type.getFullName().equals("google.protobuf.Value")
                || type.getFullName().equals("google.protobuf.Struct")
                || type.getFullName().equals("google.protobuf.ListValue")) {
            return builder.build();
        }
        Set<Descriptor> deeper = new HashSet<>(inside);
        deeper.add(type);
        Set<OneofDescriptor> oneofs = new HashSet<>();
        for (FieldDescriptor field : type.getFields()) {
            boolean message = field.getJavaType() == JavaType.MESSAGE;
            Descriptor content = message ? contentOf(field) : null;
            boolean endless = content != null && (deeper.contains(content) || deeper.size() > MAX_DEPTH);
            boolean otherOfOneof = field.getContainingOneof() != null && !oneofs.add(field.getContainingOneof());
            if (otherOfOneof || (endless && !field.isRequired())) {
                continue;
            }
            if (field.isRepeated()) {
                builder.addRepeatedField(field, value(field, deeper));
            } else {
                builder.setField(field, value(field, deeper));
            }
        }
        return builder.buildPartial();
    }

    /** The message a field leads to; for a map, its values' type, or the entry itself if they are no messages. */
    private static Descriptor contentOf(FieldDescriptor field) {
        if (field.isMapField()) {
            FieldDescriptor value = field.getMessageType().findFieldByNumber(2);
            return value.getJavaType() == JavaType.MESSAGE ? value.getMessageType() : field.getMessageType();
        }
        return field.getMessageType();
    }

    private static Object value(FieldDescriptor field, Set<Descriptor> inside) {
        return switch (field.getJavaType()) {
            case MESSAGE -> of(field.getMessageType(), inside);
            case ENUM -> {
                List<EnumValueDescriptor> values = field.getEnumType().getValues();
                yield values.getFirst();
            }
            case INT -> 0;
            case LONG -> 0L;
            case FLOAT -> 0f;
            case DOUBLE -> 0.0;
            case BOOLEAN -> false;
            case STRING -> "";
            case BYTE_STRING -> ByteString.EMPTY;
        };
    }
}
