package dev.caisson.cli;

import dev.caisson.cli.sample.GreeterGrpc;
import dev.caisson.cli.sample.HelloReply;
import dev.caisson.cli.sample.HelloRequest;
import dev.caisson.cli.sample.RepeatRequest;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;

/** The sample service of {@code caisson up}. Handlers run on virtual threads, so they may sleep. */
final class SampleGreeter extends GreeterGrpc.GreeterImplBase {
    private static final int MAX_COUNT = 10_000;
    private static final int MAX_INTERVAL_MILLIS = 60_000;
    private static final int MAX_NAMES = 1_000;

    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
        replies.onNext(hello(request.getName()));
        replies.onCompleted();
    }

    @Override
    public void sayHellos(RepeatRequest request, StreamObserver<HelloReply> replies) {
        int count = request.getCount() == 0 ? 5 : request.getCount();
        int interval = request.getIntervalMillis() == 0 ? 1_000 : request.getIntervalMillis();
        if (count < 0 || count > MAX_COUNT || interval < 0 || interval > MAX_INTERVAL_MILLIS) {
            replies.onError(Status.INVALID_ARGUMENT
                    .withDescription("count is 1 to " + MAX_COUNT + ", intervalMillis 1 to " + MAX_INTERVAL_MILLIS)
                    .asRuntimeException());
            return;
        }
        ServerCallStreamObserver<HelloReply> call = (ServerCallStreamObserver<HelloReply>) replies;
        Thread handler = Thread.currentThread();
        call.setOnCancelHandler(handler::interrupt);
        try {
            for (int i = 1; i <= count && !call.isCancelled(); i++) {
                if (i > 1) {
                    Thread.sleep(interval);
                }
                call.onNext(hello(request.getName() + ", " + i + " of " + count));
            }
            if (!call.isCancelled()) {
                call.onCompleted();
            }
        } catch (InterruptedException e) {
            // The caller left; the thread ends here.
            if (!call.isCancelled()) {
                call.onError(Status.UNAVAILABLE
                        .withDescription("the server is shutting down")
                        .asRuntimeException());
            }
        }
    }

    @Override
    public StreamObserver<HelloRequest> greetAll(StreamObserver<HelloReply> replies) {
        List<String> names = new ArrayList<>();
        return new StreamObserver<>() {
            @Override
            public void onNext(HelloRequest request) {
                if (names.size() == MAX_NAMES) {
                    throw Status.RESOURCE_EXHAUSTED
                            .withDescription("more than " + MAX_NAMES + " names; send them in several calls")
                            .asRuntimeException();
                }
                names.add(request.getName());
            }

            @Override
            public void onError(Throwable callerLeft) {}

            @Override
            public void onCompleted() {
                replies.onNext(hello(String.join(", ", names)));
                replies.onCompleted();
            }
        };
    }

    @Override
    public StreamObserver<HelloRequest> chat(StreamObserver<HelloReply> replies) {
        return new StreamObserver<>() {
            @Override
            public void onNext(HelloRequest request) {
                replies.onNext(hello(request.getName()));
            }

            @Override
            public void onError(Throwable callerLeft) {}

            @Override
            public void onCompleted() {
                replies.onCompleted();
            }
        };
    }

    private static HelloReply hello(String name) {
        return HelloReply.newBuilder().setMessage("Hello " + name).build();
    }
}
