package dev.caisson.store;

import dev.caisson.store.engine.User;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespException;
import dev.caisson.store.resp.RespReader;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * A client on a socket. Reading and writing belong to one loop, so the reader cannot outlive the writer: whichever ends
 * first, the channel ends, and with it all that the client had.
 */
final class Connection extends Conversation {
    private static final Logger LOG = System.getLogger(Connection.class.getName());

    /** Bytes of requests that may wait here while none is taken; then no more are read. */
    static final int MAX_HELD_BYTES = 1 << 20;

    /** Changes of buffers smaller than this are told to the store's budget together with later ones. */
    static final int COUNTED_FROM_BYTES = 64 << 10;
    /** A connection whose buffers are larger than this is closed when memory is used up. */
    static final int LARGE_BYTES = 1 << 20;

    private final Channel channel;
    private final RespReader reader;
    private final Handler handler = new Handler();
    private boolean reading;
    /** No request is taken any more. */
    private boolean closing;
    /** What the store's budget knows of this connection's buffers. */
    private long counted;
    /** What arrives is dropped; what has arrived is taken. */
    private boolean deaf;

    Connection(Store store, Loop loop, long id, Channel channel) {
        super(store, loop, id);
        this.channel = channel;
        this.reader = new RespReader(store.options().limits());
    }

    Channel channel() {
        return channel;
    }

    ChannelInboundHandlerAdapter handler() {
        return handler;
    }

    @Override
    @Nullable
    Args next() {
        if (closing) {
            return null;
        }
        try {
            if (!reader.next()) {
                return null;
            }
        } catch (RespException bad) {
            refuse(new ErrorReply("ERR " + bad.getMessage()));
            closing = true;
            return null;
        }
        Args args = reader.args();
        if (args.is(0, "POST") || args.is(0, "HOST:")) {
            LOG.log(
                    Level.WARNING,
                    "possible cross-protocol attack: {0} sent an HTTP request to the RESP port; the connection is closed",
                    channel.remoteAddress());
            channel.close();
            return null;
        }
        return args;
    }

    @Override
    void send(byte[] output, int length) {
        ByteBuf bytes = channel.alloc().ioBuffer(length);
        bytes.writeBytes(output, 0, length);
        channel.writeAndFlush(bytes, channel.voidPromise());
        count();
    }

    @Override
    boolean isClogged() {
        return !channel.isWritable();
    }

    /** Output that the client has not read, bytes; 0 while it is less than where the channel clogs. */
    @Override
    long unread() {
        return channel.bytesBeforeWritable();
    }

    @Override
    public void closeWhenSent() {
        if (loop.executor.inEventLoop()) {
            closing = true; // it settles at the end of the burst
        } else {
            loop.execute(() -> {
                closing = true;
                settle();
            });
        }
    }

    @Override
    public void kill() {
        channel.close();
    }

    @Override
    public String address() {
        return text(channel.remoteAddress());
    }

    @Override
    public String localAddress() {
        return text(channel.localAddress());
    }

    private static String text(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress inet)) {
            return "?:0";
        }
        String host = inet.getAddress().getHostAddress();
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + inet.getPort();
    }

    @Override
    public int heldBytes() {
        return reader.held();
    }

    @Override
    public void authenticate(@Nullable User user, boolean authenticated) {
        super.authenticate(user, authenticated);
        reader.authenticated(authenticated);
    }

    /** Reads no further, answers what has arrived, then closes. Any thread. */
    void drain() {
        loop.execute(() -> {
            deaf = true;
            stopWaiting();
            resume();
        });
    }

    @Override
    void settle() {
        if (isClosed()) {
            return;
        }
        boolean allTaken = closing || deaf && !isClogged();
        if (allTaken && isIdle()) {
            ended(); // first, so that whoever sees the connection end finds nothing of it
            channel.writeAndFlush(channel.alloc().ioBuffer(0)).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        boolean read = isTaking() && !isClogged() || reader.held() < MAX_HELD_BYTES;
        if (channel.config().isAutoRead() != read) {
            channel.config().setAutoRead(read);
        }
    }

    @Override
    public String toString() {
        return "client " + id() + " " + channel.remoteAddress();
    }

    /** Tells the store's budget what the buffers of this connection take; ends it if there is no room for a large one. */
    private void count() {
        long now = isClosed() ? 0 : reader.memory() + out.array().length + unsentBytes();
        if (Math.abs(now - counted) < COUNTED_FROM_BYTES && now != 0) {
            return;
        }
        store.budget().buffers(now - counted);
        boolean more = now > counted;
        counted = now;
        if (more && now > LARGE_BYTES && store.budget().isFull()) {
            out.protocol(protocol());
            out.error("OOM the request is too large for the memory that is left; the connection is closed");
            reader.trim();
            closing = true;
        }
    }

    private long unsentBytes() {
        ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
        return unsent == null ? 0 : unsent.totalPendingWriteBytes();
    }

    @Override
    void gone() {
        count();
    }

    private final class Handler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                if (closing || deaf) {
                    return;
                }
                int count = bytes.readableBytes();
                byte[] into = reader.buffer(count);
                bytes.readBytes(into, reader.position(), count);
                reader.filled(count);
            } finally {
                bytes.release();
            }
            if (!reading) {
                reading = true;
                loop.begin();
            }
            take();
            count();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            reading = false;
            endBurst();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            if (channel.isWritable()) {
                loop.execute(Connection.this::unclogged); // not from within the write that was flushed at once
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            ended();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (!(cause instanceof IOException) && !(cause.getCause() instanceof SSLException)) {
                LOG.log(Level.ERROR, "connection of " + Connection.this + " failed and is closed", cause);
            }
            context.close();
        }
    }
}
