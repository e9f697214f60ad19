package dev.caisson.store.data;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/**
 * The keyed hash of the store's tables: SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, with
 * one round per word and three at the end).
 *
 * <p>Why this one: keys come from strangers, and without a secret key anybody can send a million keys of one bucket.
 * SipHash is built for short inputs under such attack; the 1-3 variant is the one that Rust's and Python's tables use, at
 * about 60 % of the time of 2-4. Faster functions of today (wyhash, xxHash3) have published collisions that need no
 * seed. Immutable; any thread.
 */
public final class Hashing {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN)
            .withInvokeExactBehavior();
    private static final Hashing UNKEYED = new Hashing(0, 0);

    private final long k0;
    private final long k1;

    /** A hash with the given 128-bit key: its bytes 0-7 and 8-15, read little-endian. */
    public Hashing(long k0, long k1) {
        this.k0 = k0;
        this.k1 = k1;
    }

    /** A hash with a key drawn from {@code random}, which should be a secure one where keys come from strangers. */
    public static Hashing seeded(RandomGenerator random) {
        return new Hashing(random.nextLong(), random.nextLong());
    }

    /** The hash of a slice, for {@link Table}: the low half of {@link #longHash}. */
    public int hash(byte[] bytes, int offset, int length) {
        return (int) longHash(bytes, offset, length);
    }

    /** All 64 bits of the hash of a slice. */
    public long longHash(byte[] bytes, int offset, int length) {
        return sip(k0, k1, bytes, offset, length);
    }

    /** The hash of a slice under the all-zero key: the same in every process, hence for digests, never for tables. */
    static long digest(byte[] bytes, int offset, int length) {
        return UNKEYED.longHash(bytes, offset, length);
    }

    /** Spreads every bit of {@code x} over all bits (the finaliser of SplitMix64); a bijection. */
    static long mix(long x) {
        long y = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
        y = (y ^ (y >>> 27)) * 0x94d049bb133111ebL;
        return y ^ (y >>> 31);
    }

    private static long sip(long k0, long k1, byte[] bytes, int offset, int length) {
        long v0 = k0 ^ 0x736f6d6570736575L;
        long v1 = k1 ^ 0x646f72616e646f6dL;
        long v2 = k0 ^ 0x6c7967656e657261L;
        long v3 = k1 ^ 0x7465646279746573L;
        int end = offset + (length & ~7);
        int words = (length >>> 3) + 1;
        int at = offset;
        // The words of the message, then the last one (what is left, and the length in its top byte), then 3 rounds.
        for (int i = 0; i < words + 3; i++) {
            long word = 0;
            if (at < end) {
                word = (long) LONG.get(bytes, at);
                at += 8;
            } else if (i < words) {
                word = rest(bytes, at, length & 7) | ((long) length << 56);
            } else if (i == words) {
                v2 ^= 0xff;
            }
            v3 ^= word;
            v0 += v1;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v3;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v2 = Long.rotateLeft(v2, 32);
            v0 ^= word;
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static long rest(byte[] bytes, int at, int count) {
        long word = 0;
        for (int i = count - 1; i >= 0; i--) {
            word = (word << 8) | (bytes[at + i] & 0xff);
        }
        return word;
    }
}
