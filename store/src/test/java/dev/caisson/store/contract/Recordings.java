package dev.caisson.store.contract;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The committed cases, as the tests read them. */
final class Recordings {
    private Recordings() {}

    static Path folder() {
        try {
            return Path.of(Recordings.class.getResource("/contract").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("the contract folder is not on the class path", e);
        }
    }

    static List<ContractFile> all() {
        try {
            return ContractFile.readAll(folder());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The beginnings of file names that our store must play without a failure: the lines of {@code required.txt}, or all
     * once that file is gone.
     */
    static List<String> required() {
        Path list = folder().resolve("required.txt");
        try {
            return Files.exists(list)
                    ? Files.readAllLines(list).stream()
                            .filter(line -> !line.isBlank() && !line.startsWith("#"))
                            .toList()
                    : List.of("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
