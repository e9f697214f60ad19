package dev.caisson.rpc;

import io.grpc.Status;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that applications have sent and that wait because the peer does not take them: counted over all calls of a server's
 * connection, or of a channel, and bounded.
 *
 * <ul>
 *   <li>A call of which less than its readiness threshold waits may send: who heeds {@code isReady()}, or sends one message,
 *       is never refused, whatever the other calls do.
 *   <li>Any other call may send while less than {@link Limits#call} of its own, and less than {@link Limits#total} of all,
 *       wait.
 *   <li>So at most {@code total} bytes wait, and beside them of each call {@value #FREE_BYTES} bytes, or its threshold, and
 *       one message.
 * </ul>
 *
 * <p>Thread-safe. A call tells its own count only where it goes past {@value #FREE_BYTES} bytes, so that short calls of many
 * threads do not meet here.
 */
final class Unsent {
    /** What of each call is not counted: the threshold of readiness unless a call sets another. */
    static final int FREE_BYTES = 32 * 1024;

    /**
     * @param call bytes of one call
     * @param total bytes of all calls of a connection or a channel
     */
    record Limits(int call, long total) {
        static final Limits STANDARD = new Limits(16 << 20, 64 << 20);

        Limits {
            if (call < 1 || total < 1) {
                throw new IllegalArgumentException(
                        "maxUnsentBytes must be above 0: " + call + " a call, " + total + " in all");
            }
        }
    }

    private final Limits limits;
    private final String whose;
    private final AtomicLong counted = new AtomicLong();

    /** @param whose what the limit of all calls is a limit of: the connection, the channel */
    Unsent(Limits limits, String whose) {
        this.limits = limits;
        this.whose = whose;
    }

    Limits limits() {
        return limits;
    }

    /** Of a call, {@code before} bytes waited, and {@code now} do. */
    void moved(long before, long now) {
        long change = Math.max(0, now - FREE_BYTES) - Math.max(0, before - FREE_BYTES);
        if (change != 0) {
            counted.addAndGet(change);
        }
    }

    /** The bytes that wait, without those that are free. */
    long counted() {
        return counted.get();
    }

    /** Why a call of which {@code waiting} bytes wait may send no more; null if it may. */
    @Nullable
    Status refusal(long waiting, int threshold) {
        if (waiting < Math.min(threshold, limits.call)) {
            return null;
        }
        if (waiting >= limits.call) {
            return exhausted(waiting, "this call", limits.call);
        }
        long all = counted.get();
        return all >= limits.total ? exhausted(all, whose, limits.total) : null;
    }

    private static Status exhausted(long waiting, String of, long limit) {
        return Status.RESOURCE_EXHAUSTED.withDescription(waiting + " bytes of " + of
                + " wait to be sent, and no more may than " + limit
                + "; send while isReady() is true, or raise maxUnsentBytes");
    }
}
