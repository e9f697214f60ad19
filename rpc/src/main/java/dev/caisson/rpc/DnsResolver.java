package dev.caisson.rpc;

import dev.caisson.rpc.Target.HostPort;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Resolves {@code dns:///host:port} by the JDK, both address families, each address a group of its own.
 *
 * <p>A failed look-up is tried again by itself, with growing pauses; a refresh that comes too soon after an answer waits
 * until {@link #MIN_INTERVAL} has passed since. At most one look-up runs at a time. An address given literally is not
 * looked up.
 */
final class DnsResolver extends NameResolver {
    /** The least time between the answer of one look-up and the start of the next. */
    static final Duration MIN_INTERVAL = Duration.ofSeconds(30);

    /** More addresses than this of one name are left out. */
    static final int MAX_ADDRESSES = 1000;

    /** Looks a host name up; blocks. {@link InetAddress#getAllByName} unless a test says otherwise. */
    @FunctionalInterface
    interface Lookup {
        InetAddress[] allByName(String host) throws UnknownHostException;
    }

    /* All but the look-up runs in the channel's synchronization context, which guards the fields that change.
     *
     *   IDLE --refresh--> LOOKING_UP --answer--> IDLE (fresh for MIN_INTERVAL)
     *    ^                    '------failure---> WAITING --pause over, or told to--> LOOKING_UP
     *    '-- a refresh while fresh: WAITING until it is not
     */
    private final HostPort target;
    private final String authority;
    private final Lookup lookup;
    private final Executor offload;
    private final SynchronizationContext sync;
    private final ScheduledExecutorService timers;
    private final LongSupplier nanoTime;
    private final Backoff backoff;
    private @Nullable Listener2 listener;
    private boolean lookingUp;
    private boolean stopped;
    private boolean answered;
    private long answeredNanos;
    private @Nullable ScheduledFuture<?> waiting;

    /**
     * @param target a target of the scheme {@code dns}; a DNS server named in its authority is not used
     * @param offload runs the blocking look-up
     * @throws IllegalArgumentException if the target is not host:port, saying what is wrong
     */
    DnsResolver(
            Target target,
            NameResolver.Args args,
            Executor offload,
            Lookup lookup,
            LongSupplier nanoTime,
            Backoff backoff) {
        String path = target.uri().getPath();
        if (path == null) {
            path = target.uri().getSchemeSpecificPart();
        }
        String name = path.startsWith("/") ? path.substring(1) : path;
        if (name.isEmpty() && target.uri().getAuthority() != null) {
            // dns://host:port, which has no path: the writer cannot have meant a DNS server to ask about nothing.
            name = target.uri().getAuthority();
        }
        if (name.isEmpty()) {
            throw new IllegalArgumentException("target " + target.text() + " names no host; give dns:///host:port");
        }
        this.target = HostPort.parse(name, args.getDefaultPort());
        this.authority = name;
        this.sync = args.getSynchronizationContext();
        this.timers = args.getScheduledExecutorService();
        this.offload = offload;
        this.lookup = lookup;
        this.nanoTime = nanoTime;
        this.backoff = backoff;
    }

    @Override
    public String getServiceAuthority() {
        return authority;
    }

    @Override
    public void start(Listener2 listener) {
        this.listener = listener;
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(target.host());
        if (literal != null) {
            try {
                InetAddress address = InetAddress.getByAddress(literal);
                listener.onResult2(result(new InetAddress[] {address}));
                return;
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e);
            }
        }
        lookUp();
    }

    @Override
    public void refresh() {
        if (stopped
                || lookingUp
                || listener == null
                || NetUtil.createByteArrayFromIpAddressString(target.host()) != null) {
            return;
        }
        long pause = answered ? MIN_INTERVAL.toNanos() - (nanoTime.getAsLong() - answeredNanos) : 0;
        if (pause <= 0) {
            lookUp();
        } else if (waiting == null) {
            waitFor(pause);
        }
    }

    @Override
    public void shutdown() {
        stopped = true;
        listener = null;
        stopWaiting();
    }

    private void lookUp() {
        stopWaiting();
        lookingUp = true;
        String host = target.host();
        try {
            offload.execute(() -> {
                try {
                    InetAddress[] found = lookup.allByName(host);
                    sync.execute(() -> answered(found, null));
                } catch (Throwable t) {
                    sync.execute(() -> answered(null, t));
                }
            });
        } catch (RuntimeException e) {
            answered(null, e);
        }
    }

    private void answered(InetAddress @Nullable [] found, @Nullable Throwable failure) {
        lookingUp = false;
        Listener2 to = listener;
        if (stopped || to == null) {
            return;
        }
        if (found != null && found.length > 0) {
            answered = true;
            answeredNanos = nanoTime.getAsLong();
            backoff.reset();
            to.onResult2(result(found));
            return;
        }
        waitFor(backoff.nextNanos());
        String reason = failure == null
                ? "it has no address"
                : failure instanceof UnknownHostException ? "the name is not known" : failure.toString();
        to.onResult2(ResolutionResult.newBuilder()
                .setAddressesOrError(StatusOr.fromStatus(Status.UNAVAILABLE
                        .withDescription("cannot resolve host " + target.host() + ": " + reason)
                        .withCause(failure)))
                .build());
    }

    private void waitFor(long nanos) {
        waiting = timers.schedule(() -> sync.execute(this::waitedLongEnough), nanos, TimeUnit.NANOSECONDS);
    }

    private void waitedLongEnough() {
        if (waiting != null && !stopped && !lookingUp) {
            lookUp();
        }
    }

    private void stopWaiting() {
        if (waiting != null) {
            waiting.cancel(false);
            waiting = null;
        }
    }

    private ResolutionResult result(InetAddress[] found) {
        List<EquivalentAddressGroup> groups = new ArrayList<>();
        for (InetAddress address : found) {
            if (groups.size() == MAX_ADDRESSES) {
                break;
            }
            groups.add(new EquivalentAddressGroup(new InetSocketAddress(address, target.port())));
        }
        return ResolutionResult.newBuilder()
                .setAddressesOrError(StatusOr.fromValue(List.copyOf(groups)))
                .build();
    }
}
