package dev.caisson.rpc;

import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerProvider;
import java.net.InetSocketAddress;

/**
 * Makes {@link CaissonServerBuilder} the answer of {@link io.grpc.Grpc#newServerBuilderForPort}. Its priority is 6, one above
 * grpc-netty's, so with both on the class path the servers are ours.
 */
public final class CaissonServerProvider extends ServerProvider {
    @Override
    protected boolean isAvailable() {
        return true;
    }

    @Override
    protected int priority() {
        return 6;
    }

    @Override
    protected ServerBuilder<?> builderForPort(int port) {
        return CaissonServerBuilder.forPort(port);
    }

    @Override
    protected NewServerBuilderResult newServerBuilderForPort(int port, ServerCredentials credentials) {
        try {
            return NewServerBuilderResult.serverBuilder(
                    CaissonServerBuilder.forAddress(new InetSocketAddress(port), credentials));
        } catch (IllegalArgumentException e) {
            return NewServerBuilderResult.error(String.valueOf(e.getMessage()));
        }
    }
}
