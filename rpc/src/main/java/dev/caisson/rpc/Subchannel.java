package dev.caisson.rpc;

import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Status;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * At most one connection to any of a list of addresses. A round tries one after another: the next when the last one failed, or
 * has not answered within {@link #STAGGER}, so that an address that swallows everything costs the others little (RFC 8305
 * section 5). The first to answer wins, the attempts beside it are dropped.
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
    /** How long an attempt is alone before the next address is tried beside it. */
    static final Duration STAGGER = Duration.ofMillis(250);

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
    /** The connection when READY, and its address. */
    private @Nullable Transport transport;

    private @Nullable Address current;
    /** When CONNECTING: what has not answered yet. At most the transport's own time-out divided by STAGGER. */
    private final Map<Transport, Address> attempts = new LinkedHashMap<>();
    /** When CONNECTING: the addresses of this round that were tried, and those that were not. */
    private final Set<Address> tried = new HashSet<>();

    private final ArrayDeque<Address> untried = new ArrayDeque<>();
    private @Nullable ScheduledFuture<?> stagger;
    private @Nullable ScheduledFuture<?> pause;
    private Status error = Status.UNAVAILABLE.withDescription("not connected yet");
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
            beginRound();
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
        switch (state) {
            case READY -> {
                if (current == null || !updated.contains(current)) {
                    drop(transport);
                    transport = null;
                    state = ConnectivityState.IDLE;
                    changed.run();
                }
            }
            case CONNECTING -> updateRound();
            // New addresses are worth a try at once; the pause was for the old ones.
            case TRANSIENT_FAILURE -> pauseIsOver();
            default -> {}
        }
    }

    private void updateRound() {
        for (Map.Entry<Transport, Address> each : List.copyOf(attempts.entrySet())) {
            if (!addresses.contains(each.getValue())) {
                attempts.remove(each.getKey());
                drop(each.getKey());
            }
        }
        if (attempts.isEmpty()) {
            beginRound();
            return;
        }
        untried.clear();
        addresses.stream().filter(each -> !tried.contains(each)).forEach(untried::add);
        awaitOrTryNext();
    }

    private static void drop(@Nullable Transport old) {
        if (old != null) {
            old.shutdown(Status.UNAVAILABLE.withDescription("the address is no longer among the target's"));
        }
    }

    /** Takes no more calls; those on its connection go on. */
    void shutdown(Status why) {
        if (state == ConnectivityState.SHUTDOWN) {
            return;
        }
        state = ConnectivityState.SHUTDOWN;
        stopPause();
        stopStagger();
        Transport old = transport;
        transport = null;
        if (old != null) {
            old.shutdown(why);
        }
        endAttempts(why);
    }

    private void endAttempts(Status why) {
        List<Transport> ending = List.copyOf(attempts.keySet());
        attempts.clear();
        ending.forEach(each -> each.shutdown(why));
    }

    private void beginRound() {
        stopStagger();
        roundStarted = environment.nanoTime();
        tried.clear();
        untried.clear();
        untried.addAll(addresses);
        state = ConnectivityState.CONNECTING;
        changed.run();
        if (state == ConnectivityState.CONNECTING) {
            tryNext();
        }
    }

    private void tryNext() {
        stopStagger();
        Address address = untried.remove();
        tried.add(address);
        Transport t = environment.transport(address);
        attempts.put(t, address);
        awaitOrTryNext();
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

    /** Gives the attempts under way a while before another one joins them. */
    private void awaitOrTryNext() {
        if (stagger == null && !untried.isEmpty()) {
            stagger = environment.after(STAGGER.toNanos(), () -> {
                if (stagger != null && !untried.isEmpty()) {
                    tryNext();
                }
            });
        }
    }

    private void stopStagger() {
        if (stagger != null) {
            stagger.cancel(false);
            stagger = null;
        }
    }

    private void isReady(Transport t) {
        Address address = attempts.remove(t);
        if (address == null) {
            return; // another one was faster, or nobody wants it any more
        }
        stopStagger();
        transport = t;
        current = address;
        endAttempts(Status.UNAVAILABLE.withDescription("another address answered first"));
        backoff.reset();
        state = ConnectivityState.READY;
        changed.run();
    }

    @SuppressWarnings("ReferenceEquality") // is it the transport we have now?
    private void lost(Transport t) {
        if (t == transport) {
            transport = null;
            state = ConnectivityState.IDLE;
            changed.run();
        }
    }

    @SuppressWarnings("ReferenceEquality")
    private void hasTerminated(Transport t, Status why) {
        if (t == transport) {
            transport = null;
            lostReady(why);
            return;
        }
        if (attempts.remove(t) == null) {
            return;
        }
        error = why;
        if (!untried.isEmpty()) {
            tryNext();
        } else if (attempts.isEmpty()) {
            state = ConnectivityState.TRANSIENT_FAILURE;
            long nanos = backoff.nextNanos() - (environment.nanoTime() - roundStarted);
            pause = environment.after(Math.max(0, nanos), this::pauseIsOver);
            changed.run();
        }
    }

    private void lostReady(Status why) {
        error = why;
        state = ConnectivityState.IDLE;
        changed.run();
    }

    private void pauseIsOver() {
        if (state == ConnectivityState.TRANSIENT_FAILURE) {
            stopPause();
            beginRound();
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
