package dev.caisson.rpc;

import io.grpc.Status;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What the balancer last decided, as a snapshot that calls read without a lock. Thread-safe. */
abstract class Picker {
    /** A ready transport, or null if there is none. */
    abstract @Nullable Transport pick();

    /** Why calls that do not wait for readiness fail; null if they wait like the others. */
    @Nullable
    Status failure() {
        return null;
    }

    /** Whether somebody must connect first: the channel, or its balancer, is idle. */
    boolean idle() {
        return false;
    }

    static Picker queue() {
        return new None(null, false);
    }

    static Picker idlePicker() {
        return new None(null, true);
    }

    static Picker failing(Status status) {
        return new None(status, false);
    }

    static Picker of(Transport transport) {
        return new One(transport);
    }

    /** Takes turns, beginning at {@code start}. */
    static Picker of(List<Transport> transports, int start) {
        return transports.size() == 1 ? new One(transports.getFirst()) : new Turns(transports, start);
    }

    private static final class None extends Picker {
        private final @Nullable Status failure;
        private final boolean idle;

        None(@Nullable Status failure, boolean idle) {
            this.failure = failure;
            this.idle = idle;
        }

        @Override
        @Nullable
        Transport pick() {
            return null;
        }

        @Override
        @Nullable
        Status failure() {
            return failure;
        }

        @Override
        boolean idle() {
            return idle;
        }
    }

    private static final class One extends Picker {
        private final Transport transport;

        One(Transport transport) {
            this.transport = transport;
        }

        @Override
        Transport pick() {
            return transport;
        }
    }

    private static final class Turns extends Picker {
        private final Transport[] transports;
        private final AtomicInteger next;

        Turns(List<Transport> transports, int start) {
            this.transports = transports.toArray(new Transport[0]);
            this.next = new AtomicInteger(start);
        }

        @Override
        Transport pick() {
            return transports[Integer.remainderUnsigned(next.getAndIncrement(), transports.length)];
        }
    }
}
