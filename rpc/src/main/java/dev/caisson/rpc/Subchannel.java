package dev.caisson.rpc;

import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Status;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * At most one connection to any of a list of addresses, tried in turn.
 *
 * <pre>
 *            connect            an address answers
 *   IDLE ──────────► CONNECTING ──────────────────► READY ── lost, or draining ──► IDLE
 *                     ▲     │ none answers
 *    back-off is over │     ▼
 *                TRANSIENT_FAILURE              any ── shutdown ──► SHUTDOWN
 * </pre>
 *
 * <p>Confined to the channel's synchronization context.
 */
final class Subchannel {
    /** One address of a group, with what the resolver said of the group. */
    record Address(SocketAddress socket, Attributes attributes) {}

    /** What a subchannel needs of its channel. */
    interface Environment {
        /** Makes a transport and takes it into the channel's keeping until it has terminated. */
        Transport transport(Address address);

        /** Runs {@code task} in the synchronization context after {@code nanos}. */
        ScheduledFuture<?> after(long nanos, Runnable task);

        void execute(Runnable task);

        long nanoTime();

        Backoff newBackoff();
    }

    private final Environment environment;
    private final Runnable changed;
    private final Backoff backoff;
    private List<Address> addresses;
    private ConnectivityState state = ConnectivityState.IDLE;
    private @Nullable Transport transport;
    private @Nullable ScheduledFuture<?> pause;
    private Status error = Status.UNAVAILABLE.withDescription("not connected yet");
    private @Nullable Address current;
    private int index;
    private long roundStarted;

    /** @param changed told after each change of state, in the synchronization context */
    Subchannel(Environment environment, List<EquivalentAddressGroup> groups, Runnable changed) {
        this.environment = environment;
        this.addresses = flatten(groups);
        this.changed = changed;
        this.backoff = environment.newBackoff();
    }

    ConnectivityState state() {
        return state;
    }

    /** Why the last round of addresses failed. */
    Status error() {
        return error;
    }

    /** The transport of a READY subchannel. */
    Transport ready() {
        Transport t = transport;
        if (state != ConnectivityState.READY || t == null) {
            throw new IllegalStateException("the subchannel is " + state);
        }
        return t;
    }

    /** When it last began to try its addresses. */
    long roundStartedNanos() {
        return roundStarted;
    }

    /** Begins to connect if it is idle. */
    void connect() {
        if (state == ConnectivityState.IDLE) {
            index = 0;
            roundStarted = environment.nanoTime();
            tryAddress();
        }
    }

    /** Ends a pause between rounds at once and forgets that there were failures. */
    void resetBackoff() {
        backoff.reset();
        if (state == ConnectivityState.TRANSIENT_FAILURE) {
            pauseIsOver();
        }
    }

    /** Takes other addresses. A connection to an address that is among them stays. */
    void update(List<EquivalentAddressGroup> groups) {
        List<Address> updated = flatten(groups);
        if (updated.equals(addresses)) {
            return;
        }
        addresses = updated;
        if (state == ConnectivityState.READY || state == ConnectivityState.CONNECTING) {
            int kept = current == null ? -1 : updated.indexOf(current);
            if (kept >= 0) {
                index = kept;
                return;
            }
            Transport old = transport;
            transport = null;
            boolean wasReady = state == ConnectivityState.READY;
            state = ConnectivityState.IDLE;
            if (old != null) {
                old.shutdown(Status.UNAVAILABLE.withDescription("the address is no longer among the target's"));
            }
            if (wasReady) {
                changed.run();
            } else {
                connect();
            }
        } else if (state == ConnectivityState.TRANSIENT_FAILURE) {
            // New addresses are worth a try at once; the pause was for the old ones.
            pauseIsOver();
        }
    }

    /** Takes no more calls; those on its connection go on. */
    void shutdown(Status why) {
        if (state == ConnectivityState.SHUTDOWN) {
            return;
        }
        state = ConnectivityState.SHUTDOWN;
        stopPause();
        Transport old = transport;
        transport = null;
        if (old != null) {
            old.shutdown(why);
        }
    }

    private void tryAddress() {
        state = ConnectivityState.CONNECTING;
        Address address = addresses.get(index);
        current = address;
        Transport t = environment.transport(address);
        transport = t;
        changed.run();
        t.start(new Transport.Listener() {
            @Override
            public void ready() {
                environment.execute(() -> isReady(t));
            }

            @Override
            public void draining(Status why) {
                environment.execute(() -> lost(t));
            }

            @Override
            public void terminated(Status why) {
                environment.execute(() -> hasTerminated(t, why));
            }
        });
    }

    @SuppressWarnings("ReferenceEquality") // is it the transport we have now?
    private void isReady(Transport t) {
        if (t == transport) {
            backoff.reset();
            state = ConnectivityState.READY;
            changed.run();
        }
    }

    @SuppressWarnings("ReferenceEquality")
    private void lost(Transport t) {
        if (t == transport) {
            transport = null;
            state = ConnectivityState.IDLE;
            changed.run();
        }
    }

    @SuppressWarnings("ReferenceEquality")
    private void hasTerminated(Transport t, Status why) {
        if (t != transport) {
            return;
        }
        transport = null;
        if (state == ConnectivityState.READY) {
            lostReady(why);
            return;
        }
        error = why;
        index++;
        if (index < addresses.size()) {
            tryAddress();
            return;
        }
        state = ConnectivityState.TRANSIENT_FAILURE;
        long nanos = backoff.nextNanos() - (environment.nanoTime() - roundStarted);
        pause = environment.after(Math.max(0, nanos), this::pauseIsOver);
        changed.run();
    }

    private void lostReady(Status why) {
        error = why;
        state = ConnectivityState.IDLE;
        changed.run();
    }

    private void pauseIsOver() {
        if (state == ConnectivityState.TRANSIENT_FAILURE) {
            stopPause();
            index = 0;
            roundStarted = environment.nanoTime();
            tryAddress();
        }
    }

    private void stopPause() {
        if (pause != null) {
            pause.cancel(false);
            pause = null;
        }
    }

    /** All addresses of all groups, the two families in turn, beginning with that of the first (RFC 8305 section 4). */
    static List<Address> flatten(List<EquivalentAddressGroup> groups) {
        List<Address> all = new ArrayList<>();
        for (EquivalentAddressGroup group : groups) {
            for (SocketAddress socket : group.getAddresses()) {
                all.add(new Address(socket, group.getAttributes()));
            }
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("no address");
        }
        boolean firstFamily = isV6(all.getFirst());
        ArrayDeque<Address> same = new ArrayDeque<>();
        ArrayDeque<Address> other = new ArrayDeque<>();
        for (Address each : all) {
            (isV6(each) == firstFamily ? same : other).add(each);
        }
        List<Address> interleaved = new ArrayList<>(all.size());
        while (!same.isEmpty() || !other.isEmpty()) {
            if (!same.isEmpty()) {
                interleaved.add(same.remove());
            }
            if (!other.isEmpty()) {
                interleaved.add(other.remove());
            }
        }
        return List.copyOf(interleaved);
    }

    private static boolean isV6(Address address) {
        return address.socket() instanceof InetSocketAddress inet && inet.getAddress() instanceof Inet6Address;
    }

    @Override
    public String toString() {
        return state + " " + addresses.stream().map(a -> a.socket().toString()).toList()
                + (pause == null ? "" : " again in " + pause.getDelay(TimeUnit.MILLISECONDS) + " ms");
    }
}
