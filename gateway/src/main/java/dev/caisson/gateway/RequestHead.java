package dev.caisson.gateway;

import io.grpc.Status;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A request's head that passed the checks every request has to pass.
 *
 * @param path without query, still percent-encoded, starts with a slash
 * @param query without question mark, empty if there is none
 * @param corsOrigin the origin to allow in the answer, if the request came from one that is set
 */
record RequestHead(
        HttpMethod method,
        String path,
        String query,
        HttpHeaders headers,
        boolean http10,
        boolean keepAlive,
        boolean expectsContinue,
        Optional<String> corsOrigin) {
    private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

    /** @throws HttpError for what is malformed or comes from where it must not */
    static RequestHead check(HttpRequest request, GatewayOptions options) {
        if (request.decoderResult().isFailure()) {
            throw undecodable(request.decoderResult().cause());
        }
        String uri = request.uri();
        if (!uri.startsWith("/")) {
            // RFC 9112 section 3.2.2: the absolute form is for proxies, and its authority would overrule Host.
            throw HttpError.badRequest("the request target must start with a slash; this is no proxy");
        }
        HttpVersion version = request.protocolVersion();
        if (version.majorVersion() != 1) {
            throw HttpError.of(
                    HttpResponseStatus.HTTP_VERSION_NOT_SUPPORTED,
                    Status.Code.UNIMPLEMENTED,
                    "this is HTTP/1.1; got " + version);
        }
        boolean http10 = version.minorVersion() == 0;
        HttpHeaders headers = request.headers();
        String host = host(headers, http10, options);
        Optional<String> corsOrigin = origin(headers, host, options);
        String expect = headers.get(HttpHeaderNames.EXPECT);
        boolean expectsContinue = expect != null && expect.equalsIgnoreCase("100-continue");
        if (expect != null && !expectsContinue) {
            throw HttpError.of(
                    HttpResponseStatus.EXPECTATION_FAILED,
                    Status.Code.INVALID_ARGUMENT,
                    "cannot meet Expect: " + TargetName.clipped(expect));
        }
        List<String> codings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (!codings.isEmpty() && http10) {
            throw HttpError.badRequest("Transfer-Encoding needs HTTP/1.1");
        }
        if (!codings.isEmpty() && !(codings.size() == 1 && codings.getFirst().equalsIgnoreCase("chunked"))) {
            // RFC 9112 section 6.1: a coding that is not understood is answered 501.
            throw HttpError.of(
                    HttpResponseStatus.NOT_IMPLEMENTED,
                    Status.Code.UNIMPLEMENTED,
                    "Transfer-Encoding may be chunked and nothing else");
        }
        int question = uri.indexOf('?');
        return new RequestHead(
                request.method(),
                question < 0 ? uri : uri.substring(0, question),
                question < 0 ? "" : uri.substring(question + 1),
                headers,
                http10,
                HttpUtil.isKeepAlive(request),
                expectsContinue && !http10,
                corsOrigin);
    }

    /** What the decoder could not read, as the HTTP code a client can act on. */
    static HttpError undecodable(Throwable cause) {
        String message = cause.getMessage();
        return switch (cause) {
            case io.netty.handler.codec.http.TooLongHttpLineException _ ->
                HttpError.of(
                        HttpResponseStatus.REQUEST_URI_TOO_LONG,
                        Status.Code.INVALID_ARGUMENT,
                        "the request line is too long: " + message);
            case io.netty.handler.codec.http.TooLongHttpHeaderException _ ->
                HttpError.of(
                        HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                        Status.Code.INVALID_ARGUMENT,
                        "the headers are too large: " + message);
            default -> HttpError.badRequest("not HTTP/1.1: " + (message == null ? cause : message));
        };
    }

    /** RFC 9112 section 3.2, and against DNS rebinding: a page's own name must not lead its scripts here. */
    private static String host(HttpHeaders headers, boolean http10, GatewayOptions options) {
        var all = headers.getAll(HttpHeaderNames.HOST);
        if (all.size() > 1 || (all.isEmpty() && !http10)) {
            throw HttpError.badRequest(all.isEmpty() ? "no Host header" : "more than one Host header");
        }
        String host = all.isEmpty() ? "" : all.getFirst().toLowerCase(Locale.ROOT);
        boolean loopback = options.address().getAddress().isLoopbackAddress();
        if (!loopback && options.hostNames().isEmpty()) {
            return host;
        }
        String name = withoutPort(host);
        boolean ours = loopback && (LOOPBACK_NAMES.contains(name) || (name.isEmpty() && http10));
        if (!ours && !options.hostNames().contains(name)) {
            throw HttpError.of(
                    HttpResponseStatus.FORBIDDEN,
                    Status.Code.PERMISSION_DENIED,
                    "this gateway does not answer to the host name " + TargetName.clipped(name)
                            + "; use localhost or 127.0.0.1, or allow the name when starting it");
        }
        return host;
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }

    /** A browser names the page's origin where it crosses origins or posts; only our own page and those set pass. */
    private static Optional<String> origin(HttpHeaders headers, String host, GatewayOptions options) {
        String origin = headers.get(HttpHeaderNames.ORIGIN);
        if (origin == null || origin.equalsIgnoreCase("http://" + host)) {
            return Optional.empty();
        }
        if (options.corsOrigins().contains(origin)) {
            return Optional.of(origin);
        }
        throw HttpError.of(
                HttpResponseStatus.FORBIDDEN,
                Status.Code.PERMISSION_DENIED,
                "pages of " + TargetName.clipped(origin)
                        + " may not call this gateway; CORS is off unless an origin is set");
    }

    /** The path cut at its slashes, each part decoded. */
    String[] segments() {
        String[] parts = path.substring(1).split("/", -1);
        for (int i = 0; i < parts.length; i++) {
            try {
                parts[i] = URLDecoder.decode(parts[i].replace("+", "%2B"), StandardCharsets.UTF_8);
            } catch (IllegalArgumentException e) {
                throw HttpError.badRequest("bad percent-encoding in the path: " + e.getMessage());
            }
        }
        return parts;
    }
}
