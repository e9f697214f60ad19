package dev.caisson.rpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The event loops of this process: made with the first lease, ended and joined with the last. Epoll where its native
 * library loads (Linux on x86-64 and arm64), NIO elsewhere; one daemon thread per processor, named {@code caisson-loop-n}.
 *
 * <p>This is one of the two process-wide states of Caisson (ARCHITECTURE.md). Nobody keeps the loops without a lease, and
 * {@link Lease#close} of the last one returns after the threads have ended, unless a loop itself calls it.
 *
 * <p>Thread-safety: all methods may be called from any thread.
 */
public final class EventLoops {
    /*
     * Lock: EventLoops.class guards `current` and every `leases`. No callback and no wait happens under it: a group is
     * taken out of `current` first and joined after.
     */
    private static @Nullable EventLoops current;

    /** How long the last lease waits for the threads to end, in milliseconds. */
    private static final long JOIN_MILLIS = 10_000;

    private final EventLoopGroup group;
    private final boolean epoll;
    private int leases;

    private EventLoops() {
        epoll = Epoll.isAvailable();
        IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        group = new MultiThreadIoEventLoopGroup(
                Runtime.getRuntime().availableProcessors(), new DefaultThreadFactory("caisson-loop", true), io);
    }

    /** Takes a lease, starting the loops if there are none. The caller owns it and closes it. */
    public static Lease acquire() {
        synchronized (EventLoops.class) {
            EventLoops loops = current;
            if (loops == null) {
                loops = new EventLoops();
                current = loops;
            }
            loops.leases++;
            return new Lease(loops);
        }
    }

    private void release() {
        synchronized (EventLoops.class) {
            if (--leases > 0) {
                return;
            }
            current = null;
        }
        boolean onLoop = false;
        for (EventExecutor loop : group) {
            onLoop |= loop.inEventLoop();
        }
        if (!onLoop) {
            settle();
        }
        group.shutdownGracefully(0, JOIN_MILLIS, TimeUnit.MILLISECONDS);
        if (!onLoop) {
            boolean interrupted = Thread.interrupted();
            try {
                group.awaitTermination(JOIN_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * A loop that ends closes the channels it has, and forgets one that is registered after that. The first round lets a
     * loop that accepts hand over what it took, the second lets the others take it.
     */
    private void settle() {
        for (int round = 0; round < 2; round++) {
            for (EventExecutor loop : group) {
                loop.submit(() -> {}).awaitUninterruptibly(JOIN_MILLIS);
            }
        }
    }

    /** A share in the loops. Closing it twice does nothing the second time. */
    public static final class Lease implements AutoCloseable {
        private @Nullable EventLoops loops;

        private Lease(EventLoops loops) {
            this.loops = loops;
        }

        private synchronized EventLoops loops() {
            EventLoops l = loops;
            if (l == null) {
                throw new IllegalStateException("the lease on the event loops is closed");
            }
            return l;
        }

        /** The loops, for a bootstrap. Never shut them down: they are shared. */
        public EventLoopGroup group() {
            return loops().group;
        }

        /** Makes listening channels that fit the loops. */
        public ChannelFactory<? extends ServerChannel> serverChannel() {
            return loops().epoll ? EpollServerSocketChannel::new : NioServerSocketChannel::new;
        }

        /** Makes connecting channels that fit the loops. */
        public ChannelFactory<? extends Channel> clientChannel() {
            return loops().epoll ? EpollSocketChannel::new : NioSocketChannel::new;
        }

        /** {@code epoll} or {@code nio}. */
        public String transport() {
            return loops().epoll ? "epoll" : "nio";
        }

        @Override
        public void close() {
            EventLoops l;
            synchronized (this) {
                l = loops;
                loops = null;
            }
            if (l != null) {
                l.release();
            }
        }
    }
}
