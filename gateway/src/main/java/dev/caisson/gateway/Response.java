package dev.caisson.gateway;

import dev.caisson.gateway.generic.CallError;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;

/** The answer to one request: either whole, or begun, written in parts and ended. Used by one thread at a time. */
final class Response {
    static final String JSON = "application/json";

    private final HttpConnection connection;
    private final RequestHead head;
    private boolean begun;

    Response(HttpConnection connection, RequestHead head) {
        this.connection = connection;
        this.head = head;
    }

    /** Whether the client may have seen some of it. */
    boolean begun() {
        return begun;
    }

    /** Sends all of it. */
    void whole(HttpResponseStatus status, String contentType, byte[] body, HttpHeaders more) {
        begun = true;
        var message = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(body));
        message.headers().add(more);
        // RFC 9110 section 8.6: no Content-Length in 204.
        if (status.code() != 204) {
            message.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        }
        if (body.length > 0) {
            message.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        }
        common(message.headers());
        connection.sendWhole(message);
    }

    void whole(HttpResponseStatus status, String contentType, String body) {
        whole(status, contentType, body.getBytes(StandardCharsets.UTF_8), new DefaultHttpHeaders());
    }

    /** Sends the error body {@code {code, status, message, details}} of a request the gateway refuses. */
    void error(HttpError error) {
        String body = CallError.of(error.status()).toJson() + "\n";
        HttpHeaders headers = new DefaultHttpHeaders();
        error.headers().forEach(headers::set);
        whole(error.http(), JSON, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    /**
     * Sends the head; parts follow.
     *
     * @param meaningless what may be sent between two parts and means nothing to the client
     */
    void begin(String contentType, HttpHeaders more, String meaningless) {
        begun = true;
        var message = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        message.headers().add(more);
        message.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        if (!head.http10()) {
            message.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        common(message.headers());
        connection.sendHead(message, meaningless.getBytes(StandardCharsets.UTF_8));
    }

    /** Sends a part, at once. */
    void write(byte[] part) {
        connection.send(new DefaultHttpContent(Unpooled.wrappedBuffer(part)));
    }

    void write(String part) {
        write(part.getBytes(StandardCharsets.UTF_8));
    }

    /** Whether the socket takes more; where not, {@link Exchange#writable} says when. */
    boolean writable() {
        return connection.writable();
    }

    /** Ends an answer that was begun. */
    void end(HttpHeaders trailers) {
        var last = new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER);
        last.trailingHeaders().add(trailers);
        connection.sendLast(last);
    }

    /** Ends the connection in the middle of the answer, so that the client cannot take it for complete. */
    void cut() {
        connection.cut();
    }

    /** For a connection too many. */
    static DefaultFullHttpResponse busy(int maxConnections) {
        HttpError error = HttpError.busy(maxConnections + " connections are open, the most this gateway takes");
        byte[] body = (CallError.of(error.status()).toJson() + "\n").getBytes(StandardCharsets.UTF_8);
        var message = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, error.http(), Unpooled.wrappedBuffer(body));
        message.headers()
                .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                .set(HttpHeaderNames.CONTENT_TYPE, JSON)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        error.headers().forEach((name, value) -> message.headers().set(name, value));
        return message;
    }

    private void common(HttpHeaders headers) {
        headers.set("x-content-type-options", "nosniff");
        if (!headers.contains(HttpHeaderNames.CACHE_CONTROL)) {
            headers.set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        }
        head.corsOrigin().ifPresent(origin -> {
            headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.set(HttpHeaderNames.VARY, HttpHeaderNames.ORIGIN);
        });
    }
}
