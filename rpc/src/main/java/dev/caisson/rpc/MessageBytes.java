package dev.caisson.rpc;

import io.grpc.KnownLength;
import java.io.ByteArrayInputStream;

/** One message's bytes, as a marshaller wants them: of known length, so that protobuf need not guess. */
final class MessageBytes extends ByteArrayInputStream implements KnownLength {
    MessageBytes(byte[] bytes) {
        super(bytes);
    }
}
