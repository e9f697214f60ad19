package dev.caisson.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.rpc.CaissonServer;
import dev.caisson.rpc.CaissonServerBuilder;
import dev.caisson.rpc.ReflectionService;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** In front of our own server, with our own reflection. */
class GatewayToCaissonIT extends GatewayContract {
    @Override
    Server startServer(Greeting greeting) throws IOException {
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(greeting)
                .intercept(greeting);
        ReflectionService.ofServer().forEach(builder::addService);
        Server started = builder.build().start();
        assertThat(started).isInstanceOf(CaissonServer.class);
        return started;
    }
}
