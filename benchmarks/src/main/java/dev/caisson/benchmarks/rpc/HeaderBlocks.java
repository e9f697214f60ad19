package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;

/**
 * Request header blocks (RFC 7541), encoded once. The first of a connection puts what repeats into the dynamic table;
 * later ones name it by index, and carry the deadline as a literal that differs from call to call, as real clients'
 * deadlines do: a server must not gain by having seen the same block before.
 */
final class HeaderBlocks {
    private static final int TIMEOUTS = 64;

    /** Static table: 1 :authority, 4 :path /, 31 content-type, 58 user-agent. */
    private static final int AUTHORITY = 1;

    private static final int PATH = 4;
    private static final int CONTENT_TYPE = 31;
    private static final int USER_AGENT = 58;

    /** Dynamic indices after {@link #first(String)}: the newest entry is 62. */
    private static final int DYNAMIC_TIMEOUT = 62;

    private static final int DYNAMIC_OLDEST = 68;

    private HeaderBlocks() {}

    static byte[] first(String path) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(0x83); // :method POST
        out.write(0x86); // :scheme http
        indexed(out, PATH, "", path);
        indexed(out, AUTHORITY, "", "127.0.0.1");
        indexed(out, CONTENT_TYPE, "", "application/grpc");
        indexed(out, 0, "te", "trailers");
        indexed(out, USER_AGENT, "", "caisson-bench/1");
        indexed(out, 0, "caller", "bench");
        indexed(out, 0, "grpc-timeout", "30S");
        return out.toByteArray();
    }

    /** Blocks for every call but the first, to be used in turn. */
    static byte[][] later() {
        byte[][] blocks = new byte[TIMEOUTS][];
        for (int i = 0; i < TIMEOUTS; i++) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.write(0x83);
            out.write(0x86);
            for (int index = DYNAMIC_OLDEST; index > DYNAMIC_TIMEOUT; index--) {
                out.write(0x80 | index);
            }
            out.write(0x0f); // literal without indexing, name by index: 4 bits, then the rest (section 5.1)
            out.write(DYNAMIC_TIMEOUT - 15);
            string(out, (29_999_013 - i * 1_009) + "u");
            blocks[i] = out.toByteArray();
        }
        return blocks;
    }

    /** Section 6.2.1, literal with incremental indexing. */
    private static void indexed(ByteArrayOutputStream out, int nameIndex, String name, String value) {
        out.write(0x40 | nameIndex);
        if (nameIndex == 0) {
            string(out, name);
        }
        string(out, value);
    }

    private static void string(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(US_ASCII);
        if (bytes.length > 126) {
            throw new IllegalArgumentException("longer than one length byte: " + text);
        }
        out.write(bytes.length);
        out.writeBytes(bytes);
    }
}
