package dev.caisson.rpc;

import dev.caisson.rpc.http2.Http2Connection;
import dev.caisson.rpc.http2.Http2Exception;
import dev.caisson.rpc.http2.Http2Options;
import dev.caisson.rpc.http2.Output;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.util.ArrayDeque;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/2 connection on its event loop: bytes between the socket and an {@link Http2Connection}, and one queue for what
 * other threads want done.
 *
 * <pre>
 *   made ── added to the pipeline, active ──► open ── peer, error or close() ──► closed
 * </pre>
 */
abstract class Connection extends ChannelInboundHandlerAdapter implements Output, Http2Connection.Events {
    /*
     * Everything here is the loop's, but for `tasks`: a stack that any thread pushes to. Whoever pushes onto the empty
     * stack wakes the loop, so a burst of replies costs one wake-up; the loop takes the whole stack, turns it round, runs
     * it, and flushes once.
     *
     * Output is gathered in `burst` and handed to the channel once per read burst or task burst. Nothing is flushed while
     * `depth` is above zero.
     */

    /** Something another thread wants done on the loop. Made once per use, or reused when it has run. */
    abstract static class Task {
        @Nullable
        Task next;

        /** On the loop. {@code open} is false if the connection has ended; resources must be released then. */
        abstract void run(boolean open);
    }

    private static final class Sealed extends Task {
        @Override
        void run(boolean open) {}
    }

    private static final Task SEALED = new Sealed();

    /** Bytes gathered before they are handed to the channel in the middle of a burst. */
    private static final int BURST_BYTES = 64 * 1024;

    private static final int FIRST_BURST = 4096;

    /** How long a server that has said goodbye reads on until its client closes. */
    static final long LINGER_MILLIS = 1_000;

    private final AtomicReference<@Nullable Task> tasks = new AtomicReference<>();
    private final Runnable drain = this::drainTasks;
    private final Http2Options options;
    private final boolean server;
    private @Nullable ChannelHandlerContext context;
    private @Nullable Http2Connection http2;
    private @Nullable DeadlineWheel wheel;
    private final ArrayDeque<Runnable> afterBurst = new ArrayDeque<>();
    private @Nullable ByteBuf burst;
    private int burstSize = FIRST_BURST;
    private int depth;
    private boolean closing;
    private boolean lingering;
    private @Nullable ScheduledFuture<?> linger;
    private boolean ended;
    private @Nullable Throwable failure;

    Connection(boolean server, Http2Options options) {
        this.server = server;
        this.options = options;
    }

    // ---- for subclasses

    /** The connection runs; its preface is written. */
    abstract void opened();

    /** The connection has ended and all its streams with it. Called once. */
    abstract void closed(String reason, @Nullable Throwable cause);

    final Http2Connection http2() {
        Http2Connection h = http2;
        if (h == null) {
            throw new IllegalStateException("the connection is not open yet");
        }
        return h;
    }

    final Channel channel() {
        return context().channel();
    }

    final EventLoop loop() {
        return context().channel().eventLoop();
    }

    final boolean inLoop() {
        ChannelHandlerContext c = context;
        return c != null && c.channel().eventLoop().inEventLoop();
    }

    /** On the loop, and what is written now will be flushed by whoever called. */
    final boolean inBurst() {
        return inLoop() && depth > 0;
    }

    private ChannelHandlerContext context() {
        ChannelHandlerContext c = context;
        if (c == null) {
            throw new IllegalStateException("the connection is not in a pipeline");
        }
        return c;
    }

    final DeadlineWheel wheel() {
        DeadlineWheel w = wheel;
        if (w == null) {
            w = new DeadlineWheel(loop(), System::nanoTime);
            wheel = w;
        }
        return w;
    }

    /**
     * Runs {@code task} on the loop, in the order of submission per thread. Any thread. After the end it runs at once, on
     * the calling thread, with {@code open} false.
     */
    final void submit(Task task) {
        while (true) {
            Task head = tasks.get();
            if (head == SEALED) {
                task.run(false);
                return;
            }
            task.next = head;
            if (tasks.compareAndSet(head, task)) {
                if (head == null) {
                    loop().execute(drain);
                }
                return;
            }
        }
    }

    private void drainTasks() {
        depth++;
        try {
            runTasks(tasks.getAndUpdate(head -> head == SEALED ? SEALED : null), true);
        } finally {
            depth--;
        }
        flush();
    }

    private void runTasks(@Nullable Task head, boolean open) {
        if (head == SEALED) {
            return;
        }
        Task first = null;
        for (Task t = head; t != null; ) {
            Task next = t.next;
            t.next = first;
            first = t;
            t = next;
        }
        while (first != null) {
            Task t = first;
            first = t.next;
            t.next = null;
            t.run(open && !ended);
        }
    }

    /** Runs {@code work} as part of a burst: what it writes is flushed once, after the outermost. On the loop. */
    final void burst(Runnable work) {
        depth++;
        try {
            work.run();
        } finally {
            depth--;
        }
        flush();
    }

    /** Runs {@code work} when the current burst has been read, before its flush. On the loop, inside a burst. */
    final void afterBurst(Runnable work) {
        afterBurst.add(work);
    }

    final ByteBufAllocator allocator() {
        return context().alloc();
    }

    /** Closes the channel after what was written has gone out. On the loop. */
    final void closeAfterFlush() {
        if (closing) {
            return;
        }
        closing = true;
        if (depth == 0) {
            flush();
        }
    }

    /** Drops the channel. Any thread. */
    final void abort() {
        ChannelHandlerContext c = context;
        if (c != null) {
            c.channel().close();
        }
    }

    // ---- Output

    @Override
    public final ByteBuf buffer(int bytes) {
        ByteBuf b = burst;
        if (b != null && b.readableBytes() + bytes > BURST_BYTES) {
            handOver(b);
            b = null;
        }
        if (b == null) {
            b = context().alloc().ioBuffer(Math.max(burstSize, bytes));
            burst = b;
        }
        return b;
    }

    private void handOver(ByteBuf b) {
        burst = null;
        // The next burst is likely of this size; halving lets it shrink again.
        burstSize = Math.max(FIRST_BURST, Math.min(BURST_BYTES, Math.max(b.readableBytes(), burstSize / 2)));
        ChannelHandlerContext c = context();
        c.write(b, c.voidPromise());
    }

    @Override
    public final void write(ByteBuf data) {
        ByteBuf b = burst;
        if (b != null) {
            handOver(b);
        }
        ChannelHandlerContext c = context();
        c.write(data, c.voidPromise());
    }

    @Override
    public final boolean writable() {
        ByteBuf b = burst;
        return context().channel().isWritable() && (b == null || b.readableBytes() < BURST_BYTES);
    }

    @Override
    public final long pendingBytes() {
        ByteBuf b = burst;
        ChannelOutboundBuffer pending = context().channel().unsafe().outboundBuffer();
        return (b == null ? 0 : b.readableBytes()) + (pending == null ? 0 : pending.totalPendingWriteBytes());
    }

    final void flush() {
        ChannelHandlerContext c = context;
        if (depth > 0 || c == null) {
            return;
        }
        for (Runnable work = afterBurst.poll(); work != null; work = afterBurst.poll()) {
            work.run();
        }
        if (ended) {
            return;
        }
        while (true) {
            ByteBuf b = burst;
            if (b != null) {
                handOver(b);
            }
            c.flush();
            if (b == null || ended || !writable()) {
                break;
            }
            depth++;
            try {
                http2().resume();
            } finally {
                depth--;
            }
            if (burst == null) {
                break;
            }
        }
        if (closing && !lingering && !ended) {
            lingering = true;
            c.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> leave(c));
        }
    }

    /**
     * A server that closed with bytes unread would answer them with a TCP reset, which can overtake the GOAWAY that says why
     * (RFC 1122 section 4.2.2.13). It ends its own side and waits for the client's end, for a time.
     */
    private void leave(ChannelHandlerContext c) {
        if (!server) {
            c.close();
            return;
        }
        if (c.channel() instanceof DuplexChannel duplex && c.pipeline().get(SslHandler.class) == null) {
            duplex.shutdownOutput();
        }
        linger = c.executor().schedule(() -> c.close(), LINGER_MILLIS, TimeUnit.MILLISECONDS);
    }

    // ---- the channel's events

    @Override
    public final void handlerAdded(ChannelHandlerContext c) {
        context = c;
        if (c.channel().isActive()) {
            open(c);
        }
    }

    @Override
    public final void channelActive(ChannelHandlerContext c) {
        open(c);
    }

    private void open(ChannelHandlerContext c) {
        if (http2 != null) {
            return;
        }
        Http2Connection h = new Http2Connection(server, options, this, this, c.alloc(), System::nanoTime);
        http2 = h;
        burst(() -> {
            h.start();
            opened();
        });
    }

    @Override
    public final void channelRead(ChannelHandlerContext c, Object message) {
        ByteBuf in = (ByteBuf) message;
        depth++;
        try {
            http2().receive(in);
        } finally {
            depth--;
            in.release();
        }
    }

    @Override
    public final void channelReadComplete(ChannelHandlerContext c) {
        flush();
    }

    @Override
    public final void channelWritabilityChanged(ChannelHandlerContext c) {
        if (c.channel().isWritable() && http2 != null && !ended) {
            burst(http2::resume);
        }
    }

    @Override
    public final void channelInactive(ChannelHandlerContext c) {
        end(failure == null ? "the peer closed the connection" : String.valueOf(failure.getMessage()), failure);
    }

    @Override
    public final void handlerRemoved(ChannelHandlerContext c) {
        end("the connection was taken out of its channel", failure);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext c, Throwable cause) {
        if (failure == null) {
            failure = cause;
        }
        c.close();
    }

    private void end(String reason, @Nullable Throwable cause) {
        if (ended) {
            return;
        }
        depth++; // nothing is flushed any more
        if (http2 != null) {
            Http2Exception protocol = http2.failure();
            http2.end(protocol == null ? reason : protocol.getMessage() + "");
        }
        ended = true;
        if (burst != null) {
            burst.release();
            burst = null;
        }
        if (wheel != null) {
            wheel.close();
        }
        if (linger != null) {
            linger.cancel(false);
        }
        closed(reason, cause);
        // What was submitted up to now still runs, with open false; what comes later runs where it is submitted.
        runTasks(tasks.getAndSet(SEALED), false);
        depth--;
        flush();
    }

    // ---- Http2Connection.Events that both sides share

    @Override
    public void onFailure(Http2Exception e) {
        closeAfterFlush();
    }

    @Override
    public void onFinished() {
        closeAfterFlush();
    }
}
