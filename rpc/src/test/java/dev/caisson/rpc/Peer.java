package dev.caisson.rpc;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Whose server a test runs against. */
enum Peer {
    OURS {
        @Override
        ServerBuilder<?> server() {
            return CaissonServerBuilder.forAddress(anyPort());
        }
    },
    GRPC_JAVA {
        @Override
        ServerBuilder<?> server() {
            return NettyServerBuilder.forAddress(anyPort());
        }
    };

    /** Plaintext, on a loopback port of the system's choice. */
    abstract ServerBuilder<?> server();

    /** grpc-java's channel. */
    static ManagedChannel channelTo(Server server) {
        return NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .build();
    }

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }
}
