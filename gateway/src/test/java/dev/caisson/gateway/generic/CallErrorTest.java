package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

class CallErrorTest {
    private static final JsonMessages JSON = JsonMessages.of(TypeSource.WELL_KNOWN);

    private static Metadata trailers(byte[] details) {
        Metadata trailers = new Metadata();
        trailers.put(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), details);
        return trailers;
    }

    @Test
    void writesDetailsOfKnownTypesAsJsonAndOthersAsBytes() throws Exception {
        var details = com.google.rpc.Status.newBuilder()
                .addDetails(Any.pack(ErrorInfo.newBuilder().setReason("BECAUSE").build()))
                .addDetails(Any.newBuilder().setTypeUrl("x/some.Type").setValue(ByteString.copyFromUtf8("a")))
                .build();
        CallError error =
                CallError.of(Status.NOT_FOUND.withDescription("no \"such\""), trailers(details.toByteArray()), JSON);
        assertThat(error.toJson())
                .isEqualTo("{\"code\":5,\"status\":\"NOT_FOUND\",\"message\":\"no \\\"such\\\"\",\"details\":["
                        + "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"BECAUSE\"},"
                        + "{\"@type\":\"x/some.Type\",\"@value\":\"YQ==\"}]}");
        JsonFormat.parser().merge(error.toJson(), com.google.protobuf.Struct.newBuilder());
    }

    @Test
    void detailsThatCannotBeReadAreLeftOut() {
        CallError error = CallError.of(Status.INTERNAL, trailers(new byte[] {1, 1, 1}), JSON);
        assertThat(error.toJson()).isEqualTo("{\"code\":13,\"status\":\"INTERNAL\",\"message\":\"\",\"details\":[]}");
    }

    @Test
    void keepsABoundedNumberOfDetails() {
        var details = com.google.rpc.Status.newBuilder();
        for (int i = 0; i < CallError.MAX_DETAILS + 5; i++) {
            details.addDetails(Any.getDefaultInstance());
        }
        assertThat(CallError.of(Status.INTERNAL, trailers(details.build().toByteArray()), JSON)
                        .details())
                .hasSize(CallError.MAX_DETAILS);
    }

    @Test
    void mapsToTheHttpStatusThatGooglesApisUse() {
        assertThat(CallError.httpStatus(Status.Code.NOT_FOUND)).isEqualTo(404);
        assertThat(CallError.httpStatus(Status.Code.UNIMPLEMENTED)).isEqualTo(501);
        assertThat(CallError.httpStatus(Status.Code.DEADLINE_EXCEEDED)).isEqualTo(504);
    }
}
