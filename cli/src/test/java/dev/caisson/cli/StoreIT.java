package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code caisson store} as a process of its own: what it prints works, real signals end it in order. */
class StoreIT {
    @TempDir
    Path tmp;

    @Test
    void theCommandsItPrintsWorkAsPrinted() throws Exception {
        try (Child store = store()) {
            String answers = "";
            for (String printed : store.printedCommands()) {
                answers += store.shell(printed);
            }
            assertThat(answers).contains("OK").contains("hello");
            store.signal("INT");
            store.endedInOrder();
        }
    }

    @Test
    void printsCommandsThatNeedNoRedisWhereThereIsNone() throws Exception {
        try (Child store = Child.start(tmp, Map.of("PATH", tmp.toString()), "store", "--port", "0")) {
            List<String> commands = store.printedCommands();
            assertThat(commands).singleElement().asString().contains("curl").doesNotContain("redis-cli");
            assertThat(store.shell(commands.getFirst())).contains("+OK").contains("hello");
        }
    }

    @Test
    void aPasswordFromAFileOrTheEnvironmentIsAskedForAndPrintedNowhere() throws Exception {
        Path file = Files.writeString(tmp.resolve("it's secret.txt"), "open sesame\nnot this\n");
        try (Child fromFile = store("--password-file", file.toString());
                Child fromEnvironment = Child.start(
                        tmp,
                        Map.of(StorePassword.VARIABLE, "open sesame"),
                        "store",
                        "--port",
                        "0",
                        "--host",
                        "0.0.0.0")) {
            for (Child store : List.of(fromFile, fromEnvironment)) {
                assertThat(store.greeting()).doesNotContain("sesame");
                try (Socket client = connect(store)) {
                    client.getOutputStream()
                            .write("GET a\r\nAUTH \"open sesame\"\r\nGET a\r\n".getBytes(StandardCharsets.US_ASCII));
                    String replies = "-NOAUTH Authentication required.\r\n+OK\r\n$-1\r\n";
                    assertThat(new String(
                                    client.getInputStream().readNBytes(replies.length()), StandardCharsets.US_ASCII))
                            .isEqualTo(replies);
                }
                for (String printed : store.printedCommands()) {
                    store.shell("export " + StorePassword.VARIABLE + "='open sesame'; " + printed);
                }
                store.signal("TERM");
                store.endedInOrder();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void aSignalEndsItThoughAClientIsConnected(String signal) throws Exception {
        try (Child store = store("--loops", "4", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru");
                Socket client = connect(store)) {
            client.getOutputStream().write("SET a 1\r\nGET a\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(client.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
                    .isEqualTo("+OK\r\n$1\r\n1\r\n");
            store.signal(signal);
            assertThat(client.getInputStream().read())
                    .as("the end of the stream")
                    .isEqualTo(-1);
            store.endedInOrder();
        }
    }

    @Test
    void whatIsDueIsReadBeforeItCloses() throws Exception {
        try (Child store = store();
                Socket client = connect(store)) {
            int replies = askForMoreThanFits(client);
            store.signal("INT");
            await().atMost(Child.PATIENCE).until(() -> store.out().contains("Closing"));
            for (int i = 1; i < replies; i++) { // the first one was awaited
                readReply(client.getInputStream());
            }
            assertThat(client.getInputStream().read())
                    .as("the end of the stream")
                    .isEqualTo(-1);
            store.endedInOrder();
        }
    }

    @Test
    void aSecondInterruptForces() throws Exception {
        try (Child store = store("--close-within", "600");
                Socket client = connect(store)) {
            askForMoreThanFits(client);
            store.signal("INT");
            await().atMost(Child.PATIENCE).until(() -> store.out().contains("Closing"));
            assertThat(store.isAlive()).as("it waits for the client to read").isTrue();
            store.signal("INT");
            assertThat(store.exitCode()).isEqualTo(130);
            assertThat(store.err()).contains("forced");
        }
    }

    @Test
    void aTakenPortIsAClearErrorAndLeavesNothing() throws Exception {
        try (ServerSocket taken = new ServerSocket()) {
            taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            String port = String.valueOf(taken.getLocalPort());
            try (Child store = Child.start(tmp, "store", "--port", port)) {
                assertThat(store.exitCode()).isEqualTo(1);
                assertThat(store.out()).isEmpty();
                assertThat(store.err())
                        .startsWith("caisson: store port " + port + " on 127.0.0.1 is taken")
                        .contains("--port 0")
                        .doesNotContain("Exception")
                        .doesNotContain("\tat ");
            }
        }
    }

    private Child store(String... further) throws IOException {
        List<String> arguments = new java.util.ArrayList<>(List.of("store", "--port", "0"));
        arguments.addAll(List.of(further));
        return Child.start(tmp, arguments.toArray(String[]::new));
    }

    private static Socket connect(Child store) throws IOException {
        String greeting = store.greeting();
        Matcher port = Pattern.compile("up on [0-9.]+:([0-9]+)").matcher(greeting);
        assertThat(port.find()).as(greeting).isTrue();
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(port.group(1)));
        socket.setSoTimeout((int) Child.PATIENCE.toMillis());
        return socket;
    }

    private static final int LARGE = 4 << 20;

    /** Asks for more replies than sockets hold, and reads the first; answers how many there are to be. */
    private static int askForMoreThanFits(Socket client) throws IOException {
        int replies = 8;
        client.getOutputStream()
                .write(("*4\r\n$8\r\nSETRANGE\r\n$1\r\na\r\n$7\r\n" + (LARGE - 1) + "\r\n$1\r\nz\r\n"
                                + "GET a\r\n".repeat(replies))
                        .getBytes(StandardCharsets.US_ASCII));
        String length = ":" + LARGE + "\r\n";
        assertThat(new String(client.getInputStream().readNBytes(length.length()), StandardCharsets.US_ASCII))
                .isEqualTo(length);
        readReply(client.getInputStream());
        return replies;
    }

    private static void readReply(InputStream in) throws IOException {
        String head = "$" + LARGE + "\r\n";
        assertThat(new String(in.readNBytes(head.length()), StandardCharsets.US_ASCII))
                .isEqualTo(head);
        assertThat(in.readNBytes(LARGE + 2)).hasSize(LARGE + 2);
    }
}
