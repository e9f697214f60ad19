package dev.caisson.rpc;

import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;

/** One method a server answers: its description, its handler behind all interceptors, and where it runs. */
record ServerMethod<Q, R>(MethodDescriptor<Q, R> descriptor, ServerCallHandler<Q, R> handler, boolean nonBlocking) {
    boolean sendsOneMessage() {
        return descriptor.getType().serverSendsOneMessage();
    }
}
