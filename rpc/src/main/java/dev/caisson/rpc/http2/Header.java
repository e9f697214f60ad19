package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import java.util.List;

/**
 * Names of header fields that HTTP/2 and gRPC know. A decoder hands out these very arrays for these names, so a look-up
 * is a comparison of references. Nobody may write to them.
 */
public final class Header {
    /* Implementation note. Every well-known name has an id, its place in NAMES; kind(id) says which rule of RFC 9113
     * section 8 it falls under. find() is one hash and one comparison: the table is built once with open addressing. */

    // What a name means to the checks of HeaderBlock. Pseudo-header kinds are bits, for finding duplicates.
    static final int REGULAR = 0;
    static final int PSEUDO_METHOD = 1;
    static final int PSEUDO_SCHEME = 1 << 1;
    static final int PSEUDO_AUTHORITY = 1 << 2;
    static final int PSEUDO_PATH = 1 << 3;
    static final int PSEUDO_STATUS = 1 << 4;
    static final int PSEUDO = 0x1f;
    static final int CONNECTION_SPECIFIC = 1 << 5;
    static final int TRAILERS_ONLY_VALUE = 1 << 6;
    static final int BAD_NAME = 1 << 7;

    private static final int MAX_NAMES = 256; // a power of two, well above the number of names

    private static final byte[][] NAMES = new byte[MAX_NAMES / 2][];
    private static final int[] KINDS = new int[MAX_NAMES / 2];
    private static final byte[] IDS = new byte[MAX_NAMES]; // id + 1; 0 is free
    private static int names;

    public static final byte[] AUTHORITY = pseudo(":authority", PSEUDO_AUTHORITY);
    public static final byte[] METHOD = pseudo(":method", PSEUDO_METHOD);
    public static final byte[] PATH = pseudo(":path", PSEUDO_PATH);
    public static final byte[] SCHEME = pseudo(":scheme", PSEUDO_SCHEME);
    public static final byte[] STATUS = pseudo(":status", PSEUDO_STATUS);

    public static final byte[] ACCEPT = regular("accept");
    public static final byte[] ACCEPT_ENCODING = regular("accept-encoding");
    public static final byte[] AUTHORIZATION = regular("authorization");
    public static final byte[] CONTENT_ENCODING = regular("content-encoding");
    public static final byte[] CONTENT_LENGTH = regular("content-length");
    public static final byte[] CONTENT_TYPE = regular("content-type");
    public static final byte[] COOKIE = regular("cookie");
    public static final byte[] DATE = regular("date");
    public static final byte[] HOST = regular("host");
    public static final byte[] ORIGIN = regular("origin");
    public static final byte[] PROXY_AUTHORIZATION = regular("proxy-authorization");
    public static final byte[] SERVER = regular("server");
    public static final byte[] SET_COOKIE = regular("set-cookie");
    public static final byte[] TE = add("te", TRAILERS_ONLY_VALUE);
    public static final byte[] TRACEPARENT = regular("traceparent");
    public static final byte[] TRACESTATE = regular("tracestate");
    public static final byte[] USER_AGENT = regular("user-agent");

    public static final byte[] GRPC_ACCEPT_ENCODING = regular("grpc-accept-encoding");
    public static final byte[] GRPC_ENCODING = regular("grpc-encoding");
    public static final byte[] GRPC_MESSAGE = regular("grpc-message");
    public static final byte[] GRPC_MESSAGE_TYPE = regular("grpc-message-type");
    public static final byte[] GRPC_PREVIOUS_RPC_ATTEMPTS = regular("grpc-previous-rpc-attempts");
    public static final byte[] GRPC_RETRY_PUSHBACK_MS = regular("grpc-retry-pushback-ms");
    public static final byte[] GRPC_STATUS = regular("grpc-status");
    public static final byte[] GRPC_STATUS_DETAILS_BIN = regular("grpc-status-details-bin");
    public static final byte[] GRPC_TAGS_BIN = regular("grpc-tags-bin");
    public static final byte[] GRPC_TIMEOUT = regular("grpc-timeout");
    public static final byte[] GRPC_TRACE_BIN = regular("grpc-trace-bin");

    /* The names of the static table without a value (RFC 7541, appendix A), in its order. */
    static final String STATIC_NAMES = "accept-language accept-ranges accept access-control-allow-origin age allow"
            + " authorization cache-control content-disposition content-encoding content-language content-length"
            + " content-location content-range content-type cookie date etag expect expires from host if-match"
            + " if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards"
            + " proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie"
            + " strict-transport-security transfer-encoding user-agent vary via www-authenticate";

    static {
        // RFC 9113, section 8.2.2: fields that speak of one HTTP/1.1 connection have no place here.
        for (String name : List.of("connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade")) {
            add(name, CONNECTION_SPECIFIC);
        }
        regular("accept-charset");
        for (String name : STATIC_NAMES.split(" ")) {
            regular(name);
        }
    }

    private Header() {}

    /** The name as text, for messages. */
    public static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    /** The one array for this name: a constant of this class if the name is well known, else {@code name} itself. */
    public static byte[] intern(byte[] name) {
        int id = find(name, 0, name.length);
        return id < 0 ? name : NAMES[id];
    }

    /** The id of a well-known name, or -1. */
    static int find(byte[] bytes, int from, int length) {
        if (length == 0) {
            return -1;
        }
        for (int slot = slot(bytes, from, length); ; slot = (slot + 1) & (MAX_NAMES - 1)) {
            int id = IDS[slot] - 1;
            if (id < 0) {
                return -1;
            }
            byte[] name = NAMES[id];
            if (name.length == length && Arrays.equals(name, 0, length, bytes, from, from + length)) {
                return id;
            }
        }
    }

    static byte[] name(int id) {
        return NAMES[id];
    }

    static int kind(int id) {
        return KINDS[id];
    }

    /** Which rule a name falls under, well known or not. */
    static int kindOf(byte[] name) {
        int id = find(name, 0, name.length);
        return id >= 0 ? KINDS[id] : validName(name) ? REGULAR : BAD_NAME;
    }

    /**
     * RFC 9113, section 8.2.1: no upper case, nothing outside visible ASCII, no colon (the known pseudo-headers never
     * come here, and section 8.3 forbids all others); RFC 9110, section 5.1: not empty.
     */
    static boolean validName(byte[] name) {
        for (byte b : name) {
            if (b <= ' ' || b == 0x7f || b == ':' || (b >= 'A' && b <= 'Z')) {
                return false;
            }
        }
        return name.length > 0;
    }

    /**
     * RFC 9113, section 8.2.1: no NUL, LF or CR in a value. White space at either end is let through although the section
     * forbids it: grpc-java puts a status message on the wire with the spaces it has.
     */
    static boolean validValue(byte[] value) {
        for (byte b : value) {
            if (b <= '\r' && (b == 0 || b == '\n' || b == '\r')) {
                return false;
            }
        }
        return true;
    }

    private static byte[] add(String text, int kind) {
        byte[] name = text.getBytes(ISO_8859_1);
        int known = find(name, 0, name.length);
        if (known >= 0) {
            return NAMES[known];
        }
        int id = names++;
        NAMES[id] = name;
        KINDS[id] = kind;
        int slot = slot(name, 0, name.length);
        while (IDS[slot] != 0) {
            slot = (slot + 1) & (MAX_NAMES - 1);
        }
        IDS[slot] = (byte) (id + 1);
        return name;
    }

    private static byte[] regular(String text) {
        return add(text, REGULAR);
    }

    private static byte[] pseudo(String text, int kind) {
        return add(text, kind);
    }

    private static int slot(byte[] bytes, int from, int length) {
        int h = length
                + 31 * bytes[from]
                + 961 * bytes[from + length - 1]
                + 7 * bytes[from + (length >> 1)]
                + 131 * bytes[from + (length >> 2)];
        return (h ^ (h >>> 8)) & (MAX_NAMES - 1);
    }
}
