package dev.caisson.cli;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import dev.caisson.cli.demo.Answer;
import dev.caisson.cli.demo.DemoGrpc;
import dev.caisson.cli.demo.Question;
import dev.caisson.rpc.CaissonServerBuilder;
import dev.caisson.rpc.ReflectionService;
import io.grpc.ForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The demo service on a server of grpc-java or of ours, with the reflection a test wants. Close it. */
final class DemoServer implements AutoCloseable {
    /** Whose server, and which reflection. */
    enum Kind {
        GRPC_JAVA_V1,
        GRPC_JAVA_V1ALPHA,
        GRPC_JAVA_NO_REFLECTION,
        CAISSON
    }

    final CountDownLatch hanging = new CountDownLatch(1);
    final CountDownLatch cancelled = new CountDownLatch(1);
    private final Server server;

    private DemoServer(Kind kind, @Nullable ServerCredentials credentials) throws IOException {
        ServerServiceDefinition demo = ServerInterceptors.intercept(new Demo(), new EchoMetadata());
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        ServerBuilder<?> builder = switch (kind) {
            case CAISSON ->
                credentials == null
                        ? CaissonServerBuilder.forAddress(any)
                        : CaissonServerBuilder.forAddress(any, credentials);
            default ->
                credentials == null
                        ? NettyServerBuilder.forAddress(any)
                        : NettyServerBuilder.forAddress(any, credentials);
        };
        builder.addService(demo);
        switch (kind) {
            case CAISSON, GRPC_JAVA_V1 -> builder.addService(ReflectionService.v1(() -> List.of(demo)));
            case GRPC_JAVA_V1ALPHA -> builder.addService(ReflectionService.v1alpha(() -> List.of(demo)));
            case GRPC_JAVA_NO_REFLECTION -> {}
        }
        server = builder.build().start();
    }

    static DemoServer start(Kind kind) throws IOException {
        return new DemoServer(kind, null);
    }

    static DemoServer start(Kind kind, ServerCredentials credentials) throws IOException {
        return new DemoServer(kind, credentials);
    }

    int port() {
        return server.getPort();
    }

    String address() {
        return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() throws InterruptedException {
        server.shutdownNow();
        if (!server.awaitTermination(30, TimeUnit.SECONDS)) {
            throw new AssertionError("the server does not end");
        }
    }

    private final class Demo extends DemoGrpc.DemoImplBase {
        @Override
        public void ask(Question question, StreamObserver<Answer> answers) {
            if (question.getFailWith() != 0) {
                answers.onError(failure(question));
                return;
            }
            answers.onNext(Answer.newBuilder()
                    .setText("You ask: " + question.getText())
                    .build());
            answers.onCompleted();
        }

        private Exception failure(Question question) {
            return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                    .setCode(question.getFailWith())
                    .setMessage("as you asked")
                    .addDetails(Any.pack(
                            ErrorInfo.newBuilder().setReason("ASKED_FOR").build()))
                    .build());
        }

        @Override
        public void askMany(Question question, StreamObserver<Answer> answers) {
            var call = (ServerCallStreamObserver<Answer>) answers;
            for (int i = 1; i <= question.getTimes() && !call.isCancelled(); i++) {
                answers.onNext(Answer.newBuilder()
                        .setText(question.getText() + " " + i)
                        .build());
            }
            if (call.isCancelled()) {
                return;
            }
            if (question.getFailWith() != 0) {
                answers.onError(failure(question));
            } else {
                answers.onCompleted();
            }
        }

        @Override
        public StreamObserver<Question> gather(StreamObserver<Answer> answers) {
            List<String> heard = new ArrayList<>();
            return new Listening(question -> heard.add(question.getText()), () -> {
                answers.onNext(Answer.newBuilder().addAllHeard(heard).build());
                answers.onCompleted();
            });
        }

        @Override
        public StreamObserver<Question> talk(StreamObserver<Answer> answers) {
            return new Listening(
                    question -> {
                        if (question.getFailWith() != 0) {
                            answers.onError(failure(question));
                        } else {
                            answers.onNext(Answer.newBuilder()
                                    .setText("re: " + question.getText())
                                    .build());
                        }
                    },
                    answers::onCompleted);
        }

        @Override
        public void hang(Question question, StreamObserver<Answer> answers) {
            ((ServerCallStreamObserver<Answer>) answers).setOnCancelHandler(cancelled::countDown);
            answers.onNext(Answer.newBuilder().setText("waiting").build());
            hanging.countDown();
        }
    }

    private interface Heard {
        void question(Question question);
    }

    private record Listening(Heard heard, Runnable completed) implements StreamObserver<Question> {
        @Override
        public void onNext(Question question) {
            heard.question(question);
        }

        @Override
        public void onError(Throwable cancelled) {}

        @Override
        public void onCompleted() {
            completed.run();
        }
    }

    /** Sends x-… metadata back in the headers. */
    private static final class EchoMetadata implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            return next.startCall(
                    new ForwardingServerCall.SimpleForwardingServerCall<>(call) {
                        @Override
                        public void sendHeaders(Metadata replyHeaders) {
                            copy(headers, replyHeaders);
                            super.sendHeaders(replyHeaders);
                        }
                    },
                    headers);
        }

        private static void copy(Metadata from, Metadata to) {
            for (String name : from.keys()) {
                if (name.startsWith("x-") && name.endsWith("-bin")) {
                    Metadata.Key<byte[]> key = Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER);
                    Iterable<byte[]> values = from.getAll(key);
                    if (values != null) {
                        values.forEach(value -> to.put(key, value));
                    }
                } else if (name.startsWith("x-")) {
                    Metadata.Key<String> key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
                    Iterable<String> values = from.getAll(key);
                    if (values != null) {
                        values.forEach(value -> to.put(key, value));
                    }
                }
            }
        }
    }
}
