package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.IdentityHashMap;

/** The static table (RFC 7541, appendix A). Index 1 to 61, as on the wire. */
final class StaticTable {
    static final int LENGTH = 61;

    private static final byte[] EMPTY = new byte[0];
    private static final HpackEntry[] ENTRIES = new HpackEntry[LENGTH + 1];
    private static final IdentityHashMap<byte[], Integer> FIRST_BY_NAME = new IdentityHashMap<>();
    private static int filled;

    static {
        add(":authority");
        add(":method", "GET", "POST");
        add(":path", "/", "/index.html");
        add(":scheme", "http", "https");
        add(":status", "200", "204", "206", "304", "400", "404", "500");
        add("accept-charset");
        add("accept-encoding", "gzip, deflate");
        for (String name : Header.STATIC_NAMES.split(" ")) {
            add(name);
        }
        if (filled != LENGTH) {
            throw new AssertionError("the static table has " + filled + " entries");
        }
    }

    private StaticTable() {}

    static HpackEntry get(int index) {
        return ENTRIES[index];
    }

    /** The lowest index with this name, which must be interned; 0 if there is none. */
    static int indexOf(byte[] internedName) {
        Integer index = FIRST_BY_NAME.get(internedName);
        return index == null ? 0 : index;
    }

    private static void add(String name, String... values) {
        byte[] interned = Header.intern(name.getBytes(ISO_8859_1));
        FIRST_BY_NAME.put(interned, filled + 1);
        if (values.length == 0) {
            ENTRIES[++filled] = new HpackEntry(interned, EMPTY, Header.kindOf(interned));
        }
        for (String value : values) {
            ENTRIES[++filled] = new HpackEntry(interned, value.getBytes(ISO_8859_1), Header.kindOf(interned));
        }
    }
}
