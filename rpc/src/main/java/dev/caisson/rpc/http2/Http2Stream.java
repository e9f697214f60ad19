package dev.caisson.rpc.http2;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * One stream of an {@link Http2Connection}: its two windows, its two half-closed flags, and what waits to be sent.
 *
 * <pre>
 *             accept / open
 *   idle ────────────────────► open ──── END_STREAM out ──► half-closed (local) ──┐
 *                               │                                                 ├─► closed
 *                               ├────── END_STREAM in ───► half-closed (remote) ──┘      ▲
 *                               └────── RST_STREAM either way, connection lost ──────────┘
 * </pre>
 *
 * <p>Confined to the connection's thread, but for {@link #id()} and {@link #describe()}. A subclass receives the events;
 * each may send or reset from inside. {@link #onClosed} is the last event, and comes exactly once for every stream that
 * was put into the table.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc9113#section-5.1">RFC 9113, section 5.1</a>
 */
public abstract class Http2Stream {
    /** Set when the stream enters the table, before anything is sent or received on it. */
    int id;

    @Nullable
    Http2Connection connection;

    int sendWindow;
    /** What the peer may still send, and what of it was taken but not yet given back. */
    int receiveWindow;

    int unreturned;
    /** Received and not returned yet. */
    int held;

    boolean localEnd;
    boolean remoteEnd;
    boolean closed;
    boolean headersSeen;
    long contentLength = -1;
    private @Nullable ArrayDeque<ByteBuf> queue;
    private long queuedBytes;
    /** Part of the queue's head was sent. */
    private boolean headBegun;

    private boolean endQueued;
    private @Nullable HeaderWriter trailersQueued;
    /** In the connection's line of streams that wait for a window or for the transport. */
    boolean waiting;

    /** The stream's number; 0 before it has one. Any thread. */
    public final int id() {
        return id;
    }

    /** True from the end of both sides, a reset, or the end of the connection. */
    public final boolean closed() {
        return closed;
    }

    /** True once our side has ended, or its end waits behind queued data. */
    public final boolean localEnded() {
        return localEnd || endQueued || trailersQueued != null;
    }

    /** True from the event that brought the peer's end. */
    public final boolean remoteEnded() {
        return remoteEnd;
    }

    /** Bytes given to {@link #sendData} that no window, or a transport that is full, let through yet. */
    public final long queuedBytes() {
        return queuedBytes;
    }

    /** What census and logs call this stream. Any thread. */
    public String describe() {
        return "stream " + id;
    }

    // ---- events

    /** A header list: the first one, or trailers ({@code end}), or on a client an informational response. */
    protected abstract void onHeaders(HeaderBlock headers, boolean end);

    /**
     * {@code length} bytes of DATA at {@code data}'s reader index, to be read or copied before return; the connection moves
     * the index itself. The bytes stay counted against the peer's window until {@link #returnBytes}.
     */
    protected abstract void onData(ByteBuf data, int length, boolean end);

    /** The stream ended early: reset by the peer ({@code remote}), by us, or with the connection. */
    protected abstract void onReset(int code, boolean remote, String reason);

    /** Queued bytes went out; the queue may have room again. */
    protected void onSent() {}

    /** Nothing follows. */
    protected void onClosed() {}

    // ---- sending

    private Http2Connection connected() {
        Http2Connection c = connection;
        if (c == null) {
            throw new IllegalStateException("the stream is not open yet");
        }
        return c;
    }

    /** Writes HEADERS at once. Ignored on a closed stream or after its local end. */
    public final void sendHeaders(HeaderWriter headers, boolean end) {
        if (closed || localEnded()) {
            return;
        }
        connected().writeHeaders(this, headers, end);
    }

    /**
     * If nothing is queued and windows and transport take {@code length} bytes in one frame now: writes the frame's header
     * and returns the buffer, to which the caller appends exactly {@code length} bytes. Null otherwise.
     */
    public final @Nullable ByteBuf beginData(int length) {
        if (closed || localEnded() || queuedBytes != 0 || !connected().mayWrite(this, length)) {
            return null;
        }
        return connected().beginData(this, length);
    }

    /** Sends {@code data} as windows allow, then ends our side if {@code end}. Takes ownership of {@code data}. */
    public final void sendData(ByteBuf data, boolean end) {
        if (closed || localEnded()) {
            data.release();
            return;
        }
        int length = data.readableBytes();
        if (queuedBytes == 0 && connected().mayWrite(this, length)) {
            connected().writeData(this, data, end);
            return;
        }
        if (length == 0) {
            data.release();
        } else {
            if (queue == null) {
                queue = new ArrayDeque<>();
            }
            queue.add(data);
            queuedBytes += length;
        }
        endQueued |= end;
        connected().enqueue(this);
        connected().resume();
    }

    /**
     * Drops what was given to {@link #sendData} and waits, but for the rest of a piece of which a part was sent: what follows
     * stands on a boundary of pieces. Ignored after the local end.
     */
    public final void dropUnbegun() {
        ArrayDeque<ByteBuf> q = queue;
        if (q == null || localEnded()) {
            return;
        }
        ByteBuf begun = headBegun ? q.poll() : null;
        q.forEach(ByteBuf::release);
        q.clear();
        if (begun != null) {
            q.add(begun);
        }
        queuedBytes = begun == null ? 0 : begun.readableBytes();
    }

    /** Sends trailers after all queued data, and ends our side. */
    public final void sendTrailers(HeaderWriter trailers) {
        if (closed || localEnded()) {
            return;
        }
        if (queuedBytes == 0) {
            connected().writeHeaders(this, trailers, true);
        } else {
            trailersQueued = trailers;
        }
    }

    /** Ends our side without data. */
    public final void sendEnd() {
        if (closed || localEnded()) {
            return;
        }
        if (queuedBytes == 0) {
            connected().writeEmptyEnd(this);
        } else {
            endQueued = true;
        }
    }

    /** Sends RST_STREAM and forgets the stream. What is queued is dropped. */
    public final void reset(int code, String reason) {
        if (!closed) {
            connected().resetStream(this, code, reason);
        }
    }

    /** Gives {@code bytes} of received DATA back to the peer's windows (RFC 9113 section 6.9). */
    public final void returnBytes(int bytes) {
        if (bytes > 0 && connection != null) {
            connection.returnBytes(this, bytes);
        }
    }

    // ---- the connection's side of the queue

    /** Writes one frame of the queue, as windows and transport allow, and what stands behind the last. True if some is left. */
    final boolean sendOneFrame(Http2Connection c) {
        ArrayDeque<ByteBuf> q = queue;
        ByteBuf head = q == null ? null : q.peek();
        int room = c.sendRoom(this);
        if (closed || q == null || head == null || room <= 0) {
            return queuedBytes > 0;
        }
        int length = head.readableBytes();
        if (length <= room) {
            q.poll();
            headBegun = false;
            queuedBytes -= length;
            c.writeData(this, head, endQueued && queuedBytes == 0);
        } else {
            headBegun = true;
            queuedBytes -= room;
            c.writeData(this, head.readRetainedSlice(room), false);
        }
        if (!closed && queuedBytes == 0 && trailersQueued != null) {
            HeaderWriter trailers = trailersQueued;
            trailersQueued = null;
            c.writeHeaders(this, trailers, true);
        }
        if (!closed) {
            onSent();
        }
        return !closed && queuedBytes > 0;
    }

    final void dropQueue() {
        ArrayDeque<ByteBuf> q = queue;
        if (q != null) {
            q.forEach(ByteBuf::release);
        }
        queue = null;
        headBegun = false;
        queuedBytes = 0;
        trailersQueued = null;
        endQueued = false;
    }
}
