package dev.caisson.gateway.generic;

import dev.caisson.rpc.reflection.v1.ServerReflectionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A channel to a server whose reflection answers what a test says, garbage included; without a network. */
final class FakeReflection extends Channel {
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger calls = new AtomicInteger();
    private final String service;
    private final Function<ServerReflectionRequest, @Nullable ServerReflectionResponse> answers;

    /** Null as an answer ends the stream with status ABORTED. */
    FakeReflection(String service, Function<ServerReflectionRequest, @Nullable ServerReflectionResponse> answers) {
        this.service = service;
        this.answers = answers;
    }

    @Override
    public String authority() {
        return "fake";
    }

    @Override
    @SuppressWarnings("unchecked")
    public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
        return (ClientCall<Q, A>) new Call(service.equals(method.getServiceName()));
    }

    private final class Call extends ClientCall<ServerReflectionRequest, ServerReflectionResponse> {
        private final boolean implemented;
        private final Queue<ServerReflectionRequest> questions = new ArrayDeque<>();
        private @Nullable Listener<ServerReflectionResponse> listener;
        private int requested;
        private boolean halfClosed;

        Call(boolean implemented) {
            this.implemented = implemented;
        }

        @Override
        public void start(Listener<ServerReflectionResponse> to, Metadata headers) {
            calls.incrementAndGet();
            open.incrementAndGet();
            listener = to;
            if (!implemented) {
                end(Status.UNIMPLEMENTED);
            }
        }

        @Override
        public void sendMessage(ServerReflectionRequest question) {
            questions.add(question);
            pump();
        }

        @Override
        public void request(int number) {
            requested += number;
            pump();
        }

        private void pump() {
            while (listener != null && requested > 0 && !questions.isEmpty()) {
                ServerReflectionResponse answer = answers.apply(questions.remove());
                if (answer == null) {
                    end(Status.ABORTED.withDescription("as the test says"));
                    return;
                }
                requested--;
                listener.onMessage(answer);
            }
            if (halfClosed && questions.isEmpty()) {
                end(Status.OK);
            }
        }

        @Override
        public void halfClose() {
            halfClosed = true;
            pump();
        }

        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {
            end(Status.CANCELLED);
        }

        private void end(Status status) {
            Listener<ServerReflectionResponse> to = listener;
            listener = null;
            if (to != null) {
                open.decrementAndGet();
                to.onClose(status, new Metadata());
            }
        }
    }
}
