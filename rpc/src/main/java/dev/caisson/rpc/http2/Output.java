package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;

/**
 * Where an {@link Http2Connection} puts the bytes it wants sent. The connection never flushes: whoever drives it does so
 * once per read burst or queue drain.
 *
 * <p>Thread-safety: called on the connection's thread only.
 */
public interface Output {
    /**
     * The buffer of the current burst, with room for at least {@code bytes} more. The caller appends to it and keeps no
     * reference past its own frame. The output owns the buffer.
     */
    ByteBuf buffer(int bytes);

    /** Sends {@code data} after all that was appended so far. Ownership of {@code data} passes to the output. */
    void write(ByteBuf data);

    /** False while the peer does not take bytes off our hands: DATA then waits in its stream, other frames go on. */
    boolean writable();

    /** Bytes handed over and not yet taken by the transport. */
    long pendingBytes();
}
