package dev.caisson.rpc;

import io.grpc.Codec;
import io.grpc.Compressor;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * Makes length-prefixed messages: one byte that tells whether it is compressed, four of length, the message. Stateless, any
 * thread.
 *
 * @see <a href="https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md">gRPC over HTTP2, Length-Prefixed-Message</a>
 */
final class MessageFramer {
    static final int PREFIX = 5;
    /** Up to this a frame is a plain array, which is copied into the burst; above it comes from the pool. */
    static final int SMALL = 2048;

    private MessageFramer() {}

    /**
     * Reads {@code message} to its end, closes it, and returns it framed; the caller owns the buffer.
     *
     * @throws io.grpc.StatusRuntimeException RESOURCE_EXHAUSTED if the message is longer than {@code maxBytes}; INTERNAL if
     *     the stream cannot be read
     */
    static ByteBuf frame(InputStream message, Compressor compressor, int maxBytes, ByteBufAllocator allocator) {
        try (message) {
            if (compressor != Codec.Identity.NONE) {
                return compressed(message, compressor, maxBytes);
            }
            if (message instanceof KnownLength) {
                return known(message, message.available(), maxBytes, allocator);
            }
            Sink sink = new Sink(256);
            sink.writePrefix();
            drain(message, sink);
            checkLength(sink.size() - PREFIX, maxBytes);
            return sink.finish(false);
        } catch (IOException | RuntimeException e) {
            if (e instanceof io.grpc.StatusRuntimeException known) {
                throw known;
            }
            throw Status.INTERNAL
                    .withDescription("the message cannot be serialized: " + e.getMessage())
                    .withCause(e)
                    .asRuntimeException();
        }
    }

    private static ByteBuf known(InputStream message, int length, int maxBytes, ByteBufAllocator allocator)
            throws IOException {
        checkLength(length, maxBytes);
        if (length <= SMALL) {
            Exact exact = new Exact(new byte[PREFIX + length]);
            exact.prefix(length);
            drain(message, exact);
            return Unpooled.wrappedBuffer(exact.bytes);
        }
        ByteBuf out = allocator.buffer(PREFIX + length);
        boolean done = false;
        try {
            out.writeByte(0);
            out.writeInt(length);
            drain(message, new io.netty.buffer.ByteBufOutputStream(out));
            if (out.readableBytes() != PREFIX + length) {
                throw new IOException("announced " + length + " bytes and gave " + (out.readableBytes() - PREFIX));
            }
            done = true;
            return out;
        } finally {
            if (!done) {
                out.release();
            }
        }
    }

    private static ByteBuf compressed(InputStream message, Compressor compressor, int maxBytes) throws IOException {
        Sink sink = new Sink(512);
        sink.writePrefix();
        int plain;
        try (OutputStream out = compressor.compress(sink)) {
            plain = drain(message, out);
        }
        // grpc-java counts the message as it was before compression; so do we, and what goes on the wire too
        checkLength(Math.max(plain, 0), maxBytes);
        return sink.finish(true);
    }

    private static int drain(InputStream message, OutputStream out) throws IOException {
        if (message instanceof Drainable drainable) {
            return drainable.drainTo(out);
        }
        return Math.toIntExact(message.transferTo(out));
    }

    private static void checkLength(int length, int maxBytes) {
        if (length > maxBytes) {
            throw Status.RESOURCE_EXHAUSTED
                    .withDescription("message too large " + length + " > " + maxBytes)
                    .asRuntimeException();
        }
    }

    /** Writes into an array that has just the right length. */
    private static final class Exact extends OutputStream {
        final byte[] bytes;
        private int at;

        Exact(byte[] bytes) {
            this.bytes = bytes;
        }

        void prefix(int length) {
            bytes[1] = (byte) (length >>> 24);
            bytes[2] = (byte) (length >>> 16);
            bytes[3] = (byte) (length >>> 8);
            bytes[4] = (byte) length;
            at = PREFIX;
        }

        @Override
        public void write(int b) {
            bytes[at++] = (byte) b;
        }

        @Override
        public void write(byte[] from, int offset, int length) {
            System.arraycopy(from, offset, bytes, at, length);
            at += length;
        }
    }

    /** An array that grows, with the prefix set at the end. */
    private static final class Sink extends ByteArrayOutputStream {
        Sink(int size) {
            super(size);
        }

        void writePrefix() {
            for (int i = 0; i < PREFIX; i++) {
                write(0);
            }
        }

        ByteBuf finish(boolean isCompressed) {
            ByteBuf framed = Unpooled.wrappedBuffer(buf, 0, count);
            framed.setByte(0, isCompressed ? 1 : 0);
            framed.setInt(1, count - PREFIX);
            return framed;
        }
    }
}
