package dev.caisson.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where {@code caisson store} has its password from: an option, a file, or the environment; none without these. */
final class StorePassword {
    static final String VARIABLE = "CAISSON_STORE_PASSWORD";

    @Option(
            names = "--password",
            paramLabel = "PASSWORD",
            description =
                    "What clients must say with AUTH. Others on this machine see it in the list of processes; better"
                            + " --password-file, or " + VARIABLE + " in the environment.")
    @Nullable
    String given;

    @Option(
            names = "--password-file",
            paramLabel = "FILE",
            description = "Reads the password from the file's first line.")
    @Nullable
    Path file;

    /** The password; empty for none. */
    String text() {
        if (given != null) {
            return checked(given, "--password");
        }
        if (file != null) {
            return checked(firstLine(file), "the first line of " + file);
        }
        String variable = System.getenv(VARIABLE);
        return variable == null ? "" : checked(variable, VARIABLE);
    }

    /** How a shell gets at it; empty if it has to be asked for, null for no password. */
    @Nullable
    String expression() {
        if (given != null) {
            return "";
        }
        if (file != null) {
            return "\"$(head -n 1 '" + file.toString().replace("'", "'\\''") + "')\"";
        }
        return System.getenv(VARIABLE) == null ? null : "\"$" + VARIABLE + "\"";
    }

    private static String firstLine(Path file) {
        try (var lines = Files.lines(file, StandardCharsets.UTF_8)) {
            return lines.findFirst().orElse("");
        } catch (IOException | java.io.UncheckedIOException e) {
            throw Failure.usage("cannot read the password from " + file + ": " + e.getMessage());
        }
    }

    private static String checked(String password, String source) {
        if (password.isEmpty()) {
            throw Failure.usage(source + " is empty; a password has at least one character");
        }
        return password;
    }
}
