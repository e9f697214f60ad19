package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the header blocks of one connection (RFC 7541). Confined to the connection's thread; keeps no reference to the
 * buffers it reads.
 *
 * <ul>
 *   <li>A block that broke the compression leaves the tables of both sides apart: {@link Http2Exception} with
 *       COMPRESSION_ERROR, for the connection, after which the decoder is of no use.
 *   <li>A list longer than the limit does not: the block is read to its end for the sake of the table, its fields beyond
 *       the limit are dropped ({@link HeaderBlock#tooLarge}).
 *   <li>Work and memory are in proportion to the bytes given, whatever they say; what is kept between blocks is bounded by
 *       the table's size, {@link #CACHED_BLOCKS} and {@link #CACHED_LITERALS}.
 * </ul>
 */
public final class HpackDecoder {
    /* Implementation note. Two caches make the usual case cheap. Clients send the same blocks over and over, but seldom
     * all indexed (nghttp2 sends :path as a Huffman literal each time):
     *   blocks:   encoded block -> HeaderBlock, if the block does not change the table. One that refers to the dynamic
     *             table is good for the state of the table it was decoded in.
     *   literals: encoded string -> decoded bytes.
     * Both look at four places: what collides more is replaced, so a peer that provokes collisions gets misses, nothing
     * worse. A block or string is admitted when it comes for the second time; what never comes again (a trace id) costs no
     * copy. */

    /** How many whole blocks are remembered; a power of two. */
    static final int CACHED_BLOCKS = 64;

    /** Longer blocks are not remembered, bytes. */
    static final int MAX_CACHED_BLOCK_BYTES = 512;

    /** How many strings are remembered; a power of two. */
    static final int CACHED_LITERALS = 64;

    /** Longer strings are not remembered, encoded bytes. */
    static final int MAX_CACHED_LITERAL_BYTES = 128;

    /** A larger scratch buffer is given up after the block that needed it, bytes. */
    static final int KEPT_SCRATCH_BYTES = 16 * 1024;

    private static final int STATIC_ONLY = -1;
    private static final int INITIAL_SCRATCH_BYTES = 512;
    private static final int MAX_INTEGER_BYTES = 5;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN)
            .withInvokeExactBehavior();

    private final DynamicTable table;
    private final HeaderBlock.Collector collector;
    private int maxTableSize;
    private boolean sizeUpdateRequired;
    private int tableVersion;

    private byte[] block = new byte[INITIAL_SCRATCH_BYTES];
    private byte[] text = new byte[INITIAL_SCRATCH_BYTES];
    private int at;
    private int end;
    private boolean mutated;
    private boolean dynamicUsed;

    // the string read last
    private byte[] string = text;
    private int stringKind;
    private boolean stringValid;

    private final Cache<CachedBlock> blocks = new Cache<>(CACHED_BLOCKS);
    private final Cache<CachedLiteral> literals = new Cache<>(CACHED_LITERALS);

    /**
     * @param maxTableSize what our SETTINGS_HEADER_TABLE_SIZE says, bytes; 4096 unless announced otherwise
     * @param maxHeaderListSize the longest list to accept, bytes as RFC 7541, section 4.1 counts them
     */
    public HpackDecoder(int maxTableSize, int maxHeaderListSize) {
        if (maxTableSize < 0 || maxHeaderListSize < 0) {
            throw new IllegalArgumentException(
                    "sizes must not be negative: table " + maxTableSize + ", header list " + maxHeaderListSize);
        }
        this.maxTableSize = maxTableSize;
        this.table = new DynamicTable(maxTableSize);
        this.collector = new HeaderBlock.Collector(maxHeaderListSize);
    }

    /**
     * The peer acknowledged a SETTINGS_HEADER_TABLE_SIZE of this many bytes. If it is less than the table may hold now, the
     * next block must begin by saying so (RFC 7541, section 4.2).
     */
    public void maxTableSize(int newMax) {
        if (newMax < 0) {
            throw new IllegalArgumentException("a table size must not be negative: " + newMax);
        }
        maxTableSize = newMax;
        if (newMax < table.capacity()) {
            sizeUpdateRequired = true;
        }
    }

    /**
     * Decodes one whole block: {@code length} bytes of {@code in} from its reader index, which moves behind them whatever
     * happens.
     *
     * @throws Http2Exception COMPRESSION_ERROR, for the connection
     */
    public HeaderBlock decode(ByteBuf in, int length) throws Http2Exception {
        if (block.length < length) {
            block = new byte[Math.max(length, 2 * block.length)];
        }
        in.readBytes(block, 0, length);
        boolean cacheable = length <= MAX_CACHED_BLOCK_BYTES && !sizeUpdateRequired;
        int hash = 0;
        if (cacheable) {
            hash = hash(block, 0, length, 0);
            CachedBlock cached = blocks.find(hash, 0, block, 0, length);
            if (cached != null && (cached.version == STATIC_ONLY || cached.version == tableVersion)) {
                return cached.block;
            }
        }
        at = 0;
        end = length;
        mutated = false;
        dynamicUsed = false;
        HeaderBlock decoded;
        try {
            parse();
            decoded = collector.take();
        } finally {
            collector.reset();
            if (block.length > KEPT_SCRATCH_BYTES) {
                block = new byte[INITIAL_SCRATCH_BYTES];
            }
            if (text.length > KEPT_SCRATCH_BYTES) {
                text = new byte[INITIAL_SCRATCH_BYTES];
            }
        }
        if (cacheable && !mutated && !decoded.tooLarge() && blocks.seenBefore(hash)) {
            int version = dynamicUsed ? tableVersion : STATIC_ONLY;
            blocks.put(new CachedBlock(hash, Arrays.copyOf(block, length), version, decoded));
        }
        return decoded;
    }

    /** RFC 7541, section 6. */
    private void parse() throws Http2Exception {
        boolean fieldSeen = false;
        while (at < end) {
            int b = block[at++];
            if (b < 0) { // 1xxxxxxx: indexed field (6.1)
                add(entry(integer(b, 0x7f)));
                fieldSeen = true;
            } else if ((b & 0x40) != 0) { // 01xxxxxx: literal with incremental indexing (6.2.1)
                literal(integer(b, 0x3f), true);
                fieldSeen = true;
            } else if ((b & 0x20) != 0) { // 001xxxxx: table size update (6.3)
                if (fieldSeen) {
                    throw broken("a table size update behind a field (RFC 7541, 4.2)");
                }
                resize(integer(b, 0x1f));
            } else { // 0000xxxx, 0001xxxx: literal without indexing, never indexed (6.2.2, 6.2.3)
                literal(integer(b, 0x0f), false);
                fieldSeen = true;
            }
            if (fieldSeen && sizeUpdateRequired) {
                throw broken("no table size update after the size was lowered to " + maxTableSize + " (RFC 7541, 4.2)");
            }
        }
    }

    private void add(HpackEntry entry) {
        collector.add(entry.name, entry.value, entry.kind, entry.validValue);
    }

    private HpackEntry entry(int index) throws Http2Exception {
        if (index <= StaticTable.LENGTH) {
            if (index == 0) {
                throw broken("index 0 (RFC 7541, 6.1)");
            }
            return StaticTable.get(index);
        }
        int dynamic = index - StaticTable.LENGTH - 1;
        if (dynamic >= table.length()) {
            throw broken("index " + index + " beyond the table's " + (StaticTable.LENGTH + table.length()));
        }
        dynamicUsed = true;
        return table.get(dynamic);
    }

    private void literal(int nameIndex, boolean indexing) throws Http2Exception {
        if (collector.tooLarge() && !indexing) {
            if (nameIndex == 0) {
                skipString();
            } else {
                entry(nameIndex);
            }
            skipString();
            return;
        }
        byte[] name;
        int kind;
        if (nameIndex == 0) {
            string(true);
            name = string;
            kind = stringKind;
        } else {
            HpackEntry entry = entry(nameIndex);
            name = entry.name;
            kind = entry.kind;
        }
        string(false);
        if (!indexing) {
            collector.add(name, string, kind, stringValid);
            return;
        }
        HpackEntry entry = new HpackEntry(name, string, kind, stringValid);
        table.add(entry);
        tableChanged();
        add(entry);
    }

    private void resize(int size) throws Http2Exception {
        if (size > maxTableSize) {
            throw broken("a table size of " + size + " where " + maxTableSize + " was allowed (RFC 7541, 6.3)");
        }
        table.capacity(size);
        sizeUpdateRequired = false;
        tableChanged();
    }

    private void tableChanged() {
        mutated = true;
        tableVersion = (tableVersion + 1) & Integer.MAX_VALUE;
    }

    private void skipString() throws Http2Exception {
        if (at >= end) {
            throw broken("the block ends inside a field");
        }
        int b = block[at++];
        at += stringLength(b);
    }

    private int stringLength(int firstByte) throws Http2Exception {
        int length = integer(firstByte, 0x7f);
        if (length > end - at) {
            throw broken("a string of " + length + " bytes where the block has " + (end - at) + " left");
        }
        return length;
    }

    /** RFC 7541, section 5.2. Leaves the string and what its checks found in the fields. */
    private void string(boolean isName) throws Http2Exception {
        if (at >= end) {
            throw broken("the block ends inside a field");
        }
        int first = block[at++];
        int length = stringLength(first);
        int from = at;
        at += length;
        boolean huffman = first < 0;
        if (length > MAX_CACHED_LITERAL_BYTES) {
            decode(from, length, huffman, isName);
            return;
        }
        int seed = (huffman ? 1 : 0) | (isName ? 2 : 0);
        int hash = hash(block, from, length, seed);
        CachedLiteral cached = literals.find(hash, seed, block, from, length);
        if (cached != null) {
            string = cached.decoded;
            stringKind = cached.kind;
            stringValid = cached.valid;
            return;
        }
        decode(from, length, huffman, isName);
        if (literals.seenBefore(hash)) {
            byte[] encoded = huffman ? Arrays.copyOfRange(block, from, from + length) : string;
            literals.put(new CachedLiteral(hash, seed, encoded, string, stringKind, stringValid));
        }
    }

    private void decode(int from, int length, boolean huffman, boolean isName) throws Http2Exception {
        byte[] bytes = block;
        int start = from;
        int decoded = length;
        if (huffman) {
            int room = Huffman.maxDecodedLength(length);
            if (text.length < room) {
                text = new byte[Math.max(room, 2 * text.length)];
            }
            decoded = Huffman.decode(block, from, length, text);
            if (decoded < 0) {
                throw broken("a Huffman string that ends wrongly (RFC 7541, 5.2)");
            }
            bytes = text;
            start = 0;
        }
        if (!isName) {
            string = Arrays.copyOfRange(bytes, start, start + decoded);
            stringValid = Header.validValue(string);
            return;
        }
        int id = Header.find(bytes, start, decoded);
        if (id >= 0) {
            string = Header.name(id);
            stringKind = Header.kind(id);
        } else {
            string = Arrays.copyOfRange(bytes, start, start + decoded);
            stringKind = Header.validName(string) ? Header.REGULAR : Header.BAD_NAME;
        }
    }

    /** RFC 7541, section 5.1. Values beyond an int are a decoding error, as the section allows. */
    private int integer(int firstByte, int mask) throws Http2Exception {
        int value = firstByte & mask;
        if (value < mask) {
            return value;
        }
        long sum = mask;
        for (int i = 0; i < MAX_INTEGER_BYTES; i++) {
            if (at >= end) {
                throw broken("the block ends inside an integer");
            }
            int b = block[at++];
            sum += (b & 0x7fL) << (7 * i);
            if (b >= 0) {
                if (sum > Integer.MAX_VALUE) {
                    break;
                }
                return (int) sum;
            }
        }
        throw broken("an integer beyond 2^31 - 1 (RFC 7541, 5.1)");
    }

    private static Http2Exception broken(String what) {
        return Http2Exception.connection(ErrorCode.COMPRESSION_ERROR, "header block: " + what);
    }

    private static int hash(byte[] bytes, int from, int length, int seed) {
        long h = length * 0x9E3779B97F4A7C15L + seed;
        int i = from;
        for (int last = from + length - Long.BYTES; i <= last; i += Long.BYTES) {
            h = (h ^ (long) LONG.get(bytes, i)) * 0xff51afd7ed558ccdL;
            h ^= h >>> 32;
        }
        long tail = 0;
        for (int to = from + length; i < to; i++) {
            tail = (tail << 8) | (bytes[i] & 0xff);
        }
        h = (h ^ tail) * 0xc4ceb9fe1a85ec53L;
        int folded = (int) ((h >>> 32) ^ (h >>> 17));
        return folded == 0 ? 1 : folded; // 0 is "nothing seen"
    }

    /** Something known by its encoded bytes; {@code tag} tells apart what the same bytes may mean. */
    private abstract static class Cached {
        final int hash;
        final int tag;
        final byte[] encoded;

        Cached(int hash, int tag, byte[] encoded) {
            this.hash = hash;
            this.tag = tag;
            this.encoded = encoded;
        }
    }

    private static final class CachedBlock extends Cached {
        final int version;
        final HeaderBlock block;

        CachedBlock(int hash, byte[] encoded, int version, HeaderBlock block) {
            super(hash, 0, encoded);
            this.version = version;
            this.block = block;
        }
    }

    private static final class CachedLiteral extends Cached {
        final byte[] decoded;
        final int kind;
        final boolean valid;

        CachedLiteral(int hash, int tag, byte[] encoded, byte[] decoded, int kind, boolean valid) {
            super(hash, tag, encoded);
            this.decoded = decoded;
            this.kind = kind;
            this.valid = valid;
        }
    }

    /** A fixed number of entries in sets of four, the newest of a set first. Takes no memory before its first use. */
    private static final class Cache<E extends Cached> {
        private static final int WAYS = 4;

        private final int size;
        private @Nullable Cached @Nullable [] entries;
        private int @Nullable [] seen;

        Cache(int size) {
            this.size = size;
        }

        @SuppressWarnings("unchecked") // only put writes
        @Nullable
        E find(int hash, int tag, byte[] bytes, int from, int length) {
            @Nullable Cached[] all = entries;
            if (all == null) {
                return null;
            }
            int first = hash & (size - WAYS);
            for (int i = first; i < first + WAYS; i++) {
                Cached entry = all[i];
                if (entry == null) {
                    return null;
                }
                if (entry.hash == hash
                        && entry.tag == tag
                        && Arrays.equals(entry.encoded, 0, entry.encoded.length, bytes, from, from + length)) {
                    return (E) entry;
                }
            }
            return null;
        }

        /** Whether this hash was here lately; notes it if not. */
        boolean seenBefore(int hash) {
            int[] all = seen;
            if (all == null) {
                all = seen = new int[size];
            }
            int first = hash & (size - WAYS);
            for (int i = first; i < first + WAYS; i++) {
                if (all[i] == hash) {
                    return true;
                }
            }
            System.arraycopy(all, first, all, first + 1, WAYS - 1);
            all[first] = hash;
            return false;
        }

        void put(E entry) {
            @Nullable Cached[] all = entries;
            if (all == null) {
                all = entries = new @Nullable Cached[size];
            }
            int first = entry.hash & (size - WAYS);
            System.arraycopy(all, first, all, first + 1, WAYS - 1);
            all[first] = entry;
        }
    }
}
