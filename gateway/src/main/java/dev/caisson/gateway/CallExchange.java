package dev.caisson.gateway;

import com.google.protobuf.DynamicMessage;
import dev.caisson.gateway.generic.CallError;
import dev.caisson.gateway.generic.CatalogException;
import dev.caisson.gateway.generic.JsonException;
import dev.caisson.gateway.generic.JsonSplitter;
import dev.caisson.gateway.generic.JsonText;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /call/<host:port>/<package.Service>/<Method>}: one call, JSON in and out.
 *
 * <pre>
 *   start ─ target allowed? ─► method known? ─► body
 *     unary, server streaming:  whole body ─► call, message, half-close
 *     client streaming, bidi:   call ─► message for message ─► half-close at the body's end
 *   answer
 *     unary, client streaming:  at the call's close, whole
 *     server streaming, bidi:   head at the call's headers, a line or event a message, the error last
 * </pre>
 *
 * Back-pressure: a body part is asked for only while the call is ready for messages; the next message is asked of the
 * server only when the socket takes bytes. {@link HttpConnection} looks for a client that hangs up meanwhile.
 */
final class CallExchange extends Exchange {
    private final Gateway gateway;
    private final GatewayOptions options;
    private final HttpConnection connection;
    private final long startedNanos = System.nanoTime();
    private final String targetText;
    private final String methodName;
    private final JsonSplitter splitter;
    private boolean events;

    // From the look-up of the method on.
    private @Nullable Target target;
    private Target.@Nullable Method method;
    private MethodType type = MethodType.UNKNOWN;
    private long bodyBytes;
    private long messages;
    private boolean bodyEnded;
    private boolean awaitsReady;
    private @Nullable DynamicMessage single;

    // From the call's start on.
    private @Nullable ClientCall<DynamicMessage, DynamicMessage> call;
    private boolean callClosed;
    private boolean callEndedByUs;
    private Metadata replyHeaders = new Metadata();
    private @Nullable DynamicMessage reply;
    private boolean awaitsSocket;
    private String outcome = Status.Code.CANCELLED.name();

    CallExchange(Gateway gateway, HttpConnection connection, RequestHead head) {
        super(connection, head);
        this.gateway = gateway;
        this.options = gateway.options();
        this.connection = connection;
        String[] parts = head.segments();
        if (parts.length != 4 || parts[2].isEmpty() || parts[3].isEmpty()) {
            throw HttpError.of(
                    Status.Code.NOT_FOUND,
                    "a call is POST /call/<host:port>/<package.Service>/<Method>; got "
                            + TargetName.clipped(head.path()));
        }
        this.targetText = parts[1];
        this.methodName = parts[2] + "/" + parts[3];
        this.splitter = new JsonSplitter(options.maxMessageBytes());
    }

    @Override
    String name() {
        return "call " + TargetName.clipped(methodName);
    }

    // ---------------------------------------------------------------- to the method

    @Override
    void start() {
        Target shared = gateway.targets().acquire(targetText);
        target = shared;
        CallHeaders.check(head.headers());
        checkLength();
        shared.method(methodName)
                .whenComplete((found, failure) -> execute(() -> {
                    if (found != null) {
                        found(found);
                    } else {
                        throw unfound(failure);
                    }
                }));
    }

    private void checkLength() {
        String length = head.headers().get(HttpHeaderNames.CONTENT_LENGTH);
        // The whole stream of a streamed body may be longer; which kind it is, is not known yet.
        if (length != null && Long.parseLong(length) > options.maxMessageBytes() * options.maxMessagesPerRequest()) {
            throw HttpError.tooLarge(
                    "the body has " + length + " bytes; at most " + options.maxMessageBytes() + " a message are taken");
        }
    }

    private HttpError unfound(@Nullable Throwable failure) {
        if (failure instanceof CatalogException catalog) {
            outcome = catalog.status().getCode().name();
            return HttpError.of(catalog.status().getCode(), String.valueOf(catalog.getMessage()));
        }
        outcome = Status.Code.UNAVAILABLE.name();
        return HttpError.busy("the gateway is shutting down");
    }

    private void found(Target.Method now) {
        method = now;
        type = now.generic().grpc().getType();
        events = !type.serverSendsOneMessage() && CallHeaders.wantsEvents(head.headers());
        if (!type.clientSendsOneMessage()) {
            connection.bodyIsStreamed();
            startCall(now);
        }
        demand();
    }

    // ---------------------------------------------------------------- the request's body

    @Override
    void body(byte[] part, boolean last) {
        if (callClosed) {
            return;
        }
        bodyBytes += part.length;
        if (type.clientSendsOneMessage() && bodyBytes > options.maxMessageBytes()) {
            throw HttpError.tooLarge(
                    "the body is longer than the " + options.maxMessageBytes() + " bytes that are taken");
        }
        splitter.feed(part, 0, part.length);
        if (last) {
            splitter.end();
            bodyEnded = true;
        }
        sendReady();
    }

    /** Takes messages from what has arrived, as long as the call is ready for them. */
    private void sendReady() {
        Target.Method to = method;
        if (to == null || callClosed) {
            return;
        }
        awaitsReady = false;
        for (; ; ) {
            if (call != null && !call.isReady() && !type.clientSendsOneMessage()) {
                awaitsReady = true;
                return;
            }
            JsonText text = next();
            if (text == null) {
                break;
            }
            if (++messages > (type.clientSendsOneMessage() ? 1 : options.maxMessagesPerRequest())) {
                throw type.clientSendsOneMessage()
                        ? HttpError.badRequest("more than one message in the body; " + methodName + " takes one")
                        : HttpError.tooLarge("more than " + options.maxMessagesPerRequest() + " messages in the body");
            }
            DynamicMessage message = parse(to, text);
            if (call == null) {
                single = message;
            } else {
                call.sendMessage(message);
            }
        }
        if (!bodyEnded) {
            demand();
        } else if (type.clientSendsOneMessage()) {
            ClientCall<DynamicMessage, DynamicMessage> started = startCall(to);
            // Like an empty JSON object: no field set.
            started.sendMessage(
                    single != null
                            ? single
                            : DynamicMessage.getDefaultInstance(to.generic().requestType()));
            single = null;
            started.halfClose();
        } else if (call != null) {
            call.halfClose();
        }
    }

    private @Nullable JsonText next() {
        try {
            return splitter.next();
        } catch (JsonException e) {
            throw HttpError.badRequest(String.valueOf(e.getMessage()));
        }
    }

    private static DynamicMessage parse(Target.Method to, JsonText text) {
        try {
            return to.json().parse(text, to.generic().requestType());
        } catch (JsonException e) {
            throw HttpError.badRequest(String.valueOf(e.getMessage()));
        }
    }

    @Override
    void badBody(HttpError why) {
        if (!callClosed) {
            throw why;
        }
    }

    // ---------------------------------------------------------------- the call

    private ClientCall<DynamicMessage, DynamicMessage> startCall(Target.Method to) {
        Target shared = java.util.Objects.requireNonNull(target);
        Duration standard = type.serverSendsOneMessage() ? options.deadline() : options.streamDeadline();
        Duration deadline = CallHeaders.deadline(head.headers(), standard, options.maxDeadline());
        CallOptions callOptions = CallOptions.DEFAULT
                .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS)
                .withMaxInboundMessageSize(options.maxMessageBytes())
                .withExecutor(this);
        ClientCall<DynamicMessage, DynamicMessage> started =
                shared.channel().newCall(to.generic().grpc(), callOptions);
        call = started;
        started.start(new Replies(), CallHeaders.toMetadata(head.headers()));
        started.request(1);
        return started;
    }

    /**
     * The call's executor is this exchange, so these run on its thread; each is put back into the mailbox, because what a
     * listener throws would end in the call, and not in {@link #fail}.
     */
    private final class Replies extends ClientCall.Listener<DynamicMessage> {
        @Override
        public void onHeaders(Metadata headers) {
            execute(() -> headers(headers));
        }

        @Override
        public void onMessage(DynamicMessage message) {
            execute(() -> message(message));
        }

        @Override
        public void onReady() {
            execute(() -> {
                if (awaitsReady) {
                    sendReady();
                }
            });
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            execute(() -> closed(status, trailers));
        }
    }

    private void headers(Metadata headers) {
        replyHeaders = headers;
        if (!type.serverSendsOneMessage() && !callEndedByUs) {
            beginStream();
        }
    }

    private void message(DynamicMessage message) {
        if (callEndedByUs) {
            return;
        }
        if (type.serverSendsOneMessage()) {
            reply = message;
            // A second one would be the server's fault; asked for, so that the call says so.
            started().request(1);
            return;
        }
        beginStream();
        String json = known().json().print(message);
        response.write(events ? "data: " + json + "\n\n" : json + "\n");
        if (response.writable()) {
            started().request(1);
        } else {
            awaitsSocket = true;
        }
    }

    private void closed(Status status, Metadata trailers) {
        callClosed = true;
        if (!callEndedByUs) {
            outcome = status.getCode().name();
            if (response.begun()) {
                endStream(status, trailers);
            } else if (status.isOk() && !type.serverSendsOneMessage()) {
                beginStream();
                endStream(status, trailers);
            } else if (status.isOk()) {
                answer(trailers);
            } else {
                answerError(status, trailers);
            }
        }
        finish();
    }

    private ClientCall<DynamicMessage, DynamicMessage> started() {
        return java.util.Objects.requireNonNull(call);
    }

    private Target.Method known() {
        return java.util.Objects.requireNonNull(method);
    }

    @Override
    void writable() {
        if (awaitsSocket && call != null) {
            awaitsSocket = false;
            call.request(1);
        }
    }

    @Override
    void hungUp() {
        endCall("the HTTP client hung up");
    }

    // ---------------------------------------------------------------- the answer

    private void answer(Metadata trailers) {
        DynamicMessage message = reply;
        if (message == null) {
            answerError(Status.INTERNAL.withDescription("the server ended the call without a reply"), trailers);
            return;
        }
        HttpHeaders headers = new DefaultHttpHeaders();
        CallHeaders.addTo(headers, CallHeaders.METADATA, replyHeaders);
        CallHeaders.addTo(headers, CallHeaders.TRAILER, trailers);
        String json = known().json().print(message) + "\n";
        response.whole(HttpResponseStatus.OK, Response.JSON, json.getBytes(StandardCharsets.UTF_8), headers);
    }

    private void answerError(Status status, Metadata trailers) {
        HttpHeaders headers = new DefaultHttpHeaders();
        CallHeaders.addTo(headers, CallHeaders.METADATA, replyHeaders);
        CallHeaders.addTo(headers, CallHeaders.TRAILER, trailers);
        String json = error(status, trailers) + "\n";
        response.whole(
                HttpResponseStatus.valueOf(CallError.httpStatus(status.getCode())),
                Response.JSON,
                json.getBytes(StandardCharsets.UTF_8),
                headers);
    }

    private String error(Status status, Metadata trailers) {
        return CallError.of(status, trailers, known().json()).toJson();
    }

    private void beginStream() {
        if (!response.begun()) {
            HttpHeaders headers = new DefaultHttpHeaders();
            CallHeaders.addTo(headers, CallHeaders.METADATA, replyHeaders);
            if (events) {
                response.begin("text/event-stream", headers, ":\n\n"); // a comment
            } else {
                response.begin("application/x-ndjson", headers, "\n"); // an empty line
            }
        }
    }

    private void endStream(Status status, Metadata trailers) {
        if (!status.isOk()) {
            String error = error(status, trailers);
            response.write(events ? "event: error\ndata: " + error + "\n\n" : "{\"error\":" + error + "}\n");
        } else if (events) {
            response.write("event: end\ndata: {}\n\n");
        }
        HttpHeaders last = new DefaultHttpHeaders();
        last.set("grpc-status", status.getCode().value());
        CallHeaders.addTo(last, CallHeaders.TRAILER, trailers);
        response.end(last);
    }

    /** The request is at fault, or the gateway ends: tell the client as far as it can still be told, end the call. */
    @Override
    void fail(HttpError error) {
        outcome = error.status().getCode().name();
        if (!response.begun()) {
            response.error(error);
        } else if (!callClosed) {
            endStream(error.status(), new Metadata());
        }
        endCall(String.valueOf(error.getMessage()));
    }

    /** Cancels the call if there is one; the exchange then ends with the call's close. */
    private void endCall(String why) {
        if (call != null && !callClosed) {
            callEndedByUs = true;
            call.cancel(why, null);
        } else {
            finish();
        }
    }

    @Override
    void released() {
        if (call != null && !callClosed) {
            call.cancel("the gateway ends the call", null); // only where the thread was interrupted
        }
        boolean known = method != null && target != null;
        gateway.metrics()
                .called(
                        known ? java.util.Objects.requireNonNull(target).name().toString() : GatewayMetrics.UNKNOWN,
                        known ? methodName : GatewayMetrics.UNKNOWN,
                        outcome,
                        System.nanoTime() - startedNanos);
        if (target != null) {
            target.release();
        }
        gateway.callEnded();
    }
}
