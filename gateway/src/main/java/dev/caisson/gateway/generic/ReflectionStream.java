package dev.caisson.gateway.generic;

import dev.caisson.rpc.reflection.v1.ServerReflectionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One reflection call: a question, then its answer, then the next question. Owned by one thread; {@link #close} it. */
final class ReflectionStream implements AutoCloseable {
    /*
     * Threads: the owner asks and waits; the channel's callbacks only put into `events`, which never blocks: at most one
     * answer is requested at a time, and one end follows it.
     */
    private static final long CLOSE_MILLIS = 1_000;

    /** The two versions differ on the wire in nothing but the name of the service: one set of messages serves both. */
    enum Version {
        V1("grpc.reflection.v1.ServerReflection"),
        V1ALPHA("grpc.reflection.v1alpha.ServerReflection");

        private final String service;

        Version(String service) {
            this.service = service;
        }

        MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> method() {
            return MethodDescriptor.<ServerReflectionRequest, ServerReflectionResponse>newBuilder()
                    .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                    .setFullMethodName(MethodDescriptor.generateFullMethodName(service, "ServerReflectionInfo"))
                    .setRequestMarshaller(ProtoUtils.marshaller(ServerReflectionRequest.getDefaultInstance()))
                    .setResponseMarshaller(ProtoUtils.marshaller(ServerReflectionResponse.getDefaultInstance()))
                    .build();
        }
    }

    /** The call ended while an answer was awaited. */
    static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient Status status;

        Failure(Status status) {
            super(status.toString(), status.getCause(), false, false);
            this.status = status;
        }

        Status status() {
            return status;
        }

        CatalogException toCatalogException() {
            String why = status.getDescription() == null ? "" : ": " + status.getDescription();
            return CatalogException.callFailed(
                    "asking the server for its descriptors failed with " + status.getCode() + why, status, this);
        }
    }

    private sealed interface Event {
        record Answer(ServerReflectionResponse response) implements Event {}

        record End(Status status) implements Event {}
    }

    private final ClientCall<ServerReflectionRequest, ServerReflectionResponse> call;
    private final Deadline deadline;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(4);
    private @Nullable Status end;

    private ReflectionStream(ClientCall<ServerReflectionRequest, ServerReflectionResponse> call, Deadline deadline) {
        this.call = call;
        this.deadline = deadline;
    }

    /** Starts the call; all its questions share the deadline. */
    static ReflectionStream open(Channel channel, Version version, Deadline deadline) {
        CallOptions options = CallOptions.DEFAULT.withDeadline(deadline).withExecutor(Runnable::run);
        ReflectionStream stream = new ReflectionStream(channel.newCall(version.method(), options), deadline);
        stream.call.start(stream.new Listener(), new Metadata());
        return stream;
    }

    /** Asks and waits for the answer. */
    ServerReflectionResponse ask(ServerReflectionRequest question) {
        if (end != null) {
            throw new Failure(end);
        }
        call.sendMessage(question);
        call.request(1);
        return switch (await(deadline.timeRemaining(TimeUnit.MILLISECONDS) + CLOSE_MILLIS)) {
            case Event.Answer answer -> answer.response();
            case Event.End ended -> {
                end = ended.status().isOk()
                        ? Status.INTERNAL.withDescription("the server ended the reflection stream without an answer")
                        : ended.status();
                throw new Failure(end);
            }
        };
    }

    private Event await(long millis) {
        try {
            Event event = events.poll(Math.max(0, millis), TimeUnit.MILLISECONDS);
            return event != null ? event : new Event.End(Status.DEADLINE_EXCEEDED.withDescription("no answer in time"));
        } catch (InterruptedException e) {
            call.cancel("interrupted", e);
            Thread.currentThread().interrupt();
            return new Event.End(Status.CANCELLED.withDescription("interrupted").withCause(e));
        }
    }

    /** Ends the call: politely, and if the server does not end it too, by cancelling. */
    @Override
    public void close() {
        if (end != null) {
            call.cancel("the look-up is over", null);
            return;
        }
        call.halfClose();
        call.request(1);
        if (!(await(CLOSE_MILLIS) instanceof Event.End)) {
            call.cancel("the look-up is over", null);
        }
    }

    private final class Listener extends ClientCall.Listener<ServerReflectionResponse> {
        @Override
        public void onMessage(ServerReflectionResponse message) {
            events.offer(new Event.Answer(message));
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            events.offer(new Event.End(status));
        }
    }
}
