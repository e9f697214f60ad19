package dev.caisson.gateway;

import io.grpc.Metadata;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.time.Duration;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A call's metadata and deadline as HTTP headers, both ways. */
final class CallHeaders {
    /** {@code grpc-metadata-<key>}: metadata of the request, and of the reply's start. */
    static final String METADATA = "grpc-metadata-";
    /** {@code grpc-trailer-<key>}: metadata of the reply's end. */
    static final String TRAILER = "grpc-trailer-";

    private static final String TIMEOUT = "grpc-timeout";
    private static final Pattern TIMEOUT_VALUE = Pattern.compile("([0-9]{1,8})([HMSmun])");
    private static final Pattern KEY = Pattern.compile("[0-9a-z_.-]+");

    private CallHeaders() {}

    /** @throws HttpError if one of them cannot be sent on, before anything is done for the request */
    static void check(HttpHeaders headers) {
        deadline(headers, Duration.ZERO, Duration.ZERO);
        toMetadata(headers);
    }

    /** The deadline by the header {@code grpc-timeout}, whose form is gRPC's: digits and one of H, M, S, m, u, n. */
    static Duration deadline(HttpHeaders headers, Duration standard, Duration longest) {
        String text = headers.get(TIMEOUT);
        if (text == null) {
            return standard;
        }
        Matcher matcher = TIMEOUT_VALUE.matcher(text.strip());
        if (!matcher.matches()) {
            throw HttpError.badRequest("bad header grpc-timeout: " + TargetName.clipped(text)
                    + "; write up to 8 digits and a unit, H M S m(illi) u n, as in 500m or 10S");
        }
        long amount = Long.parseLong(matcher.group(1));
        Duration asked = switch (matcher.group(2)) {
            case "H" -> Duration.ofHours(amount);
            case "M" -> Duration.ofMinutes(amount);
            case "S" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMillis(amount);
            case "u" -> Duration.ofNanos(amount * 1_000);
            default -> Duration.ofNanos(amount);
        };
        return asked.compareTo(longest) > 0 ? longest : asked;
    }

    static boolean wantsEvents(HttpHeaders headers) {
        return headers.getAll(HttpHeaderNames.ACCEPT).stream()
                .anyMatch(accept -> accept.toLowerCase(Locale.ROOT).contains("text/event-stream"));
    }

    static Metadata toMetadata(HttpHeaders headers) {
        Metadata metadata = new Metadata();
        for (Map.Entry<String, String> header : headers) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (name.startsWith(METADATA)) {
                put(metadata, name.substring(METADATA.length()), header.getValue());
            }
        }
        return metadata;
    }

    private static void put(Metadata metadata, String key, String value) {
        if (!KEY.matcher(key).matches()) {
            throw HttpError.badRequest("bad metadata key in header " + METADATA + TargetName.clipped(key)
                    + "; letters, digits, underscore, dot and hyphen");
        }
        if (key.startsWith("grpc-")) {
            throw HttpError.badRequest(
                    "header " + METADATA + key + ": metadata keys that start with grpc- are reserved");
        }
        if (key.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
            metadata.put(Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER), base64(key, value));
            return;
        }
        if (!printable(value)) {
            throw HttpError.badRequest("header " + METADATA + key
                    + " is not printable ASCII; send bytes as base64 under a key that ends in -bin");
        }
        metadata.put(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER), value);
    }

    private static byte[] base64(String key, String value) {
        try {
            return Base64.getDecoder().decode(value);
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest("header " + METADATA + key + " is not base64: " + e.getMessage());
        }
    }

    /** Adds what a server sent, but for the protocol's own; binary values as base64, others where HTTP can carry them. */
    static void addTo(HttpHeaders headers, String prefix, Metadata metadata) {
        for (String key : metadata.keys()) {
            if (key.startsWith("grpc-") || key.equals("content-type")) {
                continue;
            }
            if (key.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                Iterable<byte[]> values = metadata.getAll(Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER));
                if (values != null) {
                    values.forEach(bytes ->
                            headers.add(prefix + key, Base64.getEncoder().encodeToString(bytes)));
                }
            } else {
                Iterable<String> values = metadata.getAll(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER));
                if (values != null) {
                    values.forEach(text -> {
                        if (printable(text)) {
                            headers.add(prefix + key, text);
                        }
                    });
                }
            }
        }
    }

    private static boolean printable(String text) {
        return text.chars().allMatch(c -> c >= 0x20 && c <= 0x7E);
    }
}
