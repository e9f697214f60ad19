package dev.caisson.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.testing.integration.AbstractInteropTest;

/**
 * Whose gRPC stands at one end of a call.
 *
 * <p>Ours is built as a user would, by {@link Grpc}, which takes the provider of the highest priority on the class
 * path; grpc-java's is built by the name of its builder, because {@link Grpc} would hand out ours. Every built thing is
 * checked for its class, so that a way never tests something else than its name says.
 */
enum Side {
    CAISSON("dev.caisson.rpc.CaissonServerBuilder", "dev.caisson.rpc.CaissonChannelBuilder", "dev.caisson.rpc") {
        @Override
        ServerBuilder<?> newServerBuilder(ServerCredentials credentials) {
            return Grpc.newServerBuilderForPort(0, credentials);
        }

        @Override
        ManagedChannelBuilder<?> newChannelBuilder(String host, int port, ChannelCredentials credentials) {
            return Grpc.newChannelBuilderForAddress(host, port, credentials);
        }
    },

    GRPC_JAVA("io.grpc.netty.NettyServerBuilder", "io.grpc.netty.NettyChannelBuilder", "io.grpc.internal") {
        @Override
        ServerBuilder<?> newServerBuilder(ServerCredentials credentials) {
            return NettyServerBuilder.forPort(0, credentials)
                    .flowControlWindow(AbstractInteropTest.TEST_FLOW_CONTROL_WINDOW);
        }

        @Override
        ManagedChannelBuilder<?> newChannelBuilder(String host, int port, ChannelCredentials credentials) {
            return NettyChannelBuilder.forAddress(host, port, credentials)
                    .flowControlWindow(AbstractInteropTest.TEST_FLOW_CONTROL_WINDOW);
        }
    };

    private final String serverBuilder;
    private final String channelBuilder;
    private final String builtPackage;

    Side(String serverBuilder, String channelBuilder, String builtPackage) {
        this.serverBuilder = serverBuilder;
        this.channelBuilder = channelBuilder;
        this.builtPackage = builtPackage;
    }

    abstract ServerBuilder<?> newServerBuilder(ServerCredentials credentials);

    abstract ManagedChannelBuilder<?> newChannelBuilder(String host, int port, ChannelCredentials credentials);

    /** A builder on a free port, with the message size that the suite expects; fails if it is not this side's. */
    final ServerBuilder<?> serverBuilder(ServerCredentials credentials) {
        ServerBuilder<?> builder =
                newServerBuilder(credentials).maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE);
        assertThat(builder.getClass().getName()).as("server builder").isEqualTo(serverBuilder);
        return builder;
    }

    /** As {@link #serverBuilder}, for the channel. */
    final ManagedChannelBuilder<?> channelBuilder(String host, int port, ChannelCredentials credentials) {
        ManagedChannelBuilder<?> builder =
                newChannelBuilder(host, port, credentials).maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE);
        assertThat(builder.getClass().getName()).as("channel builder").isEqualTo(channelBuilder);
        return builder;
    }

    final <S extends Server> S check(S server) {
        assertThat(server.getClass().getPackageName())
                .as("package of the server")
                .isEqualTo(builtPackage);
        return server;
    }

    final <C extends ManagedChannel> C check(C channel) {
        assertThat(channel.getClass().getPackageName())
                .as("package of the channel")
                .isEqualTo(builtPackage);
        return channel;
    }
}
