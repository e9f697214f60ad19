package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One end of a connection in a test: the connection, what it wrote, and what its streams were told. */
class End implements Output, Http2Connection.Events, AutoCloseable {
    /** Counts each byte it hands out until it comes back, so a leak needs no garbage collection to be seen. */
    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);

    final AtomicLong nanos = new AtomicLong(1_000_000_000L);
    final Http2Connection connection;
    final Map<Integer, Recorded> accepted = new LinkedHashMap<>();
    final List<String> events = new ArrayList<>();
    boolean writable = true;
    boolean refuseStreams;
    boolean returnAtOnce = true;
    long unread;

    @Nullable
    Http2Exception failure;

    int failures;
    int finished;

    private final ByteBuf wire = allocator.buffer();

    End(boolean server, Http2Options options) {
        connection = new Http2Connection(server, options, this, this, allocator, nanos::get);
    }

    static End server() {
        return new End(true, Http2Options.DEFAULT);
    }

    static End client() {
        return new End(false, Http2Options.DEFAULT);
    }

    /** Feeds bytes, all at once. */
    End receive(byte[]... parts) {
        return receiveInPieces(Integer.MAX_VALUE, parts);
    }

    End receiveInPieces(int piece, byte[]... parts) {
        byte[] bytes = Frames.all(parts);
        for (int at = 0; at < bytes.length; at += Math.min(piece, bytes.length - at)) {
            ByteBuf in = allocator.buffer().writeBytes(bytes, at, Math.min(piece, bytes.length - at));
            try {
                connection.receive(in);
                if (in.isReadable()) {
                    throw new AssertionError("receive left " + in.readableBytes() + " bytes");
                }
                if (in.refCnt() != 1) {
                    throw new AssertionError("receive kept or released its input");
                }
            } finally {
                in.release();
            }
        }
        return this;
    }

    /** What was written since the last time. */
    byte[] take() {
        byte[] bytes = new byte[wire.readableBytes()];
        wire.readBytes(bytes);
        wire.clear();
        return bytes;
    }

    List<Frames.Frame> frames() {
        return Frames.read(take(), false);
    }

    Recorded stream(int id) {
        Recorded stream = accepted.get(id);
        if (stream == null) {
            throw new AssertionError("no stream " + id + " among " + accepted.keySet());
        }
        return stream;
    }

    /** Bytes of buffers not given back, the wire's own apart. */
    long leaked() {
        return allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory() - wire.capacity();
    }

    @Override
    public void close() {
        connection.end("the test is over");
        wire.release();
        long left = allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory();
        if (left != 0) {
            throw new AssertionError(left + " bytes of buffers were not released");
        }
    }

    // ---- Output

    @Override
    public ByteBuf buffer(int bytes) {
        return wire.ensureWritable(bytes);
    }

    @Override
    public void write(ByteBuf data) {
        wire.writeBytes(data);
        data.release();
    }

    @Override
    public boolean writable() {
        return writable;
    }

    @Override
    public long pendingBytes() {
        return unread;
    }

    // ---- Events

    @Override
    public @Nullable Http2Stream accept(HeaderBlock headers) {
        return refuseStreams ? null : newStream();
    }

    Recorded newStream() {
        return new Recorded(this);
    }

    @Override
    public void onGoAway(int lastStreamId, int code, String debug) {
        events.add("goaway " + lastStreamId + " " + ErrorCode.name(code) + " " + debug);
    }

    @Override
    public void onPong(long payload) {
        events.add("pong " + payload);
    }

    @Override
    public void onFailure(Http2Exception e) {
        failure = e;
        failures++;
    }

    @Override
    public void onFinished() {
        finished++;
    }

    /** A stream that writes down what happens to it. */
    static final class Recorded extends Http2Stream {
        final End end;
        final List<String> blocks = new ArrayList<>();
        final ByteArrayOutputStream data = new ByteArrayOutputStream();
        int taken;
        boolean ended;
        int closings;
        int resets;
        int resetCode = -1;
        boolean resetByPeer;

        Recorded(End end) {
            this.end = end;
        }

        @Override
        protected void onHeaders(HeaderBlock headers, boolean last) {
            check();
            end.accepted.put(id(), this);
            blocks.add(headers.toString());
            ended |= last;
        }

        @Override
        protected void onData(ByteBuf in, int length, boolean last) {
            check();
            byte[] bytes = new byte[length];
            in.getBytes(in.readerIndex(), bytes);
            data.writeBytes(bytes);
            ended |= last;
            if (end.returnAtOnce) {
                returnBytes(length);
            } else {
                taken += length;
            }
        }

        @Override
        protected void onReset(int code, boolean remote, String reason) {
            resets++;
            resetCode = code;
            resetByPeer = remote;
        }

        @Override
        protected void onClosed() {
            closings++;
        }

        private void check() {
            if (ended || closings > 0 || resets > 0) {
                throw new AssertionError("an event after the end of stream " + id());
            }
        }
    }
}
