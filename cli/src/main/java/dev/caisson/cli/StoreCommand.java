package dev.caisson.cli;

import dev.caisson.cli.Foreground.Place;
import dev.caisson.scope.Scope;
import dev.caisson.store.Durability;
import dev.caisson.store.Store;
import dev.caisson.store.StoreOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code caisson store}: a store for any Redis client, until Ctrl-C. */
@Command(
        name = "store",
        description =
                "Runs a store that any Redis client can use, until Ctrl-C. Keys live in memory and end with it, unless"
                        + " --dir gives them a folder.",
        subcommands = StoreRepairCommand.class,
        abbreviateSynopsis = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson store",
            "  caisson store --port 0                      any free port, printed",
            "  caisson store --loops 4 --maxmemory 2gb     four shards; writes beyond 2 GB are refused",
            "  caisson store --dir data                    keys survive; forced to the disk every second",
            "  caisson store --dir data --durability always",
            "  caisson store --maxmemory 2gb --maxmemory-policy allkeys-lru      keys unused for long make room",
            "  caisson store --host 0.0.0.0 --password-file secret.txt",
            "  CAISSON_JAVA_OPTS=-Xmx8g caisson store      a larger heap, and so more memory for keys",
            "",
            "Ctrl-C answers what has arrived, closes and prints what was closed and what was left; a second Ctrl-C",
            "ends it at once."
        })
final class StoreCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable Main main;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "" + StoreOptions.DEFAULT_PORT,
            description = "Port to listen on, 0 for any free one (default: ${DEFAULT-VALUE}).")
    int port;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description =
                    "Address to listen on; one that is not loopback needs a password (default: ${DEFAULT-VALUE}).")
    String host = "";

    @ArgGroup(multiplicity = "0..1")
    StorePassword password = new StorePassword();

    @Option(
            names = "--dir",
            paramLabel = "FOLDER",
            description = "Keep the keys in this folder, which is made if it is missing.")
    @Nullable
    Path folder;

    @Option(
            names = "--durability",
            paramLabel = "WHEN",
            defaultValue = "everysec",
            description =
                    "When to force what was written, with --dir: always (before each reply), everysec, no (default:"
                            + " ${DEFAULT-VALUE}).")
    String durability = "";

    @Option(
            names = "--loops",
            paramLabel = "N",
            description = "Event loops, and so shards (default: one for each two processors).")
    @Nullable
    Integer loops;

    @Option(
            names = "--maxmemory",
            paramLabel = "BYTES",
            converter = MemorySize.Converter.class,
            description = "Heap for keys, values and buffers, such as 512mb or 2gb; 0 for no limit (default: "
                    + StoreOptions.MEMORY_PERCENT + " %% of the heap).")
    @Nullable
    MemorySize maxMemory;

    @Option(
            names = "--maxmemory-policy",
            paramLabel = "POLICY",
            defaultValue = "noeviction",
            completionCandidates = Policies.class,
            description = "What makes room then: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    String policy = "";

    @Option(
            names = "--close-within",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description =
                    "How long Ctrl-C waits for replies to be read, and again for the rest (default: ${DEFAULT-VALUE}).")
    int closeWithinSeconds;

    @Mixin
    HelpOption help = new HelpOption();

    /** What completion offers for {@code --maxmemory-policy}. */
    static final class Policies implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return StoreOptions.evictionPolicies().iterator();
        }
    }

    @Override
    public Integer call() {
        StoreOptions options = options();
        return Foreground.run(
                Targets.console(main),
                "caisson store",
                closeWithinSeconds,
                "Closing: replies that are due may be read; Ctrl-C again ends it.",
                app -> greeting(open(app, options)));
    }

    private Durability durability() {
        return switch (durability) {
            case "always" -> Durability.ALWAYS;
            case "everysec" -> Durability.EVERYSEC;
            case "no" -> Durability.NO;
            default -> throw Failure.usage("--durability is always, everysec or no, not '" + durability + "'");
        };
    }

    @Nullable
    Main main() {
        return main;
    }

    private StoreOptions options() {
        long heap = Runtime.getRuntime().maxMemory();
        if (maxMemory != null && maxMemory.bytes() > heap) {
            throw Failure.usage("--maxmemory " + maxMemory + " is more than the heap of " + new MemorySize(heap)
                    + "; give it less, or a larger heap: CAISSON_JAVA_OPTS=-Xmx" + (2 * maxMemory.bytes() >> 20) + "m");
        }
        try {
            StoreOptions options = StoreOptions.defaults()
                    .port(port)
                    .host(host)
                    .password(password.text())
                    .eviction(policy);
            options = folder == null ? options : options.folder(folder).durability(durability());
            options = loops == null ? options : options.loops(loops);
            return maxMemory == null ? options : options.maxMemoryBytes(maxMemory.bytes());
        } catch (IllegalArgumentException e) {
            throw Failure.usage(String.valueOf(e.getMessage()));
        }
    }

    private Store open(Scope app, StoreOptions options) throws IOException {
        try {
            return app.own("store", () -> Store.open(options));
        } catch (IOException e) {
            throw new Place("store", host, port, "--port").failed(e);
        }
    }

    private String greeting(Store store) {
        StringBuilder text = new StringBuilder("\nThe store is up on " + host + ":" + store.port()
                + (folder == null ? "; its keys live in memory." : "; its keys live in " + folder + ".")
                + "\n\nTry, in another terminal:\n");
        new StoreTrial(host, store.port(), password.expression())
                .commands()
                .forEach(command -> text.append("  ").append(command).append('\n'));
        return text.append("\nCtrl-C drains and closes it.").toString();
    }
}
