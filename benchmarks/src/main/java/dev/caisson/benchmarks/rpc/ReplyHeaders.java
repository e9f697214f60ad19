package dev.caisson.benchmarks.rpc;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.Arrays;

/**
 * Reads the header blocks of one connection's replies. A block that leaves the dynamic table alone reads the same until
 * the next one that does not, so the last few are remembered byte by byte; that keeps the load generator cheap while
 * every reply is still checked, whatever the server's encoder does.
 */
final class ReplyHeaders {
    static final int OK_200 = 1;
    static final int GRPC_OK = 2;
    private static final int REMEMBERED = 4;

    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);
    private final byte[][] blocks = new byte[REMEMBERED][];
    private final int[] verdicts = new int[REMEMBERED];
    private int remembered;
    private String odd = "";

    /** Which of {@link #OK_200} ({@code :status}) and {@link #GRPC_OK} ({@code grpc-status}) the block says. */
    int read(byte[] in, int from, int to) throws Http2Exception {
        for (int i = 0; i < Math.min(remembered, REMEMBERED); i++) {
            if (Arrays.equals(blocks[i], 0, blocks[i].length, in, from, to)) {
                return verdicts[i];
            }
        }
        ByteBuf block = Unpooled.wrappedBuffer(in, from, to - from);
        Http2Headers headers = decoder.decodeHeaders(1, block);
        int verdict = (contains(headers, ":status", "200") ? OK_200 : 0)
                | (contains(headers, "grpc-status", "0") ? GRPC_OK : 0);
        if (headers.contains("grpc-status") != ((verdict & GRPC_OK) != 0) && odd.isEmpty()) {
            odd = headers.toString();
        }
        if (changesTable(in, from, to)) {
            remembered = 0;
        } else {
            int slot = remembered++ % REMEMBERED;
            blocks[slot] = Arrays.copyOfRange(in, from, to);
            verdicts[slot] = verdict;
        }
        return verdict;
    }

    /** The first block with a grpc-status other than 0, for the error that follows from it; empty if there was none. */
    String odd() {
        return odd;
    }

    private static boolean contains(Http2Headers headers, String name, String value) {
        CharSequence found = headers.get(name);
        return found != null && value.contentEquals(found);
    }

    /** RFC 7541, section 6: 1xxxxxxx and 000xxxxx only read the dynamic table, 01xxxxxx and 001xxxxx change it. */
    private static boolean changesTable(byte[] in, int from, int to) {
        int at = from;
        while (at < to) {
            int first = in[at] & 0xff;
            if (first >= 0x80) {
                at = afterInteger(in, at, 7);
            } else if (first >= 0x20) {
                return true;
            } else {
                boolean nameFollows = (first & 0x0f) == 0;
                at = afterInteger(in, at, 4);
                at = nameFollows ? afterString(in, at) : at;
                at = afterString(in, at);
            }
        }
        return false;
    }

    private static int afterInteger(byte[] in, int at, int prefixBits) {
        int mask = (1 << prefixBits) - 1;
        int next = at + 1;
        if ((in[at] & mask) == mask) {
            while ((in[next] & 0x80) != 0) {
                next++;
            }
            next++;
        }
        return next;
    }

    private static int afterString(byte[] in, int at) {
        int length = in[at] & 0x7f;
        int next = at + 1;
        if (length == 0x7f) {
            int shift = 0;
            int read;
            do {
                read = in[next++] & 0xff;
                length += (read & 0x7f) << shift;
                shift += 7;
            } while ((read & 0x80) != 0);
        }
        return next + length;
    }
}
