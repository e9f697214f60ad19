package dev.caisson.gateway;

import io.grpc.Status;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** The {@code GET} requests that are answered at once: the page and its files, the tree, metrics, health. */
final class PageExchange extends Exchange {
    /** Everything from here, nothing inline, no frames: what a name in the tree says can never run. */
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                    + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private record Asset(String file, String type) {}

    private static final Map<String, Asset> ASSETS = Map.of(
            "/", new Asset("index.html", "text/html; charset=utf-8"),
            "/console.js", new Asset("console.js", "text/javascript; charset=utf-8"),
            "/console.css", new Asset("console.css", "text/css; charset=utf-8"),
            "/icon.svg", new Asset("icon.svg", "image/svg+xml"));

    private final Gateway gateway;

    PageExchange(Gateway gateway, HttpConnection connection, RequestHead head) {
        super(connection, head);
        this.gateway = gateway;
    }

    static boolean knows(String path) {
        return ASSETS.containsKey(path)
                || path.equals("/api/tree")
                || path.equals("/api/origin")
                || path.equals("/metrics")
                || path.equals("/healthz");
    }

    @Override
    String name() {
        return "page " + head.path();
    }

    @Override
    void start() {
        if (head.method().equals(HttpMethod.OPTIONS)) {
            preflight();
            finish();
            return;
        }
        switch (head.path()) {
            case "/healthz" -> health();
            case "/metrics" ->
                response.whole(
                        HttpResponseStatus.OK,
                        "text/plain; version=0.0.4; charset=utf-8",
                        gateway.metrics().scrape());
            case "/api/tree" ->
                response.whole(
                        HttpResponseStatus.OK,
                        Response.JSON,
                        gateway.tree().tree().toJson() + "\n");
            case "/api/origin" -> origin();
            default -> asset(java.util.Objects.requireNonNull(ASSETS.get(head.path())));
        }
        finish();
    }

    /** A browser asks before a page of an allowed origin calls (Fetch, section 3.2.2). */
    private void preflight() {
        HttpHeaders headers = new DefaultHttpHeaders();
        headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "POST, GET");
        headers.set(HttpHeaderNames.ACCESS_CONTROL_MAX_AGE, "600");
        String asked = head.headers().get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS);
        if (asked != null) {
            headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
        response.whole(HttpResponseStatus.NO_CONTENT, Response.JSON, new byte[0], headers);
    }

    private void health() {
        boolean draining = gateway.draining();
        response.whole(
                draining ? HttpResponseStatus.SERVICE_UNAVAILABLE : HttpResponseStatus.OK,
                Response.JSON,
                draining ? "{\"status\":\"draining\"}\n" : "{\"status\":\"serving\"}\n");
    }

    private void origin() {
        List<String> keys =
                new QueryStringDecoder("?" + head.query()).parameters().getOrDefault("key", List.of());
        if (keys.size() != 1) {
            throw HttpError.badRequest("say which: /api/origin?key=<key of a row of /api/tree>");
        }
        List<StackTraceElement> frames = gateway.tree().origin(keys.getFirst());
        if (frames.isEmpty()) {
            throw HttpError.of(Status.Code.NOT_FOUND, "it is gone, or no stack was kept when it was made");
        }
        StringBuilder out = new StringBuilder("{\"frames\":[");
        String comma = "";
        for (StackTraceElement frame : frames) {
            out.append(comma);
            TreeFeed.quote(frame.toString(), out);
            comma = ",";
        }
        response.whole(HttpResponseStatus.OK, Response.JSON, out.append("]}\n").toString());
    }

    private void asset(Asset asset) {
        HttpHeaders headers = new DefaultHttpHeaders();
        headers.set("content-security-policy", POLICY);
        headers.set("referrer-policy", "no-referrer");
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-cache");
        response.whole(HttpResponseStatus.OK, asset.type(), read(asset.file()), headers);
    }

    private static byte[] read(String file) {
        try (InputStream in = PageExchange.class.getResourceAsStream("console/" + file)) {
            if (in == null) {
                return ("missing from this build: " + file).getBytes(StandardCharsets.UTF_8);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
