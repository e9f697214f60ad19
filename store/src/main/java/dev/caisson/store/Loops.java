package dev.caisson.store;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The threads of one store: epoll where its native library loads, NIO elsewhere; daemon threads named
 * {@code caisson-store-n}. {@link #close} joins them. Any thread.
 */
final class Loops implements AutoCloseable {
    /** How long the end of the threads is waited for, in milliseconds. */
    private static final long JOIN_MILLIS = 10_000;

    private final EventLoopGroup group;
    private final boolean epoll;

    private Loops(EventLoopGroup group, boolean epoll) {
        this.group = group;
        this.epoll = epoll;
    }

    /** Starts {@code count} threads. The caller owns and closes them. */
    static Loops start(int count) {
        boolean epoll = Epoll.isAvailable();
        IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        return new Loops(
                new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory("caisson-store", true), io), epoll);
    }

    EventLoopGroup group() {
        return group;
    }

    List<EventLoop> all() {
        List<EventLoop> loops = new ArrayList<>();
        for (EventExecutor each : group) {
            loops.add((EventLoop) each);
        }
        return loops;
    }

    Class<? extends ServerChannel> serverChannel() {
        return epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    }

    boolean isLoop() {
        for (EventExecutor each : group) {
            if (each.inEventLoop()) {
                return true;
            }
        }
        return false;
    }

    /** Waits until every loop has done what was submitted by now, twice: the second time what the first had it submit. */
    void settle() throws InterruptedException {
        for (int round = 0; round < 2; round++) {
            for (EventExecutor loop : group) {
                if (!loop.isShuttingDown()) {
                    loop.submit(() -> {}).await(JOIN_MILLIS);
                }
            }
        }
    }

    /** Closes a channel and waits for it. */
    static void close(Channel channel) throws InterruptedException {
        channel.close().await(JOIN_MILLIS);
    }

    @Override
    public void close() throws InterruptedException {
        settle();
        group.shutdownGracefully(0, JOIN_MILLIS, TimeUnit.MILLISECONDS);
        group.awaitTermination(JOIN_MILLIS, TimeUnit.MILLISECONDS);
    }
}
