package dev.caisson.rpc;

import io.grpc.Attributes;
import io.grpc.Status;

/**
 * One connection to a backend, as the channel sees it.
 *
 * <pre>
 *   made ── start ──► connecting ── ready ──► ready ── draining ──► draining ──► terminated
 *                         └───────────────── failed, shut down ─────────────────────┘
 * </pre>
 *
 * <p>All methods may be called from any thread and none blocks.
 */
interface Transport {
    /** What becomes of a transport. Called from any thread, in this order, each at most once. */
    interface Listener {
        /** It is connected and the peer has greeted. */
        void ready();

        /** It takes no more calls; those it has go on. Not called for a transport that never was ready. */
        void draining(Status why);

        /**
         * It is gone, with all calls and resources it had. Always called, once, last.
         *
         * @param why says which address failed, why, and what to do, where it is not known that all is in order
         */
        void terminated(Status why);
    }

    /** Begins to connect. Called once, first. */
    void start(Listener listener);

    /** A try of {@code call} here. Nothing happens until its {@link Attempt#wake}. */
    Attempt attempt(ChannelCall<?, ?> call);

    /** What is known of the connection: addresses, TLS session, security level. Empty until it is ready. */
    Attributes attributes();

    /** Takes no more calls; ends when the last has ended. */
    void shutdown(Status why);

    /** Ends now; calls end with {@code why}. */
    void shutdownNow(Status why);

    /** Calls that it carries or keeps waiting now; a snapshot. */
    int calls();

    /** When it last became free of calls, by the channel's clock; meaningless while it has calls. */
    long freeSinceNanos();

    /** One try of a call on this transport. */
    interface Attempt {
        /**
         * The call has something new for it: messages, half-close, requests, a cancellation. Any thread; the call calls
         * it once and then not again before it was drained ({@link ChannelCall#drain}).
         */
        void wake();

        /**
         * Calls {@link ChannelCall#notifyListener} at the end of the current burst of events. Only on the transport's
         * thread.
         */
        void notifyAfterBurst();

        /** What is known of the connection. */
        Attributes attributes();
    }
}
