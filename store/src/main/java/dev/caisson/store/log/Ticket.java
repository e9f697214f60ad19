package dev.caisson.store.log;

import org.jspecify.annotations.Nullable;

/** A batch on its way through the log, with the indices it was given. */
final class Ticket {
    /** Records one after another, without index and checksum. */
    record Records(byte[] bytes, int length, int count) {}

    private final @Nullable Batch from;
    /** When it was appended, by the log's monotonic clock. */
    final long nanos;

    /* Written before the ticket is published, by its appender; `records` and `before` afterwards by the log's thread only. */
    long first;
    long last;

    @Nullable
    Ticket before;

    private @Nullable Records records;

    Ticket(@Nullable Batch from, @Nullable Records records, long nanos) {
        this.from = from;
        this.records = records;
        this.nanos = nanos;
    }

    Records records() {
        Records now = records;
        if (now == null) {
            throw new IllegalStateException("the records up to " + last + " were given back");
        }
        return now;
    }

    /** Lets go of the bytes; the ticket itself may stay the tail of the queue for a while. */
    void release() {
        Records now = records;
        records = null;
        if (now != null && from != null) {
            from.giveBack(now.bytes());
        }
    }
}
