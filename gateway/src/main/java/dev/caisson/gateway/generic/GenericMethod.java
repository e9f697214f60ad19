package dev.caisson.gateway.generic;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/**
 * A method to call without its stub.
 *
 * @param descriptor what the server says of it
 * @param grpc for {@link io.grpc.Channel#newCall}
 */
public record GenericMethod(
        Descriptors.MethodDescriptor descriptor, MethodDescriptor<DynamicMessage, DynamicMessage> grpc) {
    /** The method, whose messages know the extensions that the source has now. */
    public static GenericMethod of(Descriptors.MethodDescriptor method, TypeSource types) {
        ExtensionRegistry extensions = types.extensions();
        return new GenericMethod(
                method,
                MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
                        .setType(typeOf(method))
                        .setFullMethodName(MethodDescriptor.generateFullMethodName(
                                method.getService().getFullName(), method.getName()))
                        .setRequestMarshaller(new Marshaller(method.getInputType(), extensions))
                        .setResponseMarshaller(new Marshaller(method.getOutputType(), extensions))
                        .setIdempotent(method.getOptions().getIdempotencyLevel().getNumber() != 0)
                        .setSafe(method.getOptions().getIdempotencyLevel().getNumber() == 1)
                        .build());
    }

    /**
     * Looks the method up in the catalog, with the extensions of its two message types.
     *
     * @param name {@code pkg.Svc/Method} or {@code pkg.Svc.Method}
     * @throws CatalogException if there is none, or the catalog cannot tell
     */
    public static GenericMethod find(ServiceCatalog catalog, String name) {
        Descriptors.MethodDescriptor method = catalog.method(name);
        if (catalog instanceof ReflectionCatalog reflection) {
            reflection.loadExtensionsOf(method.getInputType());
            reflection.loadExtensionsOf(method.getOutputType());
        }
        return of(method, catalog);
    }

    /** The type of its requests. */
    public Descriptor requestType() {
        return descriptor.getInputType();
    }

    /** The type of its replies. */
    public Descriptor replyType() {
        return descriptor.getOutputType();
    }

    private static MethodType typeOf(Descriptors.MethodDescriptor method) {
        if (method.isClientStreaming()) {
            return method.isServerStreaming() ? MethodType.BIDI_STREAMING : MethodType.CLIENT_STREAMING;
        }
        return method.isServerStreaming() ? MethodType.SERVER_STREAMING : MethodType.UNARY;
    }

    /** Reads straight from the array where the transport knows the length: an eighth of the time (facts, grpc). */
    private record Marshaller(Descriptor type, ExtensionRegistry extensions)
            implements MethodDescriptor.PrototypeMarshaller<DynamicMessage> {
        @Override
        public InputStream stream(DynamicMessage message) {
            return new MessageStream(message);
        }

        @Override
        public DynamicMessage parse(InputStream stream) {
            try {
                if (stream instanceof KnownLength) {
                    byte[] bytes = stream.readNBytes(stream.available());
                    return DynamicMessage.parseFrom(type, bytes, extensions);
                }
                return DynamicMessage.parseFrom(type, CodedInputStream.newInstance(stream), extensions);
            } catch (IOException e) {
                throw Status.INTERNAL
                        .withDescription("received bytes that are no " + type.getFullName() + ": " + e.getMessage())
                        .withCause(e)
                        .asRuntimeException();
            }
        }

        @Override
        public DynamicMessage getMessagePrototype() {
            return DynamicMessage.getDefaultInstance(type);
        }

        @Override
        public Class<DynamicMessage> getMessageClass() {
            return DynamicMessage.class;
        }
    }

    /** A message as a stream: written in one go where the transport drains it, else serialized at the first read. */
    private static final class MessageStream extends InputStream implements Drainable, KnownLength {
        private @Nullable DynamicMessage message;
        private @Nullable ByteArrayInputStream bytes;

        MessageStream(DynamicMessage message) {
            this.message = message;
        }

        @Override
        public int drainTo(OutputStream target) throws IOException {
            DynamicMessage whole = message;
            if (whole == null) {
                return bytes == null ? 0 : (int) bytes.transferTo(target);
            }
            message = null;
            int size = whole.getSerializedSize();
            CodedOutputStream out = CodedOutputStream.newInstance(target, Math.min(size + 1, 4_096));
            whole.writeTo(out);
            out.flush();
            return size;
        }

        @Override
        public int available() {
            return message != null ? message.getSerializedSize() : bytes == null ? 0 : bytes.available();
        }

        @Override
        public int read() {
            ByteArrayInputStream in = serialized();
            return in == null ? -1 : in.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            ByteArrayInputStream in = serialized();
            return in == null ? -1 : in.read(into, offset, length);
        }

        private @Nullable ByteArrayInputStream serialized() {
            if (message != null) {
                bytes = new ByteArrayInputStream(message.toByteArray());
                message = null;
            }
            return bytes;
        }
    }
}
