package dev.caisson.tests.interop;

import io.grpc.ForwardingServerBuilder;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.testing.integration.AbstractInteropTest;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.runners.BlockJUnit4ClassRunner;
import org.junit.runners.model.InitializationError;

/**
 * grpc-java's interoperability suite over one {@link Way}. JUnit 4 runs it through {@link Runner}, which knows the way;
 * {@link InteropTest} reads the outcome. The name keeps it from being picked up as a test by itself.
 */
@SuppressWarnings("JUnit4ClassUsedInJUnit3") // the suite is JUnit 4 by inheritance
public final class InteropSuite extends AbstractInteropTest {
    private final Way way;
    private final int externalPort;
    private @Nullable Server server;

    private InteropSuite(Way way, int externalPort) {
        this.way = way;
        this.externalPort = externalPort;
    }

    @Override
    protected @Nullable ServerBuilder<?> getServerBuilder() {
        return way.external()
                ? null
                : new Capture(way.server().serverBuilder(way.transport().serverCredentials()));
    }

    @Override
    protected ManagedChannelBuilder<?> createChannelBuilder() {
        int port = server == null ? externalPort : server.getPort();
        ManagedChannelBuilder<?> builder =
                way.channel().channelBuilder("127.0.0.1", port, way.transport().channelCredentials());
        return way.transport() == Transport.TLS ? builder.overrideAuthority(Transport.AUTHORITY) : builder;
    }

    @Override
    protected ManagedChannel createChannel() {
        return way.channel().check(super.createChannel());
    }

    /** The suite's metrics are grpc-core's own, made by a module that plugs into its builders alone. */
    @Override
    protected boolean metricsExpected() {
        return false;
    }

    /** Takes note of the server that the suite builds: the suite keeps its port to itself. */
    private final class Capture extends ForwardingServerBuilder<Capture> {
        private final ServerBuilder<?> builder;

        Capture(ServerBuilder<?> builder) {
            this.builder = builder;
        }

        @Override
        protected ServerBuilder<?> delegate() {
            return builder;
        }

        @Override
        public Server build() {
            Server built = way.server().check(super.build());
            server = built;
            return built;
        }
    }

    /** Runs the suite over one way. */
    static final class Runner extends BlockJUnit4ClassRunner implements AutoCloseable {
        private final Way way;
        private final @Nullable ExternalServer external;

        Runner(Way way) throws InitializationError, IOException {
            super(InteropSuite.class);
            this.way = way;
            this.external = way.external() ? ExternalServer.start(way.server(), way.transport()) : null;
        }

        @Override
        protected Object createTest() {
            return new InteropSuite(way, external == null ? -1 : external.port());
        }

        @Override
        protected void validateConstructor(List<Throwable> errors) {
            // The way comes in through createTest.
        }

        @Override
        public void close() throws IOException {
            if (external != null) {
                external.close();
            }
        }
    }
}
