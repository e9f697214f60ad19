package dev.caisson.rpc.http2;

import java.io.Serial;

/**
 * The peer broke a rule of HTTP/2: of the whole connection ({@code streamId() == 0}, answered by GOAWAY) or of one
 * stream (answered by RST_STREAM). The message begins with the name of the code. Carries no stack trace: it is data about the peer, made on the hot path of an attack.
 */
public final class Http2Exception extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int code;
    private final String reason;
    private final int streamId;

    private Http2Exception(int code, int streamId, String message) {
        super(ErrorCode.name(code) + ": " + message, null, false, false);
        this.reason = message;
        this.code = code;
        this.streamId = streamId;
    }

    /** An error that ends the connection (RFC 9113, section 5.4.1). */
    public static Http2Exception connection(int code, String message) {
        return new Http2Exception(code, 0, message);
    }

    /** An error that ends one stream (RFC 9113, section 5.4.2). */
    public static Http2Exception stream(int streamId, int code, String message) {
        return new Http2Exception(code, streamId, message);
    }

    /** What happened, without the name of the code: the debug data of a GOAWAY. */
    public String reason() {
        return reason;
    }

    /** One of {@link ErrorCode}. */
    public int code() {
        return code;
    }

    /** The stream in error, 0 for the connection. */
    public int streamId() {
        return streamId;
    }
}
