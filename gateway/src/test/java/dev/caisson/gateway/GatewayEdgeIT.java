package dev.caisson.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.scope.Scope;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the gateway refuses, and its limits: told by HTTP spoken by hand. */
class GatewayEdgeIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Greeting greeting = new Greeting();
    private Server server;
    private Scope app;
    private Gateway gateway;

    @BeforeEach
    void open() throws IOException {
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(greeting)
                .addService(ProtoReflectionServiceV1.newInstance())
                .intercept(greeting)
                .build()
                .start();
        app = Scope.open("test");
        gateway = Gateway.open(
                app,
                GatewayOptions.builder()
                        .port(0)
                        .allow("127.0.0.1:" + server.getPort())
                        .corsOrigin("https://tools.example")
                        .maxMessageBytes(1_000)
                        .maxMessagesPerRequest(3)
                        .maxCalls(2)
                        .maxConnections(6)
                        .maxWatchers(1)
                        .maxTargets(1)
                        .headTimeout(Duration.ofMillis(300))
                        .bodyTimeout(Duration.ofMillis(500))
                        .targetIdleTimeout(Duration.ofMillis(400))
                        .build());
    }

    @AfterEach
    void close() throws InterruptedException {
        greeting.release.countDown();
        app.close();
        server.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
    }

    private URI call(String method) {
        return gateway.uri()
                .resolve("/call/127.0.0.1:" + server.getPort() + "/" + GatewayContract.SERVICE + "/" + method);
    }

    private String head(String request) throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.send(request);
            return raw.head();
        }
    }

    private String get(String path, String headers) throws IOException {
        return head("GET " + path + " HTTP/1.1\r\n" + headers + "\r\n");
    }

    private String host() {
        return "Host: " + gateway.uri().getAuthority() + "\r\n";
    }

    // ---------------------------------------------------------------- who may call

    @Test
    void refusesForeignHostNames() throws IOException {
        assertThat(get("/healthz", host())).startsWith("HTTP/1.1 200 ");
        assertThat(get("/healthz", "Host: localhost:1234\r\n")).startsWith("HTTP/1.1 200 ");
        assertThat(get("/healthz", "Host: rebound.example\r\n")).startsWith("HTTP/1.1 403 ");
        assertThat(get("/healthz", "Host: 127.0.0.1.rebound.example\r\n")).startsWith("HTTP/1.1 403 ");
        assertThat(get("/healthz", "")).startsWith("HTTP/1.1 400 ");
        assertThat(get("/healthz", "Host: localhost\r\nHost: localhost\r\n")).startsWith("HTTP/1.1 400 ");
        assertThat(get("http://rebound.example/healthz", host())).startsWith("HTTP/1.1 400 ");
    }

    @Test
    void refusesPagesOfOtherOrigins() throws IOException {
        assertThat(get("/healthz", host() + "Origin: http://" + gateway.uri().getAuthority() + "\r\n"))
                .startsWith("HTTP/1.1 200 ");
        assertThat(get("/healthz", host() + "Origin: https://evil.example\r\n")).startsWith("HTTP/1.1 403 ");
        assertThat(get("/healthz", host() + "Origin: null\r\n")).startsWith("HTTP/1.1 403 ");
        assertThat(get("/healthz", host() + "Origin: https://tools.example\r\n"))
                .startsWith("HTTP/1.1 200 ")
                .contains("access-control-allow-origin: https://tools.example");
        assertThat(get("/healthz", host())).doesNotContain("access-control");
        assertThat(head("OPTIONS " + call("SayHello").getPath() + " HTTP/1.1\r\n" + host()
                        + "Origin: https://tools.example\r\nAccess-Control-Request-Method: POST\r\n\r\n"))
                .startsWith("HTTP/1.1 204 ")
                .contains("access-control-allow-methods: post");
    }

    @Test
    void callsOnlyTargetsThatAreAllowed() throws IOException {
        for (String target :
                new String[] {"127.0.0.1:1", "localhost:" + server.getPort(), "unix:%2Ftmp%2Fsocket", "x"}) {
            try (RawHttp raw = new RawHttp(gateway.address())) {
                raw.post(gateway.uri().resolve("/call/" + target + "/a.B/C"), "{}");
                assertThat(raw.head()).as(target).containsPattern("^HTTP/1.1 40[03] ");
            }
        }
    }

    // ---------------------------------------------------------------- malformed, too large, too slow

    @Test
    void refusesWhatIsNotHttp() throws IOException {
        assertThat(head("\u0016\u0003\u0001 hello\r\n\r\n")).startsWith("HTTP/1.1 400 ");
        assertThat(get("/" + "x".repeat(5_000), host())).startsWith("HTTP/1.1 414 ");
        assertThat(get("/healthz", host() + "X: " + "x".repeat(20_000) + "\r\n"))
                .startsWith("HTTP/1.1 431 ");
        assertThat(get("/healthz", host() + "Expect: miracles\r\n")).startsWith("HTTP/1.1 417 ");
        assertThat(get("/nowhere", host())).startsWith("HTTP/1.1 404 ");
        assertThat(head("POST /healthz HTTP/1.1\r\n" + host() + "Content-Length: 0\r\n\r\n"))
                .startsWith("HTTP/1.1 405 ")
                .contains("allow: get");
    }

    @Test
    void refusesRequestsThatAProxyMightReadOtherwise() throws IOException {
        String start = "POST " + call("SayHello").getPath() + " HTTP/1.1\r\n" + host();
        assertThat(head(start + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ")
                .contains("connection: close");
        assertThat(head(start + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"))
                .startsWith("HTTP/1.1 400 ");
        assertThat(head(start + "Content-Length: -2\r\n\r\n{}")).startsWith("HTTP/1.1 400 ");
        assertThat(head(start + "Content-Length : 2\r\n\r\n{}")).startsWith("HTTP/1.1 400 ");
        assertThat(head(start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"))
                .startsWith("HTTP/1.1 400 ");
        assertThat(head(start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"))
                .containsPattern("^HTTP/1.1 (400|501) ");
    }

    @Test
    void boundsSizes() throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayHello"), "{\"name\":\"" + "x".repeat(2_000) + "\"}");
            assertThat(raw.head()).startsWith("HTTP/1.1 413 ");
        }
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayToAll"), "{}\n{}\n{}\n{}\n");
            assertThat(raw.head()).startsWith("HTTP/1.1 413 ");
        }
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayMany"), "{\"name\":\"x\",\"count\":-1}");
            assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
            String line = raw.chunkedLine();
            assertThat(line).isEqualTo("{\"message\":\"first\"}");
            assertThat(raw.chunkedLine()).as("a reply of 10,000 bytes").contains("RESOURCE_EXHAUSTED");
        }
    }

    @Test
    void doesNotWaitForSlowSenders() throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.send("GET /healthz HTTP/1.1\r\nHost: loc");
            assertThat(raw.head()).startsWith("HTTP/1.1 408 ");
        }
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.send("POST " + call("SayHello").getPath() + " HTTP/1.1\r\n" + host() + "Content-Length: 100\r\n\r\n{");
            assertThat(raw.head()).startsWith("HTTP/1.1 408 ");
        }
    }

    // ---------------------------------------------------------------- how many

    @Test
    void boundsCallsConnectionsAndWatchers() throws IOException {
        try (RawHttp one = new RawHttp(gateway.address());
                RawHttp two = new RawHttp(gateway.address());
                RawHttp three = new RawHttp(gateway.address())) {
            one.post(call("SayHello"), "{\"name\":\"hold\"}");
            two.post(call("SayHello"), "{\"name\":\"hold\"}");
            await().atMost(PATIENCE).until(() -> greeting.waiting.get() == 2);
            three.post(call("SayHello"), "{}");
            assertThat(three.head()).startsWith("HTTP/1.1 503 ").contains("retry-after: 1");
            greeting.release.countDown();
            assertThat(one.head()).startsWith("HTTP/1.1 200 ");
            assertThat(two.head()).startsWith("HTTP/1.1 200 ");
        }
        try (RawHttp watcher = new RawHttp(gateway.address())) {
            watcher.send("GET /api/tree/events HTTP/1.1\r\n" + host() + "\r\n");
            assertThat(watcher.head()).startsWith("HTTP/1.1 200 ").contains("text/event-stream");
            assertThat(get("/api/tree/events", host())).startsWith("HTTP/1.1 503 ");
        }
        RawHttp[] many = new RawHttp[6];
        await().atMost(PATIENCE).until(() -> get("/healthz", host()).startsWith("HTTP/1.1 200"));
        await().atMost(PATIENCE).until(() -> Scope.census(app).counts().getOrDefault("http-connection", 0L) == 0);
        for (int i = 0; i < many.length; i++) {
            many[i] = new RawHttp(gateway.address());
        }
        await().atMost(PATIENCE).until(() -> Scope.census(app).counts().getOrDefault("http-connection", 0L) == 6);
        try (RawHttp tooMany = new RawHttp(gateway.address())) {
            assertThat(tooMany.head()).startsWith("HTTP/1.1 503 ");
        }
        for (RawHttp each : many) {
            each.close();
        }
    }

    @Test
    void closesTargetsThatAreIdle() throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayHello"), "{}");
            assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
        }
        assertThat(gateway.targets().opened()).isEqualTo(1);
        await().atMost(PATIENCE).until(() -> gateway.targets().size() == 0);
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayHello"), "{}");
            assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
        }
        assertThat(gateway.targets().opened()).isEqualTo(2);
    }

    @Test
    void aTakenPortIsNamedAndNothingIsLeft() {
        Scope other = Scope.open("other");
        try (other) {
            assertThatThrownBy(() -> Gateway.open(
                            other,
                            GatewayOptions.builder()
                                    .port(gateway.address().getPort())
                                    .build()))
                    .isInstanceOf(BindException.class)
                    .hasMessageContaining("HTTP port " + gateway.address().getPort() + " on ")
                    .hasMessageContaining("is taken");
            assertThat(Scope.census(other).rows()).hasSize(1);
        }
    }

    // ---------------------------------------------------------------- pages

    @Test
    void servesRequestsOneAfterTheOtherOnAConnection() throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            for (int i = 0; i < 3; i++) {
                raw.post(call("SayHello"), "{\"name\":\"" + i + "\"}");
                assertThat(raw.head()).startsWith("HTTP/1.1 200 ").doesNotContain("connection: close");
                assertThat(raw.line()).isEqualTo("{\"message\":\"Hello " + i + "\"}");
            }
            String pipelined = "GET /healthz HTTP/1.1\r\n" + host() + "\r\n";
            raw.send(pipelined + pipelined);
            for (int i = 0; i < 2; i++) {
                assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
                assertThat(raw.line()).isEqualTo("{\"status\":\"serving\"}");
            }
        }
    }

    @Test
    void asksForABodyThatWaitsToBeAskedFor() throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.send("POST " + call("SayHello").getPath() + " HTTP/1.1\r\n" + host()
                    + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
            assertThat(raw.head()).startsWith("HTTP/1.1 100 ");
            raw.send("{}");
            assertThat(raw.head()).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void tellsTheTreeAndTheMetrics() throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.post(call("SayHello"), "{}");
            raw.head();
            raw.line();
        }
        assertThat(body("/api/tree")).contains("\"kind\":\"gateway\"").contains("\"name\":\"targets\"");
        assertThat(body("/")).contains("<title>Caisson</title>");
        assertThat(get("/", host())).contains("content-security-policy: default-src 'none'");
        String metrics = body("/metrics");
        assertThat(metrics)
                .contains("caisson_resources{kind=\"scope\"}")
                .contains("caisson_gateway_connections ")
                .contains("caisson_gateway_calls_seconds_count{method=\"" + GatewayContract.SERVICE
                        + "/SayHello\",status=\"OK\",target=\"127.0.0.1:" + server.getPort() + "\"} 1");
    }

    private String body(String path) throws IOException {
        try (RawHttp raw = new RawHttp(gateway.address())) {
            raw.send("GET " + path + " HTTP/1.1\r\n" + host() + "Connection: close\r\n\r\n");
            return raw.rest();
        }
    }
}
