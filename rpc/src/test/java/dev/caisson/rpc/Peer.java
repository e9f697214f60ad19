package dev.caisson.rpc;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Whose server and channel a test runs with. */
enum Peer {
    OURS {
        @Override
        ServerBuilder<?> server() {
            return CaissonServerBuilder.forAddress(anyPort());
        }

        @Override
        ManagedChannelBuilder<?> channel(int port) {
            return CaissonChannelBuilder.forAddress("127.0.0.1", port);
        }
    },
    GRPC_JAVA {
        @Override
        ServerBuilder<?> server() {
            return NettyServerBuilder.forAddress(anyPort());
        }

        @Override
        ManagedChannelBuilder<?> channel(int port) {
            return NettyChannelBuilder.forAddress("127.0.0.1", port);
        }
    };

    /** Plaintext, on a loopback port of the system's choice. */
    abstract ServerBuilder<?> server();

    abstract ManagedChannelBuilder<?> channel(int port);

    /** Plaintext. */
    ManagedChannel channelTo(Server server) {
        return channel(server.getPort()).usePlaintext().build();
    }

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }
}
