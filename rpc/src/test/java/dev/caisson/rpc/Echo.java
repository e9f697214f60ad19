package dev.caisson.rpc;

import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A service over plain strings, in the four kinds of calls. What a request says is what happens: {@code fail:CODE} ends with
 * that status, {@code never} is not answered, {@code stream:N} yields N messages; anything else comes back.
 */
final class Echo implements BindableService {
    static final MethodDescriptor<String, String> UNARY = method(MethodType.UNARY, "Unary");
    static final MethodDescriptor<String, String> SERVER = method(MethodType.SERVER_STREAMING, "Server");
    static final MethodDescriptor<String, String> CLIENT = method(MethodType.CLIENT_STREAMING, "Client");
    static final MethodDescriptor<String, String> BIDI = method(MethodType.BIDI_STREAMING, "Bidi");

    /** Calls that are open at the server now, by their number. */
    final Set<Object> open = ConcurrentHashMap.newKeySet();

    static MethodDescriptor<String, String> method(MethodType type, String name) {
        return MethodDescriptor.<String, String>newBuilder(Text.INSTANCE, Text.INSTANCE)
                .setType(type)
                .setFullMethodName("test.Echo/" + name)
                .build();
    }

    @Override
    public ServerServiceDefinition bindService() {
        return ServerServiceDefinition.builder("test.Echo")
                .addMethod(UNARY, ServerCalls.asyncUnaryCall(this::unary))
                .addMethod(SERVER, ServerCalls.asyncServerStreamingCall(this::server))
                .addMethod(CLIENT, ServerCalls.asyncClientStreamingCall(this::client))
                .addMethod(BIDI, ServerCalls.asyncBidiStreamingCall(this::bidi))
                .build();
    }

    private void watch(StreamObserver<String> to) {
        ServerCallStreamObserver<String> call = (ServerCallStreamObserver<String>) to;
        open.add(call);
        call.setOnCancelHandler(() -> open.remove(call));
        call.setOnCloseHandler(() -> open.remove(call));
    }

    private void unary(String request, StreamObserver<String> to) {
        watch(to);
        if (request.startsWith("fail:")) {
            to.onError(Status.Code.valueOf(request.substring(5))
                    .toStatus()
                    .withDescription("asked to: ü%")
                    .asRuntimeException());
        } else if (!request.equals("never")) {
            to.onNext(request);
            to.onCompleted();
        }
    }

    private void server(String request, StreamObserver<String> to) {
        watch(to);
        if (request.startsWith("stream:")) {
            ServerCallStreamObserver<String> call = (ServerCallStreamObserver<String>) to;
            int[] left = {Integer.parseInt(request.substring(7))};
            Runnable more = () -> {
                while (call.isReady() && left[0] > 0) {
                    call.onNext("message " + left[0]--);
                    if (left[0] == 0) {
                        call.onCompleted();
                    }
                }
            };
            call.setOnReadyHandler(more);
            more.run();
        }
    }

    private StreamObserver<String> client(StreamObserver<String> to) {
        watch(to);
        return new StreamObserver<>() {
            private int count;

            @Override
            public void onNext(String value) {
                count++;
                if (value.equals("enough")) {
                    to.onNext("enough after " + count);
                    to.onCompleted();
                }
            }

            @Override
            public void onError(Throwable t) {}

            @Override
            public void onCompleted() {
                to.onNext("got " + count);
                to.onCompleted();
            }
        };
    }

    private StreamObserver<String> bidi(StreamObserver<String> to) {
        watch(to);
        return new StreamObserver<>() {
            @Override
            public void onNext(String value) {
                if (!value.equals("never")) {
                    to.onNext(value);
                }
            }

            @Override
            public void onError(Throwable t) {}

            @Override
            public void onCompleted() {
                to.onCompleted();
            }
        };
    }

    /** Strings as UTF-8. */
    enum Text implements MethodDescriptor.Marshaller<String> {
        INSTANCE;

        @Override
        public InputStream stream(String value) {
            return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try (stream) {
                return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
