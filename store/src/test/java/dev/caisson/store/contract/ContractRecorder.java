package dev.caisson.store.contract;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes what a real Redis answers into the case files: the only source of expected bytes. Run by {@code
 * store/record-contract}, whose {@code --help} is {@link #HELP}.
 */
final class ContractRecorder {
    private static final String HELP = """
            Records the store's contract cases from a real Redis.

              store/record-contract [--server PATH] [--only PREFIX] [--check]

              --server PATH  the redis-server to record from (else the one on the PATH)
              --only PREFIX  only files whose name begins so, such as strings/ or lists/push
              --check        write nothing; print what this Redis answers otherwise than recorded

            A file is re-recorded only from the Redis it names in its head, to the minor version: what 7.4 answers
            otherwise than 7.0 stands in files of its own.
            """;

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final PrintStream out;
    private final Path folder;
    private final String server;

    private ContractRecorder(PrintStream out, Path folder, String server) {
        this.out = out;
        this.folder = folder;
        this.server = server;
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        String server = RedisServer.installed().orElse("");
        String only = "";
        boolean check = false;
        for (int i = 1; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--server" -> server = arguments[++i];
                case "--only" -> only = arguments[++i];
                case "--check" -> check = true;
                case "--help" -> {
                    System.out.print(HELP);
                    return;
                }
                default -> {
                    System.err.println("unknown argument: " + arguments[i] + " (--help says which there are)");
                    System.exit(2);
                }
            }
        }
        if (server.isEmpty()) {
            System.err.println("no redis-server on the PATH: install it or name one by --server");
            System.exit(1);
        }
        System.exit(new ContractRecorder(System.out, folder, server).run(only, check) ? 0 : 1);
    }

    private boolean run(String only, boolean check) throws IOException {
        String version = RedisServer.version(server);
        try (var suite = new ContractSuite(() -> RedisServer.open(server), PATIENCE)) {
            for (ContractFile file : ContractFile.readAll(folder)) {
                if (!file.name().startsWith(only)) {
                    continue;
                }
                if (check && file.within(version)) {
                    check(file, suite);
                } else if (!check && file.recordedFrom(version)) {
                    record(file, version, suite);
                }
            }
            suite.failures().forEach(failure -> out.println(failure));
            out.printf(
                    "%d plays against Redis %s, %d differ%n",
                    suite.plays(), version, suite.failures().size());
            return suite.failures().isEmpty();
        }
    }

    private static void check(ContractFile file, ContractSuite suite) throws IOException {
        for (ContractCase contractCase : file.cases()) {
            if (!contractCase.uses(Comparator.OWN)) {
                suite.play(contractCase);
            }
        }
    }

    private void record(ContractFile file, String version, ContractSuite suite) throws IOException {
        var replies = new HashMap<Step.Expect, Map<Integer, String>>();
        for (ContractCase contractCase : file.cases()) {
            for (int protocol : contractCase.protocols()) {
                suite.play(contractCase, protocol, (expect, actual) -> {
                    replies.computeIfAbsent(expect, e -> new HashMap<>()).put(protocol, kept(expect, protocol, actual));
                    return Optional.empty();
                });
            }
        }
        List<String> lines = file.with(version, replies);
        if (!lines.equals(file.lines())) {
            Files.write(folder.resolve(file.name()), lines);
            out.println("recorded " + file.name());
        }
    }

    /** What stands in the file, where the comparator holds the new reply to be the same: so that re-recording is quiet. */
    private static String kept(Step.Expect expect, int protocol, Reply actual) {
        String before = expect.bytes(protocol);
        if (before.isEmpty() || expect.comparator() == Comparator.EXACT) {
            return actual.toString();
        }
        try {
            Reply recorded = Reply.read(new java.io.ByteArrayInputStream(Quoting.bytes(before)));
            return expect.comparator().same(recorded, actual, expect.arguments()) ? before : actual.toString();
        } catch (IOException e) {
            return actual.toString();
        }
    }
}
