package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;

/**
 * A header list on its way out. Called when its frame is written, never before, because HPACK's table depends on the
 * order of blocks on the wire.
 */
@FunctionalInterface
public interface HeaderWriter {
    /** Appends the encoded block to {@code out}. */
    void write(HpackEncoder encoder, ByteBuf out);
}
