package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.Numbers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;

/** The argument vector of a watched query: what it is, whatever its fingerprint. Immutable. */
final class Vector {
    private final byte[][] parts;
    private final int hash;

    /** The command's name in upper case, then the arguments from {@code from} on. */
    Vector(Command command, Args args, int from) {
        parts = new byte[1 + args.count() - from][];
        parts[0] = command.name.toUpperCase(Locale.ROOT).getBytes(StandardCharsets.ISO_8859_1);
        for (int i = from; i < args.count(); i++) {
            parts[1 + i - from] = args.copy(i);
        }
        hash = Arrays.deepHashCode(parts);
    }

    /** 16 lower-case hexadecimal digits of the CRC-64 of all parts, joined by one space: a label, not the identity. */
    String fingerprint() {
        long crc = 0;
        byte[] space = {' '};
        for (int i = 0; i < parts.length; i++) {
            crc = i == 0 ? crc : Numbers.crc64(crc, space, 0, 1);
            crc = Numbers.crc64(crc, parts[i], 0, parts[i].length);
        }
        return HexFormat.of().toHexDigits(crc);
    }

    Args args() {
        return Args.of(parts);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Vector vector && Arrays.deepEquals(parts, vector.parts);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
