package dev.caisson.store.data;

/** What a key other than a string holds. Belongs to the owner of its shard. */
public interface Value {
    /** Redis's name of the type, as TYPE answers: {@code hash}, {@code list}, {@code set}, {@code zset}, {@code stream}. */
    String type();

    /** Redis's name of the encoding, as OBJECT ENCODING answers. */
    String encoding();

    /** How many elements it has; a key whose value has none is removed, but for streams. */
    int size();

    /** Heap bytes, by our own bookkeeping, in constant time. */
    long memory();

    /** A value of its own with the same content. */
    Value copy();

    /** The same for the same content, whatever its history, form and process. O(size). */
    long digest();
}
