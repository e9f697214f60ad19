package dev.caisson.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.caisson.scope.Scope;
import io.grpc.Server;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The gateway in front of a server, over real sockets; once for each kind of server. */
abstract class GatewayContract {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    /** What a client's socket holds of what it sends, in bytes, where little is to hide there. */
    private static final int SMALL_BUFFER = 4_096;

    static final String SERVICE = "dev.caisson.gateway.test.Greeter";

    final Greeting greeting = new Greeting();
    Server server;
    Scope app;
    Gateway gateway;
    HttpClient http;

    /** Starts a server on a free port of the loopback, with the services and reflection; its class is asserted. */
    abstract Server startServer(Greeting greeting) throws IOException;

    GatewayOptions.Builder options() {
        return GatewayOptions.builder().port(0).allow("127.0.0.1:" + server.getPort());
    }

    @BeforeEach
    void open() throws IOException {
        server = startServer(greeting);
        app = Scope.open("test");
        gateway = Gateway.open(app, options().build());
        http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    }

    @AfterEach
    void close() throws InterruptedException {
        greeting.release.countDown();
        http.close();
        app.close();
        server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        assertThat(Scope.census().rows()).noneMatch(row -> row.path().startsWith("test/gateway"));
    }

    URI call(String method) {
        return gateway.uri().resolve("/call/127.0.0.1:" + server.getPort() + "/" + SERVICE + "/" + method);
    }

    HttpRequest.Builder post(String method, String body) {
        return HttpRequest.newBuilder(call(method)).timeout(PATIENCE).POST(HttpRequest.BodyPublishers.ofString(body));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), BodyHandlers.ofString());
    }

    // ---------------------------------------------------------------- the four kinds

    @Test
    void callsAUnaryMethod() throws Exception {
        HttpResponse<String> answer = send(post("SayHello", "{\"name\":\"world\"}"));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{\"message\":\"Hello world\"}\n");
        assertThat(answer.headers().firstValue("content-type")).hasValue("application/json");
    }

    @Test
    void takesAnEmptyBodyForAnEmptyMessage() throws Exception {
        assertThat(send(post("SayHello", "")).body()).isEqualTo("{\"message\":\"Hello \"}\n");
    }

    @Test
    void streamsRepliesAsLines() throws Exception {
        HttpResponse<String> answer = send(post("SayMany", "{\"name\":\"x\",\"count\":3}"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).hasValue("application/x-ndjson");
        assertThat(answer.body().lines())
                .containsExactly(
                        "{\"message\":\"Hello x 0\"}", "{\"message\":\"Hello x 1\"}", "{\"message\":\"Hello x 2\"}");
    }

    @Test
    void streamsRepliesAsEventsWhereAccepted() throws Exception {
        HttpResponse<String> answer =
                send(post("SayMany", "{\"name\":\"x\",\"count\":2}").header("Accept", "text/event-stream"));
        assertThat(answer.headers().firstValue("content-type")).hasValue("text/event-stream");
        assertThat(answer.body()).isEqualTo("""
                        data: {"message":"Hello x 0"}

                        data: {"message":"Hello x 1"}

                        event: end
                        data: {}

                        """);
    }

    @Test
    void sendsTheLinesOfTheBodyAsMessages() throws Exception {
        HttpResponse<String> answer =
                send(post("SayToAll", "{\"name\":\"a\"}\n{\"name\":\"b\"}\n\n{\"name\":\n\"c\"}"));
        assertThat(answer.body()).isEqualTo("{\"message\":\"Hello a, b, c\"}\n");
    }

    @Test
    void streamsBothWaysAtOnce() throws Exception {
        try (Chat chat = new Chat(call("Talk"))) {
            for (int i = 0; i < 5; i++) {
                chat.send("{\"name\":\"" + i + "\"}\n");
                assertThat(chat.line()).isEqualTo("{\"message\":\"Hello " + i + "\"}");
            }
            chat.endBody();
            assertThat(chat.line()).isNull();
        }
    }

    // ---------------------------------------------------------------- errors

    @Test
    void mapsEveryStatusToItsHttpCode() throws Exception {
        for (io.grpc.Status.Code code : io.grpc.Status.Code.values()) {
            if (code == io.grpc.Status.Code.OK) {
                continue;
            }
            HttpResponse<String> answer = send(post("SayHello", "{\"name\":\"fail " + code + "\"}"));
            assertThat(answer.statusCode())
                    .as(code.name())
                    .isEqualTo(dev.caisson.gateway.generic.CallError.httpStatus(code));
            assertThat(answer.body())
                    .isEqualTo("{\"code\":" + code.value() + ",\"status\":\"" + code
                            + "\",\"message\":\"as asked\",\"details\":[]}\n");
            assertThat(answer.headers().firstValue("grpc-trailer-token")).hasValue("from the trailers");
        }
    }

    @Test
    void tellsTheDetailsOfAnError() throws Exception {
        HttpResponse<String> answer = send(post("SayHello", "{\"name\":\"details\"}"));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .contains("\"status\":\"FAILED_PRECONDITION\"")
                .contains("\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\"")
                .contains("TESTING");
    }

    @Test
    void endsAStreamThatFailsWithAnErrorLine() throws Exception {
        HttpResponse<String> answer = send(post("SayMany", "{\"name\":\"fail ABORTED\",\"count\":1}"));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("""
                        {"message":"before 0"}
                        {"error":{"code":10,"status":"ABORTED","message":"as asked","details":[]}}
                        """);
        HttpResponse<String> events =
                send(post("SayMany", "{\"name\":\"fail ABORTED\",\"count\":1}").header("Accept", "text/event-stream"));
        assertThat(events.body()).contains("event: error\ndata: {\"code\":10,");
        HttpResponse<String> early = send(post("SayMany", "{\"name\":\"fail NOT_FOUND\"}"));
        assertThat(early.statusCode()).as("before the first message").isEqualTo(404);
    }

    @Test
    void saysWhereTheJsonIsWrong() throws Exception {
        HttpResponse<String> answer = send(post("SayHello", "{\"nome\":\"x\"}"));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("INVALID_ARGUMENT").contains("nome").contains("name");
        assertThat(send(post("SayHello", "{\"name\":")).statusCode()).isEqualTo(400);
        assertThat(send(post("SayHello", "{} {}")).body()).contains("more than one message");
        HttpResponse<String> second = send(post("SayToAll", "{\"name\":\"a\"}\n{\"name\":7}\n"));
        assertThat(second.statusCode()).isEqualTo(400);
        assertThat(second.body()).contains("line 2");
        try (Chat chat = new Chat(call("Talk"))) {
            chat.send("{\"name\":\"a\"}\n");
            assertThat(chat.line()).contains("Hello a"); // now the server has seen the call
            chat.send("{\"name\":7}\n");
            assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    @Test
    void suggestsNamesForAnUnknownServiceOrMethod() throws Exception {
        HttpResponse<String> method = send(post("SayHelo", "{}"));
        assertThat(method.statusCode()).isEqualTo(404);
        assertThat(method.body()).contains("SayHello");
        HttpResponse<String> service = send(HttpRequest.newBuilder(gateway.uri()
                        .resolve("/call/127.0.0.1:" + server.getPort() + "/dev.caisson.gateway.test.Greter/SayHello"))
                .POST(HttpRequest.BodyPublishers.ofString("{}")));
        assertThat(service.statusCode()).isEqualTo(404);
        assertThat(service.body()).contains(SERVICE);
    }

    // ---------------------------------------------------------------- metadata and deadlines

    @Test
    void carriesMetadataBothWays() throws Exception {
        HttpResponse<String> answer = send(post("SayHello", "{\"name\":\"metadata\"}")
                .header("grpc-metadata-token", "t")
                .header("Grpc-Metadata-Some-Bin", "Ynl0ZXM="));
        assertThat(answer.body()).isEqualTo("{\"message\":\"t,bytes\"}\n");
        assertThat(answer.headers().firstValue("grpc-metadata-token")).hasValue("from the headers");
        assertThat(answer.headers().firstValue("grpc-metadata-some-bin")).hasValue("AQID");
        assertThat(send(post("SayHello", "{}").header("grpc-metadata-grpc-timeout", "1S"))
                        .statusCode())
                .isEqualTo(400);
        assertThat(send(post("SayHello", "{}").header("grpc-metadata-x-bin", "%"))
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void boundsEveryCallByADeadline() throws Exception {
        HttpResponse<String> standard = send(post("SayHello", "{\"name\":\"deadline\"}"));
        assertThat(millis(standard)).isBetween(1L, 30_000L);
        HttpResponse<String> asked =
                send(post("SayHello", "{\"name\":\"deadline\"}").header("grpc-timeout", "300S"));
        assertThat(millis(asked)).isBetween(30_001L, 300_000L);
        HttpResponse<String> cut =
                send(post("SayHello", "{\"name\":\"deadline\"}").header("grpc-timeout", "99H"));
        assertThat(millis(cut)).isBetween(300_001L, 3_600_000L);
        HttpResponse<String> passed =
                send(post("SayHello", "{\"name\":\"wait\"}").header("grpc-timeout", "50m"));
        assertThat(passed.statusCode()).isEqualTo(504);
        assertThat(send(post("SayHello", "{}").header("grpc-timeout", "soon")).body())
                .contains("500m");
    }

    private static long millis(HttpResponse<String> answer) {
        return Long.parseLong(answer.body().replaceAll("[^0-9]", ""));
    }

    // ---------------------------------------------------------------- hanging up, back-pressure

    @Test
    void cancelsTheCallWhenTheClientHangsUp() throws Exception {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayHello"), "{\"name\":\"wait\"}");
            await().atMost(PATIENCE).until(() -> greeting.waiting.get() == 1);
        }
        assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void cancelsAStreamWhenTheClientHangsUp() throws Exception {
        try (Chat chat = new Chat(call("Talk"))) {
            chat.send("{\"name\":\"a\"}\n");
            assertThat(chat.line()).contains("Hello a");
        }
        assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void asksTheServerForNoMoreThanTheClientReads() throws Exception {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayMany"), "{\"name\":\"x\",\"count\":-1}");
            // The client reads nothing: the stream has to come to a stand.
            long[] last = {-1};
            await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).until(() -> {
                long before = last[0];
                last[0] = greeting.sent.get();
                return last[0] > 0 && last[0] == before;
            });
            assertThat(greeting.sent.get() * 10_000).as("bytes on their way").isLessThan(64L << 20);
        }
        assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    @Test
    void readsNoMoreOfTheBodyThanTheServerTakes() throws Exception {
        greeting.reading = false;
        try (RawHttp raw = new RawHttp(gateway.address())) {
            // A client's end is invisible behind what nobody reads: the deadline ends the call.
            raw.chunkedHead(call("SayToAll"), "grpc-timeout: 6S\r\n");
            String line = "{\"name\":\"" + "x".repeat(100_000) + "\"}\n";
            var writer = CompletableFuture.supplyAsync(() -> {
                int written = 0;
                try {
                    for (; written < 2_000; written++) {
                        raw.chunk(line);
                    }
                } catch (IOException closed) {
                    return written;
                }
                return written;
            });
            // 200 MB are offered; the socket stops taking them long before, because nobody reads.
            assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
            raw.close();
            assertThat(writer.get(60, TimeUnit.SECONDS)).isLessThan(1_000);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void noticesAHangUpBehindBytesThatNobodyTakes() throws Exception {
        greeting.reading = false;
        try (RawHttp raw = new RawHttp(gateway.address(), SMALL_BUFFER)) {
            raw.chunkedHead(call("SayToAll"), "grpc-timeout: 1H\r\n");
            AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
            var writer = flood(raw, left, 8_000);
            untilStuck(left);
            left.set(0);
            // The server takes message by message until the client has got rid of its last: that one, and the
            // client's end after it, lie in the gateway's own socket, behind what nobody takes.
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(300)).until(() -> {
                greeting.take(1);
                return writer.isDone();
            });
        }
        await().atMost(PATIENCE).until(() -> greeting.cancelled.getCount() == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/x-ndjson", "text/event-stream"})
    void noticesAHangUpOfAClientThatIsStuckWriting(String accept) throws Exception {
        greeting.reading = false;
        RawHttp raw = new RawHttp(gateway.address());
        raw.chunkedHead(call("Talk"), "grpc-timeout: 1H\r\nAccept: " + accept + "\r\n");
        assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
        assertThat(raw.chunkedLine()).contains("not reading");
        AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
        var writer = flood(raw, left, 100_000);
        var reader = CompletableFuture.runAsync(
                () -> { // else the client's reset would tell without our doing
                    try {
                        raw.rest();
                    } catch (IOException closed) {
                        return;
                    }
                });
        untilStuck(left);
        raw.close();
        reader.get(60, TimeUnit.SECONDS);
        assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        writer.get(60, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"application/x-ndjson|''", "text/event-stream|:"})
    void sendsAClientThatIsHeldBackOnlyWhatMeansNothing(String accept, String meaningless) throws Exception {
        greeting.reading = false;
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.chunkedHead(call("Talk"), "grpc-timeout: 1H\r\nAccept: " + accept + "\r\n");
            assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
            assertThat(raw.chunkedLine()).contains("not reading");
            var writer = flood(raw, new AtomicInteger(Integer.MAX_VALUE), 100_000);
            String told = raw.chunkedLine();
            while (told != null && told.isEmpty() && !meaningless.isEmpty()) {
                told = raw.chunkedLine(); // the empty line that ends the event before
            }
            assertThat(told).isEqualTo(meaningless);
            raw.close();
            writer.get(60, TimeUnit.SECONDS);
        }
    }

    private static void untilStuck(AtomicInteger left) {
        int[] last = {Integer.MAX_VALUE};
        await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).until(() -> {
            int before = last[0];
            last[0] = left.get();
            return last[0] < Integer.MAX_VALUE && last[0] == before;
        });
    }

    /** Writes messages, each of which takes one off what is left, until the socket is closed. */
    private static CompletableFuture<Void> flood(RawHttp raw, AtomicInteger left, int nameLength) {
        String message = "{\"name\":\"" + "x".repeat(nameLength) + "\"}\n";
        return CompletableFuture.runAsync(() -> {
            try {
                while (left.getAndDecrement() > 0) {
                    raw.chunk(message);
                }
            } catch (IOException closed) {
                return;
            }
        });
    }

    // ---------------------------------------------------------------- many

    @Test
    void aThousandFirstCallsMakeOneChannelAndLeaveNothing() throws Exception {
        var before = Scope.census(app).counts();
        List<RawHttp> clients = new ArrayList<>();
        try {
            for (int i = 0; i < 1_000; i++) {
                clients.add(new RawHttp(gateway.address()));
            }
            for (int i = 0; i < clients.size(); i++) {
                clients.get(i).post(call("SayHello"), "{\"name\":\"n" + i + "\"}");
            }
            for (int i = 0; i < clients.size(); i++) {
                assertThat(clients.get(i).head()).startsWith("HTTP/1.1 200 ");
                assertThat(clients.get(i).line()).isEqualTo("{\"message\":\"Hello n" + i + "\"}");
            }
        } finally {
            for (RawHttp client : clients) {
                client.close();
            }
        }
        assertThat(gateway.targets().opened()).isEqualTo(1);
        await().atMost(PATIENCE).untilAsserted(() -> {
            var after = Scope.census(app).counts();
            assertThat(after.getOrDefault("http-connection", 0L)).isZero();
            assertThat(after.getOrDefault("task", 0L)).isEqualTo(before.getOrDefault("task", 0L));
        });
    }

    @Test
    void endsCallsInFlightWhenItCloses() throws Exception {
        var answer = http.sendAsync(post("SayHello", "{\"name\":\"wait\"}").build(), BodyHandlers.ofString());
        await().atMost(PATIENCE).until(() -> greeting.waiting.get() == 1);
        gateway.close();
        assertThat(greeting.cancelled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        assertThat(answer.handle((ok, error) -> ok == null ? 0 : ok.statusCode())
                        .get(60, TimeUnit.SECONDS))
                .isIn(0, 503);
    }

    @Test
    void drainsBeforeItCloses() throws Exception {
        var answer = http.sendAsync(post("SayHello", "{\"name\":\"hold\"}").build(), BodyHandlers.ofString());
        await().atMost(PATIENCE).until(() -> greeting.waiting.get() == 1);
        var report = CompletableFuture.supplyAsync(() -> app.drainAndClose(PATIENCE));
        await().atMost(PATIENCE).until(gateway::draining);
        greeting.release.countDown();
        assertThat(answer.get(60, TimeUnit.SECONDS).body()).contains("held");
        assertThat(report.get(60, TimeUnit.SECONDS).clean())
                .as(() -> String.valueOf(report.join()))
                .isTrue();
    }

    /** A bidi stream by hand, because java.net.http gives the answer only once the body has gone. */
    static final class Chat implements AutoCloseable {
        private final RawHttp raw;
        private boolean head;

        Chat(URI uri) throws IOException {
            raw = new RawHttp(new InetSocketAddress(uri.getHost(), uri.getPort()));
            raw.chunkedHead(uri);
        }

        void send(String text) throws IOException {
            raw.chunk(text);
        }

        void endBody() throws IOException {
            raw.lastChunk();
        }

        /** The next line of the answer, or null at its end. */
        @org.jspecify.annotations.Nullable
        String line() throws IOException {
            if (!head) {
                assertThat(raw.head()).startsWith("HTTP/1.1 200 ").contains("transfer-encoding: chunked");
                head = true;
            }
            return raw.chunkedLine();
        }

        @Override
        public void close() throws IOException {
            raw.close();
        }
    }

    static String utf8(InputStream in) throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
}
