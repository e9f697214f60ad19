package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The caisson command as a process of its own, its output in files. Started with SIGINT at its default, whatever this JVM
 * inherited: a background job of a script ignores it. For one thread; closing kills what still runs.
 */
final class Child implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Process process;
    private final Path out;
    private final Path err;

    private Child(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** The script that stands for the launcher, without building: this test's class path, and the exec that hands signals on. */
    static Path command(Path folder) throws IOException {
        Path command = folder.resolve("caisson");
        if (!Files.exists(command)) {
            Files.writeString(command, """
                    #!/bin/sh
                    exec "%s" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
                    --sun-misc-unsafe-memory-access=allow -cp "%s" dev.caisson.cli.Main "$@"
                    """.formatted(
                    Path.of(System.getProperty("java.home"), "bin", "java"), System.getProperty("java.class.path")));
            Files.setPosixFilePermissions(command, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return command;
    }

    static Child start(Path folder, Map<String, String> environment, String... arguments) throws IOException {
        Path command = command(folder);
        List<String> line = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/env")) && isDefaultSignalKnown()) {
            line.addAll(List.of("/usr/bin/env", "--default-signal=INT", "--default-signal=TERM"));
        }
        line.add(command.toString());
        line.addAll(List.of(arguments));
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        ProcessBuilder builder =
                new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("CAISSON_COMMAND", command.toString());
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.environment().putAll(environment);
        return new Child(builder.start(), out, err);
    }

    static Child start(Path folder, String... arguments) throws IOException {
        return start(folder, Map.of(), arguments);
    }

    private static boolean isDefaultSignalKnown() throws IOException {
        Process probe = new ProcessBuilder("/usr/bin/env", "--default-signal=INT", "true")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            return probe.waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    String out() throws IOException {
        return Files.readString(out);
    }

    String err() throws IOException {
        return Files.readString(err);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it says once it is up. */
    String greeting() throws IOException {
        await().atMost(PATIENCE).until(() -> out().contains("Ctrl-C") || !err().isEmpty() || !process.isAlive());
        assertThat(err()).isEmpty();
        return out();
    }

    /** The commands that the greeting says to try. */
    List<String> printedCommands() throws IOException {
        return greeting()
                .lines()
                .dropWhile(line -> !line.startsWith("Try"))
                .skip(1)
                .takeWhile(line -> line.startsWith("  "))
                .map(String::strip)
                .toList();
    }

    /** Has a shell run a printed command as it is; answers what that wrote, which must have ended well. */
    String shell(String printed) throws Exception {
        Path answer = Files.createTempFile(out.getParent(), "answer", "");
        Process shell = new ProcessBuilder("bash", "-c", printed)
                .redirectErrorStream(true)
                .redirectOutput(answer.toFile())
                .start();
        try {
            assertThat(shell.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as(printed)
                    .isTrue();
            assertThat(shell.exitValue())
                    .as(printed + "\n" + Files.readString(answer))
                    .isZero();
            return Files.readString(answer);
        } finally {
            shell.destroyForcibly().waitFor();
        }
    }

    void signal(String name) throws Exception {
        Path status = Path.of("/proc/" + process.pid() + "/status");
        if (Files.exists(status)) {
            long ignored = Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("SigIgn:"))
                    .mapToLong(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                    .findFirst()
                    .orElse(0);
            assumeTrue((ignored & 2) == 0, "SIGINT is ignored in children here, and env(1) cannot put it back");
        }
        Process kill = new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    /** Waits for its end; answers its exit code. */
    int exitCode() throws Exception {
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as(out())
                .isTrue();
        return process.exitValue();
    }

    /** It ends, or has ended, by closing everything in order. */
    void endedInOrder() throws Exception {
        assertThat(exitCode()).as(out() + err()).isZero();
        assertThat(out()).containsPattern("Closed [0-9]+ resources in [0-9]+ ms; left: nothing");
        assertThat(err()).as("no warning of the JVM, no error").isEmpty();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    }
}
