package dev.caisson.store.data;

import java.nio.charset.StandardCharsets;
import java.util.Random;

/** Byte strings of the kinds that decide over a value's form: integers, short and long text, any bytes. */
final class Samples {
    private Samples() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] bytes, int offset, int length) {
        return new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
    }

    static String text(Slice slice) {
        return text(slice.bytes(), slice.offset(), slice.length());
    }

    /** An integer of 1 to 64 bits, one of {@code range} of each size. */
    static String integer(Random random, int range) {
        long small = random.nextInt(range) - range / 2;
        return Long.toString(
                switch (random.nextInt(4)) {
                    case 0 -> small;
                    case 1 -> small * 1_000;
                    case 2 -> small * 100_000_000L;
                    default -> small + (small < 0 ? Long.MIN_VALUE + range : Long.MAX_VALUE - range);
                });
    }

    /** Text that is no integer; {@code range} of them, of 0 to 70 bytes, or (rarely, if allowed) many more. */
    static String text(Random random, int range, boolean long_) {
        int i = random.nextInt(range);
        Random own = new Random(i * 31L);
        int length = long_ && own.nextInt(20) == 0 ? 65 + own.nextInt(9_000) : own.nextInt(50);
        StringBuilder text = new StringBuilder("t").append(i).append(':');
        for (int j = 0; j < length; j++) {
            text.append((char) own.nextInt(256));
        }
        return text.toString();
    }
}
