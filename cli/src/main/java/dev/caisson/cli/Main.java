package dev.caisson.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code caisson} command: its sub-commands, its help, and what happens when one fails. */
@Command(
        name = "caisson",
        description = "Calls, describes and serves gRPC, and runs a store; shows that nothing leaks.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            UpCommand.class,
            StoreCommand.class,
            ListCommand.class,
            DescribeCommand.class,
            CallCommand.class,
            CompletionCommand.class,
            HelpCommand.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson up",
            "  caisson store",
            "  caisson list 127.0.0.1:50051",
            "  caisson describe 127.0.0.1:50051 helloworld.Greeter",
            "  caisson call 127.0.0.1:50051 helloworld.Greeter/SayHello -d '{\"name\":\"world\"}'",
            "",
            "`caisson help COMMAND` says more about each."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            " 0:done",
            " 1:failed for a reason that is none of the others",
            " 2:used wrongly: an option, a name, an address, JSON that does not fit",
            "64+:the call ended with a gRPC status: 64 plus its number (NOT_FOUND is 69)",
            "130:interrupted by Ctrl-C",
            "141:the reader of the output went away"
        })
public final class Main implements Runnable {
    private final Console console;

    @CommandLine.Spec
    private @Nullable CommandSpec spec;

    Main(Console console) {
        this.console = console;
    }

    /** Runs the command and ends the process with its exit code. */
    public static void main(String[] args) {
        Console console = Console.system();
        System.exit(commandLine(console).execute(args));
    }

    /** The command line over a console: {@code commandLine(console).execute("list", "127.0.0.1:50051")}. */
    static CommandLine commandLine(Console console) {
        CommandLine line = new CommandLine(new Main(console));
        line.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(console.colours() ? Ansi.ON : Ansi.OFF));
        line.setExpandAtFiles(false); // -d @FILE is ours to read
        line.setUsageHelpAutoWidth(true);
        line.setUsageHelpLongOptionsMaxWidth(34);
        line.setParameterExceptionHandler((e, args) -> wrongUsage(console, e));
        line.setExecutionExceptionHandler((e, command, parsed) -> Failure.of(e).tell(console, wantsJson(parsed)));
        return line;
    }

    Console console() {
        return console;
    }

    @Override
    public void run() {
        if (spec != null) {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }

    private static boolean wantsJson(CommandLine.ParseResult parsed) {
        CommandLine.ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        return last.hasMatchedOption("--json");
    }

    private static int wrongUsage(Console console, ParameterException e) {
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        console.error(Objects.requireNonNullElse(e.getMessage(), "used wrongly"));
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> near = unmatched.getSuggestions();
            if (!near.isEmpty()) {
                console.errorDetail("did you mean " + String.join(" or ", near) + "?");
            }
        }
        console.errorDetail("`" + command + " --help` says how it is used");
        return Failure.USAGE;
    }

    /** What {@code --version} prints. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"caisson " + (version == null ? "(not packaged)" : version)};
        }
    }
}
