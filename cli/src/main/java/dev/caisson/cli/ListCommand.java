package dev.caisson.cli;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.caisson.gateway.generic.ServiceCatalog;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code caisson list}: the services of a server, or the methods of one. */
@Command(
        name = "list",
        description = "Lists the services of a server, or the methods of one of them.",
        abbreviateSynopsis = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson list 127.0.0.1:50051",
            "  caisson list 127.0.0.1:50051 helloworld.Greeter",
            "  caisson list example.org:443 --json",
            "  caisson list --proto greeter.proto"
        })
final class ListCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Main main;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "HOST:PORT",
            description = "The server; not needed with --proto or --descriptor-set.")
    private @Nullable String address;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "SERVICE",
            description = "Full name of a service, to list its methods.")
    private @Nullable String service;

    @Option(names = "--json", order = 1, description = "Write JSON, errors too.")
    private boolean json;

    @Mixin
    private ConnectionOptions connection = new ConnectionOptions();

    @Mixin
    private SchemaOptions schema = new SchemaOptions();

    @Mixin
    HelpOption help = new HelpOption();

    @Override
    public Integer call() throws Exception {
        Console console = Targets.console(main);
        Targets targets = Targets.of(address, service, schema.fromFiles());
        return Session.run(console, connection, targets.address(), session -> {
            ServiceCatalog catalog = session.catalog(schema);
            if (targets.symbol() == null) {
                services(console, catalog.services());
            } else {
                methods(console, catalog.service(targets.symbol()));
            }
            return 0;
        });
    }

    private void services(Console console, List<String> services) {
        if (json) {
            console.line("{\"services\":["
                    + String.join(",", services.stream().map(Json::quote).toList()) + "]}");
        } else {
            services.forEach(name -> console.line(Json.printable(name)));
        }
    }

    private void methods(Console console, ServiceDescriptor found) {
        if (!json) {
            found.getMethods().forEach(method -> console.line(found.getFullName() + "/" + method.getName()));
            return;
        }
        List<String> methods =
                found.getMethods().stream().map(ListCommand::json).toList();
        console.line("{\"service\":" + Json.quote(found.getFullName()) + ",\"methods\":[" + String.join(",", methods)
                + "]}");
    }

    static String json(MethodDescriptor method) {
        return "{\"name\":" + Json.quote(method.getName())
                + ",\"path\":" + Json.quote(method.getService().getFullName() + "/" + method.getName())
                + ",\"request\":" + Json.quote(method.getInputType().getFullName())
                + ",\"reply\":" + Json.quote(method.getOutputType().getFullName())
                + ",\"clientStreaming\":" + method.isClientStreaming()
                + ",\"serverStreaming\":" + method.isServerStreaming()
                + ",\"deprecated\":" + method.getOptions().getDeprecated() + "}";
    }
}
