package dev.caisson.cli;

import dev.caisson.gateway.Gateway;
import dev.caisson.gateway.GatewayOptions;
import dev.caisson.rpc.CaissonServer;
import dev.caisson.rpc.CaissonServerBuilder;
import dev.caisson.rpc.HealthService;
import dev.caisson.rpc.ReflectionService;
import dev.caisson.rpc.health.v1.HealthCheckResponse.ServingStatus;
import dev.caisson.scope.CloseReport;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import io.grpc.ServerServiceDefinition;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/**
 * {@code caisson up}: sample services, the gateway and its page in one process, until Ctrl-C.
 *
 * <pre>
 *   opening ── both ports taken ──► up ── Ctrl-C, SIGTERM ──► draining ──► closing ──► report, exit 0
 *      │ a port is not to be had                                  │ a second signal
 *      ▼                                                          ▼
 *   all closed again, exit 1                                   halted, exit 130
 * </pre>
 */
@Command(
        name = "up",
        description = "Runs sample services, the gateway and its page in one process, until Ctrl-C.",
        mixinStandardHelpOptions = true,
        sortOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson up",
            "  caisson up --grpc-port 0 --http-port 0      any free ports, printed",
            "  caisson up --allow 127.0.0.1:9000           the gateway may call that server, too",
            "",
            "Ctrl-C drains, closes and prints what was closed and what was left; a second Ctrl-C ends it at once."
        })
final class UpCommand implements Callable<Integer> {
    private static final int FORCED = 130; // 128 plus SIGINT, as shells count

    @ParentCommand
    private @Nullable Main main;

    @Option(
            names = "--grpc-port",
            paramLabel = "PORT",
            defaultValue = "50051",
            description = "Port of the sample services, 0 for any free one (default: ${DEFAULT-VALUE}).")
    private int grpcPort;

    @Option(
            names = "--http-port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "Port of the gateway, 0 for any free one (default: ${DEFAULT-VALUE}).")
    private int httpPort;

    @Option(
            names = "--allow",
            paramLabel = "HOST:PORT",
            description = "A further target that the gateway may call. May be given several times.")
    private List<String> allow = new ArrayList<>();

    @Option(names = "--allow-all", description = "The gateway may call any target that this machine reaches.")
    private boolean allowAll;

    @Option(
            names = "--close-within",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "How long Ctrl-C waits for calls to end, and again for the rest (default: ${DEFAULT-VALUE}).")
    private int closeWithinSeconds;

    @Override
    public Integer call() {
        Console console = java.util.Objects.requireNonNull(main).console();
        Scope app = Scope.open(
                "caisson up", ScopeOptions.defaults().closeWithin(Duration.ofSeconds(Math.max(0, closeWithinSeconds))));
        AtomicInteger signals = new AtomicInteger();
        try (Signals _ = Signals.listen(signal -> signalled(console, app, signals.incrementAndGet()))) {
            Gateway gateway;
            CaissonServer server;
            try {
                server = serve(app);
                gateway = openGateway(app, server.getPort());
            } catch (IOException | IllegalArgumentException e) {
                app.close();
                console.error(String.valueOf(e.getMessage()));
                return 1;
            }
            console.line(greeting(gateway, server.getPort()));
            CloseReport report = app.awaitShutdown();
            console.line(report(report));
            return report.clean() ? 0 : 1;
        }
    }

    private static void signalled(Console console, Scope app, int count) {
        if (count > 1) {
            console.errorLine("caisson: forced");
            Runtime.getRuntime().halt(FORCED);
        }
        console.line("\nClosing: calls in flight may end; Ctrl-C again ends them.");
        app.shutdown();
    }

    private CaissonServer serve(Scope app) throws IOException {
        HealthService health = app.own(new HealthService(), "health");
        health.setStatus("", ServingStatus.SERVING);
        health.setStatus("helloworld.Greeter", ServingStatus.SERVING);
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(loopback(grpcPort))
                .scope(app)
                .addService(new SampleGreeter())
                .addService(health);
        for (ServerServiceDefinition reflection : ReflectionService.ofServer()) {
            builder.addService(reflection);
        }
        try {
            return builder.build().start();
        } catch (IOException e) {
            throw taken("gRPC", grpcPort, "--grpc-port", e);
        }
    }

    private Gateway openGateway(Scope app, int sample) throws IOException {
        GatewayOptions.Builder options = GatewayOptions.builder()
                .address(loopback(httpPort))
                .allow("127.0.0.1:" + sample)
                .allow("localhost:" + sample)
                .allowAll(allowAll);
        allow.forEach(options::allow);
        try {
            return Gateway.open(app, options.build());
        } catch (IOException e) {
            throw taken("HTTP", httpPort, "--http-port", e);
        }
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static IOException taken(String what, int port, String option, IOException cause) {
        for (Throwable at = cause; at != null; at = at.getCause()) {
            if (at instanceof BindException || String.valueOf(at.getMessage()).contains("in use")) {
                return new IOException(
                        what + " port " + port + " on 127.0.0.1 is taken by another process; choose another one with "
                                + option + " PORT, or " + option + " 0 for any free one",
                        cause);
            }
        }
        return cause;
    }

    private static String greeting(Gateway gateway, int grpcPort) {
        String command = System.getenv("CAISSON_COMMAND");
        String caisson = command == null ? "caisson" : command;
        String target = "127.0.0.1:" + grpcPort;
        String call = gateway.uri() + "call/" + target + "/helloworld.Greeter/";
        return """

                Caisson is up.
                  page      %1$s
                  gateway   %1$scall/HOST:PORT/SERVICE/METHOD
                  services  %2$s  (helloworld.Greeter, health, reflection)

                Try, in another terminal:
                  curl -d '{"name":"world"}' %3$sSayHello
                  curl -N -d '{"name":"world","count":3}' %3$sSayHellos
                  printf '{"name":"a"} {"name":"b"}' | curl -N --data-binary @- %3$sChat
                  %4$s list %2$s
                  %4$s call %2$s helloworld.Greeter/SayHello -d '{"name":"world"}'

                Ctrl-C drains and closes it.
                """.formatted(gateway.uri(), target, call, caisson).stripTrailing();
    }

    private static String report(CloseReport report) {
        long left = report.left().size() + report.unlistedLeft();
        String first = "Closed " + report.closed() + " resources in "
                + report.took().toMillis() + " ms; left: " + (left == 0 ? "nothing" : String.valueOf(left));
        return report.clean() ? first : first + "\n" + report;
    }
}
