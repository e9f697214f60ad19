package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.handler.codec.http2.Http2Exception;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;

/**
 * One HTTP/2 connection that keeps a fixed number of unary calls in flight: the request of the next call is written
 * when the reply of an earlier one has been read and found right. Knows of HTTP/2 (RFC 9113) what a client that trusts
 * its server needs, and fails loudly on what it does not know.
 *
 * <pre>
 * CONNECTING ──settings of the server──► RUNNING ──stop()──► STOPPING ──last reply──► done()
 * </pre>
 */
final class LoadConnection implements AutoCloseable {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
    private static final int FRAME_HEADER_BYTES = 9;
    private static final int READ_BYTES = 128 << 10;
    private static final int WRITE_BYTES = 256 << 10;
    private static final int WINDOW_BYTES = 1 << 30;
    private static final int DEFAULT_WINDOW_BYTES = 65_535;

    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;

    private static final int END_STREAM = 1;
    private static final int ACK = 1;
    private static final int END_HEADERS = 4;
    private static final int PADDED_OR_PRIORITY = 0x28;

    /** Stream slots; a stream that outlives so many later ones makes its slot be skipped. A power of two. */
    private static final int SLOTS = 4096;

    private static final int REPLY_HEADERS_SEEN = 1;
    private static final int REPLY_MESSAGE_SEEN = 2;

    private final SocketChannel socket;
    private final Exchange exchange;
    private final int target;
    private final ReplyHeaders replyHeaders = new ReplyHeaders();
    private final byte[] in = new byte[READ_BYTES];
    private final ByteBuffer inBuffer = ByteBuffer.wrap(in);
    private final byte[] out = new byte[WRITE_BYTES];
    private final ByteBuffer outBuffer = ByteBuffer.wrap(out);
    private final int[] streams = new int[SLOTS]; // 0: free
    private final long[] startedNanos = new long[SLOTS];
    private final byte[] progress = new byte[SLOTS];
    private int inEnd;
    private int outEnd;
    private int nextStream = 1;
    private int inFlight;
    private int nextBlock;
    private long sendWindow = DEFAULT_WINDOW_BYTES;
    private long received;
    private boolean running;
    private boolean stopping;

    /**
     * What is sent and what must come back.
     *
     * @param firstBlock header block of a connection's first request
     * @param laterBlocks of all others, in turn
     * @param request body: the gRPC frame of the request message
     * @param reply the gRPC frame that must come back
     */
    @SuppressWarnings("ArrayRecordComponent") // shared by all connections, never written
    record Exchange(byte[] firstBlock, byte[][] laterBlocks, byte[] request, byte[] reply) {}

    /** Where replies are counted. */
    interface Tally {
        void replied(boolean right, long nanos);
    }

    LoadConnection(InetSocketAddress server, int inFlight, Exchange exchange) throws IOException {
        this.socket = SocketChannel.open(server);
        this.exchange = exchange;
        this.target = inFlight;
        socket.setOption(java.net.StandardSocketOptions.TCP_NODELAY, true);
        socket.configureBlocking(false);
        put(PREFACE);
        // SETTINGS: no push (2), a window for each stream (4); then the same for the connection.
        frameHeader(12, SETTINGS, 0, 0);
        setting(2, 0);
        setting(4, WINDOW_BYTES);
        windowUpdate(WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
        flush();
    }

    SocketChannel socket() {
        return socket;
    }

    boolean done() {
        return stopping && inFlight == 0;
    }

    boolean flushed() {
        return outEnd == 0;
    }

    /** What the first wrong reply said, if it can be told. */
    String odd() {
        return replyHeaders.odd();
    }

    int inFlight() {
        return inFlight;
    }

    void stop() {
        stopping = true;
    }

    /** Reads what there is, tallies replies, sends as many new requests, and flushes once. */
    void onReadable(Tally tally) throws IOException {
        inBuffer.limit(READ_BYTES).position(inEnd);
        int read = socket.read(inBuffer);
        if (read < 0) {
            throw new IOException("the server closed the connection with " + inFlight + " calls in flight");
        }
        inEnd += read;
        long now = System.nanoTime();
        int at = 0;
        try {
            while (inEnd - at >= FRAME_HEADER_BYTES) {
                int length = int24(at);
                if (length + FRAME_HEADER_BYTES > READ_BYTES) {
                    throw new IOException("a frame of " + length + " bytes");
                }
                if (inEnd - at - FRAME_HEADER_BYTES < length) {
                    break;
                }
                frame(at, length, now, tally);
                at += FRAME_HEADER_BYTES + length;
            }
        } catch (Http2Exception e) {
            throw new IOException("cannot read a header block of the server", e);
        }
        System.arraycopy(in, at, in, 0, inEnd - at);
        inEnd -= at;
        if (received > WINDOW_BYTES / 2) {
            windowUpdate((int) received);
            received = 0;
        }
        fill(now);
        flush();
    }

    void flush() throws IOException {
        if (outEnd == 0) {
            return;
        }
        outBuffer.position(0).limit(outEnd);
        socket.write(outBuffer);
        outBuffer.compact();
        outEnd = outBuffer.position();
        outBuffer.clear();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private void frame(int at, int length, long now, Tally tally) throws IOException, Http2Exception {
        int type = in[at + 3];
        int flags = in[at + 4];
        int stream = int32(at + 5) & 0x7fffffff;
        int body = at + FRAME_HEADER_BYTES;
        switch (type) {
            case DATA -> {
                received += length;
                message(stream, flags, body, body + length);
            }
            case HEADERS -> {
                if ((flags & END_HEADERS) == 0 || (flags & PADDED_OR_PRIORITY) != 0) {
                    throw new IOException("HEADERS with flags " + flags + ", which this client does not read");
                }
                int verdict = replyHeaders.read(in, body, body + length);
                if ((flags & END_STREAM) == 0) {
                    int slot = slot(stream);
                    if (verdict == ReplyHeaders.OK_200 && progress[slot] == 0) {
                        progress[slot] = REPLY_HEADERS_SEEN;
                    }
                } else {
                    finish(stream, (verdict & ReplyHeaders.GRPC_OK) != 0, now, tally);
                }
            }
            case RST_STREAM -> {
                if (streams[(stream >>> 1) & (SLOTS - 1)] == stream) { // else it follows the trailers, section 8.1
                    finish(stream, false, now, tally);
                }
            }
            case SETTINGS -> {
                if ((flags & ACK) == 0) {
                    settings(body, length);
                }
            }
            case PING -> {
                if ((flags & ACK) == 0) {
                    frameHeader(8, PING, ACK, 0);
                    copy(in, body, 8);
                }
            }
            case GOAWAY -> throw new IOException("GOAWAY, error code " + int32(body + 4));
            case WINDOW_UPDATE -> {
                if (stream == 0) {
                    sendWindow += int32(body) & 0x7fffffff;
                }
            }
            default -> {
                // RFC 9113, section 5.5: unknown types are ignored.
            }
        }
    }

    private void message(int stream, int flags, int from, int to) throws IOException {
        int slot = slot(stream);
        boolean right = Arrays.equals(in, from, to, exchange.reply, 0, exchange.reply.length);
        if (right && progress[slot] == REPLY_HEADERS_SEEN && (flags & END_STREAM) == 0) {
            progress[slot] |= REPLY_MESSAGE_SEEN;
        }
    }

    private void finish(int stream, boolean ok, long now, Tally tally) throws IOException {
        int slot = slot(stream);
        tally.replied(ok && progress[slot] == (REPLY_HEADERS_SEEN | REPLY_MESSAGE_SEEN), now - startedNanos[slot]);
        streams[slot] = 0;
        inFlight--;
    }

    private int slot(int stream) throws IOException {
        int slot = (stream >>> 1) & (SLOTS - 1);
        if (streams[slot] != stream) {
            throw new IOException("a frame for stream " + stream + ", which is not open");
        }
        return slot;
    }

    private void settings(int body, int length) throws IOException {
        for (int at = body; at < body + length; at += 6) {
            int id = in[at + 1];
            int value = int32(at + 2);
            if (id == 3 && value >= 0 && value < target) {
                throw new IOException("the server allows " + value + " streams, the bench needs " + target);
            }
            if (id == 1 && value < 4096) {
                throw new IOException("the server's header table is " + value + " bytes, the bench needs 4096");
            }
        }
        frameHeader(0, SETTINGS, ACK, 0);
        running = true;
    }

    private void fill(long now) {
        if (!running || stopping) {
            return;
        }
        int needed = 2 * FRAME_HEADER_BYTES + exchange.firstBlock.length + exchange.request.length;
        while (inFlight < target && sendWindow >= exchange.request.length && out.length - outEnd >= needed) {
            request(now);
        }
    }

    private void request(long now) {
        int slot = (nextStream >>> 1) & (SLOTS - 1);
        while (streams[slot] != 0) {
            nextStream += 2; // RFC 9113, section 5.1.1: skipped streams become closed
            slot = (nextStream >>> 1) & (SLOTS - 1);
        }
        int stream = nextStream;
        nextStream += 2;
        byte[] block = stream == 1 ? exchange.firstBlock : exchange.laterBlocks[nextBlock];
        nextBlock = nextBlock + 1 == exchange.laterBlocks.length ? 0 : nextBlock + 1;
        frameHeader(block.length, HEADERS, END_HEADERS, stream);
        put(block);
        frameHeader(exchange.request.length, DATA, END_STREAM, stream);
        put(exchange.request);
        sendWindow -= exchange.request.length;
        streams[slot] = stream;
        startedNanos[slot] = now;
        progress[slot] = 0;
        inFlight++;
    }

    private void windowUpdate(int bytes) {
        frameHeader(4, WINDOW_UPDATE, 0, 0);
        putInt(bytes);
    }

    private void setting(int id, int value) {
        out[outEnd++] = 0;
        out[outEnd++] = (byte) id;
        putInt(value);
    }

    private void frameHeader(int length, int type, int flags, int stream) {
        out[outEnd] = (byte) (length >>> 16);
        out[outEnd + 1] = (byte) (length >>> 8);
        out[outEnd + 2] = (byte) length;
        out[outEnd + 3] = (byte) type;
        out[outEnd + 4] = (byte) flags;
        outEnd += 5;
        putInt(stream);
    }

    private void putInt(int value) {
        out[outEnd] = (byte) (value >>> 24);
        out[outEnd + 1] = (byte) (value >>> 16);
        out[outEnd + 2] = (byte) (value >>> 8);
        out[outEnd + 3] = (byte) value;
        outEnd += 4;
    }

    private void put(byte[] bytes) {
        copy(bytes, 0, bytes.length);
    }

    private void copy(byte[] from, int at, int length) {
        System.arraycopy(from, at, out, outEnd, length);
        outEnd += length;
    }

    private int int24(int at) {
        return (in[at] & 0xff) << 16 | (in[at + 1] & 0xff) << 8 | (in[at + 2] & 0xff);
    }

    private int int32(int at) {
        return in[at] << 24 | int24(at + 1);
    }
}
