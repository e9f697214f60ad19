package dev.caisson.gateway.generic;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A failed call as people and programs read it: {@code {"code": 5, "status": "NOT_FOUND", "message": …, "details": […]}}.
 *
 * @param code the number of the gRPC status
 * @param status its name
 * @param message what the server says; empty if nothing
 * @param details each a JSON object with {@code @type}: from the {@code grpc-status-details-bin} trailer
 */
public record CallError(int code, String status, String message, List<String> details) {
    /** Details beyond this are left out. */
    public static final int MAX_DETAILS = 100;

    private static final Metadata.Key<byte[]> DETAILS =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

    /** Keeps a copy of the details. */
    public CallError {
        details = List.copyOf(details);
    }

    /**
     * The error of a call that ended.
     *
     * @param trailers null if there were none
     * @param json to write the details; its types are looked up there
     */
    public static CallError of(Status status, @Nullable Metadata trailers, JsonMessages json) {
        String message = status.getDescription();
        return new CallError(
                status.getCode().value(),
                status.getCode().name(),
                message == null ? "" : message,
                details(trailers == null ? null : trailers.get(DETAILS), json));
    }

    /** An error without details, such as one that never reached a server. */
    public static CallError of(Status status) {
        return of(status, null, JsonMessages.of(TypeSource.WELL_KNOWN));
    }

    private static List<String> details(byte @Nullable [] bytes, JsonMessages json) {
        if (bytes == null) {
            return List.of();
        }
        try {
            return com.google.rpc.Status.parseFrom(bytes).getDetailsList().stream()
                    .limit(MAX_DETAILS)
                    .map((Any detail) -> json.print(detail))
                    .toList();
        } catch (InvalidProtocolBufferException e) {
            return List.of(); // the status itself still says what happened
        }
    }

    /** As one line of JSON. */
    public String toJson() {
        StringBuilder out = new StringBuilder("{\"code\":").append(code).append(",\"status\":");
        JsonWriter.quote(status, out);
        out.append(",\"message\":");
        JsonWriter.quote(message, out);
        return out.append(",\"details\":[")
                .append(String.join(",", details))
                .append("]}")
                .toString();
    }

    /**
     * The HTTP status that Google's APIs use for a gRPC status
     * (<a href="https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto">google/rpc/code.proto</a>).
     */
    public static int httpStatus(Status.Code code) {
        return switch (code) {
            case OK -> 200;
            case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
            case UNAUTHENTICATED -> 401;
            case PERMISSION_DENIED -> 403;
            case NOT_FOUND -> 404;
            case ALREADY_EXISTS, ABORTED -> 409;
            case RESOURCE_EXHAUSTED -> 429;
            case CANCELLED -> 499;
            case INTERNAL, UNKNOWN, DATA_LOSS -> 500;
            case UNIMPLEMENTED -> 501;
            case UNAVAILABLE -> 503;
            case DEADLINE_EXCEEDED -> 504;
        };
    }
}
