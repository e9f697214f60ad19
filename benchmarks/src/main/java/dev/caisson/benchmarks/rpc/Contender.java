package dev.caisson.benchmarks.rpc;

import io.grpc.BindableService;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;

/** A server that takes part: whose it is and where its handlers run. */
enum Contender implements Subject {
    CAISSON_LOOP("caisson, event loop", "dev.caisson.rpc") {
        @Override
        ServerBuilder<?> builder() {
            return Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create());
        }

        @Override
        BindableService service() {
            return new Greeter.OnEventLoop();
        }
    },

    CAISSON_VIRTUAL("caisson, virtual threads", "dev.caisson.rpc") {
        @Override
        ServerBuilder<?> builder() {
            return Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create());
        }
    },

    GRPC_DIRECT("grpc-java, directExecutor", "io.grpc.internal") {
        @Override
        ServerBuilder<?> builder() {
            return netty().directExecutor();
        }
    },

    GRPC_DEFAULT("grpc-java, default executor", "io.grpc.internal") {
        @Override
        ServerBuilder<?> builder() {
            return netty();
        }
    };

    private static final int MAX_MESSAGE_BYTES = 4 << 20;
    private static final int MAX_HEADER_LIST_BYTES = 8 << 10;
    private static final int MAX_STREAMS_PER_CONNECTION = 1000;

    private final String title;
    private final String builtPackage;

    Contender(String title, String builtPackage) {
        this.title = title;
        this.builtPackage = builtPackage;
    }

    abstract ServerBuilder<?> builder();

    BindableService service() {
        return new Greeter();
    }

    @Override
    public String title() {
        return title;
    }

    @Override
    public boolean ours() {
        return builtPackage.startsWith("dev.caisson.");
    }

    /** The server, listening, with an interceptor and limits as a service in production has them. */
    Server start() throws IOException {
        Server server = builder()
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .maxInboundMetadataSize(MAX_HEADER_LIST_BYTES)
                .intercept(new CountingInterceptor())
                .addService(service())
                .build()
                .start();
        if (!server.getClass().getPackageName().equals(builtPackage)) {
            throw new IllegalStateException("measuring " + title + " but got " + server.getClass());
        }
        return server;
    }

    private static NettyServerBuilder netty() {
        return NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0), InsecureServerCredentials.create())
                .maxConcurrentCallsPerConnection(MAX_STREAMS_PER_CONNECTION);
    }
}
