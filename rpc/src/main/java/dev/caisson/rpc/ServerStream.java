package dev.caisson.rpc;

import dev.caisson.rpc.http2.ErrorCode;
import dev.caisson.rpc.http2.Header;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HeaderWriter;
import dev.caisson.rpc.http2.HpackEncoder;
import dev.caisson.scope.Scope;
import io.grpc.Codec;
import io.grpc.Compressor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Decompressor;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A call as the server's connection sees it: checks the request's head, finds the method, starts the handler, and ends
 * everything of the call when the stream ends.
 *
 * <pre>
 *   accepted ── head is gRPC, method known ──► running ── close() ──► replied ── last byte out ──► complete
 *       │                                         │
 *       └── refused with a status                 └── reset, deadline, connection lost ──► cancelled
 * </pre>
 */
final class ServerStream extends GrpcStream {
    /*
     * Confined to the loop. The application's side of the call is ServerStreamCall; its events go through CallEvents, which
     * runs them one after another where the method says: here, on a virtual thread, or on the user's executor.
     */
    /** How much of a body is swallowed after the request was answered; more resets the stream. */
    private static final int MAX_UNWANTED_BYTES = 64 * 1024;

    static final HeaderWriter OK_TRAILERS =
            (encoder, out) -> encoder.encode(out, Header.GRPC_STATUS, MetadataCodec.ZERO, true);
    static final byte[] OK_200 = MetadataCodec.ascii("200");
    private static final byte[] NO_ENCODINGS = {};
    private static final byte[] POST = MetadataCodec.ascii("POST");

    private final ServerConnection connection;
    private final long acceptedNanos = System.nanoTime();
    private @Nullable ServerStreamCall<?, ?> call;
    private Context.@Nullable CancellableContext context;
    private @Nullable Expiry expiry;
    private volatile @Nullable String path;
    private boolean headersSent;
    private boolean settled;
    private int unwantedBytes;
    private ServerStreamTracer[] tracers = NO_TRACERS;
    private Status finalStatus = Status.CANCELLED;
    private static final ServerStreamTracer[] NO_TRACERS = {};

    /** The call's deadline on the loop's wheel. */
    private final class Expiry extends DeadlineWheel.Timer {
        @Override
        void expired() {
            connection.burst(ServerStream.this::deadlineExpired);
        }
    }

    ServerStream(ServerConnection connection) {
        super(connection.server().options().maxInboundMessageSize());
        this.connection = connection;
    }

    ServerConnection owner() {
        return connection;
    }

    Context.@Nullable CancellableContext context() {
        return context;
    }

    ServerStreamTracer[] tracers() {
        return tracers;
    }

    long acceptedNanos() {
        return acceptedNanos;
    }

    @Override
    public String describe() {
        String p = path;
        return p == null ? "stream " + id() : p.substring(1);
    }

    // ---- the request's head

    @Override
    protected void onHeaders(HeaderBlock headers, boolean end) {
        if (call != null || settled) {
            messagesEndHere(); // trailers of a request: gRPC has none, their content is ignored
            return;
        }
        if (headers.tooLarge()) {
            path = "/?";
            refuse(Status.RESOURCE_EXHAUSTED.withDescription("the request's metadata is larger than "
                    + connection.server().options().http2().maxHeaderListSize()
                    + " bytes; send less, or raise maxInboundMetadataSize"));
            return;
        }
        byte[] method = headers.value(Header.METHOD);
        if (method == null || !java.util.Arrays.equals(method, POST)) {
            refuseHttp("405", "gRPC calls are POST requests");
            return;
        }
        byte[] contentType = headers.value(Header.CONTENT_TYPE);
        if (contentType == null || !isGrpc(contentType)) {
            refuseHttp(
                    "415",
                    contentType == null
                            ? "the request has no content-type; gRPC needs application/grpc"
                            : "content-type " + MetadataCodec.text(contentType) + " is not application/grpc");
            return;
        }
        byte[] pathBytes = headers.value(Header.PATH);
        if (pathBytes == null || pathBytes.length < 2 || pathBytes[0] != '/') {
            refuse(Status.UNIMPLEMENTED.withDescription("the path is not /service/method"));
            return;
        }
        String p = connection.path(pathBytes);
        path = p;
        byte[] encoding = headers.value(Header.GRPC_ENCODING);
        if (encoding != null && !java.util.Arrays.equals(encoding, IDENTITY)) {
            String name = MetadataCodec.text(encoding);
            Decompressor d = connection.server().options().decompressors().lookupDecompressor(name);
            if (d == null) {
                refuse(Status.UNIMPLEMENTED.withDescription("Can't find decompressor for " + name));
                return;
            }
            decompressor(d);
        }
        long timeout = Long.MAX_VALUE;
        byte[] timeoutText = headers.value(Header.GRPC_TIMEOUT);
        if (timeoutText != null) {
            timeout = MetadataCodec.timeoutNanos(timeoutText);
            if (timeout < 0) {
                refuse(Status.INTERNAL.withDescription(
                        "grpc-timeout \"" + MetadataCodec.text(timeoutText) + "\" is not a timeout"));
                return;
            }
        }
        ServerMethod<?, ?> target = connection.method(pathBytes, p, headers.value(Header.AUTHORITY));
        if (target == null) {
            if (connection.server().options().tracers().length > 0) {
                trace(
                        p.substring(1),
                        MetadataCodec.metadata(headers),
                        connection.server().context());
            }
            refuse(Status.UNIMPLEMENTED.withDescription("Method not found: " + p.substring(1)));
            return;
        }
        begin(target, headers, timeout);
        if (end) {
            messagesEndHere();
        }
    }

    private static final byte[] IDENTITY = MetadataCodec.ascii("identity");

    private static boolean isGrpc(byte[] type) {
        byte[] grpc = MetadataCodec.APPLICATION_GRPC;
        if (type.length < grpc.length) {
            return false;
        }
        for (int i = 0; i < grpc.length; i++) {
            if ((type[i] | 0x20) != (grpc[i] | 0x20)) {
                return false;
            }
        }
        return type.length == grpc.length || type[grpc.length] == '+' || type[grpc.length] == ';';
    }

    private <Q, R> void begin(ServerMethod<Q, R> method, HeaderBlock headers, long timeoutNanos) {
        Metadata metadata = MetadataCodec.metadata(headers);
        Context parent = connection.server().context();
        if (connection.server().options().tracers().length > 0) {
            parent = trace(method.descriptor().getFullMethodName(), metadata, parent);
        }
        Context.CancellableContext ctx;
        if (timeoutNanos == Long.MAX_VALUE) {
            ctx = parent.withCancellation();
        } else {
            // The wheel below fires; the context itself is given a scheduler that does nothing.
            ctx = parent.withDeadline(Deadline.after(timeoutNanos, TimeUnit.NANOSECONDS), NeverScheduler.INSTANCE);
        }
        context = ctx;
        ServerStreamCall<Q, R> c = new ServerStreamCall<>(this, method, headers, ctx);
        call = c;
        connection.callStarted(this);
        for (ServerStreamTracer tracer : tracers) {
            tracer.serverCallStarted(c.tracerView());
        }
        if (timeoutNanos != Long.MAX_VALUE) {
            Expiry e = new Expiry();
            expiry = e;
            connection.wheel().add(e, timeoutNanos);
        }
        Executor executor = connection.server().executorFor(method, c, metadata);
        c.events().start(executor, metadata);
    }

    private Context trace(String fullMethodName, Metadata metadata, Context parent) {
        ServerStreamTracer.Factory[] factories = connection.server().options().tracers();
        ServerStreamTracer[] made = new ServerStreamTracer[factories.length];
        Context ctx = parent;
        for (int i = 0; i < made.length; i++) {
            made[i] = factories[i].newServerStreamTracer(fullMethodName, metadata);
        }
        for (ServerStreamTracer tracer : made) {
            ctx = tracer.filterContext(ctx);
        }
        tracers = made;
        return ctx;
    }

    // ---- messages in

    @Override
    void onMessage(MessageBytes message, int wireBytes) {
        ServerStreamCall<?, ?> c = call;
        if (c == null) {
            return;
        }
        if (tracers.length > 0) {
            int seq = c.nextInbound();
            for (ServerStreamTracer tracer : tracers) {
                tracer.inboundMessage(seq);
                tracer.inboundMessageRead(seq, wireBytes - MessageFramer.PREFIX, message.available());
                tracer.inboundWireSize(wireBytes - MessageFramer.PREFIX);
                tracer.inboundUncompressedSize(message.available());
            }
        }
        c.events().message(message);
    }

    @Override
    void onMessagesEnd() {
        ServerStreamCall<?, ?> c = call;
        if (c != null) {
            c.events().halfClose();
        }
    }

    @Override
    void onBadMessage(Status status) {
        if (call == null || settled) {
            return;
        }
        endAgainstTheHandler(call, status);
    }

    private void endAgainstTheHandler(ServerStreamCall<?, ?> c, Status status) {
        c.endsByItself();
        sendStatus(status, new Metadata());
        c.cancelledBy(status);
    }

    /** The handler sends more than may wait: what waits is dropped, and the call ends. */
    void overrun(Status status) {
        ServerStreamCall<?, ?> c = call;
        if (c != null && !settled) {
            dropUnbegun();
            endAgainstTheHandler(c, status);
        }
    }

    // ---- replies, on the loop

    void sendResponseHeaders(@Nullable HeaderWriter headers) {
        if (!headersSent && !closed()) {
            headersSent = true;
            sendHeaders(headers == null ? connection.plainHead() : headers, false);
        }
    }

    /** Takes ownership of {@code framed}. */
    void sendMessageBytes(ByteBuf framed) {
        connection.sent();
        int length = framed.readableBytes();
        if (tracers.length > 0 && call != null) {
            int seq = call.nextOutbound();
            for (ServerStreamTracer tracer : tracers) {
                tracer.outboundMessage(seq);
                tracer.outboundMessageSent(seq, length - MessageFramer.PREFIX, length - MessageFramer.PREFIX);
                tracer.outboundWireSize(length - MessageFramer.PREFIX);
                tracer.outboundUncompressedSize(length - MessageFramer.PREFIX);
            }
        }
        sendData(framed, false);
    }

    /** Ends the call towards the peer. A request that goes on is cut off (RFC 9113 section 8.1). */
    void sendStatus(Status status, Metadata trailers) {
        if (settled) {
            return;
        }
        settled = true;
        finalStatus = status;
        disarm();
        if (closed()) {
            return;
        }
        boolean plain = status.isOk() && status.getDescription() == null && InternalMetadata.headerCount(trailers) == 0;
        if (headersSent) {
            sendTrailers(
                    plain
                            ? connection.okTrailers()
                            : (encoder, out) -> MetadataCodec.writeStatus(encoder, out, status, trailers));
        } else {
            headersSent = true;
            sendHeaders(
                    (encoder, out) -> {
                        writeHead(encoder, out, NO_ENCODINGS);
                        MetadataCodec.writeStatus(encoder, out, status, trailers);
                    },
                    true);
        }
        if (!closed() && !remoteEnded() && queuedBytes() == 0) {
            reset(ErrorCode.NO_ERROR, "the call has ended");
        }
    }

    /** @param encodings those that the server reads; none if empty */
    static void writeHead(HpackEncoder encoder, ByteBuf out, byte[] encodings) {
        encoder.encode(out, Header.STATUS, OK_200, false);
        encoder.encode(out, Header.CONTENT_TYPE, MetadataCodec.APPLICATION_GRPC, true);
        if (encodings.length > 0) {
            encoder.encode(out, Header.GRPC_ACCEPT_ENCODING, encodings, true);
        }
    }

    private void refuse(Status status) {
        sendStatus(status, new Metadata());
    }

    /** What is not gRPC is answered in plain HTTP. */
    private void refuseHttp(String code, String text) {
        settled = true;
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        sendHeaders(
                (encoder, out) -> {
                    encoder.encode(out, Header.STATUS, MetadataCodec.ascii(code), false);
                    encoder.encode(out, Header.CONTENT_TYPE, MetadataCodec.ascii("text/plain; charset=utf-8"), false);
                },
                false);
        sendData(io.netty.buffer.Unpooled.wrappedBuffer(body), true);
        if (!closed()) {
            ignoreData();
        }
    }

    /**
     * A body that follows an answer given already is not wanted (RFC 9113 section 8.1). A short one may end in order, so that
     * its sender sees the answer and nothing else.
     */
    @Override
    void onUnwantedData(int length) {
        unwantedBytes += length;
        if (unwantedBytes > MAX_UNWANTED_BYTES
                && settled
                && call == null
                && !closed()
                && localEnded()
                && !remoteEnded()
                && queuedBytes() == 0) {
            reset(ErrorCode.NO_ERROR, "not a gRPC request");
        }
    }

    @Override
    protected void onSent() {
        connection.sent();
        ServerStreamCall<?, ?> c = call;
        if (c != null) {
            c.sent(queuedBytes());
        }
        if (settled && queuedBytes() == 0 && !closed() && localEnded() && !remoteEnded()) {
            reset(ErrorCode.NO_ERROR, "the call has ended");
        }
    }

    // ---- the end

    private void deadlineExpired() {
        ServerStreamCall<?, ?> c = call;
        if (c == null || settled) {
            return;
        }
        Status status = Status.DEADLINE_EXCEEDED.withDescription("the call's deadline passed on the server");
        settled = true;
        finalStatus = status;
        // The caller's own clock says so, too; a reset lets it tell the deadline in its own words, as grpc-java's
        // server does.
        reset(ErrorCode.CANCEL, "the call's deadline passed");
        c.cancelledBy(status.withCause(new TimeoutException("context timed out")));
    }

    private void disarm() {
        Expiry e = expiry;
        if (e != null) {
            expiry = null;
            connection.wheel().remove(e);
        }
    }

    @Override
    protected void onReset(int code, boolean remote, String reason) {
        ServerStreamCall<?, ?> c = call;
        if (c == null || settled && !remote) {
            return;
        }
        if (!settled) {
            settled = true;
            finalStatus = Status.CANCELLED.withDescription(reason);
        }
        c.cancelledBy(finalStatus.isOk() ? Status.CANCELLED.withDescription(reason) : finalStatus);
    }

    @Override
    protected void onClosed() {
        super.onClosed();
        disarm();
        ServerStreamCall<?, ?> c = call;
        if (c != null) {
            c.ended(settled);
            connection.callEnded(this);
        }
        for (ServerStreamTracer tracer : tracers) {
            tracer.streamClosed(finalStatus);
        }
    }

    Compressor compressor(String name) {
        Compressor c = connection.server().options().compressors().lookupCompressor(name);
        return c == null ? Codec.Identity.NONE : c;
    }

    static CancellationException cancellation(Status status) {
        CancellationException e = new CancellationException(
                status.getDescription() == null ? status.getCode().name() : status.getDescription());
        if (status.getCause() != null) {
            e.initCause(status.getCause());
        }
        return e;
    }

    /** The scope in which the call runs, for those that ask; see {@link ServerStreamCall}. */
    Scope parentScope() {
        return connection.scope();
    }
}
