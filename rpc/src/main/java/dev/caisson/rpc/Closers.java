package dev.caisson.rpc;

import dev.caisson.scope.Closer;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * How a scope closes servers and channels of any make: {@code scope.own("api", server, Closers.server())}. A {@link
 * CaissonServer} and a {@link CaissonChannel} close themselves and need none of these.
 *
 * <p>Stateless; any thread.
 */
public final class Closers {
    private static final Closer<Server> SERVER = new Closer<>() {
        @Override
        public void drain(Server server, Duration within) throws InterruptedException {
            server.shutdown();
            server.awaitTermination(within.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void close(Server server, Duration within) throws InterruptedException {
            server.shutdownNow();
            if (!server.awaitTermination(within.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new IllegalStateException(server + " has not terminated within " + within);
            }
        }
    };

    private static final Closer<ManagedChannel> CHANNEL = new Closer<>() {
        @Override
        public void drain(ManagedChannel channel, Duration within) throws InterruptedException {
            channel.shutdown();
            channel.awaitTermination(within.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void close(ManagedChannel channel, Duration within) throws InterruptedException {
            channel.shutdownNow();
            if (!channel.awaitTermination(within.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new IllegalStateException(channel + " has not terminated within " + within);
            }
        }
    };

    private Closers() {}

    /** Drains by {@link Server#shutdown}, closes by {@link Server#shutdownNow}, and waits for the termination. */
    public static Closer<Server> server() {
        return SERVER;
    }

    /** Drains by {@link ManagedChannel#shutdown}, closes by {@link ManagedChannel#shutdownNow}, and waits likewise. */
    public static Closer<ManagedChannel> channel() {
        return CHANNEL;
    }
}
