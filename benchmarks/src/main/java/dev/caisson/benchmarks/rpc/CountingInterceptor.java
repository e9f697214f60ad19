package dev.caisson.benchmarks.rpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.atomic.LongAdder;

/** The one interceptor of the bench, of the kind that every service has: reads a header and counts how calls ended. */
final class CountingInterceptor implements ServerInterceptor {
    private static final Metadata.Key<String> CALLER = Metadata.Key.of("caller", Metadata.ASCII_STRING_MARSHALLER);

    private final LongAdder ok = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final LongAdder anonymous = new LongAdder();

    @Override
    public <Q, S> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
        if (headers.get(CALLER) == null) {
            anonymous.increment();
        }
        ServerCall<Q, S> counted = new SimpleForwardingServerCall<>(call) {
            @Override
            public void close(Status status, Metadata trailers) {
                (status.isOk() ? ok : failed).increment();
                super.close(status, trailers);
            }
        };
        return next.startCall(counted, headers);
    }
}
