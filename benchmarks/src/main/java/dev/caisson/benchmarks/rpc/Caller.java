package dev.caisson.benchmarks.rpc;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;

/** A channel that takes part: whose it is and where its callbacks run. */
enum Caller implements Subject {
    CAISSON_DIRECT("caisson channel, directExecutor", "dev.caisson.rpc") {
        @Override
        ManagedChannelBuilder<?> builder(int port) {
            return caisson(port).directExecutor();
        }
    },

    CAISSON_DEFAULT("caisson channel, virtual threads", "dev.caisson.rpc") {
        @Override
        ManagedChannelBuilder<?> builder(int port) {
            return caisson(port);
        }
    },

    GRPC_DIRECT("grpc-java channel, directExecutor", "io.grpc.internal") {
        @Override
        ManagedChannelBuilder<?> builder(int port) {
            return netty(port).directExecutor();
        }
    },

    GRPC_DEFAULT("grpc-java channel, default executor", "io.grpc.internal") {
        @Override
        ManagedChannelBuilder<?> builder(int port) {
            return netty(port);
        }
    };

    private final String title;
    private final String builtPackage;

    Caller(String title, String builtPackage) {
        this.title = title;
        this.builtPackage = builtPackage;
    }

    abstract ManagedChannelBuilder<?> builder(int port);

    @Override
    public String title() {
        return title;
    }

    @Override
    public boolean ours() {
        return builtPackage.startsWith("dev.caisson.");
    }

    /** A channel to {@code port} on loopback, which the caller shuts down. */
    ManagedChannel open(int port) {
        ManagedChannel channel = builder(port).build();
        if (!channel.getClass().getPackageName().equals(builtPackage)) {
            throw new IllegalStateException("measuring " + title + " but got " + channel.getClass());
        }
        return channel;
    }

    private static ManagedChannelBuilder<?> caisson(int port) {
        return Grpc.newChannelBuilderForAddress("127.0.0.1", port, InsecureChannelCredentials.create());
    }

    private static NettyChannelBuilder netty(int port) {
        return NettyChannelBuilder.forAddress("127.0.0.1", port, InsecureChannelCredentials.create());
    }
}
