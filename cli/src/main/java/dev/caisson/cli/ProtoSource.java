package dev.caisson.cli;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A descriptor as the .proto text it came from, as far as a descriptor remembers: types are written in full. */
final class ProtoSource {
    private static final int MAX_INT32_FIELD = 536_870_911;

    private final StringBuilder out = new StringBuilder();

    private ProtoSource() {}

    /** The text, with a comment that says from which file. */
    static String of(GenericDescriptor symbol) {
        ProtoSource source = new ProtoSource();
        source.line(
                0,
                "// " + kind(symbol) + " " + symbol.getFullName() + ", from "
                        + symbol.getFile().getName());
        switch (symbol) {
            case ServiceDescriptor service -> source.service(service);
            case MethodDescriptor method -> source.method(method, 0);
            case Descriptor message -> source.message(message, "message " + message.getName(), 0);
            case EnumDescriptor type -> source.enumType(type, 0);
            case FieldDescriptor extension -> source.extension(extension);
            default -> source.line(0, symbol.getFullName());
        }
        return source.out.toString();
    }

    /** "service", "method", "message", … */
    static String kind(GenericDescriptor symbol) {
        return switch (symbol) {
            case ServiceDescriptor service -> "service";
            case MethodDescriptor method -> "method";
            case Descriptor message -> "message";
            case EnumDescriptor type -> "enum";
            case FieldDescriptor field -> field.isExtension() ? "extension" : "field";
            default -> "symbol";
        };
    }

    private void line(int depth, String text) {
        out.repeat("  ", depth).append(Json.printable(text)).append('\n');
    }

    private void custom(GenericDescriptor symbol, Message options, int depth) {
        CustomOptions.of(symbol, options).forEach(option -> line(depth, "option " + option + ";"));
    }

    private void service(ServiceDescriptor service) {
        line(0, "service " + service.getName() + " {");
        if (service.getOptions().getDeprecated()) {
            line(1, "option deprecated = true;");
        }
        custom(service, service.getOptions(), 1);
        service.getMethods().forEach(method -> method(method, 1));
        line(0, "}");
    }

    private void method(MethodDescriptor method, int depth) {
        String text = "rpc " + method.getName() + " ("
                + (method.isClientStreaming() ? "stream " : "") + "."
                + method.getInputType().getFullName() + ") returns ("
                + (method.isServerStreaming() ? "stream " : "") + "."
                + method.getOutputType().getFullName() + ")";
        List<String> options = new ArrayList<>();
        if (method.getOptions().getDeprecated()) {
            options.add("option deprecated = true;");
        }
        if (method.getOptions().hasIdempotencyLevel()) {
            options.add("option idempotency_level = " + method.getOptions().getIdempotencyLevel() + ";");
        }
        CustomOptions.of(method, method.getOptions()).forEach(option -> options.add("option " + option + ";"));
        line(depth, text + (options.isEmpty() ? ";" : " { " + String.join(" ", options) + " }"));
    }

    private void message(Descriptor message, String head, int depth) {
        line(depth, head + " {");
        if (message.getOptions().getDeprecated()) {
            line(depth + 1, "option deprecated = true;");
        }
        custom(message, message.getOptions(), depth + 1);
        Set<Descriptor> groups = new HashSet<>();
        Set<OneofDescriptor> written = new HashSet<>();
        for (FieldDescriptor field : message.getFields()) {
            if (field.getType() == FieldDescriptor.Type.GROUP) {
                groups.add(field.getMessageType());
            }
            OneofDescriptor oneof = field.getRealContainingOneof();
            if (oneof == null) {
                field(field, depth + 1);
            } else if (written.add(oneof)) {
                line(depth + 1, "oneof " + oneof.getName() + " {");
                oneof.getFields().forEach(member -> field(member, depth + 2));
                line(depth + 1, "}");
            }
        }
        ranges(message.toProto(), depth + 1);
        for (Descriptor nested : message.getNestedTypes()) {
            if (!nested.getOptions().getMapEntry() && !groups.contains(nested)) {
                message(nested, "message " + nested.getName(), depth + 1);
            }
        }
        message.getEnumTypes().forEach(type -> enumType(type, depth + 1));
        line(depth, "}");
    }

    private void field(FieldDescriptor field, int depth) {
        String head = label(field)
                + (field.getType() == FieldDescriptor.Type.GROUP
                        ? "group " + field.getMessageType().getName() + " = " + field.getNumber()
                        : type(field) + " " + field.getName() + " = " + field.getNumber());
        if (field.getType() == FieldDescriptor.Type.GROUP) {
            message(field.getMessageType(), head, depth);
            return;
        }
        List<String> options = options(field);
        line(depth, head + bracketed(options) + ";");
    }

    private static String bracketed(List<String> options) {
        return options.isEmpty() ? "" : " [" + String.join(", ", options) + "]";
    }

    private static String label(FieldDescriptor field) {
        if (field.isMapField() || field.getRealContainingOneof() != null) {
            return "";
        }
        if (field.isRepeated()) {
            return "repeated ";
        }
        if (field.isRequired()) {
            return "required ";
        }
        return field.hasOptionalKeyword() ? "optional " : "";
    }

    private static String type(FieldDescriptor field) {
        if (field.isMapField()) {
            return "map<" + type(field.getMessageType().findFieldByNumber(1)) + ", "
                    + type(field.getMessageType().findFieldByNumber(2)) + ">";
        }
        return switch (field.getType()) {
            case MESSAGE, GROUP -> "." + field.getMessageType().getFullName();
            case ENUM -> "." + field.getEnumType().getFullName();
            default -> field.getType().name().toLowerCase(Locale.ROOT);
        };
    }

    private static List<String> options(FieldDescriptor field) {
        List<String> options = new ArrayList<>();
        if (field.hasDefaultValue()) {
            options.add("default = " + defaultText(field));
        }
        if (!field.getJsonName().equals(camel(field.getName()))) {
            options.add("json_name = " + Json.quote(field.getJsonName()));
        }
        if (field.getOptions().hasPacked()) {
            options.add("packed = " + field.getOptions().getPacked());
        }
        if (field.getOptions().getDeprecated()) {
            options.add("deprecated = true");
        }
        options.addAll(CustomOptions.of(field, field.getOptions()));
        return options;
    }

    private static String defaultText(FieldDescriptor field) {
        Object value = field.getDefaultValue();
        return switch (field.getType()) {
            case ENUM -> ((EnumValueDescriptor) value).getName();
            case STRING -> Json.quote((String) value);
            case BYTES -> Json.quote(field.toProto().getDefaultValue());
            default -> value.toString();
        };
    }

    /** protobuf's default json_name: lowerCamelCase. */
    private static String camel(String name) {
        StringBuilder camel = new StringBuilder();
        boolean upper = false;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '_') {
                upper = true;
            } else {
                camel.append(upper ? Character.toUpperCase(c) : c);
                upper = false;
            }
        }
        return camel.toString();
    }

    private void ranges(DescriptorProto message, int depth) {
        message.getExtensionRangeList()
                .forEach(range -> line(depth, "extensions " + range(range.getStart(), range.getEnd() - 1) + ";"));
        message.getReservedRangeList()
                .forEach(range -> line(depth, "reserved " + range(range.getStart(), range.getEnd() - 1) + ";"));
        message.getReservedNameList().forEach(name -> line(depth, "reserved " + Json.quote(name) + ";"));
    }

    private static String range(int first, int last) {
        return first == last ? String.valueOf(first) : first + " to " + (last >= MAX_INT32_FIELD ? "max" : last);
    }

    private void enumType(EnumDescriptor type, int depth) {
        line(depth, "enum " + type.getName() + " {");
        EnumDescriptorProto proto = type.toProto();
        if (proto.getOptions().getAllowAlias()) {
            line(depth + 1, "option allow_alias = true;");
        }
        if (proto.getOptions().getDeprecated()) {
            line(depth + 1, "option deprecated = true;");
        }
        custom(type, type.getOptions(), depth + 1);
        for (EnumValueDescriptor value : type.getValues()) {
            List<String> options = new ArrayList<>();
            if (value.getOptions().getDeprecated()) {
                options.add("deprecated = true");
            }
            options.addAll(CustomOptions.of(value, value.getOptions()));
            line(depth + 1, value.getName() + " = " + value.getNumber() + bracketed(options) + ";");
        }
        proto.getReservedRangeList()
                .forEach(range -> line(depth + 1, "reserved " + range(range.getStart(), range.getEnd()) + ";"));
        proto.getReservedNameList().forEach(name -> line(depth + 1, "reserved " + Json.quote(name) + ";"));
        line(depth, "}");
    }

    private void extension(FieldDescriptor extension) {
        line(0, "extend ." + extension.getContainingType().getFullName() + " {");
        field(extension, 1);
        line(0, "}");
    }
}
