package example;

import example.greeter.GreeterGrpc;
import example.greeter.HelloReply;
import example.greeter.HelloRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.TimeUnit;

/**
 * A gRPC server and its client as one writes them against io.grpc. No type of a transport is named, so the transport is
 * whatever is on the class path.
 */
public final class Hello {
    private Hello() {}

    public static void main(String[] args) throws Exception {
        Server server = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                .addService(new Greeter())
                .build()
                .start();
        ManagedChannel channel = Grpc.newChannelBuilder("localhost:" + server.getPort(), InsecureChannelCredentials.create())
                .intercept(new Announcing())
                .build();
        try {
            System.out.println("server:    " + server.getClass().getName());
            System.out.println("channel:   " + channel.getClass().getName());
            callAll(channel);
        } finally {
            channel.shutdown().awaitTermination(10, TimeUnit.SECONDS);
            server.shutdown().awaitTermination(10, TimeUnit.SECONDS);
        }
    }

    private static void callAll(Channel channel) throws Exception {
        HelloRequest world = HelloRequest.newBuilder().setName("world").build();

        GreeterGrpc.GreeterBlockingStub blocking =
                GreeterGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
        System.out.println("blocking:  " + blocking.sayHello(world).getMessage());
        blocking.sayHellos(world).forEachRemaining(reply -> System.out.println("stream:    " + reply.getMessage()));

        System.out.println("future:    " + GreeterGrpc.newFutureStub(channel).sayHello(world).get().getMessage());

        BlockingClientCall<HelloRequest, HelloReply> chat =
                GreeterGrpc.newBlockingV2Stub(channel).chat();
        for (String name : new String[] {"a", "b"}) {
            chat.write(HelloRequest.newBuilder().setName(name).build());
            System.out.println("chat:      " + chat.read().getMessage());
        }
        chat.halfClose();

        try {
            blocking.sayHello(HelloRequest.getDefaultInstance());
        } catch (StatusRuntimeException e) {
            System.out.println("error:     " + e.getStatus());
        }
    }

    private static final class Greeter extends GreeterGrpc.GreeterImplBase {
        @Override
        public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
            if (request.getName().isEmpty()) {
                replies.onError(Status.INVALID_ARGUMENT.withDescription("whom to greet?").asRuntimeException());
                return;
            }
            replies.onNext(hello(request));
            replies.onCompleted();
        }

        @Override
        public void sayHellos(HelloRequest request, StreamObserver<HelloReply> replies) {
            for (int i = 0; i < 3; i++) {
                replies.onNext(hello(request));
            }
            replies.onCompleted();
        }

        @Override
        public StreamObserver<HelloRequest> chat(StreamObserver<HelloReply> replies) {
            return new StreamObserver<>() {
                @Override
                public void onNext(HelloRequest request) {
                    replies.onNext(hello(request));
                }

                @Override
                public void onError(Throwable error) {}

                @Override
                public void onCompleted() {
                    replies.onCompleted();
                }
            };
        }

        private static HelloReply hello(HelloRequest request) {
            return HelloReply.newBuilder().setMessage("Hello " + request.getName()).build();
        }
    }

    /** An interceptor, as there is in every real program. */
    private static final class Announcing implements ClientInterceptor {
        @Override
        public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
            System.out.println("calls      " + method.getFullMethodName());
            return next.newCall(method, options);
        }
    }
}
