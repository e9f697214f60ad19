package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DynamicMessage;
import dev.caisson.gateway.generic.test.EchoOuterClass;
import dev.caisson.gateway.generic.test.Kinds;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

class GenericMethodTest {
    private static GenericMethod method(String name) {
        return GenericMethod.of(
                EchoOuterClass.getDescriptor().findServiceByName("Echo").findMethodByName(name), TypeSource.WELL_KNOWN);
    }

    private final DynamicMessage message = JsonMessages.of(TypeSource.WELL_KNOWN)
            .parse("{\"aString\": \"" + "x".repeat(10_000) + "\"}", Kinds.getDescriptor());

    @Test
    void hasTheKindAndNameOfTheMethod() {
        assertThat(method("Say").grpc().getType()).isEqualTo(MethodType.UNARY);
        assertThat(method("SayMany").grpc().getType()).isEqualTo(MethodType.SERVER_STREAMING);
        assertThat(method("Gather").grpc().getType()).isEqualTo(MethodType.CLIENT_STREAMING);
        assertThat(method("Talk").grpc().getType()).isEqualTo(MethodType.BIDI_STREAMING);
        assertThat(method("Talk").grpc().getFullMethodName()).isEqualTo("dev.caisson.test.Echo/Talk");
    }

    @Test
    void streamsAMessageReadDrainedOrHalfAndHalf() throws Exception {
        byte[] expected = message.toByteArray();
        InputStream read = method("Say").grpc().streamRequest(message);
        assertThat(read).isInstanceOf(KnownLength.class);
        assertThat(read.available()).isEqualTo(expected.length);
        assertThat(read.readAllBytes()).isEqualTo(expected);
        assertThat(read.available()).isZero();

        InputStream drained = method("Say").grpc().streamRequest(message);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(((Drainable) drained).drainTo(out)).isEqualTo(expected.length);
        assertThat(out.toByteArray()).isEqualTo(expected);
        assertThat(drained.read()).isEqualTo(-1);

        InputStream both = method("Say").grpc().streamRequest(message);
        out.reset();
        out.write(both.read());
        assertThat(((Drainable) both).drainTo(out)).isEqualTo(expected.length - 1);
        assertThat(out.toByteArray()).isEqualTo(expected);
    }

    @Test
    void parsesFromAStreamOfKnownOrUnknownLength() {
        var grpc = method("Say").grpc();
        assertThat(grpc.parseResponse(grpc.streamRequest(message))).isEqualTo(message);
        assertThat(grpc.parseResponse(new ByteArrayInputStream(message.toByteArray())))
                .isEqualTo(message);
        assertThatThrownBy(() -> grpc.parseResponse(new ByteArrayInputStream(new byte[] {1, 1})))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("received bytes that are no dev.caisson.test.Kinds");
    }
}
