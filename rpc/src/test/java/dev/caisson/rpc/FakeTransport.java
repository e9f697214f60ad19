package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Attributes;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A transport that does what a test says, and counts what the channel does. */
final class FakeTransport implements Transport {
    int wakes;
    int calls;
    long freeSince;
    boolean shutdown;
    private boolean ended;
    private @Nullable Listener listener;
    private @Nullable Taken attempt;

    FakeTransport(FakeTime time) {
        this.freeSince = time.nanos();
    }

    Listener listener() {
        if (listener == null) {
            throw new AssertionError("not started");
        }
        return listener;
    }

    Taken attempt() {
        if (attempt == null) {
            throw new AssertionError("no call came");
        }
        return attempt;
    }

    void ready() {
        listener().ready();
    }

    /** Neither failed nor ended. */
    boolean open() {
        return !ended;
    }

    void fail(String why) {
        ended = true;
        listener().terminated(Status.UNAVAILABLE.withDescription(why));
    }

    void end() {
        ended = true;
        listener().terminated(Status.UNAVAILABLE.withDescription("ended"));
    }

    List<String> drain() {
        return attempt().drain();
    }

    @Override
    public void start(Listener newListener) {
        listener = newListener;
    }

    @Override
    public Attempt attempt(ChannelCall<?, ?> call) {
        attempt = new Taken(this, call);
        return attempt;
    }

    @Override
    public Attributes attributes() {
        return Attributes.EMPTY;
    }

    @Override
    public void shutdown(Status why) {
        shutdown = true;
    }

    @Override
    public void shutdownNow(Status why) {
        shutdown = true;
    }

    @Override
    public int calls() {
        return calls;
    }

    @Override
    public long freeSinceNanos() {
        return freeSince;
    }

    /** What the transport was given of a call. */
    record Taken(FakeTransport transport, ChannelCall<?, ?> call) implements Transport.Attempt {
        @Override
        public void wake() {
            transport.wakes++;
        }

        @Override
        public void notifyAfterBurst() {
            call.notifyListener();
        }

        @Override
        public Attributes attributes() {
            return Attributes.EMPTY;
        }

        void refuse(Status why, boolean seen) {
            call.refused(this, why, seen);
        }

        List<String> drain() {
            List<String> seen = new ArrayList<>();
            Status over = call.drain(this, new ChannelCall.Sink() {
                @Override
                public void message(io.netty.buffer.ByteBuf framed, boolean last) {
                    framed.release();
                    seen.add(last ? "message last" : "message");
                }

                @Override
                public void halfClose() {
                    seen.add("half-close");
                }

                @Override
                public void requestMessages(int n) {
                    seen.add("request " + n);
                }

                @Override
                public long unsentBytes() {
                    return 0;
                }
            });
            assertThat(over).isNull();
            return seen;
        }
    }
}
