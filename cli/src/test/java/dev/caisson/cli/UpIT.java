package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code caisson up} as a process of its own: what it prints works, real signals end it in order. */
class UpIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Pattern PAGE = Pattern.compile("page +(http://127.0.0.1:[0-9]+/)");

    @TempDir
    Path tmp;

    private Path command;
    private Path out;
    private Path err;
    private final List<Process> processes = new ArrayList<>();

    @BeforeEach
    void writeCommand() throws IOException {
        out = tmp.resolve("out");
        err = tmp.resolve("err");
        // As the launcher does, without building: the class path of this test, and the exec that hands signals on.
        command = tmp.resolve("caisson");
        Files.writeString(command, """
                #!/bin/sh
                exec "%s" -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED \
                --sun-misc-unsafe-memory-access=allow -cp "%s" dev.caisson.cli.Main "$@"
                """.formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"), System.getProperty("java.class.path")));
        Files.setPosixFilePermissions(command, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void endProcesses() throws InterruptedException {
        for (Process process : processes) {
            process.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void theCommandsItPrintsWorkAsPrinted() throws Exception {
        Process up = up("--grpc-port", "0", "--http-port", "0");
        String greeting = greeting();
        List<String> commands = greeting.lines()
                .dropWhile(line -> !line.startsWith("Try"))
                .skip(1)
                .takeWhile(line -> line.startsWith("  "))
                .map(String::strip)
                .toList();
        assertThat(commands).hasSize(5);
        List<String> answers = new ArrayList<>();
        for (String printed : commands) {
            Process shell = new ProcessBuilder("bash", "-c", printed)
                    .redirectErrorStream(true)
                    .redirectOutput(tmp.resolve("answer").toFile())
                    .start();
            processes.add(shell);
            assertThat(shell.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as(printed)
                    .isTrue();
            answers.add(Files.readString(tmp.resolve("answer")));
            assertThat(shell.exitValue()).as(printed + "\n" + answers.getLast()).isZero();
        }
        assertThat(answers.get(0)).contains("{\"message\":\"Hello world\"}");
        assertThat(answers.get(1)).contains("1 of 3", "2 of 3", "3 of 3").doesNotContain("error");
        assertThat(answers.get(2)).contains("{\"message\":\"Hello a\"}\n{\"message\":\"Hello b\"}");
        assertThat(answers.get(3)).contains("helloworld.Greeter", "grpc.health.v1.Health");
        assertThat(answers.get(4)).contains("Hello world");
        endsInOrder(up, "INT");
    }

    @Test
    void endsInOrderOnSigterm() throws Exception {
        Process up = up("--grpc-port", "0", "--http-port", "0");
        greeting();
        endsInOrder(up, "TERM");
    }

    @Test
    void letsACallEndBeforeItCloses() throws Exception {
        Process up = up("--grpc-port", "0", "--http-port", "0");
        URI call = sampleCall(greeting());
        try (HttpClient http = HttpClient.newHttpClient()) {
            var answer = http.sendAsync(
                    HttpRequest.newBuilder(call)
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    "{\"name\":\"x\",\"count\":3,\"intervalMillis\":700}"))
                            .build(),
                    BodyHandlers.ofInputStream());
            answer.get(60, TimeUnit.SECONDS); // the head: the call runs
            signal(up, "INT");
            try (var body = answer.join().body()) {
                assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8))
                        .contains("3 of 3")
                        .doesNotContain("error");
            }
        }
        assertEnded(up, 0);
    }

    @Test
    void aSecondInterruptForces() throws Exception {
        Process up = up("--grpc-port", "0", "--http-port", "0", "--close-within", "600");
        URI call = sampleCall(greeting());
        try (Socket client = new Socket(call.getHost(), call.getPort())) {
            String body = "{\"count\":10000,\"intervalMillis\":60000}";
            client.getOutputStream()
                    .write(("POST " + call.getPath() + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                                    + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.UTF_8));
            assertThat(client.getInputStream().read()).as("the call runs").isEqualTo('H');
            signal(up, "INT");
            await().atMost(PATIENCE).until(() -> Files.readString(out).contains("Closing"));
            assertThat(up.isAlive()).as("it waits for the call").isTrue();
            signal(up, "INT");
            assertThat(up.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(up.exitValue()).isEqualTo(130);
            assertThat(Files.readString(err)).contains("forced");
        }
    }

    @Test
    void aTakenPortIsAClearErrorAndLeavesNothing() throws Exception {
        try (ServerSocket taken = new ServerSocket()) {
            taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            for (String option : List.of("--grpc-port", "--http-port")) {
                String other = option.equals("--grpc-port") ? "--http-port" : "--grpc-port";
                Process up = up(option, String.valueOf(taken.getLocalPort()), other, "0");
                assertThat(up.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
                assertThat(up.exitValue()).isEqualTo(1);
                assertThat(Files.readString(out)).isEmpty();
                assertThat(Files.readString(err))
                        .contains("port " + taken.getLocalPort())
                        .contains("is taken")
                        .contains(option + " 0")
                        .doesNotContain("Exception")
                        .doesNotContain("\tat ");
            }
        }
    }

    private void endsInOrder(Process up, String name) throws Exception {
        signal(up, name);
        assertEnded(up, 0);
    }

    private void assertEnded(Process up, int status) throws Exception {
        assertThat(up.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .as(Files.readString(out))
                .isTrue();
        assertThat(Files.readString(out)).containsPattern("Closed [0-9]+ resources in [0-9]+ ms; left: nothing");
        assertThat(Files.readString(err)).as("no warning of the JVM, no error").isEmpty();
        assertThat(up.exitValue()).isEqualTo(status);
    }

    /** Started with SIGINT at its default, whatever this JVM inherited: a background job of a script ignores it. */
    private Process up(String... arguments) throws IOException {
        List<String> line = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/env")) && defaultSignalKnown()) {
            line.addAll(List.of("/usr/bin/env", "--default-signal=INT", "--default-signal=TERM"));
        }
        line.add(command.toString());
        line.add("up");
        line.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("CAISSON_COMMAND", command.toString());
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    private static boolean defaultSignalKnown() throws IOException {
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

    private String greeting() {
        await().atMost(PATIENCE)
                .until(() -> Files.readString(out).contains("Ctrl-C")
                        || !Files.readString(err).isEmpty());
        try {
            assertThat(Files.readString(err)).isEmpty();
            return Files.readString(out);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static URI sampleCall(String greeting) {
        Matcher page = PAGE.matcher(greeting);
        assertThat(page.find()).as(greeting).isTrue();
        Matcher target = Pattern.compile("services +(127.0.0.1:[0-9]+)").matcher(greeting);
        assertThat(target.find()).as(greeting).isTrue();
        return URI.create(page.group(1) + "call/" + target.group(1) + "/helloworld.Greeter/SayHellos");
    }

    private static void signal(Process process, String name) throws Exception {
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
}
