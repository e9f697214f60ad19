package dev.caisson.tests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * What may break a rule, from {@code exceptions.txt}: lines of {@code rule | subject | reason}. A rule's violations must
 * be exactly its exceptions: a new one fails the build, and so does an exception that nothing needs any more.
 */
final class Exceptions {
    private static final String FILE = "exceptions.txt";

    private final Map<String, Set<String>> subjects = new HashMap<>();

    private Exceptions() {}

    static Exceptions read() {
        Exceptions exceptions = new Exceptions();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(Exceptions.class.getResourceAsStream("/" + FILE)), StandardCharsets.UTF_8))) {
            lines.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .forEach(exceptions::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return exceptions;
    }

    private void add(String line) {
        String[] parts = line.split("\\|", 3);
        if (parts.length != 3 || parts[2].isBlank()) {
            throw new IllegalStateException(FILE + ": an exception is 'rule | subject | reason', not: " + line);
        }
        Set<String> known = subjects.computeIfAbsent(parts[0].strip(), rule -> new TreeSet<>());
        if (!known.add(parts[1].strip())) {
            throw new IllegalStateException(FILE + ": named twice: " + line);
        }
    }

    /** Fails unless {@code violations} are what the file allows; {@code advice} tells what to do instead. */
    void holds(String rule, Set<String> violations, String advice) {
        Set<String> allowed = subjects.getOrDefault(rule, Set.of());
        Set<String> unexpected = new TreeSet<>(violations);
        unexpected.removeAll(allowed);
        assertThat(unexpected)
                .as("%s: %s (or, on purpose, a line in %s)", rule, advice, FILE)
                .isEmpty();
        Set<String> stale = new TreeSet<>(allowed);
        stale.removeAll(violations);
        assertThat(stale)
                .as("%s: lines in %s that nothing needs any more; remove them", rule, FILE)
                .isEmpty();
    }

    Set<String> rules() {
        return subjects.keySet();
    }
}
