package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/**
 * Encodes the header blocks of one connection (RFC 7541), field by field. Confined to the connection's thread; keeps no
 * reference to the buffers it writes.
 *
 * <ul>
 *   <li>A field that is in a table goes out as its index; the dynamic table is searched for the whole field only where the
 *       caller allows indexing, for the name always.
 *   <li>A string goes out Huffman-coded where that is shorter.
 *   <li>{@code authorization}, {@code proxy-authorization}, {@code cookie} and {@code set-cookie} are never indexed, here or
 *       behind any intermediary (section 7.1.3).
 *   <li>Encoded bytes may be sent again if {@link #version} was the same before and after they were made, and still is.
 * </ul>
 */
@SuppressWarnings("ReferenceEquality") // well-known names are one array each
public final class HpackEncoder {
    /** What the peer's decoder holds until its SETTINGS say otherwise (RFC 9113, section 6.5.2), bytes. */
    public static final int DEFAULT_TABLE_SIZE = 4096;

    private static final int INITIAL_SCRATCH_BYTES = 64;
    private static final int KEPT_SCRATCH_BYTES = 8 * 1024;

    private final int maxTableSize;
    private final DynamicTable table;
    private int smallestPending;
    private boolean updatePending;
    private long version;
    private byte[] scratch = new byte[INITIAL_SCRATCH_BYTES];

    /** @param maxTableSize what we are ready to spend on the table, bytes; the peer may allow less but not make us use more */
    public HpackEncoder(int maxTableSize) {
        if (maxTableSize < 0) {
            throw new IllegalArgumentException("a table size must not be negative: " + maxTableSize);
        }
        this.maxTableSize = maxTableSize;
        this.table = new DynamicTable(Math.min(maxTableSize, DEFAULT_TABLE_SIZE));
        this.smallestPending = table.capacity();
        this.updatePending = maxTableSize < DEFAULT_TABLE_SIZE;
    }

    /**
     * The peer's SETTINGS_HEADER_TABLE_SIZE, bytes; at most 2^32 - 1. Takes effect, and is told to the peer, at the
     * beginning of the next block (RFC 7541, section 4.2).
     */
    public void peerTableSize(long bytes) {
        int capacity = (int) Math.min(maxTableSize, bytes);
        if (capacity == table.capacity()) {
            return;
        }
        smallestPending = updatePending ? Math.min(smallestPending, capacity) : capacity;
        updatePending = true;
        table.capacity(capacity);
        version++;
    }

    /**
     * Changes whenever the dynamic table does, so that callers can keep the encoded bytes of a constant block: they are
     * good if the version was the same before and after encoding, as long as it stays so.
     */
    public long version() {
        return version;
    }

    /**
     * Begins a block: writes what the peer must know first. {@link #encode} does so by itself; only a caller that sends
     * kept bytes must call this before them.
     */
    public void begin(ByteBuf out) {
        if (!updatePending) {
            return;
        }
        updatePending = false;
        version++;
        if (smallestPending < table.capacity()) {
            integer(out, 0x20, 5, smallestPending);
        }
        integer(out, 0x20, 5, table.capacity());
    }

    /**
     * Appends one field.
     *
     * @param name lower case; comparing is fastest for the constants of {@link Header}
     * @param value any bytes
     * @param index whether the field may enter the dynamic table: yes for what comes again with the same value, no for what
     *     varies, which would only push the others out
     */
    public void encode(ByteBuf out, byte[] name, byte[] value, boolean index) {
        begin(out);
        byte[] interned = Header.intern(name);
        int nameIndex = StaticTable.indexOf(interned);
        if (nameIndex != 0) {
            for (int i = nameIndex; i <= StaticTable.LENGTH; i++) {
                HpackEntry entry = StaticTable.get(i);
                if (entry.name != interned) {
                    break;
                }
                if (Arrays.equals(entry.value, value)) {
                    integer(out, 0x80, 7, i);
                    return;
                }
            }
        }
        if (neverIndexed(interned)) {
            literal(out, 0x10, 4, nameIndex, interned, value);
            return;
        }
        int length = table.length();
        if (index || nameIndex == 0) {
            for (int i = 0; i < length; i++) {
                HpackEntry entry = table.get(i);
                if (entry.name != interned && !Arrays.equals(entry.name, interned)) {
                    continue;
                }
                if (index && Arrays.equals(entry.value, value)) {
                    integer(out, 0x80, 7, StaticTable.LENGTH + 1 + i);
                    return;
                }
                if (nameIndex == 0) {
                    nameIndex = StaticTable.LENGTH + 1 + i;
                }
            }
        }
        if (index && name.length + value.length + HpackEntry.OVERHEAD_BYTES <= table.capacity()) {
            literal(out, 0x40, 6, nameIndex, interned, value);
            table.add(new HpackEntry(interned == name ? name.clone() : interned, value.clone(), Header.REGULAR, true));
            version++;
        } else {
            literal(out, 0x00, 4, nameIndex, interned, value);
        }
    }

    private static boolean neverIndexed(byte[] interned) {
        return interned == Header.AUTHORIZATION
                || interned == Header.PROXY_AUTHORIZATION
                || interned == Header.COOKIE
                || interned == Header.SET_COOKIE;
    }

    /** RFC 7541, section 6.2. */
    private void literal(ByteBuf out, int pattern, int prefixBits, int nameIndex, byte[] name, byte[] value) {
        integer(out, pattern, prefixBits, nameIndex);
        if (nameIndex == 0) {
            string(out, name);
        }
        string(out, value);
    }

    /** RFC 7541, section 5.2. */
    private void string(ByteBuf out, byte[] value) {
        int encoded = Huffman.encodedLength(value);
        if (encoded >= value.length) {
            integer(out, 0x00, 7, value.length);
            out.writeBytes(value);
            return;
        }
        integer(out, 0x80, 7, encoded);
        if (scratch.length < encoded) {
            scratch = new byte[Math.max(encoded, 2 * scratch.length)];
        }
        out.writeBytes(scratch, 0, Huffman.encode(value, scratch));
        if (scratch.length > KEPT_SCRATCH_BYTES) {
            scratch = new byte[INITIAL_SCRATCH_BYTES];
        }
    }

    /** RFC 7541, section 5.1. */
    private static void integer(ByteBuf out, int pattern, int prefixBits, int value) {
        int max = (1 << prefixBits) - 1;
        if (value < max) {
            out.writeByte(pattern | value);
            return;
        }
        out.writeByte(pattern | max);
        int rest = value - max;
        while (rest >= 0x80) {
            out.writeByte((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.writeByte(rest);
    }
}
