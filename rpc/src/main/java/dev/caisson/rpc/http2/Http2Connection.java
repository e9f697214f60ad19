package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 connection, client or server, without I/O: bytes come in through {@link #receive}, bytes go out through an
 * {@link Output}, events go to {@link Events} and to each {@link Http2Stream}.
 *
 * <pre>
 *   new ── start ──► running ── shutdown ──► draining (GOAWAY sent, streams finish) ── last stream ends ──► finished
 *                       │                        │
 *                       └── bad bytes, flood ────┴──► failed (GOAWAY with a code written) ── transport closes ──► ended
 * </pre>
 *
 * <p>Guarantees: {@link #receive} never throws on any input, never keeps {@code in}, and never blocks. A stream error resets
 * one stream; a connection error writes one GOAWAY and ends all. Each stream that entered the table gets
 * {@link Http2Stream#onClosed} once. Frames are answered in the order RFC 9113 asks for; nothing is flushed here.
 *
 * <p>Thread-safety: confined to one thread, but for {@link #peekStreams}.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113">RFC 9113, HTTP/2</a>
 */
public final class Http2Connection {
    /*
     * One pass over the bytes. DATA is handed on in pieces as it arrives; every other frame is read whole, so at most one
     * frame header, or one control or HEADERS frame (bounded by maxFrameSize), is ever kept between two calls.
     *
     * Windows. The stream's and the connection's receive windows shrink by a DATA frame's whole length when its header is
     * read, and grow again by what the stream returns (padding at once, data when the reader took it). Updates are sent
     * when half of a window is free. A stream that ends returns what it still held, or the connection would bleed dry.
     *
     * Sending. A stream whose data finds no window, or a full transport, queues in the stream and stands in line here; the
     * line is served one frame per stream and turn, so that a bulk stream cannot starve the others.
     */

    /** What happens to the connection as a whole. */
    public interface Events {
        /** A server's peer opens a stream with {@code headers}. Null refuses it with REFUSED_STREAM. */
        @Nullable
        Http2Stream accept(HeaderBlock headers);

        /** The peer's SETTINGS were applied. */
        default void onSettings() {}

        /** A stream left the table. */
        default void onStreamClosed(Http2Stream stream) {}

        /** The peer will not take streams above {@code lastStreamId}; those above it are already closed as refused. */
        default void onGoAway(int lastStreamId, int code, String debug) {}

        /** The answer to {@link #ping}. */
        default void onPong(long payload) {}

        /** The peer sent PING; it is answered already. */
        default void onPing() {}

        /** Any frame came in. */
        default void onFrame() {}

        /** A connection error: GOAWAY is in the output, the driver flushes and closes. */
        default void onFailure(Http2Exception failure) {}

        /** Shut down in order, the last stream has ended: the driver flushes and closes. */
        default void onFinished() {}
    }

    private static final ByteBuf PREFACE = Unpooled.unreleasableBuffer(
                    Unpooled.wrappedBuffer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
            .asReadOnly();
    /** RFC 9113 section 3.4: 24 octets. */
    public static final int PREFACE_LENGTH = 24;

    private static final int HEADER = 9;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int PRIORITY = 2;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PUSH_PROMISE = 5;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;

    private static final int END_STREAM = 0x1;
    private static final int ACK = 0x1;
    private static final int END_HEADERS = 0x4;
    private static final int PADDED = 0x8;
    private static final int WITH_PRIORITY = 0x20;

    /** Ids of streams that ended lately, to tell late frames from forged ones. */
    private static final int REMEMBERED = 256;

    // how a remembered stream ended
    private static final int UNKNOWN = 0;
    private static final int ENDED = 1;
    private static final int RESET_BY_US = 2;
    private static final int RESET_BY_PEER = 3;

    private static final long SHUTDOWN_PING = 0x0ca1550ad0e5_0ffL;

    private final boolean server;
    private final Http2Options options;
    private final Output out;
    private final Events events;
    private final ByteBufAllocator allocator;
    private final LongSupplier nanoTime;
    private final HpackDecoder decoder;
    private final HpackEncoder encoder;
    private final StreamTable streams = new StreamTable();
    private final ArrayDeque<Http2Stream> line = new ArrayDeque<>();
    /** Inside {@link #resume}: what a callback queues is served by the loop that called it. */
    private boolean resuming;

    // reading
    private @Nullable ByteBuf kept;
    private boolean receiving;
    private boolean prefaceSeen;
    private boolean settingsSeen;
    private int dataLeft;
    private int padLeft;
    private boolean dataEnds;
    private @Nullable Http2Stream dataStream;
    private @Nullable ByteBuf block;
    private int blockStream;
    private boolean blockEnds;
    private int continuations;

    // what the peer allows
    private int peerInitialWindow = Http2Options.DEFAULT_WINDOW;
    private int peerMaxFrame = Http2Options.DEFAULT_FRAME_SIZE;
    private long peerMaxStreams = Long.MAX_VALUE;
    private long peerMaxHeaderList = Long.MAX_VALUE;
    private int sendWindow = Http2Options.DEFAULT_WINDOW;

    // what we allow
    private int receiveWindow;
    private int unreturned;
    private int lastPeerStream;
    private int nextLocalStream;
    private int peerStreams;
    private int localStreams;

    // the end
    private boolean draining;
    private boolean finalGoAwaySent;
    private boolean finished;
    private @Nullable Http2Exception failure;
    private boolean ended;
    private boolean peerGoneAway;

    // floods
    private int idleFrames;
    private long idleSince;
    private int resets;
    private long resetsSince;
    private final int[] remembered = new int[REMEMBERED];
    private final byte[] rememberedHow = new byte[REMEMBERED];
    private int rememberedNext;

    public Http2Connection(
            boolean server,
            Http2Options options,
            Output out,
            Events events,
            ByteBufAllocator allocator,
            LongSupplier nanoTime) {
        this.server = server;
        this.options = options;
        this.out = out;
        this.events = events;
        this.allocator = allocator;
        this.nanoTime = nanoTime;
        this.decoder = new HpackDecoder(4096, options.maxHeaderListSize());
        this.encoder = new HpackEncoder(4096);
        this.nextLocalStream = server ? 2 : 1;
        this.prefaceSeen = !server;
        this.receiveWindow = options.connectionWindow();
        this.resetsSince = nanoTime.getAsLong();
        this.idleSince = resetsSince;
    }

    // ---- life cycle

    /** Writes the connection preface of our side (RFC 9113 section 3.4). Once, first. */
    public void start() {
        ByteBuf b = out.buffer(PREFACE_LENGTH + HEADER + 6 * 6 + HEADER + 4);
        if (!server) {
            b.writeBytes(PREFACE, 0, PREFACE_LENGTH);
        }
        header(b, 4 * 6, SETTINGS, 0, 0);
        if (server) {
            setting(b, 3, options.maxConcurrentStreams());
        } else {
            setting(b, 2, 0);
        }
        setting(b, 4, options.streamWindow());
        setting(b, 5, options.maxFrameSize());
        setting(b, 6, options.maxHeaderListSize());
        int more = options.connectionWindow() - Http2Options.DEFAULT_WINDOW;
        if (more > 0) {
            header(b, 4, WINDOW_UPDATE, 0, 0);
            b.writeInt(more);
        }
    }

    private static void setting(ByteBuf b, int id, int value) {
        b.writeShort(id);
        b.writeInt(value);
    }

    /**
     * Ends in order (RFC 9113 section 6.8): GOAWAY for all ids with a PING behind it, then, when the peer has answered, GOAWAY
     * with the last id taken. Streams go on; {@link Events#onFinished} follows the last. Idempotent.
     */
    public void shutdown(String debug) {
        if (draining || failure != null || ended) {
            return;
        }
        draining = true;
        if (server && prefaceSeen) {
            goAway(Integer.MAX_VALUE, ErrorCode.NO_ERROR, debug);
            ping(SHUTDOWN_PING);
            // A peer that never answers is ended by the driver's deadline.
        } else {
            finalGoAway();
        }
        finishIfIdle();
    }

    private void finalGoAway() {
        if (!finalGoAwaySent) {
            finalGoAwaySent = true;
            goAway(server ? lastPeerStream : 0, ErrorCode.NO_ERROR, "");
        }
    }

    private void finishIfIdle() {
        if (draining && finalGoAwaySent && streams.size() == 0 && !finished && failure == null) {
            finished = true;
            events.onFinished();
        }
    }

    /** Ends at once: GOAWAY with {@code code}, every stream reset towards its owner. */
    public void fail(int code, String reason) {
        connectionError(Http2Exception.connection(code, reason));
    }

    /** The transport is gone. Every stream ends; queued bytes are released. Idempotent. */
    public void end(String reason) {
        if (ended) {
            return;
        }
        ended = true;
        endStreams(ErrorCode.CANCEL, reason, 0);
        if (!receiving) {
            release(); // else receive does, when it has left the bytes it stands in
        }
    }

    private void endStreams(int code, String reason, int above) {
        for (Http2Stream stream : streams.snapshot()) {
            if (stream.id > above && !stream.closed) {
                close(stream, RESET_BY_PEER);
                stream.onReset(code, true, reason);
                closed(stream);
            }
        }
    }

    private void release() {
        if (kept != null) {
            kept.release();
            kept = null;
        }
        if (block != null) {
            block.release();
            block = null;
        }
        dataStream = null;
        line.clear();
    }

    public boolean running() {
        return failure == null && !ended && !finished;
    }

    public boolean draining() {
        return draining;
    }

    public @Nullable Http2Exception failure() {
        return failure;
    }

    /** Streams in the table. */
    public int openStreams() {
        return streams.size();
    }

    /** Visits open streams, weakly consistent. Any thread. */
    public void peekStreams(Consumer<Http2Stream> visitor) {
        streams.peek(visitor);
    }

    /** The HPACK state of our side, for callers that keep encoded blocks. */
    public HpackEncoder encoder() {
        return encoder;
    }

    // ---- opening and sending

    /** True if the peer's limit, and the numbers left, allow one more stream of ours. */
    public boolean mayOpen() {
        return running() && !draining && !peerGoneAway && localStreams < peerMaxStreams && nextLocalStream > 0;
    }

    /** True if no stream of ours can be opened on this connection any more. */
    public boolean exhausted() {
        return !running() || draining || peerGoneAway || nextLocalStream <= 0;
    }

    /** Opens a stream of ours. The caller has asked {@link #mayOpen}. */
    public void open(Http2Stream stream, HeaderWriter headers, boolean end) {
        if (!mayOpen()) {
            throw new IllegalStateException("no stream may be opened now");
        }
        stream.id = nextLocalStream;
        nextLocalStream += 2;
        localStreams++;
        enter(stream);
        writeHeaders(stream, headers, end);
    }

    private void enter(Http2Stream stream) {
        stream.connection = this;
        stream.sendWindow = peerInitialWindow;
        stream.receiveWindow = options.streamWindow();
        streams.put(stream);
    }

    void writeHeaders(Http2Stream stream, HeaderWriter headers, boolean end) {
        ByteBuf b = out.buffer(256);
        int start = b.writerIndex();
        b.writeZero(HEADER);
        headers.write(encoder, b);
        int length = b.writerIndex() - start - HEADER;
        int flags = (end ? END_STREAM : 0) | END_HEADERS;
        if (length <= peerMaxFrame) {
            setHeader(b, start, length, HEADERS, flags, stream.id);
        } else {
            split(b, start, length, end, stream.id);
        }
        if (end) {
            localEnd(stream);
        }
    }

    /** RFC 9113 section 4.3: a block longer than a frame goes on in CONTINUATION frames. */
    private void split(ByteBuf b, int start, int length, boolean end, int id) {
        ByteBuf whole = allocator.buffer(length);
        try {
            whole.writeBytes(b, start + HEADER, length);
            b.writerIndex(start);
            int type = HEADERS;
            int flags = end ? END_STREAM : 0;
            while (whole.isReadable()) {
                int n = Math.min(whole.readableBytes(), peerMaxFrame);
                header(b, n, type, n == whole.readableBytes() ? flags | END_HEADERS : flags, id);
                b.writeBytes(whole, n);
                type = CONTINUATION;
                flags = 0;
            }
        } finally {
            whole.release();
        }
    }

    int sendRoom(Http2Stream stream) {
        if (!out.writable()) {
            return 0;
        }
        return Math.min(Math.min(stream.sendWindow, sendWindow), peerMaxFrame);
    }

    boolean mayWrite(Http2Stream stream, int length) {
        return length == 0 || length <= sendRoom(stream);
    }

    ByteBuf beginData(Http2Stream stream, int length) {
        ByteBuf b = out.buffer(HEADER + length);
        header(b, length, DATA, 0, stream.id);
        stream.sendWindow -= length;
        sendWindow -= length;
        useful(); // the peer will answer with WINDOW_UPDATE, for as long as the response lasts
        return b;
    }

    /** Below this a piece is copied behind its frame header; above it is handed over as it is. */
    private static final int COPY = 2048;

    void writeData(Http2Stream stream, ByteBuf data, boolean end) {
        int length = data.readableBytes();
        ByteBuf b = out.buffer(HEADER + (length <= COPY ? length : 0));
        header(b, length, DATA, end ? END_STREAM : 0, stream.id);
        stream.sendWindow -= length;
        sendWindow -= length;
        useful(); // the peer will answer with WINDOW_UPDATE, for as long as the response lasts
        if (length <= COPY) {
            b.writeBytes(data);
            data.release();
        } else {
            out.write(data);
        }
        if (end) {
            localEnd(stream);
        }
    }

    void writeEmptyEnd(Http2Stream stream) {
        header(out.buffer(HEADER), 0, DATA, END_STREAM, stream.id);
        localEnd(stream);
    }

    void enqueue(Http2Stream stream) {
        if (!stream.waiting) {
            stream.waiting = true;
            line.add(stream);
        }
    }

    /** Serves streams that wait, one frame each and turn. To be called when the transport takes bytes again. */
    public void resume() {
        if (resuming) {
            return;
        }
        resuming = true;
        try {
            while (sendWindow > 0 && out.writable()) {
                Http2Stream stream = line.poll();
                if (stream == null) {
                    return;
                }
                stream.waiting = false;
                if (stream.sendOneFrame(this) && stream.sendWindow > 0) {
                    enqueue(stream);
                }
            }
        } finally {
            resuming = false;
        }
    }

    void resetStream(Http2Stream stream, int code, String reason) {
        writeReset(stream.id, code);
        close(stream, RESET_BY_US);
        stream.onReset(code, false, reason);
        closed(stream);
    }

    private void writeReset(int id, int code) {
        ByteBuf b = out.buffer(HEADER + 4);
        header(b, 4, RST_STREAM, 0, id);
        b.writeInt(code);
    }

    private void goAway(int last, int code, String debug) {
        byte[] text = debug.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, 1024);
        ByteBuf b = out.buffer(HEADER + 8 + length);
        header(b, 8 + length, GOAWAY, 0, 0);
        b.writeInt(last);
        b.writeInt(code);
        b.writeBytes(text, 0, length);
    }

    /** Sends PING; {@link Events#onPong} brings the answer. */
    public void ping(long payload) {
        ByteBuf b = out.buffer(HEADER + 8);
        header(b, 8, PING, 0, 0);
        b.writeLong(payload);
    }

    void returnBytes(Http2Stream stream, int bytes) {
        if (stream.closed) {
            return; // what it held went back when it closed
        }
        stream.held -= bytes;
        returnToStream(stream, bytes);
        returnToConnection(bytes);
    }

    private void returnToStream(Http2Stream stream, int bytes) {
        if (!stream.closed && !stream.remoteEnd) {
            stream.unreturned += bytes;
            if (stream.unreturned >= options.streamWindow() / 2) {
                windowUpdate(stream.id, stream.unreturned);
                stream.receiveWindow += stream.unreturned;
                stream.unreturned = 0;
            }
        }
    }

    private void returnToConnection(int bytes) {
        unreturned += bytes;
        if (unreturned >= options.connectionWindow() / 2 && running()) {
            windowUpdate(0, unreturned);
            receiveWindow += unreturned;
            unreturned = 0;
        }
    }

    private void windowUpdate(int id, int bytes) {
        ByteBuf b = out.buffer(HEADER + 4);
        header(b, 4, WINDOW_UPDATE, 0, id);
        b.writeInt(bytes);
    }

    private static void header(ByteBuf b, int length, int type, int flags, int id) {
        b.writeInt(length << 8 | type);
        b.writeByte(flags);
        b.writeInt(id);
    }

    private static void setHeader(ByteBuf b, int at, int length, int type, int flags, int id) {
        b.setInt(at, length << 8 | type);
        b.setByte(at + 4, flags);
        b.setInt(at + 5, id);
    }

    // ---- closing of streams

    private void localEnd(Http2Stream stream) {
        stream.localEnd = true;
        if (stream.remoteEnd) {
            close(stream, ENDED);
            closed(stream);
        }
    }

    /** After the event that told of the peer's end: the flag is set before, so that a reply from inside closes the stream. */
    private void remoteEnd(Http2Stream stream) {
        if (stream.localEnd && !stream.closed) {
            close(stream, ENDED);
            closed(stream);
        }
    }

    private void close(Http2Stream stream, int how) {
        stream.closed = true;
        streams.remove(stream.id);
        if (isPeers(stream.id)) {
            peerStreams--;
        } else {
            localStreams--;
        }
        stream.dropQueue();
        returnToConnection(stream.held);
        stream.held = 0;
        remember(stream.id, how);
        if (dataStream == stream) {
            dataStream = null;
        }
    }

    private void closed(Http2Stream stream) {
        stream.onClosed();
        events.onStreamClosed(stream);
        finishIfIdle();
    }

    private boolean isPeers(int id) {
        return ((id & 1) == 1) == server;
    }

    private void remember(int id, int how) {
        remembered[rememberedNext] = id;
        rememberedHow[rememberedNext] = (byte) how;
        rememberedNext = (rememberedNext + 1) % REMEMBERED;
    }

    /** How a stream that is not open any more ended. */
    private int recall(int id) {
        for (int i = 0; i < REMEMBERED; i++) {
            if (remembered[i] == id) {
                return rememberedHow[i];
            }
        }
        return UNKNOWN;
    }

    // ---- receiving

    /**
     * Reads all of {@code in}, which stays the caller's. After a connection error the rest is ignored.
     */
    public void receive(ByteBuf in) {
        if (failure != null || ended) {
            in.skipBytes(in.readableBytes());
            return;
        }
        ByteBuf source = in;
        if (kept != null) {
            kept.writeBytes(in);
            source = kept;
        }
        receiving = true;
        try {
            parse(source);
        } catch (Http2Exception e) {
            connectionError(e);
        } finally {
            receiving = false;
        }
        if (failure != null || ended) {
            in.skipBytes(in.readableBytes());
            release();
            return;
        }
        if (source == kept) {
            if (!source.isReadable()) {
                source.release();
                kept = null;
            } else {
                source.discardReadBytes();
            }
        } else if (in.isReadable()) {
            kept = allocator.buffer(Math.max(256, in.readableBytes()));
            kept.writeBytes(in);
        }
        if (out.pendingBytes() > options.maxReplyBytes()) {
            // DATA waits for room, so these are answers (PING, SETTINGS, resets) that the peer asks for and does not
            // read.
            connectionError(Http2Exception.connection(
                    ErrorCode.ENHANCE_YOUR_CALM, "more than " + options.maxReplyBytes() + " bytes of answers unread"));
        }
    }

    private void parse(ByteBuf in) throws Http2Exception {
        if (!prefaceSeen && !preface(in)) {
            return;
        }
        while (failure == null && !ended) {
            if (dataLeft > 0 || padLeft > 0) {
                if (!in.isReadable()) {
                    return;
                }
                dataBytes(in);
                continue;
            }
            if (in.readableBytes() < HEADER) {
                return;
            }
            int at = in.readerIndex();
            int word = in.getInt(at);
            int length = word >>> 8;
            int type = word & 0xff;
            int flags = in.getUnsignedByte(at + 4);
            int id = in.getInt(at + 5) & 0x7fffffff;
            check(length, type, id);
            if (type == DATA) {
                if (!dataFrame(in, length, flags, id)) {
                    return;
                }
            } else {
                if (in.readableBytes() < HEADER + length) {
                    return;
                }
                in.skipBytes(HEADER);
                int end = in.readerIndex() + length;
                frame(in, length, type, flags, id);
                if (failure != null || ended) {
                    return;
                }
                in.readerIndex(end);
            }
            events.onFrame();
        }
    }

    private boolean preface(ByteBuf in) throws Http2Exception {
        int n = Math.min(PREFACE_LENGTH, in.readableBytes());
        for (int i = 0; i < n; i++) {
            if (in.getByte(in.readerIndex() + i) != PREFACE.getByte(i)) {
                throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "not an HTTP/2 connection preface");
            }
        }
        if (n < PREFACE_LENGTH) {
            return false;
        }
        in.skipBytes(PREFACE_LENGTH);
        prefaceSeen = true;
        return true;
    }

    /** What must hold of a frame before its payload is looked at. */
    private void check(int length, int type, int id) throws Http2Exception {
        if (length > options.maxFrameSize()) {
            // RFC 9113 section 4.2. A DATA frame could be a stream error; frames of that size are never read here.
            throw Http2Exception.connection(
                    ErrorCode.FRAME_SIZE_ERROR,
                    "frame of " + length + " bytes, at most " + options.maxFrameSize() + " are allowed");
        }
        if (!settingsSeen && type != SETTINGS) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS");
        }
        if (block != null && (type != CONTINUATION || id != blockStream)) {
            // RFC 9113 section 6.10
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "a header block was interrupted");
        }
    }

    private void frame(ByteBuf in, int length, int type, int flags, int id) throws Http2Exception {
        switch (type) {
            case HEADERS -> headersFrame(in, length, flags, id);
            case PRIORITY -> priorityFrame(in, length, id);
            case RST_STREAM -> resetFrame(in, length, id);
            case SETTINGS -> settingsFrame(in, length, flags, id);
            case PUSH_PROMISE ->
                throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, and push is not enabled");
            case PING -> pingFrame(in, length, flags, id);
            case GOAWAY -> goAwayFrame(in, length, id);
            case WINDOW_UPDATE -> windowFrame(in, length, id);
            case CONTINUATION -> continuationFrame(in, length, flags, id);
            default -> idleFrame(); // RFC 9113 section 5.5: unknown types are ignored
        }
    }

    /** True if the frame's header, and pad length, were there to read. */
    private boolean dataFrame(ByteBuf in, int length, int flags, int id) throws Http2Exception {
        if (id == 0) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "DATA on stream 0");
        }
        boolean padded = (flags & PADDED) != 0;
        int pad = 0;
        if (padded) {
            if (length == 0) {
                throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "padded DATA without a pad length");
            }
            if (in.readableBytes() < HEADER + 1) {
                return false;
            }
            pad = in.getUnsignedByte(in.readerIndex() + HEADER);
            if (pad >= length) {
                throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "padding longer than the frame");
            }
        }
        in.skipBytes(padded ? HEADER + 1 : HEADER);
        // RFC 9113 section 6.9.1: the whole payload counts, padding too
        if (length > receiveWindow) {
            throw Http2Exception.connection(
                    ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the connection's window of " + receiveWindow);
        }
        receiveWindow -= length;
        Http2Stream stream = streams.get(id);
        boolean end = (flags & END_STREAM) != 0;
        int data = padded ? length - 1 - pad : length;
        returnToConnection(length - data);
        if (stream == null || stream.remoteEnd) {
            lateData(stream, id);
            dataStream = null;
        } else if (!stream.headersSeen) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA before HEADERS");
            dataStream = null;
        } else if (length > stream.receiveWindow) {
            streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the stream's window");
            dataStream = null;
        } else {
            stream.receiveWindow -= length;
            dataStream = stream;
            returnToStream(stream, length - data);
            if (stream.contentLength >= 0) {
                stream.contentLength -= data;
                if (stream.contentLength < 0 || end && stream.contentLength != 0) {
                    // RFC 9113 section 8.1.1
                    streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA does not add up to content-length");
                    dataStream = null;
                }
            }
        }
        if (data > 0) {
            useful();
        } else if (!end) {
            idleFrame();
        }
        dataLeft = data;
        padLeft = pad;
        dataEnds = end;
        if (data == 0) {
            dataBytes(in);
        }
        return true;
    }

    /** Hands on what is there of the current DATA frame. */
    private void dataBytes(ByteBuf in) {
        int n = Math.min(dataLeft, in.readableBytes());
        if (n > 0 || dataLeft == 0) {
            dataLeft -= n;
            Http2Stream stream = dataStream;
            boolean last = dataLeft == 0;
            if (stream == null) {
                in.skipBytes(n);
                returnToConnection(n);
            } else if (n > 0 || dataEnds) {
                boolean end = last && dataEnds;
                int next = in.readerIndex() + n;
                stream.held += n;
                stream.remoteEnd = end;
                stream.onData(in, n, end);
                in.readerIndex(next);
                if (end) {
                    remoteEnd(stream);
                }
            }
            if (last) {
                dataStream = null;
                dataEnds = false;
            }
        }
        if (dataLeft == 0 && padLeft > 0) {
            int skip = Math.min(padLeft, in.readableBytes());
            in.skipBytes(skip);
            padLeft -= skip;
        }
    }

    private void lateData(@Nullable Http2Stream stream, int id) throws Http2Exception {
        if (stream != null) {
            // RFC 9113 section 5.1, half-closed (remote)
            streamError(stream, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM");
            return;
        }
        if (isIdle(id)) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "DATA on idle stream " + id);
        }
        if (recall(id) != RESET_BY_US) {
            // Ended in order, or so long ago that nobody knows: the peer is told once per frame, and counted.
            writeReset(id, ErrorCode.STREAM_CLOSED);
            countReset();
        }
    }

    private boolean isIdle(int id) {
        return isPeers(id) ? id > lastPeerStream : id >= nextLocalStream;
    }

    private void headersFrame(ByteBuf in, int length, int flags, int id) throws Http2Exception {
        if (id == 0) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream 0");
        }
        int pad = 0;
        int left = length;
        if ((flags & PADDED) != 0) {
            if (left < 1) {
                throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "padded HEADERS without a pad length");
            }
            pad = in.readUnsignedByte();
            left--;
        }
        boolean selfDependent = false;
        if ((flags & WITH_PRIORITY) != 0) {
            if (left < 5) {
                throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "HEADERS without its priority fields");
            }
            selfDependent = (in.readInt() & 0x7fffffff) == id;
            in.skipBytes(1);
            left -= 5;
        }
        if (pad > left) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "padding longer than the frame");
        }
        left -= pad;
        if (selfDependent) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "stream " + id + " depends on itself");
        }
        boolean end = (flags & END_STREAM) != 0;
        if ((flags & END_HEADERS) != 0) {
            headerBlock(in, left, end, id);
            return;
        }
        block = allocator.buffer(left + 512);
        block.writeBytes(in, left);
        blockStream = id;
        blockEnds = end;
        continuations = 0;
    }

    private void continuationFrame(ByteBuf in, int length, int flags, int id) throws Http2Exception {
        ByteBuf b = block;
        if (b == null) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS before it");
        }
        // Huffman at its worst is under four times as long as the text; beyond that the list cannot be within bounds.
        long bound = 4L * options.maxHeaderListSize() + Http2Options.DEFAULT_FRAME_SIZE;
        if (++continuations > Http2Options.MAX_CONTINUATIONS || b.readableBytes() + length > bound) {
            throw Http2Exception.connection(ErrorCode.ENHANCE_YOUR_CALM, "header block without end");
        }
        b.writeBytes(in, length);
        if ((flags & END_HEADERS) != 0) {
            block = null;
            try {
                headerBlock(b, b.readableBytes(), blockEnds, id);
            } finally {
                b.release();
            }
        }
    }

    private void headerBlock(ByteBuf in, int length, boolean end, int id) throws Http2Exception {
        HeaderBlock headers = decoder.decode(in, length);
        Http2Stream stream = streams.get(id);
        useful();
        if (stream != null) {
            if (stream.remoteEnd) {
                streamError(stream, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM");
            } else {
                laterHeaders(stream, headers, end);
            }
        } else if (server && isPeers(id) && id > lastPeerStream) {
            newStream(headers, end, id);
        } else if (isIdle(id)) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "HEADERS on idle stream " + id);
        } else {
            switch (recall(id)) {
                case RESET_BY_US -> {
                    // RFC 9113 section 5.1: what was under way when we reset is ignored
                }
                case RESET_BY_PEER -> {
                    writeReset(id, ErrorCode.STREAM_CLOSED);
                    countReset();
                }
                case ENDED ->
                    throw Http2Exception.connection(ErrorCode.STREAM_CLOSED, "HEADERS on closed stream " + id);
                default ->
                    throw Http2Exception.connection(
                            isPeers(id) ? ErrorCode.PROTOCOL_ERROR : ErrorCode.STREAM_CLOSED,
                            "HEADERS on stream " + id + " after stream " + lastPeerStream);
            }
        }
    }

    private void newStream(HeaderBlock headers, boolean end, int id) throws Http2Exception {
        lastPeerStream = id;
        if (finalGoAwaySent) {
            // RFC 9113 section 6.8: above the last id we promised; ignored
            remember(id, RESET_BY_US);
            return;
        }
        if (peerStreams >= options.maxConcurrentStreams()) {
            refuse(id, ErrorCode.REFUSED_STREAM);
            return;
        }
        if (!headers.tooLarge() && headers.checkRequest() != null) {
            refuse(id, ErrorCode.PROTOCOL_ERROR);
            return;
        }
        Http2Stream stream = events.accept(headers);
        if (stream == null) {
            refuse(id, ErrorCode.REFUSED_STREAM);
            return;
        }
        stream.id = id;
        peerStreams++;
        enter(stream);
        if (!contentLength(stream, headers, end)) {
            return;
        }
        stream.headersSeen = true;
        stream.remoteEnd = end;
        stream.onHeaders(headers, end);
        if (end) {
            remoteEnd(stream);
        }
    }

    private void laterHeaders(Http2Stream stream, HeaderBlock headers, boolean end) throws Http2Exception {
        boolean trailers = stream.headersSeen;
        if (trailers && !end) {
            // RFC 9113 section 8.1
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "HEADERS in the middle of a message");
            return;
        }
        boolean informational = !server && !trailers && isInformational(headers);
        String problem = trailers ? headers.checkTrailers() : server ? null : headers.checkResponse();
        if (!headers.tooLarge() && problem != null) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "malformed headers: " + problem);
            return;
        }
        if (informational && end) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "an informational response ended the stream");
            return;
        }
        if (informational) {
            idleFrame();
            return;
        }
        if (!trailers && !contentLength(stream, headers, end)) {
            return;
        }
        if (trailers && stream.contentLength > 0) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA does not add up to content-length");
            return;
        }
        stream.headersSeen = true;
        stream.remoteEnd = end;
        stream.onHeaders(headers, end);
        if (end) {
            remoteEnd(stream);
        }
    }

    private static boolean isInformational(HeaderBlock headers) {
        byte[] status = headers.value(Header.STATUS);
        return status != null && status.length == 3 && status[0] == '1';
    }

    /** RFC 9113 section 8.1.1. False if the stream was reset for it. */
    private boolean contentLength(Http2Stream stream, HeaderBlock headers, boolean end) throws Http2Exception {
        byte[] text = headers.value(Header.CONTENT_LENGTH);
        if (text == null) {
            return true;
        }
        long length = 0;
        for (byte digit : text) {
            if (digit < '0' || digit > '9' || length > Long.MAX_VALUE / 10 - 10) {
                length = -1;
                break;
            }
            length = length * 10 + digit - '0';
        }
        if (text.length == 0 || length < 0 || server && end && length != 0) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "bad content-length");
            return false;
        }
        stream.contentLength = end ? -1 : length;
        return true;
    }

    private void refuse(int id, int code) throws Http2Exception {
        writeReset(id, code);
        remember(id, RESET_BY_US);
        if (code != ErrorCode.REFUSED_STREAM) {
            countReset();
        }
    }

    private void streamError(Http2Stream stream, int code, String reason) throws Http2Exception {
        resetStream(stream, code, reason);
        countReset();
    }

    private void priorityFrame(ByteBuf in, int length, int id) throws Http2Exception {
        if (id == 0) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "PRIORITY on stream 0");
        }
        idleFrame();
        Http2Stream stream = streams.get(id);
        if (length != 5) {
            // RFC 9113 section 6.3: a stream error, also where there is no such stream
            if (stream != null) {
                streamError(stream, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY of " + length + " bytes");
            } else {
                writeReset(id, ErrorCode.FRAME_SIZE_ERROR);
                countReset();
            }
        } else if ((in.readInt() & 0x7fffffff) == id) {
            if (stream != null) {
                streamError(stream, ErrorCode.PROTOCOL_ERROR, "the stream depends on itself");
            } else {
                writeReset(id, ErrorCode.PROTOCOL_ERROR);
                countReset();
            }
        }
    }

    private void resetFrame(ByteBuf in, int length, int id) throws Http2Exception {
        if (length != 4) {
            throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM of " + length + " bytes");
        }
        if (id == 0 || isIdle(id)) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "RST_STREAM on idle stream " + id);
        }
        int code = in.readInt();
        Http2Stream stream = streams.get(id);
        if (stream == null) {
            idleFrame();
            return;
        }
        if (server) {
            countReset();
        }
        close(stream, RESET_BY_PEER);
        stream.onReset(code, true, "reset by the peer: " + ErrorCode.name(code));
        closed(stream);
    }

    private void settingsFrame(ByteBuf in, int length, int flags, int id) throws Http2Exception {
        if (id != 0) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "SETTINGS on stream " + id);
        }
        if ((flags & ACK) != 0) {
            if (length != 0) {
                throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS acknowledgement with a payload");
            }
            if (!settingsSeen) {
                throw Http2Exception.connection(
                        ErrorCode.PROTOCOL_ERROR, "the first frame is an acknowledgement, not SETTINGS");
            }
            idleFrame();
            return;
        }
        if (length % 6 != 0) {
            throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS of " + length + " bytes");
        }
        idleFrame();
        for (int end = in.readerIndex() + length; in.readerIndex() < end; ) {
            setting(in.readUnsignedShort(), in.readUnsignedInt());
        }
        settingsSeen = true;
        header(out.buffer(HEADER), 0, SETTINGS, ACK, 0);
        events.onSettings();
        resume();
    }

    /** RFC 9113 section 6.5.2. */
    private void setting(int id, long value) throws Http2Exception {
        switch (id) {
            case 1 -> encoder.peerTableSize(value);
            case 2 -> {
                if (value > 1 || !server && value == 1) {
                    throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "SETTINGS_ENABLE_PUSH of " + value);
                }
            }
            case 3 -> peerMaxStreams = value;
            case 4 -> {
                if (value > Integer.MAX_VALUE) {
                    throw Http2Exception.connection(
                            ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE of " + value);
                }
                int change = (int) value - peerInitialWindow;
                peerInitialWindow = (int) value;
                for (Http2Stream stream : streams.snapshot()) {
                    long window = (long) stream.sendWindow + change;
                    if (window > Integer.MAX_VALUE) {
                        throw Http2Exception.connection(
                                ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE overflows a window");
                    }
                    stream.sendWindow = (int) window;
                    if (stream.queuedBytes() > 0) {
                        enqueue(stream);
                    }
                }
            }
            case 5 -> {
                if (value < Http2Options.DEFAULT_FRAME_SIZE || value > 0xffffff) {
                    throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE of " + value);
                }
                peerMaxFrame = (int) value;
            }
            case 6 -> peerMaxHeaderList = value;
            default -> {
                // unknown settings are ignored
            }
        }
    }

    /** The header list the peer says it takes, in bytes; {@link Long#MAX_VALUE} if it said nothing. */
    public long peerMaxHeaderList() {
        return peerMaxHeaderList;
    }

    /** How many streams of ours the peer allows at once; {@link Long#MAX_VALUE} if it said nothing. */
    public long peerMaxStreams() {
        return peerMaxStreams;
    }

    private void pingFrame(ByteBuf in, int length, int flags, int id) throws Http2Exception {
        if (length != 8) {
            throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "PING of " + length + " bytes");
        }
        if (id != 0) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "PING on stream " + id);
        }
        long payload = in.readLong();
        if ((flags & ACK) == 0) {
            idleFrame();
            ByteBuf b = out.buffer(HEADER + 8);
            header(b, 8, PING, ACK, 0);
            b.writeLong(payload);
            events.onPing();
        } else if (payload == SHUTDOWN_PING && draining) {
            finalGoAway();
            finishIfIdle();
        } else {
            events.onPong(payload);
        }
    }

    private void goAwayFrame(ByteBuf in, int length, int id) throws Http2Exception {
        if (id != 0) {
            throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "GOAWAY on stream " + id);
        }
        if (length < 8) {
            throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY of " + length + " bytes");
        }
        idleFrame();
        int last = in.readInt() & 0x7fffffff;
        int code = in.readInt();
        int text = Math.min(length - 8, 256);
        String debug = in.toString(in.readerIndex(), text, StandardCharsets.UTF_8);
        peerGoneAway = true;
        events.onGoAway(last, code, debug);
        if (!server) {
            endStreams(
                    ErrorCode.REFUSED_STREAM,
                    "the server went away before it took the call: " + ErrorCode.name(code)
                            + (debug.isEmpty() ? "" : " (" + debug.toLowerCase(Locale.ROOT) + ")"),
                    last);
        }
    }

    private void windowFrame(ByteBuf in, int length, int id) throws Http2Exception {
        if (length != 4) {
            throw Http2Exception.connection(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE of " + length + " bytes");
        }
        int more = in.readInt() & 0x7fffffff;
        if (id == 0) {
            if (more == 0) {
                throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by 0");
            }
            if ((long) sendWindow + more > Integer.MAX_VALUE) {
                throw Http2Exception.connection(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window overflows");
            }
            sendWindow += more;
            if (line.isEmpty()) {
                idleFrame();
            }
            resume();
            return;
        }
        Http2Stream stream = streams.get(id);
        if (stream == null) {
            if (isIdle(id)) {
                throw Http2Exception.connection(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE on idle stream " + id);
            }
            idleFrame();
            return;
        }
        if (more == 0) {
            streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by 0");
        } else if ((long) stream.sendWindow + more > Integer.MAX_VALUE) {
            streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "the stream's window overflows");
        } else {
            stream.sendWindow += more;
            if (stream.queuedBytes() > 0) {
                enqueue(stream);
                resume();
            } else {
                idleFrame();
            }
        }
    }

    // ---- floods and failure

    private void useful() {
        idleFrames = 0;
    }

    private void idleFrame() throws Http2Exception {
        if (++idleFrames > options.maxIdleFrames()) {
            long now = nanoTime.getAsLong();
            if (now - idleSince > Http2Options.FLOOD_WINDOW_NANOS) {
                idleSince = now;
                idleFrames = 1;
                return;
            }
            throw Http2Exception.connection(
                    ErrorCode.ENHANCE_YOUR_CALM, "more than " + options.maxIdleFrames() + " frames that move nothing");
        }
    }

    private void countReset() throws Http2Exception {
        long now = nanoTime.getAsLong();
        if (now - resetsSince > Http2Options.FLOOD_WINDOW_NANOS) {
            resetsSince = now;
            resets = 0;
        }
        if (++resets > options.maxResets()) {
            throw Http2Exception.connection(
                    ErrorCode.ENHANCE_YOUR_CALM, "more than " + options.maxResets() + " streams reset in 30 s");
        }
    }

    private void connectionError(Http2Exception e) {
        if (failure != null || ended) {
            return;
        }
        failure = e;
        goAway(lastPeerStream, e.code(), e.reason());
        endStreams(e.code(), "connection error: " + e.getMessage(), 0);
        events.onFailure(e);
    }

    @Override
    public String toString() {
        return AsciiString.of(server ? "server" : "client") + " connection, " + streams.size() + " streams";
    }
}
