package dev.caisson.gateway;

import com.google.protobuf.Any;
import dev.caisson.gateway.greeter.GreeterGrpc;
import dev.caisson.gateway.greeter.HelloReply;
import dev.caisson.gateway.greeter.HelloRequest;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The service behind the gateway in tests. The name in a request says what happens: {@code fail <CODE>}, {@code details},
 * {@code wait} (until cancelled), {@code hold} (until {@link #release}).
 */
final class Greeting extends GreeterGrpc.GreeterImplBase implements ServerInterceptor {
    static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);
    static final Metadata.Key<byte[]> BYTES = Metadata.Key.of("some-bin", Metadata.BINARY_BYTE_MARSHALLER);
    private static final Context.Key<Metadata> HEADERS = Context.key("headers");

    final CountDownLatch cancelled = new CountDownLatch(1);
    final CountDownLatch release = new CountDownLatch(1);
    private volatile @Nullable ServerCallStreamObserver<HelloReply> stopped;
    final AtomicInteger waiting = new AtomicInteger();
    final AtomicLong sent = new AtomicLong();
    final AtomicLong received = new AtomicLong();
    volatile boolean reading = true;

    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
        String name = request.getName();
        if (name.startsWith("fail ")) {
            Metadata trailers = new Metadata();
            trailers.put(TOKEN, "from the trailers");
            replies.onError(Status.Code.valueOf(name.substring(5))
                    .toStatus()
                    .withDescription("as asked")
                    .asRuntimeException(trailers));
        } else if (name.equals("details")) {
            replies.onError(StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                    .setCode(Status.Code.FAILED_PRECONDITION.value())
                    .setMessage("look at the details")
                    .addDetails(Any.pack(com.google.rpc.ErrorInfo.newBuilder()
                            .setReason("TESTING")
                            .build()))
                    .build()));
        } else if (name.equals("wait")) {
            onCancel(replies);
            waiting.incrementAndGet();
        } else if (name.equals("hold")) {
            waiting.incrementAndGet();
            await(release);
            reply(replies, "held");
            replies.onCompleted();
        } else if (name.equals("deadline")) {
            long left = Context.current().getDeadline().timeRemaining(java.util.concurrent.TimeUnit.MILLISECONDS);
            reply(replies, String.valueOf(left));
            replies.onCompleted();
        } else if (name.equals("metadata")) {
            Metadata headers = HEADERS.get();
            reply(
                    replies,
                    headers.get(TOKEN) + "," + new String(headers.get(BYTES), java.nio.charset.StandardCharsets.UTF_8));
            replies.onCompleted();
        } else {
            reply(replies, "Hello " + name);
            replies.onCompleted();
        }
    }

    @Override
    public void sayMany(HelloRequest request, StreamObserver<HelloReply> replies) {
        if (request.getName().startsWith("fail ")) {
            for (int i = 0; i < request.getCount(); i++) {
                reply(replies, "before " + i);
            }
            replies.onError(Status.Code.valueOf(request.getName().substring(5))
                    .toStatus()
                    .withDescription("as asked")
                    .asRuntimeException());
        } else if (request.getCount() >= 0) {
            for (int i = 0; i < request.getCount(); i++) {
                reply(replies, "Hello " + request.getName() + " " + i);
            }
            replies.onCompleted();
        } else {
            onCancel(replies);
            endless((ServerCallStreamObserver<HelloReply>) replies, "x".repeat(10_000));
        }
    }

    /** Sends as fast as back-pressure lets it. */
    private void endless(ServerCallStreamObserver<HelloReply> replies, String text) {
        replies.setOnReadyHandler(() -> {
            while (replies.isReady() && !replies.isCancelled()) {
                reply(replies, text);
                sent.incrementAndGet();
            }
        });
        reply(replies, "first");
    }

    @Override
    public StreamObserver<HelloRequest> sayToAll(StreamObserver<HelloReply> replies) {
        ServerCallStreamObserver<HelloReply> call = (ServerCallStreamObserver<HelloReply>) replies;
        if (!reading) {
            call.disableAutoRequest();
            stopped = call;
        }
        onCancel(replies);
        List<String> names = new ArrayList<>();
        return new StreamObserver<>() {
            @Override
            public void onNext(HelloRequest request) {
                received.incrementAndGet();
                if (request.getName().length() < 1_000) {
                    names.add(request.getName());
                }
            }

            @Override
            public void onError(Throwable error) {}

            @Override
            public void onCompleted() {
                reply(replies, "Hello " + String.join(", ", names));
                replies.onCompleted();
            }
        };
    }

    @Override
    public StreamObserver<HelloRequest> talk(StreamObserver<HelloReply> replies) {
        onCancel(replies);
        if (!reading) {
            ((ServerCallStreamObserver<HelloReply>) replies).disableAutoRequest();
            reply(replies, "not reading");
        }
        return new StreamObserver<>() {
            @Override
            public void onNext(HelloRequest request) {
                if (request.getName().equals("fail")) {
                    replies.onError(Status.ABORTED.withDescription("as asked").asRuntimeException());
                } else {
                    reply(replies, "Hello " + request.getName());
                }
            }

            @Override
            public void onError(Throwable error) {}

            @Override
            public void onCompleted() {
                replies.onCompleted();
            }
        };
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return io.grpc.Contexts.interceptCall(
                Context.current().withValue(HEADERS, headers),
                new io.grpc.ForwardingServerCall.SimpleForwardingServerCall<Q, A>(call) {
                    @Override
                    public void sendHeaders(Metadata reply) {
                        reply.put(TOKEN, "from the headers");
                        reply.put(BYTES, new byte[] {1, 2, 3});
                        super.sendHeaders(reply);
                    }
                },
                headers,
                next);
    }

    /** Takes some messages of the stream that is not read. */
    void take(int messages) {
        java.util.Objects.requireNonNull(stopped).request(messages);
    }

    private void onCancel(StreamObserver<HelloReply> replies) {
        ((ServerCallStreamObserver<HelloReply>) replies).setOnCancelHandler(cancelled::countDown);
    }

    private static void reply(StreamObserver<HelloReply> replies, String text) {
        replies.onNext(HelloReply.newBuilder().setMessage(text).build());
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(60, java.util.concurrent.TimeUnit.SECONDS)) {
                throw new IllegalStateException("nobody released the call");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
