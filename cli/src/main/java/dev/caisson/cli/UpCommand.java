package dev.caisson.cli;

import dev.caisson.cli.Foreground.Place;
import dev.caisson.gateway.Gateway;
import dev.caisson.gateway.GatewayOptions;
import dev.caisson.rpc.CaissonServer;
import dev.caisson.rpc.CaissonServerBuilder;
import dev.caisson.rpc.HealthService;
import dev.caisson.rpc.ReflectionService;
import dev.caisson.rpc.health.v1.HealthCheckResponse.ServingStatus;
import dev.caisson.scope.Scope;
import dev.caisson.store.Store;
import dev.caisson.store.StoreOptions;
import io.grpc.ServerServiceDefinition;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code caisson up}: sample services, the gateway and its page, and the store in one process, until Ctrl-C. */
@Command(
        name = "up",
        description = "Runs sample services, the gateway and its page, and the store in one process, until Ctrl-C.",
        mixinStandardHelpOptions = true,
        sortOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson up",
            "  caisson up --grpc-port 0 --http-port 0 --store-port 0      any free ports, printed",
            "  caisson up --no-store                       without the store",
            "  caisson up --allow 127.0.0.1:9000           the gateway may call that server, too",
            "",
            "Ctrl-C drains, closes and prints what was closed and what was left; a second Ctrl-C ends it at once."
        })
final class UpCommand implements Callable<Integer> {
    private static final String LOOPBACK = "127.0.0.1";

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
            names = "--store-port",
            paramLabel = "PORT",
            defaultValue = "" + StoreOptions.DEFAULT_PORT,
            description = "Port of the store, 0 for any free one (default: ${DEFAULT-VALUE}).")
    private int storePort;

    @Option(names = "--no-store", description = "Starts no store.")
    private boolean noStore;

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
        return Foreground.run(
                Targets.console(main),
                "caisson up",
                closeWithinSeconds,
                "Closing: calls in flight may end; Ctrl-C again ends them.",
                this::open);
    }

    private String open(Scope app) throws IOException {
        Store store = noStore ? null : openStore(app);
        CaissonServer server = serve(app);
        Gateway gateway = openGateway(app, server.getPort());
        return greeting(gateway, server.getPort(), store);
    }

    private Store openStore(Scope app) throws IOException {
        try {
            return app.own("store", () -> Store.open(StoreOptions.defaults().port(storePort)));
        } catch (IOException e) {
            throw new Place("store", LOOPBACK, storePort, "--store-port").failed(e);
        }
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
            throw new Place("gRPC", LOOPBACK, grpcPort, "--grpc-port").failed(e);
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
            throw new Place("HTTP", LOOPBACK, httpPort, "--http-port").failed(e);
        }
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    private static String greeting(Gateway gateway, int grpcPort, @Nullable Store store) {
        String target = LOOPBACK + ":" + grpcPort;
        String call = gateway.uri() + "call/" + target + "/helloworld.Greeter/";
        StringBuilder text = new StringBuilder("""

                Caisson is up.
                  page      %1$s
                  gateway   %1$scall/HOST:PORT/SERVICE/METHOD
                  services  %2$s  (helloworld.Greeter, health, reflection)
                """.formatted(gateway.uri(), target));
        if (store != null) {
            text.append("  store     ")
                    .append(LOOPBACK + ":")
                    .append(store.port())
                    .append("  (for any Redis client)\n");
        }
        text.append("""

                Try, in another terminal:
                  curl -d '{"name":"world"}' %1$sSayHello
                  curl -N -d '{"name":"world","count":3}' %1$sSayHellos
                  printf '{"name":"a"} {"name":"b"}' | curl -N --data-binary @- %1$sChat
                  %2$s list %3$s
                  %2$s call %3$s helloworld.Greeter/SayHello -d '{"name":"world"}'
                """.formatted(call, Foreground.caisson(), target));
        if (store != null) {
            new StoreTrial(LOOPBACK, store.port(), null)
                    .commands()
                    .forEach(command -> text.append("  ").append(command).append('\n'));
        }
        return text.append("\nCtrl-C drains and closes it.").toString();
    }
}
