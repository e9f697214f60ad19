package dev.caisson.gateway;

import dev.caisson.gateway.generic.CallError;
import io.grpc.Status;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.Map;

/** A request that the gateway itself refuses or fails: the HTTP code, and the error body's gRPC code and message. */
final class HttpError extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient HttpResponseStatus http;
    private final transient Status status;
    private final transient Map<String, String> headers;

    private HttpError(HttpResponseStatus http, Status status, Map<String, String> headers) {
        super(status.getDescription(), null, false, false);
        this.http = http;
        this.status = status;
        this.headers = headers;
    }

    static HttpError of(HttpResponseStatus http, Status.Code code, String message) {
        return new HttpError(http, code.toStatus().withDescription(message), Map.of());
    }

    /** By the table of Google's APIs. */
    static HttpError of(Status.Code code, String message) {
        return of(HttpResponseStatus.valueOf(CallError.httpStatus(code)), code, message);
    }

    static HttpError badRequest(String message) {
        return of(HttpResponseStatus.BAD_REQUEST, Status.Code.INVALID_ARGUMENT, message);
    }

    static HttpError tooLarge(String message) {
        return of(HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE, Status.Code.RESOURCE_EXHAUSTED, message);
    }

    /** 503; the client may come back in a second. */
    static HttpError busy(String message) {
        return of(HttpResponseStatus.SERVICE_UNAVAILABLE, Status.Code.UNAVAILABLE, message)
                .with("retry-after", "1");
    }

    HttpError with(String header, String value) {
        return new HttpError(http, status, Map.of(header, value));
    }

    HttpResponseStatus http() {
        return http;
    }

    Status status() {
        return status;
    }

    Map<String, String> headers() {
        return headers;
    }
}
