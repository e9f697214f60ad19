package dev.caisson.rpc;

import dev.caisson.rpc.http2.ErrorCode;
import dev.caisson.rpc.http2.Header;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HeaderWriter;
import dev.caisson.rpc.http2.HpackEncoder;
import dev.caisson.rpc.http2.Http2Connection;
import io.grpc.ClientStreamTracer;
import io.grpc.Codec;
import io.grpc.Deadline;
import io.grpc.Decompressor;
import io.grpc.InternalStatus;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A call's stream on a connection: writes the request, reads the answer (gRPC over HTTP2, Requests and Responses).
 *
 * <p>Confined to the connection's loop.
 */
final class ClientStream extends GrpcStream implements HeaderWriter, ChannelCall.Sink {
    private static final ClientStreamTracer[] NO_TRACERS = {};

    private final ClientConnection connection;
    private final ChannelCall<?, ?> call;
    private final ClientAttempt attempt;
    private ClientStreamTracer[] tracers = NO_TRACERS;
    private @Nullable DeadlineTimer timer;
    private boolean waits;
    private boolean headersSeen;
    private boolean done;
    private @Nullable Status status;
    private @Nullable Metadata trailers;
    private int sentMessages;
    private int receivedMessages;

    ClientStream(ClientConnection connection, ChannelCall<?, ?> call, ClientAttempt attempt) {
        super(call.maxInboundMessageBytes());
        this.connection = connection;
        this.call = call;
        this.attempt = attempt;
    }

    @Override
    public String describe() {
        return "call " + call.method().getFullMethodName() + " on stream " + id();
    }

    /** Since the call was started. */
    Duration age() {
        return call.age();
    }

    // ---- opening

    /** Stands in the connection's line for room, unless the call has ended already: then false. */
    boolean park() {
        if (call.parked(attempt) != null) {
            end();
            return false;
        }
        waits = true;
        watchDeadline();
        return true;
    }

    /** Stands in line no more. */
    void unpark() {
        waits = false;
    }

    /** Opens the stream, unless the call has ended already. */
    void open(Http2Connection http2) {
        if (done) {
            return;
        }
        if (call.ended(attempt) != null) {
            end();
            return;
        }
        tracers = tracers();
        http2.open(this, this, false);
        for (ClientStreamTracer tracer : tracers) {
            tracer.outboundHeaders();
        }
        watchDeadline();
        call.opened(attempt);
        drain();
    }

    private ClientStreamTracer[] tracers() {
        List<ClientStreamTracer.Factory> factories = call.options().getStreamTracerFactories();
        if (factories.isEmpty()) {
            return NO_TRACERS;
        }
        ClientStreamTracer.StreamInfo info = ClientStreamTracer.StreamInfo.newBuilder()
                .setCallOptions(call.options())
                .setPreviousAttempts(0)
                .setIsTransparentRetry(call.previousAttempts() > 0)
                .build();
        ClientStreamTracer[] made = new ClientStreamTracer[factories.size()];
        for (int i = 0; i < made.length; i++) {
            made[i] = factories.get(i).newClientStreamTracer(info, call.headers());
            made[i].streamCreated(connection.attributes(), call.headers());
        }
        return made;
    }

    @Override
    public void write(HpackEncoder encoder, ByteBuf out) {
        connection.writeHeaders(encoder, out, call);
        if (call.compressor() != Codec.Identity.NONE) {
            encoder.encode(
                    out,
                    Header.GRPC_ENCODING,
                    MetadataCodec.ascii(call.compressor().getMessageEncoding()),
                    true);
        }
        Deadline deadline = call.deadline();
        if (deadline != null) {
            encoder.encode(
                    out,
                    Header.GRPC_TIMEOUT,
                    MetadataCodec.timeout(deadline.timeRemaining(TimeUnit.NANOSECONDS)),
                    false);
        }
        MetadataCodec.write(encoder, out, call.headers());
    }

    private void watchDeadline() {
        Deadline deadline = call.deadline();
        if (deadline != null && timer == null) {
            timer = new DeadlineTimer(call);
            connection.wheel().add(timer, deadline.timeRemaining(TimeUnit.NANOSECONDS));
        }
    }

    private static final class DeadlineTimer extends DeadlineWheel.Timer {
        private final ChannelCall<?, ?> call;

        DeadlineTimer(ChannelCall<?, ?> call) {
            this.call = call;
        }

        @Override
        void expired() {
            call.expired();
        }
    }

    /** The connection takes no streams any more; the peer has seen nothing of this one. */
    void refuse(Status why) {
        if (end()) {
            call.refused(attempt, why, false);
        }
    }

    /** Ends the call before there was a stream. */
    void fail(Status why) {
        if (end()) {
            call.closed(attempt, why, new Metadata());
        }
    }

    // ---- out

    /** Takes what is new from the call. */
    void drain() {
        if (done) {
            return;
        }
        if (waits) {
            if (call.parked(attempt) != null) {
                end();
                waits = false;
                connection.withdraw(this);
            }
            return;
        }
        Status over = call.drain(attempt, this);
        if (over != null && end(over)) {
            reset(ErrorCode.CANCEL, String.valueOf(over.getDescription()));
        }
    }

    @Override
    public void message(ByteBuf framed, boolean last) {
        int bytes = framed.readableBytes();
        sendData(framed, last);
        if (tracers.length > 0) {
            int number = sentMessages++;
            for (ClientStreamTracer tracer : tracers) {
                tracer.outboundMessage(number);
                tracer.outboundMessageSent(number, bytes - MessageFramer.PREFIX, bytes - MessageFramer.PREFIX);
                tracer.outboundWireSize(bytes);
                tracer.outboundUncompressedSize(bytes - MessageFramer.PREFIX);
            }
        }
    }

    @Override
    public void requestMessages(int n) {
        request(n);
    }

    @Override
    public void halfClose() {
        sendEnd();
    }

    @Override
    public long unsentBytes() {
        return queuedBytes();
    }

    @Override
    protected void onSent() {
        if (!done) {
            call.sent(attempt, unsentBytes());
        }
    }

    // ---- in

    @Override
    protected void onHeaders(HeaderBlock headers, boolean end) {
        if (done) {
            return;
        }
        if (headers.tooLarge()) {
            failStream(Status.RESOURCE_EXHAUSTED.withDescription(
                    "the peer's metadata is larger than maxInboundMetadataSize allows, "
                            + connection.maxInboundMetadataBytes() + " bytes"));
            return;
        }
        if (headersSeen) {
            if (end) {
                trailersCame(headers);
            } else {
                failStream(Status.INTERNAL.withDescription("the peer sent headers twice"));
            }
            return;
        }
        int http = headers.status();
        if (http >= 100 && http < 200 && !end) {
            return; // RFC 9110 section 15.2: informational, the answer follows
        }
        headersSeen = true;
        if (end) {
            for (ClientStreamTracer tracer : tracers) {
                tracer.inboundHeaders();
            }
            trailersCame(headers);
            return;
        }
        Status problem = check(headers, http);
        if (problem != null) {
            failStream(problem);
            return;
        }
        Metadata metadata = MetadataCodec.metadata(headers);
        for (ClientStreamTracer tracer : tracers) {
            tracer.inboundHeaders(metadata);
        }
        call.headers(attempt, metadata);
    }

    /** What is wrong with the head of an answer; null if nothing is. Sets the decompressor. */
    private @Nullable Status check(HeaderBlock headers, int http) {
        byte[] type = headers.value(Header.CONTENT_TYPE);
        String contentType = type == null ? "" : MetadataCodec.text(type);
        if (!contentType.toLowerCase(Locale.ROOT).startsWith("application/grpc")) {
            Status mapped = http == 200 ? Status.UNKNOWN : MetadataCodec.fromHttp(http);
            return mapped.withDescription("not a gRPC answer: HTTP status " + http
                    + (type == null ? ", no content-type" : ", content-type " + contentType));
        }
        if (http != 200) {
            return MetadataCodec.fromHttp(http);
        }
        byte[] encoding = headers.value(Header.GRPC_ENCODING);
        if (encoding != null) {
            String name = MetadataCodec.text(encoding);
            Decompressor found = connection.decompressor(name);
            if (found == null) {
                return Status.INTERNAL.withDescription("Can't find decompressor for " + name);
            }
            decompressor(found);
        }
        return null;
    }

    private void trailersCame(HeaderBlock headers) {
        Status told = MetadataCodec.status(headers);
        if (told == null) {
            int http = headers.status();
            told = http > 0 && http != 200
                    ? MetadataCodec.fromHttp(http)
                    : Status.UNKNOWN.withDescription("missing GRPC status in response");
        }
        status = told;
        Metadata all = MetadataCodec.metadata(headers);
        all.discardAll(
                InternalStatus.CODE_KEY); // they are in the status, and would be sent on by who passes trailers on
        all.discardAll(InternalStatus.MESSAGE_KEY);
        trailers = all;
        for (ClientStreamTracer tracer : tracers) {
            tracer.inboundTrailers(all);
        }
        messagesEndHere();
        if (!done) {
            // The stream is over: what was not asked for yet waits in the call, at most one window of it.
            request(Integer.MAX_VALUE);
        }
    }

    @Override
    void onMessage(MessageBytes message, int wireBytes) {
        if (tracers.length > 0) {
            int number = receivedMessages++;
            for (ClientStreamTracer tracer : tracers) {
                tracer.inboundMessage(number);
                tracer.inboundWireSize(wireBytes);
                tracer.inboundUncompressedSize(message.available());
                tracer.inboundMessageRead(number, wireBytes - MessageFramer.PREFIX, message.available());
            }
        }
        call.message(attempt, message);
    }

    @Override
    void onMessagesEnd() {
        Status told = status;
        if (told == null) {
            told = Status.UNKNOWN.withDescription("the peer ended the call without a status (no trailers)");
        }
        Metadata with = trailers == null ? new Metadata() : trailers;
        if (end(told)) {
            call.closed(attempt, told, with);
            if (!localEnded() || queuedBytes() > 0) {
                reset(ErrorCode.CANCEL, "the peer has answered already");
            }
        }
    }

    @Override
    void onBadMessage(Status problem) {
        failStream(problem);
    }

    private void failStream(Status problem) {
        if (end(problem)) {
            call.closed(attempt, problem, new Metadata());
            reset(ErrorCode.CANCEL, String.valueOf(problem.getDescription()));
        }
    }

    @Override
    protected void onReset(int code, boolean remote, String reason) {
        if (done) {
            return;
        }
        boolean lost = !connection.running();
        if (remote && !lost && code == ErrorCode.REFUSED_STREAM) {
            Status why = Status.UNAVAILABLE.withDescription(reason);
            if (end(why)) {
                call.refused(attempt, why, true);
            }
            return;
        }
        Status why = lost ? connection.whyLost(reason) : statusOf(code, reason);
        if (end(why)) {
            call.closed(attempt, why, new Metadata());
        }
    }

    /** What a reset means (gRPC over HTTP2, Errors). */
    private static Status statusOf(int code, String reason) {
        return switch (code) {
            case ErrorCode.REFUSED_STREAM -> Status.UNAVAILABLE.withDescription(reason);
            case ErrorCode.CANCEL -> Status.CANCELLED.withDescription(reason);
            case ErrorCode.ENHANCE_YOUR_CALM ->
                Status.RESOURCE_EXHAUSTED.withDescription(reason + " (what is exhausted is bandwidth)");
            case ErrorCode.INADEQUATE_SECURITY ->
                Status.PERMISSION_DENIED.withDescription(reason + " (the protocol is not secure enough for the call)");
            default -> Status.INTERNAL.withDescription(reason);
        };
    }

    @Override
    protected void onClosed() {
        super.onClosed();
        Status why = Status.UNKNOWN.withDescription("the peer ended the call without a status (no trailers)");
        if (end(why)) {
            call.closed(attempt, why, new Metadata());
        }
    }

    private boolean end() {
        return end(Status.CANCELLED);
    }

    /** True the first time. */
    private boolean end(Status with) {
        if (done) {
            return false;
        }
        done = true;
        if (timer != null) {
            connection.wheel().remove(timer);
        }
        for (ClientStreamTracer tracer : tracers) {
            tracer.streamClosed(with);
        }
        return true;
    }
}
