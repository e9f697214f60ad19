package dev.caisson.rpc;

import dev.caisson.rpc.http2.HeaderWriter;
import dev.caisson.rpc.http2.HpackEncoder;
import io.netty.buffer.ByteBuf;

/**
 * A header list that is always the same on its connection, kept encoded for as long as HPACK's table stays as it is.
 *
 * <p>Confined to the connection's loop.
 */
final class KeptBlock implements HeaderWriter {
    private final HeaderWriter fields;
    private byte[] block = {};
    /** Of the encoder's table, when {@link #block} was made; -1 for never. */
    private long version = -1;

    /** @param fields writes the list, with the same names and values each time */
    KeptBlock(HeaderWriter fields) {
        this.fields = fields;
    }

    @Override
    public void write(HpackEncoder encoder, ByteBuf out) {
        encoder.begin(out);
        long before = encoder.version();
        if (version == before) {
            out.writeBytes(block);
            return;
        }
        int start = out.writerIndex();
        fields.write(encoder, out);
        if (before == encoder.version()) {
            byte[] bytes = new byte[out.writerIndex() - start];
            out.getBytes(start, bytes);
            block = bytes;
            version = before;
        }
    }
}
