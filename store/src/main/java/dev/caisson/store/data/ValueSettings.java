package dev.caisson.store.data;

/**
 * What the values of a shard share: the hash of their tables, and the sizes up to which a value keeps its compact form,
 * named in Redis as the settings beside each. A value keeps the settings it was made with.
 *
 * @param hashing the keyed hash
 * @param hashMaxPackedEntries hash-max-listpack-entries: fields
 * @param hashMaxPackedBytes hash-max-listpack-value: bytes of a field or a value
 * @param setMaxIntegers set-max-intset-entries: members
 * @param setMaxPackedEntries set-max-listpack-entries: members
 * @param setMaxPackedBytes set-max-listpack-value: bytes of a member
 * @param sortedSetMaxPackedEntries zset-max-listpack-entries: members
 * @param sortedSetMaxPackedBytes zset-max-listpack-value: bytes of a member
 * @param listMaxChunkBytes list-max-listpack-size -2: bytes of a chunk; a larger element stands alone
 * @param streamMaxBlockEntries stream-node-max-entries: entries of a block
 * @param streamMaxBlockBytes stream-node-max-bytes: bytes of a block; a larger entry stands alone
 */
public record ValueSettings(
        Hashing hashing,
        int hashMaxPackedEntries,
        int hashMaxPackedBytes,
        int setMaxIntegers,
        int setMaxPackedEntries,
        int setMaxPackedBytes,
        int sortedSetMaxPackedEntries,
        int sortedSetMaxPackedBytes,
        int listMaxChunkBytes,
        int streamMaxBlockEntries,
        int streamMaxBlockBytes) {

    /** Redis's own sizes. */
    public static ValueSettings standard(Hashing hashing) {
        return new ValueSettings(hashing, 512, 64, 512, 128, 64, 128, 64, 8 * 1024, 100, 4 * 1024);
    }
}
