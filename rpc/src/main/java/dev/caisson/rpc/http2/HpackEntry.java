package dev.caisson.rpc.http2;

/** One field of the static or of a dynamic table, with what its checks found, so that they run once. */
final class HpackEntry {
    /** What an entry costs beyond its bytes (RFC 7541, section 4.1). */
    static final int OVERHEAD_BYTES = 32;

    final byte[] name;
    final byte[] value;
    final int kind;
    final boolean validValue;
    final int size;

    HpackEntry(byte[] name, byte[] value, int kind) {
        this(name, value, kind, Header.validValue(value));
    }

    HpackEntry(byte[] name, byte[] value, int kind, boolean validValue) {
        this.name = name;
        this.value = value;
        this.kind = kind;
        this.validValue = validValue;
        this.size = name.length + value.length + OVERHEAD_BYTES;
    }
}
