package dev.caisson.cli;

import dev.caisson.gateway.generic.CatalogException;
import dev.caisson.gateway.generic.CatalogLimits;
import dev.caisson.gateway.generic.ReflectionCatalog;
import dev.caisson.gateway.generic.ServiceCatalog;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * What one run of a command holds: a scope, at most one channel in it, and a catalog. Ctrl-C cancels the scope, which ends
 * whatever call runs. One thread's, but for {@link #interrupt}.
 */
final class Session implements AutoCloseable {
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(5);

    /** The work of a command. */
    interface Work {
        int run(Session session) throws Exception;
    }

    private final ConnectionOptions connection;
    private final @Nullable Address address;
    private final Scope scope;
    private final Console.Interrupts interrupts;
    private final AtomicBoolean interrupted = new AtomicBoolean();
    private @Nullable Channel channel;

    private Session(Console console, ConnectionOptions connection, @Nullable Address address) {
        this.connection = connection;
        this.address = address;
        this.scope = Scope.open("caisson", ScopeOptions.defaults().closeWithin(CLOSE_WITHIN));
        this.interrupts = console.onInterrupt(this::interrupt);
    }

    /**
     * Runs the work, closes all, and answers the exit code.
     *
     * @param target where the server is; null if files say all that is asked
     */
    static int run(Console console, ConnectionOptions connection, @Nullable String target, Work work) throws Exception {
        Address address = target == null ? null : Address.parse(target);
        if (address != null) {
            connection.check(address);
        }
        try (Session session = new Session(console, connection, address)) {
            try {
                return work.run(session);
            } catch (Exception e) {
                if (session.interrupted.get()) {
                    throw Failure.interrupted();
                }
                throw session.diagnosed(e);
            }
        }
    }

    /** Called on Ctrl-C, in a thread of its own: cancels what runs, and returns when it has ended. */
    private void interrupt() {
        interrupted.set(true);
        scope.cancel(new InterruptedException("Ctrl-C"));
        scope.close(CLOSE_WITHIN);
    }

    Scope scope() {
        return scope;
    }

    /** The channel to the server, opened at the first call. */
    Channel channel() throws IOException {
        if (channel == null) {
            if (address == null) {
                throw Failure.usage("an address is needed: HOST:PORT");
            }
            ManagedChannel opened = connection.open(scope, address);
            channel = ClientInterceptors.intercept(
                    opened, MetadataUtils.newAttachHeadersInterceptor(connection.metadata()));
        }
        return channel;
    }

    /** The server's services: from files if the options name some, else by reflection. */
    ServiceCatalog catalog(SchemaOptions schema) throws IOException {
        if (schema.fromFiles()) {
            return schema.read();
        }
        Duration timeout = connection.timeout;
        CatalogLimits limits = timeout == null || timeout.compareTo(CatalogLimits.DEFAULT.deadline()) > 0
                ? CatalogLimits.DEFAULT
                : CatalogLimits.DEFAULT.withDeadline(timeout);
        return ReflectionCatalog.of(channel(), limits);
    }

    /** The same failure with what a look at the port tells, where the server could not be reached. */
    private Exception diagnosed(Exception e) {
        if (address == null || e instanceof Failure || e instanceof Console.BrokenPipe) {
            return e;
        }
        if (e instanceof CatalogException catalog && catalog.code() == CatalogException.Code.CALL_FAILED) {
            return unreached(catalog.status(), Failure.status(catalog.status(), null));
        }
        return e;
    }

    /** The failure of a call that the server never answered: the one given, or what a look at the port says instead. */
    Failure unreached(Status status, Failure known) {
        if (address == null || status.getCode() != Status.Code.UNAVAILABLE) {
            return known;
        }
        Probe.Finding finding = Probe.look(address, connection.usesTls(address), connection, status);
        return finding == null
                ? known
                : Failure.status(Status.UNAVAILABLE.withDescription(finding.problem()), finding.next());
    }

    @Override
    public void close() {
        interrupts.close();
        scope.close(CLOSE_WITHIN);
    }
}
