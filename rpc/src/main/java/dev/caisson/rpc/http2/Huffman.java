package dev.caisson.rpc.http2;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The Huffman code of HPACK (RFC 7541, appendix B). */
final class Huffman {
    /* Implementation note. The code is canonical: codes of one length are consecutive and ordered by symbol, so the
     * lengths alone define it. Codes of up to FAST_BITS bits (all of letters, digits and common punctuation) decode by
     * one look-up; longer ones by comparing with the first code of each length. */

    /** No code is shorter than 5 bits, so n bytes never decode to more than this. */
    static int maxDecodedLength(int encodedLength) {
        return (int) Math.min(Integer.MAX_VALUE - 8, encodedLength * 8L / 5);
    }

    private static final int FAST_BITS = 8;
    private static final int MAX_BITS = 30;
    private static final int EOS = 256;
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN)
            .withInvokeExactBehavior();

    private static final byte[] LENGTHS = {
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
        28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
        6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22,
        20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23,
        23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22,
        22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26,
        27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27,
        26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30
    };

    private static final int[] CODES = new int[EOS + 1];
    private static final short[] FAST = new short[1 << FAST_BITS]; // length << 8 | symbol; 0: a longer code
    private static final int[] END_OF_LENGTH =
            new int[MAX_BITS + 1]; // first code beyond this length, left-aligned to 30
    private static final int[] FIRST_OF_LENGTH = new int[MAX_BITS + 1];
    private static final int[] RANK_OF_LENGTH = new int[MAX_BITS + 1];
    private static final short[] BY_RANK = new short[EOS + 1];

    static {
        int code = 0;
        int rank = 0;
        for (int length = 1; length <= MAX_BITS; length++) {
            code <<= 1;
            FIRST_OF_LENGTH[length] = code;
            RANK_OF_LENGTH[length] = rank;
            for (int symbol = 0; symbol <= EOS; symbol++) {
                if (LENGTHS[symbol] == length) {
                    CODES[symbol] = code;
                    BY_RANK[rank++] = (short) symbol;
                    if (length <= FAST_BITS) {
                        int free = FAST_BITS - length;
                        for (int i = 0; i < 1 << free; i++) {
                            FAST[(code << free) | i] = (short) ((length << 8) | symbol);
                        }
                    }
                    code++;
                }
            }
            END_OF_LENGTH[length] = code << (MAX_BITS - length);
        }
    }

    private Huffman() {}

    /**
     * Decodes {@code length} bytes into {@code out}, which must have room for {@link #maxDecodedLength}.
     *
     * @return the number of bytes written, or -1 for an end-of-string symbol or padding that is not a prefix of it shorter
     *     than a byte (RFC 7541, section 5.2)
     */
    static int decode(byte[] in, int from, int length, byte[] out) {
        long bits = 0;
        int count = 0; // the lowest count bits of bits are still to decode
        int at = from;
        int end = from + length;
        int written = 0;
        while (true) {
            if (count < MAX_BITS) {
                if (end - at >= 4) {
                    bits = (bits << 32) | ((int) INT.get(in, at) & 0xffffffffL);
                    at += 4;
                    count += 32;
                } else {
                    while (at < end) {
                        bits = (bits << 8) | (in[at++] & 0xff);
                        count += 8;
                    }
                    if (count < MAX_BITS) {
                        return finish(bits, count, out, written);
                    }
                }
            }
            do {
                int fast = FAST[(int) (bits >>> (count - FAST_BITS)) & ((1 << FAST_BITS) - 1)];
                if (fast != 0) {
                    out[written++] = (byte) fast;
                    count -= fast >> 8;
                } else {
                    int window = (int) (bits >>> (count - MAX_BITS)) & ((1 << MAX_BITS) - 1);
                    int codeLength = lengthOf(window);
                    int symbol = symbol(window, codeLength);
                    if (symbol == EOS) {
                        return -1;
                    }
                    out[written++] = (byte) symbol;
                    count -= codeLength;
                }
            } while (count >= MAX_BITS);
        }
    }

    /* The last bits, fewer than the longest code: fills up with ones, as the padding does. */
    private static int finish(long bits, int count, byte[] out, int soFar) {
        int written = soFar;
        int left = count;
        while (left > 0) {
            int free = MAX_BITS - left;
            int window = ((int) (bits << free) | ((1 << free) - 1)) & ((1 << MAX_BITS) - 1);
            int codeLength = lengthOf(window);
            if (codeLength > left) {
                // no whole code: must be padding, all ones and shorter than a byte
                return left < 8 && window == (1 << MAX_BITS) - 1 ? written : -1;
            }
            out[written++] = (byte) symbol(window, codeLength);
            left -= codeLength;
        }
        return written;
    }

    private static int lengthOf(int window) {
        int length = 5;
        while (length < MAX_BITS && window >= END_OF_LENGTH[length]) {
            length++;
        }
        return length;
    }

    private static int symbol(int window, int codeLength) {
        int code = window >>> (MAX_BITS - codeLength);
        return BY_RANK[RANK_OF_LENGTH[codeLength] + code - FIRST_OF_LENGTH[codeLength]];
    }

    /** How many bytes {@code value} takes encoded. */
    static int encodedLength(byte[] value) {
        long bits = 0;
        for (byte b : value) {
            bits += LENGTHS[b & 0xff];
        }
        return (int) ((bits + 7) >>> 3);
    }

    /** Encodes {@code value} to the start of {@code out}, which must have room for {@link #encodedLength}. */
    static int encode(byte[] value, byte[] out) {
        long bits = 0;
        int count = 0;
        int written = 0;
        for (byte b : value) {
            int symbol = b & 0xff;
            bits = (bits << LENGTHS[symbol]) | CODES[symbol];
            count += LENGTHS[symbol];
            while (count >= 8) {
                count -= 8;
                out[written++] = (byte) (bits >>> count);
            }
        }
        if (count > 0) {
            out[written++] = (byte) ((bits << (8 - count)) | (0xff >>> count));
        }
        return written;
    }
}
