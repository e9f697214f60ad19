package dev.caisson.store.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.store.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The contract must notice errors: seeded mutants of the command groups, each in a process of its own, against the cases.
 * A sample runs by default, {@code -Dcaisson.mutants=80} runs as many. Not every mutant is an error that Redis's clients
 * could see (a limit that is never reached, a hint of size), so some may live; who lives is told in {@code
 * target/contract-mutants.txt}.
 */
class MutantsIT {
    private static final int SAMPLE = 6;
    private static final long SEED = 20261121;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private record Mutant(String className, int place, String what) {}

    @Test
    void mostMutantsAreCaught() throws Exception {
        int wanted = Integer.getInteger("caisson.mutants", SAMPLE);
        List<Mutant> all = all();
        var random = new Random(SEED);
        var report = new ArrayList<String>();
        int caught = 0;
        for (int i = 0; i < wanted; i++) {
            Mutant mutant = all.get(random.nextInt(all.size()));
            String by = catcher(mutant);
            caught += by.isEmpty() ? 0 : 1;
            report.add((by.isEmpty() ? "LIVES  " : "caught ") + mutant.what() + (by.isEmpty() ? "" : "  by " + by));
        }
        report.addFirst("%d of %d mutants caught, seed %d, of %d places".formatted(caught, wanted, SEED, all.size()));
        Files.write(Path.of("target", "contract-mutants.txt"), report);
        System.out.println("contract: " + report.getFirst());
        assertThat(caught).as(String.join("\n", report)).isGreaterThanOrEqualTo(wanted * 2 / 3);
    }

    /** The first case that tells the mutant from Redis; empty if none does. */
    private static String catcher(Mutant mutant) throws IOException {
        try (MutantServer server = MutantServer.open(mutant.className(), mutant.place())) {
            if (server.port() < 0) {
                return "its start";
            }
            try (var runner = new ContractRunner(server.port(), PATIENCE)) {
                List<String> required = Recordings.required();
                for (ContractFile file : Recordings.all()) {
                    if (required.stream().noneMatch(file.name()::startsWith)) {
                        continue;
                    }
                    for (ContractCase contractCase : file.cases()) {
                        var failure = runner.play(
                                contractCase, contractCase.protocols().getLast());
                        if (failure.isPresent()) {
                            return contractCase.place();
                        }
                    }
                }
            }
        }
        return "";
    }

    /** All mutants of the command groups, in a fixed order. */
    private static List<Mutant> all() throws Exception {
        Path classes = Path.of(
                Store.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        var mutants = new ArrayList<Mutant>();
        try (Stream<Path> files = Files.list(classes.resolve("dev/caisson/store/engine"))) {
            for (Path file : files.filter(MutantsIT::isCommandGroup).sorted().toList()) {
                String name = classes.relativize(file).toString().replace('/', '.');
                List<String> places = Mutants.places(Files.readAllBytes(file));
                for (int place = 0; place < places.size(); place++) {
                    mutants.add(
                            new Mutant(name.substring(0, name.length() - ".class".length()), place, places.get(place)));
                }
            }
        }
        return mutants;
    }

    private static boolean isCommandGroup(Path file) {
        return file.getFileName()
                .toString()
                .matches(
                        "(String|Key|Hash|HashExpiry|List|Set|SortedSet|Bit|Stream|Transaction|PubSub)(Commands|Ranges|Algebra)[\\w$]*\\.class");
    }
}
