package dev.caisson.store.log;

/**
 * One record, as a reader shows it: the reader uses it again for the next one, so nobody keeps it.
 *
 * <p>A record is what one piece of work changed, in whatever shards: commands in RESP, with everything resolved that would
 * come out otherwise the second time.
 */
public final class LogRecord {
    private long index;
    private long millis;
    private long seed;
    private byte[] bytes = new byte[0];
    private int offset;
    private int length;

    LogRecord() {}

    void show(byte[] header, int at) {
        index = Binary.longAt(header, at + Segment.INDEX);
        millis = Binary.longAt(header, at + Segment.MILLIS);
        seed = Binary.longAt(header, at + Segment.SEED);
        bytes = header;
        offset = at + Segment.RECORD_HEADER;
        length = Binary.intAt(header, at + Segment.LENGTH);
    }

    /** Its place in the order of all records, from 1. */
    public long index() {
        return index;
    }

    /** The wall clock when it was made, in milliseconds since 1970. */
    public long millis() {
        return millis;
    }

    /** The seed of whatever was random. */
    public long seed() {
        return seed;
    }

    /** The array that the payload lies in. */
    public byte[] bytes() {
        return bytes;
    }

    /** Where the payload begins. */
    public int offset() {
        return offset;
    }

    /** How long the payload is, in bytes. */
    public int length() {
        return length;
    }

    @Override
    public String toString() {
        return "record " + index + " (" + length + " bytes)";
    }
}
