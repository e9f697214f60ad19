package dev.caisson.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** In front of grpc-java's own server, built by its name, with its own reflection. */
class GatewayToGrpcJavaIT extends GatewayContract {
    @Override
    Server startServer(Greeting greeting) throws IOException {
        Server started = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(greeting)
                .addService(ProtoReflectionServiceV1.newInstance())
                .intercept(greeting)
                .build()
                .start();
        assertThat(started.getClass().getName()).startsWith("io.grpc.internal.");
        return started;
    }
}
