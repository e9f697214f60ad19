package dev.caisson.cli;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.caisson.gateway.generic.JsonMessages;
import dev.caisson.gateway.generic.ServiceCatalog;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code caisson describe}: services, methods, messages and enums as proto source, or a request to fill in. */
@Command(
        name = "describe",
        description = "Describes a service, method, message or enum as .proto text; without a name, all services.",
        abbreviateSynopsis = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson describe 127.0.0.1:50051",
            "  caisson describe 127.0.0.1:50051 helloworld.Greeter",
            "  caisson describe 127.0.0.1:50051 helloworld.Greeter/SayHello --template",
            "  caisson describe --descriptor-set greeter.pb helloworld.HelloRequest"
        })
final class DescribeCommand implements Callable<Integer> {
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
            paramLabel = "NAME",
            description = "Full name of a service, message, enum or extension, or Service/Method.")
    private @Nullable String name;

    @Option(
            names = "--template",
            order = 2,
            description = "Write a JSON message to fill in: of the message, or of the method's request.")
    private boolean template;

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
        Targets targets = Targets.of(address, name, schema.fromFiles());
        return Session.run(console, connection, targets.address(), session -> {
            ServiceCatalog catalog = session.catalog(schema);
            String symbol = targets.symbol();
            if (symbol != null) {
                describe(console, catalog, catalog.symbol(symbol));
                return 0;
            }
            if (template) {
                throw Failure.usage("--template needs the name of a method or a message");
            }
            for (String service : catalog.services()) {
                describe(console, catalog, catalog.service(service));
            }
            return 0;
        });
    }

    private void describe(Console console, ServiceCatalog catalog, GenericDescriptor symbol) {
        if (template) {
            console.line(JsonMessages.of(catalog).pretty().withDefaults().print(JsonTemplate.of(messageOf(symbol))));
        } else if (json) {
            console.line(toJson(symbol));
        } else {
            console.line(ProtoSource.of(symbol).stripTrailing());
        }
    }

    private static Descriptor messageOf(GenericDescriptor symbol) {
        return switch (symbol) {
            case Descriptor message -> message;
            case MethodDescriptor method -> method.getInputType();
            default ->
                throw Failure.usage("--template needs a method or a message, and " + symbol.getFullName() + " is a "
                        + ProtoSource.kind(symbol));
        };
    }

    private static String toJson(GenericDescriptor symbol) {
        String common = "{\"name\":" + Json.quote(symbol.getFullName())
                + ",\"kind\":" + Json.quote(ProtoSource.kind(symbol))
                + ",\"file\":" + Json.quote(symbol.getFile().getName())
                + ",\"source\":" + Json.quote(ProtoSource.of(symbol));
        if (symbol instanceof ServiceDescriptor service) {
            List<String> methods =
                    service.getMethods().stream().map(ListCommand::json).toList();
            return common + ",\"methods\":[" + String.join(",", methods) + "]}";
        }
        return symbol instanceof MethodDescriptor method
                ? common + ",\"method\":" + ListCommand.json(method) + "}"
                : common + "}";
    }
}
