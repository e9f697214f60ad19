package dev.caisson.store.engine;

import java.util.Arrays;

/** A key as a key of a map: equal by content. Immutable; the array is never written. */
public record Key(byte[] bytes) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Key key && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
    }
}
