package dev.caisson.cli;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Options that a schema defines itself, by extending protobuf's: {@code (acme.role) = "admin"}. Protobuf keeps them as
 * unknown bytes; they are read again with the extensions that the file and all its imports declare. What nobody declares
 * has no name and is left out.
 */
final class CustomOptions {
    private CustomOptions() {}

    /** Each as {@code (full.name) = value}, in the order of their numbers; a repeated one once for each value. */
    static List<String> of(GenericDescriptor symbol, Message options) {
        if (options.getUnknownFields().asMap().isEmpty()) {
            return List.of();
        }
        List<FieldDescriptor> declared = extensions(symbol.getFile(), options.getDescriptorForType());
        if (declared.isEmpty()) {
            return List.of();
        }
        ExtensionRegistry registry = ExtensionRegistry.newInstance();
        for (FieldDescriptor extension : declared) {
            if (extension.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
                registry.add(extension, DynamicMessage.getDefaultInstance(extension.getMessageType()));
            } else {
                registry.add(extension);
            }
        }
        List<String> texts = new ArrayList<>();
        try {
            // Of the type that the extensions extend: it need not be the generated one.
            DynamicMessage again =
                    DynamicMessage.parseFrom(declared.getFirst().getContainingType(), options.toByteString(), registry);
            again.getAllFields().forEach((field, value) -> {
                if (field.isExtension()) {
                    List<?> values = field.isRepeated() ? (List<?>) value : List.of(value);
                    values.forEach(one -> texts.add("(" + field.getFullName() + ") = " + text(field, one)));
                }
            });
        } catch (InvalidProtocolBufferException garbled) {
            return List.of(); // bytes that do not fit their declaration have no text
        }
        return texts;
    }

    private static String text(FieldDescriptor field, Object value) {
        return switch (field.getJavaType()) {
            case STRING -> Json.quote((String) value);
            case BYTE_STRING -> '"' + TextFormat.escapeBytes((com.google.protobuf.ByteString) value) + '"';
            case ENUM -> ((EnumValueDescriptor) value).getName();
            case MESSAGE ->
                "{ "
                        + TextFormat.printer()
                                .printToString((Message) value)
                                .strip()
                                .replaceAll("\\s*\n\\s*", " ") + " }";
            default -> value.toString();
        };
    }

    private static List<FieldDescriptor> extensions(FileDescriptor file, Descriptor extended) {
        Set<FileDescriptor> files = new LinkedHashSet<>();
        addImports(file, files);
        List<FieldDescriptor> found = new ArrayList<>();
        for (FileDescriptor one : files) {
            add(one.getExtensions(), extended, found);
            one.getMessageTypes().forEach(message -> addNested(message, extended, found));
        }
        return found;
    }

    private static void addImports(FileDescriptor file, Set<FileDescriptor> files) {
        if (files.add(file)) {
            file.getDependencies().forEach(imported -> addImports(imported, files));
        }
    }

    private static void addNested(Descriptor message, Descriptor extended, List<FieldDescriptor> found) {
        add(message.getExtensions(), extended, found);
        message.getNestedTypes().forEach(nested -> addNested(nested, extended, found));
    }

    private static void add(List<FieldDescriptor> extensions, Descriptor extended, List<FieldDescriptor> found) {
        for (FieldDescriptor extension : extensions) {
            if (extension.getContainingType().getFullName().equals(extended.getFullName())) {
                found.add(extension);
            }
        }
    }
}
