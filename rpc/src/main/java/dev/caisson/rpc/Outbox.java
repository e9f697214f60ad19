package dev.caisson.rpc;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a channel's call has to send: framed messages, then the half-close. What was taken is kept, up to a bound, as long as
 * another attempt may follow, so that the call can be sent again from its beginning.
 *
 * <pre>
 *   added ──► unsent ── take() ──► in the stream's queue ── sent() ──► gone
 *               ▲                            │
 *               └──────── rewind() ──────────┘  while not committed
 * </pre>
 *
 * <p>Guarded by its call's lock.
 */
final class Outbox {
    private final long keptLimit;
    private final Unsent unsent;
    private @Nullable List<ByteBuf> messages;
    /** How many of {@link #messages} the current attempt has; what they take is {@link #keptBytes}. */
    private int taken;

    private long keptBytes;
    private boolean committed;
    private boolean halfClosed;
    private boolean endTaken;
    private long newBytes;
    private long streamBytes;
    private long told;

    /** @param keptLimit bytes kept to be sent again; 0 if nothing is */
    Outbox(long keptLimit, Unsent unsent) {
        this.keptLimit = keptLimit;
        this.unsent = unsent;
    }

    /** Takes ownership of {@code framed}. {@code capacity} is how many messages are likely. */
    void add(ByteBuf framed, int capacity) {
        List<ByteBuf> queue = messages;
        if (queue == null) {
            queue = new ArrayList<>(capacity);
            messages = queue;
        }
        queue.add(framed);
        newBytes += framed.readableBytes();
        tell();
    }

    void halfClose() {
        halfClosed = true;
    }

    boolean halfClosed() {
        return halfClosed;
    }

    /** True if nothing is kept any more that another attempt would have to send. */
    boolean committed() {
        return committed;
    }

    /** Bytes that are not on their way: here, or in the stream's queue. */
    long waiting() {
        return newBytes + streamBytes;
    }

    /** The next message to send, which is the caller's; null if there is none. */
    @Nullable
    ByteBuf take() {
        List<ByteBuf> queue = messages;
        if (queue == null || taken == queue.size()) {
            return null;
        }
        ByteBuf head = queue.get(taken);
        int bytes = head.readableBytes();
        newBytes -= bytes;
        streamBytes += bytes;
        if (!committed) {
            if (keptBytes + bytes <= keptLimit) {
                keptBytes += bytes;
                taken++;
                return head.retainedDuplicate();
            }
            commit();
        }
        return queue.remove(0);
    }

    /** True once: everything is taken, and the half-close follows. */
    boolean takeEnd() {
        if (!halfClosed || endTaken || messages != null && taken < messages.size()) {
            return false;
        }
        endTaken = true;
        return true;
    }

    /** So much of what was taken still waits in the stream's queue. */
    void sent(long queuedBytes) {
        streamBytes = queuedBytes;
        tell();
    }

    /** No other attempt can follow: what was sent is not kept. */
    void commit() {
        if (committed) {
            return;
        }
        committed = true;
        List<ByteBuf> queue = messages;
        if (queue != null) {
            List<ByteBuf> kept = queue.subList(0, taken);
            kept.forEach(ByteBuf::release);
            kept.clear();
        }
        taken = 0;
        keptBytes = 0;
    }

    /** For another attempt, from the beginning. Not once committed. */
    void rewind() {
        newBytes += keptBytes;
        streamBytes = 0;
        keptBytes = 0;
        taken = 0;
        endTaken = false;
        tell();
    }

    /** Drops everything: the call has ended. */
    void release() {
        if (messages != null) {
            messages.forEach(ByteBuf::release);
            messages = null;
        }
        taken = 0;
        keptBytes = 0;
        newBytes = 0;
        streamBytes = 0; // the stream drops its queue when it is reset
        tell();
    }

    private void tell() {
        long now = newBytes + streamBytes;
        unsent.moved(told, now);
        told = now;
    }
}
