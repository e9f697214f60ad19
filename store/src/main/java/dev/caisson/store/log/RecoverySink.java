package dev.caisson.store.log;

/**
 * Where recovery puts what it reads: first the blocks of one snapshot, then the records after it, in their order. Called by
 * the opening thread only. An exception ends the recovery and is what {@link Log#open} throws.
 */
public interface RecoverySink {
    /** A block of a snapshot: whole commands in RESP. The array is used again after the call. */
    void block(byte[] bytes, int offset, int length);

    /** A record. It is used again after the call. */
    void apply(LogRecord logged);
}
