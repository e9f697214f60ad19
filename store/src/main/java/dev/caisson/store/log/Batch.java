package dev.caisson.store.log;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Records that one event loop collects and then hands to the log in one go: {@link #begin}, {@link #put} as often as it
 * needs, {@link #end}, for each record; then {@link Log#append}, which leaves it empty and ready for the next ones.
 *
 * <p>Belongs to one thread. Its buffer travels to the log's thread and comes back when the bytes are safe.
 */
public final class Batch {
    private static final int FIRST_BYTES = 4 << 10;
    /** A larger buffer is left to the collector instead of being used again. */
    private static final int SPARE_BYTES_MAX = 1 << 20;

    private static final int LENGTH_MAX = Integer.MAX_VALUE - 64;

    private final AtomicReference<byte @Nullable []> spare = new AtomicReference<>();
    private byte[] bytes = new byte[FIRST_BYTES];
    private int length;
    private int count;
    private int begun = -1;

    /** An empty batch. */
    public Batch() {}

    /** Begins a record: the wall clock in milliseconds, and the seed of whatever is random in it. */
    public void begin(long millis, long seed) {
        if (begun >= 0) {
            throw new IllegalStateException("a record was begun and not ended");
        }
        int at = length;
        room(Segment.RECORD_HEADER);
        Binary.putLong(bytes, at + Segment.MILLIS, millis);
        Binary.putLong(bytes, at + Segment.SEED, seed);
        length = at + Segment.RECORD_HEADER;
        begun = at;
    }

    /** Adds to the payload of the record that was begun. */
    public void put(byte[] from, int offset, int bytesToPut) {
        if (begun < 0) {
            throw new IllegalStateException("no record was begun");
        }
        room(bytesToPut);
        System.arraycopy(from, offset, bytes, length, bytesToPut);
        length += bytesToPut;
    }

    /** Ends the record; one without payload is dropped. */
    public void end() {
        int payload = length - begun - Segment.RECORD_HEADER;
        if (begun < 0) {
            throw new IllegalStateException("no record was begun");
        }
        if (payload == 0) {
            length = begun;
        } else {
            Binary.putInt(bytes, begun + Segment.LENGTH, payload);
            count++;
        }
        begun = -1;
    }

    /** How many records it holds. */
    public int count() {
        return count;
    }

    /** How many bytes they take in the log. */
    public int length() {
        return length;
    }

    private void room(int more) {
        int needed = length + more;
        if (needed < 0 || needed > LENGTH_MAX) {
            throw new IllegalStateException("a batch of more than " + LENGTH_MAX + " bytes; hand it over earlier");
        }
        if (needed > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(LENGTH_MAX, Math.max(needed, bytes.length * 2L)));
        }
    }

    /** Takes the records out. */
    Ticket take(long nanos) {
        if (begun >= 0 || count == 0) {
            throw new IllegalStateException(
                    count == 0 ? "there is nothing to append" : "a record was begun and not ended");
        }
        Ticket ticket = new Ticket(this, new Ticket.Records(bytes, length, count), nanos);
        byte[] next = spare.getAndSet(null);
        bytes = next == null ? new byte[FIRST_BYTES] : next;
        length = 0;
        count = 0;
        return ticket;
    }

    /** Gives a buffer back, on the log's thread. */
    void giveBack(byte[] buffer) {
        if (buffer.length <= SPARE_BYTES_MAX) {
            spare.lazySet(buffer);
        }
    }
}
