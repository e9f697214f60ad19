package dev.caisson.cli;

import com.google.protobuf.DynamicMessage;
import dev.caisson.gateway.generic.CallError;
import dev.caisson.gateway.generic.GenericMethod;
import dev.caisson.gateway.generic.JsonMessages;
import dev.caisson.gateway.generic.JsonSplitter;
import dev.caisson.gateway.generic.JsonText;
import dev.caisson.gateway.generic.ServiceCatalog;
import io.grpc.CallOptions;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code caisson call}: one call of any of the four kinds, JSON in and JSON out. */
@Command(
        name = "call",
        description = {
            "Calls a method of any gRPC server: JSON in, JSON out, one message a line.",
            "",
            "Without -d the request is empty: {} for a method that takes one message, no message for one that takes a "
                    + "stream. Standard input is read only with `-d -`. Requests may also stand several on a line or one on "
                    + "several lines. TLS is the default, plaintext for loopback addresses."
        },
        abbreviateSynopsis = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson call 127.0.0.1:50051 helloworld.Greeter/SayHello -d '{\"name\":\"world\"}'",
            "  caisson call example.org:443 pkg.Orders/Watch -d @request.json --timeout 30s",
            "  cat requests.ndjson | caisson call 127.0.0.1:50051 pkg.Orders/Load -d -",
            "  caisson call example.org:443 pkg.Orders/Get -v -H 'authorization: Bearer X'",
            "  caisson call 10.0.0.7:8443 pkg.Orders/Get --cacert ca.pem --authority orders",
            "  caisson call 127.0.0.1:50051 pkg.Orders/Get --proto orders.proto -I protos"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            " 0:the call ended with OK",
            " 2:used wrongly: an option, a name, JSON that does not fit",
            "64+:the call ended with a gRPC status: 65 CANCELLED, 66 UNKNOWN, 67 INVALID_ARGUMENT, 68 DEADLINE_EXCEEDED, "
                    + "69 NOT_FOUND, 70 ALREADY_EXISTS, 71 PERMISSION_DENIED, 72 RESOURCE_EXHAUSTED, 73 FAILED_PRECONDITION, "
                    + "74 ABORTED, 75 OUT_OF_RANGE, 76 UNIMPLEMENTED, 77 INTERNAL, 78 UNAVAILABLE, 79 DATA_LOSS, "
                    + "80 UNAUTHENTICATED",
            "130:interrupted by Ctrl-C; the call was cancelled",
            "141:the reader of the output went away"
        })
final class CallCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Main main;

    @Parameters(index = "0", paramLabel = "HOST:PORT", description = "The server.")
    private String address = "";

    @Parameters(
            index = "1",
            paramLabel = "SERVICE/METHOD",
            description = "The method, such as helloworld.Greeter/SayHello.")
    private String methodName = "";

    @Option(
            names = {"-d", "--data"},
            order = 0,
            paramLabel = "JSON|@FILE|-",
            description = "The request, or several for a client stream; @FILE reads a file, - standard input.")
    private @Nullable String data;

    @Option(names = "--json", order = 1, description = "Write errors as JSON: {code, status, message, details}.")
    @SuppressWarnings("unused") // errors are written after the command: Main.wantsJson asks the parsed line for it
    private boolean json;

    @Option(names = "--pretty", order = 2, description = "Write replies over several lines.")
    private boolean pretty;

    @Option(names = "--emit-defaults", order = 3, description = "Write fields that have their default value too.")
    private boolean emitDefaults;

    @Option(
            names = "--allow-unknown-fields",
            order = 4,
            description = "Skip fields of the request that the message does not have.")
    private boolean allowUnknownFields;

    @Option(
            names = {"-v", "--verbose"},
            order = 5,
            description = "Write method, metadata, trailers and times to standard error.")
    private boolean verbose;

    @Mixin
    private ConnectionOptions connection = new ConnectionOptions();

    @Mixin
    private SchemaOptions schema = new SchemaOptions();

    @Mixin
    HelpOption help = new HelpOption();

    @Override
    public Integer call() throws Exception {
        Console console = Targets.console(main);
        return Session.run(console, connection, address, session -> run(console, session));
    }

    private int run(Console console, Session session) throws Exception {
        ServiceCatalog catalog = session.catalog(schema);
        GenericMethod method = GenericMethod.find(catalog, methodName);
        JsonMessages format = format(catalog);
        CallOptions options = CallOptions.DEFAULT.withExecutor(Runnable::run);
        if (connection.timeout != null) {
            options = options.withDeadlineAfter(connection.timeout.toNanos(), TimeUnit.NANOSECONDS);
        }
        try (InputStream in = input(console)) {
            Requests requests = new Requests(in, format, method, connection.maxMessageBytes);
            DynamicMessage only = method.descriptor().isClientStreaming() ? null : requests.only();
            Conversation conversation = new Conversation(
                    session.scope(),
                    session.channel(),
                    method,
                    options,
                    verbose ? new Narrator(console, connection) : Narrator.SILENT);
            Conversation.End end = only != null
                    ? conversation.one(only, reply -> console.line(format.print(reply)))
                    : conversation.stream(requests, reply -> console.line(format.print(reply)));
            if (end.status().isOk()) {
                return 0;
            }
            throw failure(session, end, format, method);
        }
    }

    private JsonMessages format(ServiceCatalog catalog) {
        JsonMessages format = JsonMessages.of(catalog);
        format = pretty ? format.pretty() : format;
        format = emitDefaults ? format.withDefaults() : format;
        return allowUnknownFields ? format.ignoringUnknownFields() : format;
    }

    private InputStream input(Console console) throws IOException {
        if (data == null) {
            return InputStream.nullInputStream();
        }
        if (data.equals("-") || data.equals("@-")) {
            return console.in();
        }
        return data.startsWith("@")
                ? Files.newInputStream(Path.of(data.substring(1)))
                : new ByteArrayInputStream(data.getBytes(StandardCharsets.UTF_8));
    }

    private Failure failure(Session session, Conversation.End end, JsonMessages format, GenericMethod method) {
        Status status = end.status();
        CallError error = CallError.of(status, end.trailers(), format);
        String next = switch (status.getCode()) {
            case UNAVAILABLE -> null;
            case DEADLINE_EXCEEDED ->
                connection.timeout == null ? null : "no end within --timeout; give it more, or look at the server";
            case UNIMPLEMENTED ->
                "`caisson list " + address + " "
                        + method.descriptor().getService().getFullName() + "` lists what the server has";
            case UNAUTHENTICATED -> "pass credentials with -H 'authorization: Bearer TOKEN'";
            case RESOURCE_EXHAUSTED ->
                error.message().contains("exceeds maximum") || error.message().contains("larger")
                        ? "--max-msg-size takes larger messages"
                        : null;
            default -> null;
        };
        Failure known = Failure.status(error, next);
        return end.answered() ? known : session.unreached(status, known);
    }

    /** The requests of a call, read one by one. Not thread-safe; the stream stays the caller's. */
    static final class Requests {
        private final InputStream in;
        private final JsonMessages format;
        private final GenericMethod method;
        private final JsonSplitter splitter;

        Requests(InputStream in, JsonMessages format, GenericMethod method, int maxBytes) {
            this.in = in;
            this.format = format;
            this.method = method;
            this.splitter = new JsonSplitter(maxBytes);
        }

        /** The next one, null at the end. */
        @Nullable
        DynamicMessage next() throws IOException {
            JsonText text = splitter.next(in);
            return text == null ? null : format.parse(text, method.requestType());
        }

        /** The only one; the empty message if there is none. */
        DynamicMessage only() throws IOException {
            DynamicMessage first = next();
            if (first == null) {
                return format.parse("{}", method.requestType());
            }
            JsonText second = splitter.next(in);
            if (second != null) {
                throw Failure.usage(
                        method.descriptor().getName() + " takes one request, and a second one stands at line "
                                + second.line() + ", column " + second.column());
            }
            return first;
        }
    }
}
