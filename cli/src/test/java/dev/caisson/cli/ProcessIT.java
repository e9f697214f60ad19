package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.leaks.NoLeaks;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command as a process: exit codes, signals, pipes. */
@NoLeaks
class ProcessIT {
    @TempDir
    private Path folder;

    private DemoServer server;

    @BeforeEach
    void start() throws IOException {
        server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1);
    }

    @AfterEach
    void stop() throws InterruptedException {
        server.close();
    }

    /** A child whose signals are at their defaults, whatever Maven's parent ignores. */
    private ProcessBuilder command(String... args) {
        List<String> line = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/env"))
                && System.getProperty("os.name").equals("Linux")) {
            line.addAll(List.of("/usr/bin/env", "--default-signal=INT,TERM,PIPE"));
        }
        line.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.caisson.cli.Main"));
        line.addAll(List.of(args));
        return new ProcessBuilder(line).redirectError(folder.resolve("err").toFile());
    }

    private String err() throws IOException {
        return Files.readString(folder.resolve("err"));
    }

    private static int exitCode(Process process) throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError("the command does not end");
        }
        return process.exitValue();
    }

    private static void close(Process process) throws IOException {
        process.getInputStream().close();
        process.getOutputStream().close();
        process.getErrorStream().close();
    }

    @Test
    void callsAndEndsWithTheStatus() throws Exception {
        Process ok = command("call", server.address(), "demo.Demo/Ask", "-d", "{\"text\":\"é\"}")
                .start();
        String out = new String(ok.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(exitCode(ok)).as(err()).isZero();
        assertThat(out).isEqualTo("{\"text\":\"You ask: é\"}\n");
        assertThat(err()).isEmpty();
        close(ok);
        Process failed = command("call", server.address(), "demo.Demo/Ask", "-d", "{\"failWith\":16}")
                .start();
        assertThat(exitCode(failed)).isEqualTo(80);
        assertThat(err()).startsWith("caisson: UNAUTHENTICATED: as you asked");
        close(failed);
    }

    @Test
    void ctrlCCancelsTheCallAndExits130() throws Exception {
        Process process = command("call", server.address(), "demo.Demo/Hang").start();
        BufferedReader out = process.inputReader();
        assertThat(out.readLine()).as(err()).isEqualTo("{\"text\":\"waiting\"}");
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid()))
                .start()
                .waitFor();
        assertThat(exitCode(process)).isEqualTo(130);
        assertThat(server.cancelled.await(30, TimeUnit.SECONDS))
                .as("the server sees the cancellation")
                .isTrue();
        assertThat(err()).isEmpty();
        close(process);
    }

    @Test
    void aCallThatEndsDoesNotWaitForItsInput() throws Exception {
        Process process =
                command("call", server.address(), "demo.Demo/Talk", "-d", "-").start();
        OutputStream in = process.getOutputStream(); // stays open: nobody presses Ctrl-D
        in.write("{\"text\":\"a\"}\n".getBytes(StandardCharsets.UTF_8));
        in.flush();
        BufferedReader out = process.inputReader();
        assertThat(out.readLine()).as(err()).isEqualTo("{\"text\":\"re: a\"}");
        in.write("{\"failWith\":10}\n".getBytes(StandardCharsets.UTF_8));
        in.flush();
        assertThat(exitCode(process)).isEqualTo(74);
        assertThat(err()).startsWith("caisson: ABORTED: as you asked");
        close(process);
    }

    @Test
    void aReaderThatGoesAwayEndsItQuietly() throws Exception {
        Process process = command("call", server.address(), "demo.Demo/AskMany", "-d", "{\"times\":1000000}")
                .start();
        assertThat(process.inputReader().readLine()).isEqualTo("{\"text\":\" 1\"}");
        process.getInputStream().close();
        assertThat(exitCode(process)).isEqualTo(141);
        assertThat(err()).isEmpty();
        close(process);
    }
}
