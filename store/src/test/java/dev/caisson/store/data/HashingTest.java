package dev.caisson.store.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HashingTest {
    /** Lengths and hashes of the bytes 0, 1, 2 ... under the zero key, as CPython 3.11 computes them (its hash is SipHash-1-3). */
    private static final long[][] FROM_PYTHON = {
        {1, 0x68a914128e01e473L},
        {2, 0x010bac45c41e3669L},
        {3, 0x4d4c9a4a8ef6e0adL},
        {7, 0x2f098ab0c751325aL},
        {8, 0xead411e67ebe2eeaL},
        {9, 0x75927f9d95124362L},
        {15, 0xf30eb725bb91c9eaL},
        {16, 0x8972188433a5c5b7L},
        {31, 0x169739443111d49bL},
        {63, 0x385d3e39e5f37359L}
    };

    private static final long K0 = 0x0706050403020100L;
    private static final long K1 = 0x0f0e0d0c0b0a0908L;

    @Test
    void agreesWithPythonsHash() {
        for (long[] vector : FROM_PYTHON) {
            byte[] message = counting((int) vector[0]);
            assertThat(Hashing.digest(message, 0, message.length))
                    .as("%d bytes", vector[0])
                    .isEqualTo(vector[1]);
        }
    }

    @Test
    void agreesWithThePlainFormOfThePaperUnderAnyKey() {
        assertThat(plain(2, 4, K0, K1, counting(15)))
                .as("the paper's own example of 2-4, appendix A")
                .isEqualTo(0xa129ca6149be45e5L);
        Hashing hashing = new Hashing(K0, K1);
        for (int length = 0; length < 200; length++) {
            byte[] message = counting(length);
            assertThat(hashing.longHash(message, 0, length)).isEqualTo(plain(1, 3, K0, K1, message));
        }
    }

    @Test
    void looksAtTheSliceOnly() {
        Hashing hashing = new Hashing(K0, K1);
        byte[] large = counting(100);
        for (int offset = 0; offset < 40; offset++) {
            byte[] alone = new byte[37];
            System.arraycopy(large, offset, alone, 0, 37);
            assertThat(hashing.hash(large, offset, 37)).isEqualTo(hashing.hash(alone, 0, 37));
        }
    }

    /** Consecutive numbers are the commonest keys: they must fall into the buckets as by chance (chi squared). */
    @Test
    void spreadsConsecutiveNumbersEvenly() {
        long seed = System.nanoTime();
        Hashing hashing = Hashing.seeded(new Random(seed));
        int buckets = 1024;
        int keys = 1024 * 100;
        int[] counts = new int[buckets];
        for (int i = 0; i < keys; i++) {
            byte[] key = ("user:" + i).getBytes(StandardCharsets.US_ASCII);
            counts[hashing.hash(key, 0, key.length) & (buckets - 1)]++;
        }
        double chi = 0;
        for (int count : counts) {
            chi += (count - 100.0) * (count - 100.0) / 100;
        }
        // 1023 degrees of freedom: mean 1023, deviation 45; nine deviations to each side.
        assertThat(chi).as("seed %d", seed).isBetween(620.0, 1430.0);
    }

    @Test
    void anotherKeyIsAnotherHash() {
        byte[] message = counting(16);
        assertThat(new Hashing(K0, K1 ^ 1).longHash(message, 0, 16))
                .isNotEqualTo(new Hashing(K0, K1).longHash(message, 0, 16));
    }

    private static byte[] counting(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    /** SipHash-c-d written down as the paper's section 2 does. */
    private static long plain(int c, int d, long k0, long k1, byte[] message) {
        long[] v = {
            k0 ^ 0x736f6d6570736575L, k1 ^ 0x646f72616e646f6dL, k0 ^ 0x6c7967656e657261L, k1 ^ 0x7465646279746573L
        };
        ByteBuffer padded = ByteBuffer.allocate(message.length / 8 * 8 + 8).order(ByteOrder.LITTLE_ENDIAN);
        padded.put(message).position(0);
        padded.put(padded.limit() - 1, (byte) message.length);
        while (padded.hasRemaining()) {
            long word = padded.getLong();
            v[3] ^= word;
            rounds(v, c);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        rounds(v, d);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
    }

    private static void rounds(long[] v, int count) {
        for (int i = 0; i < count; i++) {
            v[0] += v[1];
            v[2] += v[3];
            v[1] = Long.rotateLeft(v[1], 13) ^ v[0];
            v[3] = Long.rotateLeft(v[3], 16) ^ v[2];
            v[0] = Long.rotateLeft(v[0], 32);
            v[2] += v[1];
            v[0] += v[3];
            v[1] = Long.rotateLeft(v[1], 17) ^ v[2];
            v[3] = Long.rotateLeft(v[3], 21) ^ v[0];
            v[2] = Long.rotateLeft(v[2], 32);
        }
    }
}
