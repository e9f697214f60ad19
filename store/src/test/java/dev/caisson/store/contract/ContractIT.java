package dev.caisson.store.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.store.Store;
import dev.caisson.store.StoreOptions;
import dev.caisson.store.engine.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our store against the recorded Redis. What fails stands, case by case, in {@code target/contract-N-loops.txt}. */
class ContractIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** For what is not required yet: its failures are counted, not waited for. */
    private static final Duration IMPATIENCE = Duration.ofMillis(250);

    /** Our store as the suite's server. */
    record Ours(Store store) implements ContractSuite.Server {
        static Ours open(int loops) throws IOException {
            return new Ours(Store.open(StoreOptions.defaults().port(0).loops(loops)));
        }

        @Override
        public int port() {
            return store.port();
        }

        @Override
        public void close() {
            store.close();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void theStoreAnswersAsRedis(int loops) throws Exception {
        List<String> required = Recordings.required();
        List<ContractRunner.Failure> failures = new ArrayList<>();
        List<ContractRunner.Failure> notYet = new ArrayList<>();
        var counts = new TreeMap<String, int[]>();
        try (var suite = new ContractSuite(() -> Ours.open(loops), PATIENCE);
                var others = new ContractSuite(() -> Ours.open(loops), IMPATIENCE)) {
            for (ContractFile file : Recordings.all()) {
                boolean must = required.stream().anyMatch(file.name()::startsWith);
                for (ContractCase contractCase : file.cases()) {
                    List<ContractRunner.Failure> found = (must ? suite : others).play(contractCase);
                    (must ? failures : notYet).addAll(found);
                    int[] count = counts.computeIfAbsent(file.name(), n -> new int[2]);
                    count[found.isEmpty() ? 0 : 1]++;
                }
            }
        }
        report(loops, counts, failures, notYet);
        assertThat(failures).as("%d loops; cases that must pass", loops).isEmpty();
    }

    private static void report(
            int loops,
            Map<String, int[]> counts,
            List<ContractRunner.Failure> failures,
            List<ContractRunner.Failure> notYet)
            throws IOException {
        var lines = new ArrayList<String>();
        int passed = 0;
        int failed = 0;
        for (var count : counts.entrySet()) {
            passed += count.getValue()[0];
            failed += count.getValue()[1];
            lines.add("%-40s %4d pass %4d fail".formatted(count.getKey(), count.getValue()[0], count.getValue()[1]));
        }
        String summary = "contract, %d loops: %d cases pass, %d fail".formatted(loops, passed, failed);
        System.out.println(summary);
        lines.addFirst(summary);
        failures.forEach(failure -> lines.add("required: " + failure));
        notYet.forEach(failure -> lines.add(failure.toString()));
        Files.write(Path.of("target", "contract-" + loops + "-loops.txt"), lines);
    }

    /** The report of what has no cases; a failure where the command's file is required. */
    @Test
    void everyCommandHasItsCases() throws Exception {
        List<ContractFile> recordings = Recordings.all();
        var coverage = new CommandCoverage(Commands.all(), recordings);
        List<String> required = Recordings.required();
        var lines = new ArrayList<String>();
        var failures = new ArrayList<String>();
        coverage.missing().forEach((command, aspects) -> {
            lines.add(command + " lacks " + aspects);
            Set<String> files = coverage.filesOf(command);
            boolean must = required.contains("")
                    || files.stream().anyMatch(file -> required.stream().anyMatch(file::startsWith));
            if (must) {
                failures.add(command + " lacks " + aspects);
            }
        });
        Files.write(Path.of("target", "contract-commands.txt"), lines);
        System.out.printf(
                "contract: %d commands, %d of them lack cases%n",
                coverage.commands().size(), lines.size());
        assertThat(failures).isEmpty();
    }
}
