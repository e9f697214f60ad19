package dev.caisson.benchmarks.rpc;

import dev.caisson.benchmarks.greeter.GreeterGrpc;
import dev.caisson.benchmarks.greeter.HelloReply;
import dev.caisson.benchmarks.greeter.HelloRequest;
import dev.caisson.rpc.NonBlocking;
import io.grpc.stub.StreamObserver;

/** Answers {@code "Hello " + name}. */
class Greeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
        replies.onNext(
                HelloReply.newBuilder().setMessage("Hello " + request.getName()).build());
        replies.onCompleted();
    }

    /** The same, declared to never block. */
    @NonBlocking
    static final class OnEventLoop extends Greeter {}
}
