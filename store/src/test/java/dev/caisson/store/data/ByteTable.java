package dev.caisson.store.data;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A table of plain byte arrays that counts comparisons. */
final class ByteTable extends Table<byte[]> {
    private final Hashing hashing;
    private final int hashMask;
    long comparisons;

    /** {@code hashMask} takes bits out of the hash, so that chains get long. */
    ByteTable(Hashing hashing, int hashMask) {
        this.hashing = hashing;
        this.hashMask = hashMask;
    }

    @Override
    protected boolean matches(byte[] item, byte[] bytes, int offset, int length) {
        comparisons++;
        return Arrays.equals(item, 0, item.length, bytes, offset, offset + length);
    }

    @Override
    protected int hash(byte[] item) {
        return hashing.hash(item, 0, item.length) & hashMask;
    }

    byte @Nullable [] find(byte[] key) {
        return find(key, 0, key.length, hash(key));
    }

    boolean add(byte[] key) {
        if (find(key) != null) {
            return false;
        }
        insert(key, hash(key));
        return true;
    }

    byte @Nullable [] replace(byte[] key) {
        long position = locate(key, 0, key.length, hash(key));
        return position < 0 ? null : replaceAt(position, key);
    }

    byte @Nullable [] remove(byte[] key) {
        long position = locate(key, 0, key.length, hash(key));
        return position < 0 ? null : removeAt(position);
    }
}
