package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthGrpc;
import dev.caisson.scope.CloseReport;
import dev.caisson.scope.Scope;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A scope owns servers and channels that know nothing of it. */
class ClosersTest {
    @Test
    void closesForeignServersAndChannelsWithTheirScope() throws Exception {
        Server server;
        ManagedChannel channel;
        CloseReport report;
        try (Scope scope = Scope.open("foreign")) {
            server = scope.own(
                    "server",
                    NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                            .addService(new HealthGrpc.HealthImplBase() {
                                @Override
                                public void check(
                                        HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
                                    reply.onNext(HealthCheckResponse.getDefaultInstance());
                                    reply.onCompleted();
                                }
                            })
                            .build()
                            .start(),
                    Closers.server());
            channel = scope.own(
                    "channel",
                    NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                            .usePlaintext()
                            .build(),
                    Closers.channel());
            HealthGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(30, TimeUnit.SECONDS)
                    .check(HealthCheckRequest.getDefaultInstance());
            report = scope.drainAndClose(Duration.ofSeconds(30));
        }
        assertThat(report.clean()).as(report.toString()).isTrue();
        assertThat(server.isTerminated()).isTrue();
        assertThat(channel.isTerminated()).isTrue();
    }
}
