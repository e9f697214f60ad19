package dev.caisson.rpc;

import dev.caisson.rpc.http2.Http2Stream;
import io.grpc.Codec;
import io.grpc.Decompressor;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * A stream that carries gRPC messages, on either side: takes length-prefixed messages apart as the reader asks for them, and
 * gives bytes back to the peer's window as they are wanted.
 *
 * <p>Confined to the connection's loop.
 */
abstract class GrpcStream extends Http2Stream {
    /*
     * Received bytes that make no whole message yet, or that nobody asked for, wait in `pending`. Their window is given
     * back at once while the reader waits for a message, so that a message may be longer than the window; otherwise only
     * when the message is handed on: a reader that asks for nothing stops its peer after one window.
     */
    private final int maxMessage;
    private @Nullable Decompressor decompressor;
    private @Nullable ByteBuf pending;
    private int requested;
    private boolean ended;
    private boolean endTold;
    private boolean delivering;
    private boolean broken;
    private long received;
    private long returned;
    private long taken;

    GrpcStream(int maxMessage) {
        this.maxMessage = maxMessage;
    }

    /** A whole message, never more of them than were asked for. {@code wireBytes} is its length with prefix. */
    abstract void onMessage(MessageBytes message, int wireBytes);

    /** All messages were handed on, and the peer has ended its side. */
    abstract void onMessagesEnd();

    /** What came is not gRPC, or is too large. Nothing more is handed on. */
    abstract void onBadMessage(Status status);

    /** Bytes came that nobody will read. */
    void onUnwantedData(int length) {}

    /** What comes from now on is not looked at. */
    final void ignoreData() {
        broken = true;
        drop();
    }

    final void decompressor(Decompressor d) {
        decompressor = d;
    }

    /** Asks for {@code n} more messages. */
    final void request(int n) {
        requested = requested + n < 0 ? Integer.MAX_VALUE : requested + n;
        if (!delivering) {
            deliverPending();
        }
    }

    private void deliverPending() {
        ByteBuf p = pending;
        if (p != null && p.isReadable()) {
            deliver(p, p.readableBytes());
            trim();
        }
        afterDelivery();
    }

    @Override
    protected final void onData(ByteBuf data, int length, boolean end) {
        if (broken) {
            returnBytes(length);
            onUnwantedData(length);
            return;
        }
        received += length;
        ended |= end;
        ByteBuf p = pending;
        if (p != null && p.isReadable()) {
            p.writeBytes(data, data.readerIndex(), length);
            if (!delivering) {
                deliver(p, p.readableBytes());
                trim();
            }
        } else if (delivering) {
            keep(data, data.readerIndex(), length);
        } else {
            int start = data.readerIndex();
            int used = deliver(data, length);
            if (!broken && used < length) {
                keep(data, start + used, length - used);
            }
        }
        if (!delivering) {
            afterDelivery();
        }
    }

    /** The peer ended its side with a header list. */
    final void messagesEndHere() {
        ended = true;
        if (!delivering) {
            afterDelivery();
        }
    }

    private void keep(ByteBuf data, int from, int length) {
        ByteBuf p = pending;
        if (p == null) {
            p = data.alloc().buffer(Math.max(256, length));
            pending = p;
        }
        p.writeBytes(data, from, length);
    }

    private void trim() {
        ByteBuf p = pending;
        if (p != null) {
            if (p.isReadable()) {
                p.discardSomeReadBytes();
            } else {
                p.release();
                pending = null;
            }
        }
    }

    /** Hands on whole messages as far as asked for, and returns how many bytes that took; moves the reader index. */
    private int deliver(ByteBuf in, int length) {
        int used = 0;
        delivering = true;
        try {
            while (requested > 0 && length - used >= MessageFramer.PREFIX && !broken && !closed()) {
                int at = in.readerIndex();
                int flag = in.getByte(at);
                long size = in.getUnsignedInt(at + 1);
                if (!acceptable(flag, size)) {
                    return used;
                }
                int whole = MessageFramer.PREFIX + (int) size;
                if (length - used < whole) {
                    break;
                }
                byte[] bytes = new byte[(int) size];
                in.getBytes(at + MessageFramer.PREFIX, bytes);
                in.readerIndex(at + whole);
                used += whole;
                requested--;
                took(whole);
                MessageBytes message = flag == 0 ? new MessageBytes(bytes) : decompress(bytes);
                if (message == null) {
                    return used;
                }
                onMessage(message, whole);
            }
        } finally {
            delivering = false;
        }
        return used;
    }

    private void took(int bytes) {
        taken += bytes;
        if (taken > returned) {
            int more = (int) (taken - returned);
            returned = taken;
            returnBytes(more);
        }
    }

    private void afterDelivery() {
        if (broken || closed()) {
            drop();
            return;
        }
        if (requested > 0 && received > returned) {
            int more = (int) (received - returned);
            returned = received;
            returnBytes(more);
        }
        if (ended && !endTold) {
            ByteBuf p = pending;
            if (p == null || !p.isReadable()) {
                endTold = true;
                onMessagesEnd();
            } else if (p.readableBytes() < MessageFramer.PREFIX
                    || p.readableBytes() < MessageFramer.PREFIX + p.getUnsignedInt(p.readerIndex() + 1)) {
                fail(Status.INTERNAL.withDescription("the stream ended in the middle of a message"));
            }
        }
    }

    private boolean acceptable(int flag, long size) {
        if (flag != 0 && flag != 1) {
            fail(Status.INTERNAL.withDescription("not a gRPC message: its first byte is " + (flag & 0xff)));
            return false;
        }
        if (flag == 1 && (decompressor == null || decompressor == Codec.Identity.NONE)) {
            fail(Status.INTERNAL.withDescription("a compressed message, and no grpc-encoding was named"));
            return false;
        }
        if (size > maxMessage) {
            fail(Status.RESOURCE_EXHAUSTED.withDescription(
                    "gRPC message exceeds maximum size " + maxMessage + ": " + size));
            return false;
        }
        return true;
    }

    private @Nullable MessageBytes decompress(byte[] bytes) {
        Decompressor d = decompressor;
        if (d == null) {
            throw new IllegalStateException("checked before");
        }
        try (InputStream in = d.decompress(new MessageBytes(bytes))) {
            ByteArrayOutputStream plain = new ByteArrayOutputStream(Math.max(64, bytes.length * 2));
            byte[] piece = new byte[8192];
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                if (plain.size() + n > maxMessage) {
                    fail(Status.RESOURCE_EXHAUSTED.withDescription(
                            "Decompressed gRPC message exceeds maximum size " + maxMessage));
                    return null;
                }
                plain.write(piece, 0, n);
            }
            return new MessageBytes(plain.toByteArray());
        } catch (IOException | RuntimeException e) {
            fail(Status.INTERNAL
                    .withDescription(
                            "the message cannot be decompressed with " + d.getMessageEncoding() + ": " + e.getMessage())
                    .withCause(e));
            return null;
        }
    }

    private void fail(Status status) {
        if (!broken) {
            broken = true;
            drop();
            onBadMessage(status);
        }
    }

    private void drop() {
        if (pending != null && !delivering) {
            pending.release();
            pending = null;
        }
    }

    @Override
    protected void onClosed() {
        broken = true;
        drop();
    }
}
