package dev.caisson.store.log;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The format of a segment: a {@link FileHeader} with the index of the first record, then records.
 *
 * <pre>
 *   0        4        8       16       20       28      36
 *   | CRC32C | length | index | behind | millis | seed  | payload, `length` bytes
 * </pre>
 *
 * All numbers are big-endian. The checksum is over the salt and all that follows it. {@code behind} is the record's index
 * less the index that was durable when it was written: a record thus proves that those up to {@code index - behind} were
 * forced once, which tells damage from a tail that a loss of power tore. A record of length 0 is the seal of a log that was
 * closed in order: everything before it was forced.
 */
final class Segment {
    static final byte[] MAGIC = "CAISSLOG".getBytes(StandardCharsets.US_ASCII);
    static final int CRC = 0;
    static final int LENGTH = 4;
    static final int INDEX = 8;
    static final int BEHIND = 16;
    static final int MILLIS = 20;
    static final int SEED = 28;
    static final int RECORD_HEADER = 36;

    private static final String PREFIX = "log-";
    private static final String SUFFIX = ".seg";
    private static final int DIGITS = 20;

    private Segment() {}

    static String name(long first) {
        return PREFIX + digits(first) + SUFFIX;
    }

    static String digits(long index) {
        String digits = Long.toString(index);
        return "0".repeat(DIGITS - digits.length()) + digits;
    }

    /** The segments among these names, by the index of their first record. */
    static NavigableMap<Long, String> among(Collection<String> names) {
        return numbered(names, PREFIX, SUFFIX);
    }

    static NavigableMap<Long, String> numbered(Collection<String> names, String prefix, String suffix) {
        NavigableMap<Long, String> found = new TreeMap<>();
        for (String name : names) {
            if (name.length() == prefix.length() + DIGITS + suffix.length()
                    && name.startsWith(prefix)
                    && name.endsWith(suffix)) {
                String digits = name.substring(prefix.length(), prefix.length() + DIGITS);
                if (digits.matches("0\\d{19}")) {
                    found.put(Long.parseLong(digits), name);
                }
            }
        }
        return found;
    }

    /** Completes records as a {@link Batch} left them: gives them indices from {@code first} on, and their checksums. */
    static void stamp(Ticket.Records records, long first, long durable, byte[] salt) {
        byte[] bytes = records.bytes();
        long index = first;
        for (int at = 0; at < records.length(); index++) {
            int length = Binary.intAt(bytes, at + LENGTH);
            stampOne(bytes, at, index, durable, salt);
            at += RECORD_HEADER + length;
        }
    }

    private static void stampOne(byte[] bytes, int at, long index, long durable, byte[] salt) {
        Binary.putLong(bytes, at + INDEX, index);
        Binary.putInt(bytes, at + BEHIND, (int) Math.min(Integer.MAX_VALUE, index - durable));
        Binary.putInt(bytes, at + CRC, checksum(bytes, at, salt));
    }

    static int checksum(byte[] bytes, int at, byte[] salt) {
        return Binary.crc(salt, bytes, at + LENGTH, RECORD_HEADER - LENGTH + Binary.intAt(bytes, at + LENGTH));
    }

    /** The seal after the record {@code last}. */
    static byte[] seal(long last, byte[] salt) {
        byte[] bytes = new byte[RECORD_HEADER];
        stampOne(bytes, 0, last + 1, last, salt);
        return bytes;
    }
}
