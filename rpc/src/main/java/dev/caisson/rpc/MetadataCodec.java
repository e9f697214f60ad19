package dev.caisson.rpc;

import dev.caisson.rpc.http2.Header;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HpackEncoder;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Between header lists and {@link Metadata}, {@link Status}, timeouts: the text forms of gRPC over HTTP/2. Stateless.
 *
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md">gRPC over HTTP2</a>
 */
final class MetadataCodec {
    static final byte[] APPLICATION_GRPC = ascii("application/grpc");
    static final byte[] ZERO = ascii("0");
    private static final byte[][] CODES = new byte[17][];

    static {
        for (int i = 0; i < CODES.length; i++) {
            CODES[i] = ascii(Integer.toString(i));
        }
    }

    private MetadataCodec() {}

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    static boolean isBinary(byte[] name) {
        int n = name.length;
        return n >= 4 && name[n - 4] == '-' && name[n - 3] == 'b' && name[n - 2] == 'i' && name[n - 1] == 'n';
    }

    // ---- in

    /** All regular headers, binary ones decoded, lists of binary values taken apart. */
    static Metadata metadata(HeaderBlock headers) {
        byte[][] raw = headers.metadata();
        int used = raw.length;
        byte[][] pairs = null;
        int n = 0;
        for (int i = 0; i < used; i += 2) {
            byte[] name = raw[i];
            byte[] value = raw[i + 1];
            if (!isBinary(name)) {
                if (pairs != null) {
                    pairs = put(pairs, n, name, value);
                }
                n += 2;
                continue;
            }
            if (pairs == null) {
                pairs = Arrays.copyOf(raw, used + 8);
            }
            int from = 0;
            for (int at = 0; at <= value.length; at++) {
                if (at == value.length || value[at] == ',') {
                    pairs = put(pairs, n, name, decodeBase64(value, from, at));
                    n += 2;
                    from = at + 1;
                }
            }
        }
        if (pairs == null) {
            pairs = Arrays.copyOf(raw, used + 2);
        }
        return InternalMetadata.newMetadata(n / 2, pairs);
    }

    private static byte[][] put(byte[][] pairs, int at, byte[] name, byte[] value) {
        byte[][] room = at + 2 <= pairs.length ? pairs : Arrays.copyOf(pairs, pairs.length * 2 + 2);
        room[at] = name;
        room[at + 1] = value;
        return room;
    }

    /** With or without padding; what is not Base64 becomes empty, as a value cannot be refused by itself. */
    private static byte[] decodeBase64(byte[] value, int from, int to) {
        byte[] part = Arrays.copyOfRange(value, from, to);
        try {
            return Base64.getDecoder().decode(part);
        } catch (IllegalArgumentException e) {
            return new byte[0];
        }
    }

    /** The status in trailers, or null if there is no grpc-status. */
    static @Nullable Status status(HeaderBlock trailers) {
        byte[] code = trailers.value(Header.GRPC_STATUS);
        if (code == null) {
            return null;
        }
        Status status = Status.fromCodeValue(number(code));
        byte[] message = trailers.value(Header.GRPC_MESSAGE);
        return message == null ? status : status.withDescription(percentDecode(message));
    }

    private static int number(byte[] digits) {
        int n = 0;
        for (byte d : digits) {
            if (d < '0' || d > '9' || n > 100_000) {
                return Status.Code.UNKNOWN.value();
            }
            n = n * 10 + d - '0';
        }
        return digits.length == 0 ? Status.Code.UNKNOWN.value() : n;
    }

    /** What gRPC makes of an HTTP status where a proxy answered (http-grpc-status-mapping.md). */
    static Status fromHttp(int code) {
        Status.Code grpc = switch (code) {
            case 400, 431 -> Status.Code.INTERNAL;
            case 401 -> Status.Code.UNAUTHENTICATED;
            case 403 -> Status.Code.PERMISSION_DENIED;
            case 404 -> Status.Code.UNIMPLEMENTED;
            case 429, 502, 503, 504 -> Status.Code.UNAVAILABLE;
            default -> Status.Code.UNKNOWN;
        };
        return grpc.toStatus().withDescription("HTTP status code " + code);
    }

    /** Nanoseconds of a grpc-timeout value: up to eight digits and a unit. -1 if it is not one. */
    static long timeoutNanos(byte[] value) {
        int digits = value.length - 1;
        if (digits < 1 || digits > 8) {
            return -1;
        }
        long n = 0;
        for (int i = 0; i < digits; i++) {
            int d = value[i] - '0';
            if (d < 0 || d > 9) {
                return -1;
            }
            n = n * 10 + d;
        }
        return switch (value[digits]) {
            case 'n' -> n;
            case 'u' -> n * 1_000;
            case 'm' -> n * 1_000_000;
            case 'S' -> n * 1_000_000_000;
            case 'M' -> TimeUnit.MINUTES.toNanos(n);
            case 'H' -> TimeUnit.HOURS.toNanos(n);
            default -> -1;
        };
    }

    /** The shortest form that loses no more than the eight digits force, at least one nanosecond. */
    static byte[] timeout(long nanos) {
        long limit = 100_000_000;
        long n = Math.max(1, nanos);
        if (n < limit) {
            return ascii(n + "n");
        }
        if (n / 1_000 < limit) {
            return ascii(n / 1_000 + "u");
        }
        if (n / 1_000_000 < limit) {
            return ascii(n / 1_000_000 + "m");
        }
        if (n / 1_000_000_000 < limit) {
            return ascii(n / 1_000_000_000 + "S");
        }
        return ascii(Math.min(limit - 1, TimeUnit.NANOSECONDS.toMinutes(n)) + "M");
    }

    static String percentDecode(byte[] value) {
        int escapes = 0;
        for (byte b : value) {
            if (b == '%') {
                escapes++;
            }
        }
        if (escapes == 0) {
            return new String(value, StandardCharsets.UTF_8);
        }
        byte[] out = new byte[value.length];
        int n = 0;
        for (int i = 0; i < value.length; i++) {
            if (value[i] == '%' && i + 2 < value.length) {
                int high = Character.digit(value[i + 1], 16);
                int low = Character.digit(value[i + 2], 16);
                if (high >= 0 && low >= 0) {
                    out[n++] = (byte) (high << 4 | low);
                    i += 2;
                    continue;
                }
            }
            out[n++] = value[i];
        }
        return new String(out, 0, n, StandardCharsets.UTF_8);
    }

    static byte[] percentEncode(String message) {
        byte[] utf8 = message.getBytes(StandardCharsets.UTF_8);
        int escapes = 0;
        for (byte b : utf8) {
            if (mustEscape(b)) {
                escapes++;
            }
        }
        if (escapes == 0) {
            return utf8;
        }
        byte[] out = new byte[utf8.length + 2 * escapes];
        int n = 0;
        for (byte b : utf8) {
            if (mustEscape(b)) {
                out[n++] = '%';
                out[n++] = (byte) Character.toUpperCase(Character.forDigit((b >> 4) & 0xf, 16));
                out[n++] = (byte) Character.toUpperCase(Character.forDigit(b & 0xf, 16));
            } else {
                out[n++] = b;
            }
        }
        return out;
    }

    private static boolean mustEscape(byte b) {
        return b < ' ' || b >= '~' + 1 || b == '%';
    }

    // ---- out

    /** Appends user metadata; names that belong to the protocol are left out. */
    static void write(HpackEncoder encoder, ByteBuf out, Metadata metadata) {
        if (InternalMetadata.headerCount(metadata) == 0) {
            return;
        }
        byte[][] pairs = InternalMetadata.serialize(metadata);
        for (int i = 0; i < pairs.length; i += 2) {
            byte[] name = pairs[i];
            byte[] value = pairs[i + 1];
            if (reserved(name)) {
                continue;
            }
            encoder.encode(
                    out,
                    name,
                    isBinary(name) ? Base64.getEncoder().withoutPadding().encode(value) : value,
                    false);
        }
    }

    private static boolean reserved(byte[] name) {
        if (name.length == 0 || name[0] == ':') {
            return true;
        }
        if (name.length > 5 && name[0] == 'g' && name[1] == 'r' && name[2] == 'p' && name[3] == 'c' && name[4] == '-') {
            // grpc-status-details-bin and the tracing names are carried as the user gave them
            return Arrays.equals(name, Header.GRPC_STATUS)
                    || Arrays.equals(name, Header.GRPC_MESSAGE)
                    || Arrays.equals(name, Header.GRPC_TIMEOUT)
                    || Arrays.equals(name, Header.GRPC_ENCODING)
                    || Arrays.equals(name, Header.GRPC_ACCEPT_ENCODING);
        }
        return Arrays.equals(name, Header.CONTENT_TYPE)
                || Arrays.equals(name, Header.TE)
                || Arrays.equals(name, Header.USER_AGENT);
    }

    /** Appends grpc-status, grpc-message and the trailers. */
    static void writeStatus(HpackEncoder encoder, ByteBuf out, Status status, Metadata trailers) {
        encoder.encode(out, Header.GRPC_STATUS, CODES[status.getCode().value()], status.isOk());
        String message = status.getDescription();
        if (message != null) {
            encoder.encode(out, Header.GRPC_MESSAGE, percentEncode(message), false);
        }
        write(encoder, out, trailers);
    }
}
