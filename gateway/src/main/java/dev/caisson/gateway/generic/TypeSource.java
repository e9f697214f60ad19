package dev.caisson.gateway.generic;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.ExtensionRegistry;
import org.jspecify.annotations.Nullable;

/**
 * Where message types are looked up by name: for {@code google.protobuf.Any} and for extensions. Thread-safe. A look-up
 * may go over the network ({@link ReflectionCatalog}); it never throws because of that, it answers null.
 */
public interface TypeSource {
    /** Knows the types compiled into protobuf and {@code google.rpc} error details, and nothing else. */
    TypeSource WELL_KNOWN = WellKnownTypes.SOURCE;

    /**
     * The message type of that name.
     *
     * @param fullName as in {@code google.rpc.BadRequest}, without leading dot or slash
     */
    @Nullable
    Descriptor messageType(String fullName);

    /** The extension field of that full name, as written in brackets in JSON: {@code "[pkg.ext]"}. */
    default @Nullable FieldDescriptor extension(String fullName) {
        return null;
    }

    /** The extensions known so far, for parsing messages. */
    default ExtensionRegistry extensions() {
        return ExtensionRegistry.getEmptyRegistry();
    }

    /** This source first, then the other. */
    default TypeSource or(TypeSource other) {
        TypeSource first = this;
        return new TypeSource() {
            @Override
            public @Nullable Descriptor messageType(String fullName) {
                Descriptor found = first.messageType(fullName);
                return found != null ? found : other.messageType(fullName);
            }

            @Override
            public @Nullable FieldDescriptor extension(String fullName) {
                FieldDescriptor found = first.extension(fullName);
                return found != null ? found : other.extension(fullName);
            }

            @Override
            public ExtensionRegistry extensions() {
                return first.extensions();
            }
        };
    }
}
