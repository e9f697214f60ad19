package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code caisson up} as a process of its own: what it prints works, real signals end it in order. */
class UpIT {
    private static final Pattern PAGE = Pattern.compile("page +(http://127.0.0.1:[0-9]+/)");

    @TempDir
    Path tmp;

    @Test
    void theCommandsItPrintsWorkAsPrinted() throws Exception {
        try (Child up = up()) {
            List<String> commands = up.printedCommands();
            assertThat(commands).hasSizeGreaterThanOrEqualTo(6);
            List<String> answers = new ArrayList<>();
            for (String printed : commands) {
                answers.add(up.shell(printed));
            }
            assertThat(answers.get(0)).contains("{\"message\":\"Hello world\"}");
            assertThat(answers.get(1)).contains("1 of 3", "2 of 3", "3 of 3").doesNotContain("error");
            assertThat(answers.get(2)).contains("{\"message\":\"Hello a\"}\n{\"message\":\"Hello b\"}");
            assertThat(answers.get(3)).contains("helloworld.Greeter", "grpc.health.v1.Health");
            assertThat(answers.get(4)).contains("Hello world");
            assertThat(answers.getLast()).as(commands.getLast()).contains("hello");
            up.signal("INT");
            up.endedInOrder();
        }
    }

    @Test
    void thePageShowsTheStoreAndItsClients() throws Exception {
        try (Child up = up()) {
            String greeting = up.greeting();
            Matcher page = PAGE.matcher(greeting);
            assertThat(page.find()).as(greeting).isTrue();
            Matcher store = Pattern.compile("store +127.0.0.1:([0-9]+)").matcher(greeting);
            assertThat(store.find()).as(greeting).isTrue();
            try (HttpClient http = HttpClient.newHttpClient();
                    Socket client = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(store.group(1)))) {
                client.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                assertThat(new String(client.getInputStream().readNBytes(7), StandardCharsets.US_ASCII))
                        .isEqualTo("+PONG\r\n");
                HttpRequest tree = HttpRequest.newBuilder(URI.create(page.group(1) + "api/tree"))
                        .build();
                assertThat(http.send(tree, BodyHandlers.ofString()).body())
                        .contains("127.0.0.1:" + store.group(1))
                        .contains("127.0.0.1:" + client.getLocalPort());
            }
            up.signal("TERM");
            up.endedInOrder();
        }
    }

    @Test
    void startsNoStoreIfToldSo() throws Exception {
        try (Child up = Child.start(tmp, "up", "--grpc-port", "0", "--http-port", "0", "--no-store")) {
            assertThat(up.greeting()).doesNotContain("store");
            assertThat(up.printedCommands()).hasSize(5);
            up.signal("TERM");
            up.endedInOrder();
        }
    }

    @Test
    void letsACallEndBeforeItCloses() throws Exception {
        try (Child up = up()) {
            URI call = sampleCall(up.greeting());
            try (HttpClient http = HttpClient.newHttpClient()) {
                var answer = http.sendAsync(
                        HttpRequest.newBuilder(call)
                                .POST(HttpRequest.BodyPublishers.ofString(
                                        "{\"name\":\"x\",\"count\":3,\"intervalMillis\":700}"))
                                .build(),
                        BodyHandlers.ofInputStream());
                answer.get(60, TimeUnit.SECONDS); // the head: the call runs
                up.signal("INT");
                try (var body = answer.join().body()) {
                    assertThat(new String(body.readAllBytes(), StandardCharsets.UTF_8))
                            .contains("3 of 3")
                            .doesNotContain("error");
                }
            }
            up.endedInOrder();
        }
    }

    @Test
    void aSecondInterruptForces() throws Exception {
        try (Child up = up("--close-within", "600")) {
            URI call = sampleCall(up.greeting());
            try (Socket client = new Socket(call.getHost(), call.getPort())) {
                String body = "{\"count\":10000,\"intervalMillis\":60000}";
                client.getOutputStream()
                        .write(("POST " + call.getPath() + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                                        + body.length() + "\r\n\r\n" + body)
                                .getBytes(StandardCharsets.UTF_8));
                assertThat(client.getInputStream().read()).as("the call runs").isEqualTo('H');
                up.signal("INT");
                await().atMost(Child.PATIENCE).until(() -> up.out().contains("Closing"));
                assertThat(up.isAlive()).as("it waits for the call").isTrue();
                up.signal("INT");
                assertThat(up.exitCode()).isEqualTo(130);
                assertThat(up.err()).contains("forced");
            }
        }
    }

    @Test
    void aTakenPortIsAClearErrorAndLeavesNothing() throws Exception {
        try (ServerSocket taken = new ServerSocket()) {
            taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            List<String> options = List.of("--grpc-port", "--http-port", "--store-port");
            for (String option : options) {
                String port = String.valueOf(taken.getLocalPort());
                String[] arguments = Stream.concat(
                                Stream.of("up"),
                                options.stream().flatMap(each -> Stream.of(each, each.equals(option) ? port : "0")))
                        .toArray(String[]::new);
                try (Child up = Child.start(tmp, arguments)) {
                    assertThat(up.exitCode()).isEqualTo(1);
                    assertThat(up.out()).isEmpty();
                    assertThat(up.err())
                            .contains("port " + port)
                            .contains("is taken")
                            .contains(option + " 0")
                            .doesNotContain("Exception")
                            .doesNotContain("\tat ");
                }
            }
        }
    }

    private Child up(String... further) throws Exception {
        List<String> arguments =
                new ArrayList<>(List.of("up", "--grpc-port", "0", "--http-port", "0", "--store-port", "0"));
        arguments.addAll(List.of(further));
        return Child.start(tmp, arguments.toArray(String[]::new));
    }

    private static URI sampleCall(String greeting) {
        Matcher page = PAGE.matcher(greeting);
        assertThat(page.find()).as(greeting).isTrue();
        Matcher target = Pattern.compile("services +(127.0.0.1:[0-9]+)").matcher(greeting);
        assertThat(target.find()).as(greeting).isTrue();
        return URI.create(page.group(1) + "call/" + target.group(1) + "/helloworld.Greeter/SayHellos");
    }
}
