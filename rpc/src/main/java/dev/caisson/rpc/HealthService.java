package dev.caisson.rpc;

import dev.caisson.rpc.health.v1.HealthCheckRequest;
import dev.caisson.rpc.health.v1.HealthCheckResponse;
import dev.caisson.rpc.health.v1.HealthCheckResponse.ServingStatus;
import dev.caisson.rpc.health.v1.HealthGrpc;
import dev.caisson.rpc.health.v1.HealthListRequest;
import dev.caisson.rpc.health.v1.HealthListResponse;
import io.grpc.BindableService;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * gRPC's health checking protocol, {@code grpc.health.v1.Health}: says which services of a server work. The service with
 * the empty name stands for the server as a whole and is SERVING from the start.
 *
 * <pre>{@code
 * HealthService health = new HealthService();
 * Server server = Grpc.newServerBuilderForPort(50051, credentials).addService(health).addService(orders).build();
 * health.setStatus("shop.Orders", ServingStatus.SERVING);
 * }</pre>
 *
 * <ul>
 *   <li>A watch sees the state at its start and every later one, except those replaced before the client had read the one
 *       before: a slow watcher costs one pending state.
 *   <li>{@link #shutdown} is for good: all services are NOT_SERVING, and no later {@code setStatus} changes that.
 *   <li>{@link #close} ends the watches as well. A watch that ended, in whichever way, leaves nothing behind.
 * </ul>
 *
 * <p>Safe for use by any thread. Source: gRPC's health-checking.md.
 */
public final class HealthService implements BindableService, AutoCloseable {
    /*
     * Implementation note.
     *
     *   open --shutdown()--> shut down --close()--> closed
     *
     * lock guards statuses, watchers and phase. No call is made on a stream while it is held: a change collects the
     * watchers it concerns under the lock, gives each its new state (a field write), and lets each send after the lock is
     * free. A watcher sends from one thread at a time (its counter of work, as in a reactive drain loop).
     */

    /** How many watches are served at a time, over all services; more are refused with RESOURCE_EXHAUSTED. */
    public static final int DEFAULT_MAX_WATCHES = 10_000;

    /** How many services List tells about; more are RESOURCE_EXHAUSTED, as in gRPC's other implementations. */
    static final int MAX_LISTED_SERVICES = 1000;

    private enum Phase {
        OPEN,
        SHUT_DOWN,
        CLOSED
    }

    private final int maxWatches;
    private final Object lock = new Object();
    private final Map<String, ServingStatus> statuses = new HashMap<>();
    private final Map<String, Set<Watcher>> watchers = new HashMap<>();
    private int watches;
    private Phase phase = Phase.OPEN;

    /** Serves at most {@link #DEFAULT_MAX_WATCHES} watches. */
    public HealthService() {
        this(DEFAULT_MAX_WATCHES);
    }

    /** Serves at most this many watches at a time. */
    public HealthService(int maxWatches) {
        if (maxWatches < 1) {
            throw new IllegalArgumentException("maxWatches must be at least 1, not " + maxWatches);
        }
        this.maxWatches = maxWatches;
        statuses.put("", ServingStatus.SERVING);
    }

    @Override
    public ServerServiceDefinition bindService() {
        return new Rpc().bindService();
    }

    /**
     * Says how a service is; {@code ""} is the server as a whole. Without effect after {@link #shutdown}.
     *
     * @throws IllegalArgumentException for SERVICE_UNKNOWN, which {@link #clear} says
     */
    public void setStatus(String service, ServingStatus status) {
        if (status == ServingStatus.SERVICE_UNKNOWN || status == ServingStatus.UNRECOGNIZED) {
            throw new IllegalArgumentException("the status of \"" + service + "\" cannot be set to " + status
                    + "; clear(service) makes it unknown");
        }
        List<Watcher> told;
        synchronized (lock) {
            if (phase != Phase.OPEN) {
                return;
            }
            statuses.put(service, status);
            told = tell(service, status);
        }
        told.forEach(Watcher::send);
    }

    /** Forgets a service: Check answers NOT_FOUND, watchers see SERVICE_UNKNOWN. Without effect after {@link #shutdown}. */
    public void clear(String service) {
        List<Watcher> told;
        synchronized (lock) {
            if (phase != Phase.OPEN || statuses.remove(service) == null) {
                return;
            }
            told = tell(service, ServingStatus.SERVICE_UNKNOWN);
        }
        told.forEach(Watcher::send);
    }

    /** All services are NOT_SERVING from now on; watchers are told, their calls go on. For the time before a drain. */
    public void shutdown() {
        List<Watcher> told = new ArrayList<>();
        synchronized (lock) {
            if (phase != Phase.OPEN) {
                return;
            }
            phase = Phase.SHUT_DOWN;
            statuses.replaceAll((service, status) -> ServingStatus.NOT_SERVING);
            for (String service : statuses.keySet()) {
                told.addAll(tell(service, ServingStatus.NOT_SERVING));
            }
        }
        told.forEach(Watcher::send);
    }

    /**
     * {@link #shutdown}, then ends each watch with UNAVAILABLE, so that no watch holds up the server's drain. For the time
     * when clients have been told to go elsewhere (GOAWAY): they would only watch again.
     */
    @Override
    public void close() {
        shutdown();
        List<Watcher> ended = new ArrayList<>();
        synchronized (lock) {
            phase = Phase.CLOSED;
            watchers.values().forEach(ended::addAll);
            watchers.clear();
            watches = 0;
        }
        ended.forEach(watcher -> watcher.end(CLOSED));
    }

    /** How many watches are being served. */
    public int watches() {
        synchronized (lock) {
            return watches;
        }
    }

    /* Under the lock. */
    private List<Watcher> tell(String service, ServingStatus status) {
        List<Watcher> told = new ArrayList<>(watchers.getOrDefault(service, Set.of()));
        told.forEach(watcher -> watcher.latest = status);
        return told;
    }

    private void add(Watcher watcher) {
        Status refused = null;
        synchronized (lock) {
            ServingStatus status = statuses.get(watcher.service);
            watcher.latest = status == null ? ServingStatus.SERVICE_UNKNOWN : status;
            if (phase == Phase.CLOSED) {
                refused = CLOSED;
            } else if (watches == maxWatches) {
                refused = Status.RESOURCE_EXHAUSTED.withDescription(
                        "health: " + maxWatches + " watches are open, which is the limit of this server");
            } else {
                watchers.computeIfAbsent(watcher.service, s -> new HashSet<>()).add(watcher);
                watches++;
            }
        }
        if (refused != null) {
            watcher.end(refused);
        } else {
            watcher.send();
        }
    }

    private void remove(Watcher watcher) {
        synchronized (lock) {
            Set<Watcher> same = watchers.get(watcher.service);
            if (same == null || !same.remove(watcher)) {
                return;
            }
            watches--;
            if (same.isEmpty()) {
                watchers.remove(watcher.service);
            }
        }
    }

    private static final Status CLOSED = Status.UNAVAILABLE.withDescription("health: the server is closing");

    /** One Watch call. */
    private static final class Watcher {
        final String service;
        final ServerCallStreamObserver<HealthCheckResponse> call;
        volatile ServingStatus latest = ServingStatus.UNKNOWN; // written under the service's lock
        private volatile @Nullable Status ending;
        private final AtomicInteger work = new AtomicInteger();
        private @Nullable ServingStatus sent; // confined to the thread that works
        private boolean ended; // confined to the thread that works

        Watcher(String service, ServerCallStreamObserver<HealthCheckResponse> call) {
            this.service = service;
            this.call = call;
        }

        void end(Status why) {
            ending = why;
            send();
        }

        /** Brings the client up to date, or leaves it to the thread that is about to. */
        void send() {
            if (work.getAndIncrement() != 0) {
                return;
            }
            int done = 1;
            do {
                step();
                done = work.addAndGet(-done);
            } while (done != 0);
        }

        private void step() {
            if (ended || call.isCancelled()) {
                return;
            }
            Status why = ending;
            if (why != null) {
                ended = true;
                call.onError(why.asRuntimeException());
                return;
            }
            ServingStatus status = latest;
            if (status != sent && (call.isReady() || sent == null)) {
                sent = status;
                call.onNext(HealthCheckResponse.newBuilder().setStatus(status).build());
            }
        }
    }

    private final class Rpc extends HealthGrpc.HealthImplBase {
        @Override
        public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> response) {
            ServingStatus status;
            synchronized (lock) {
                status = statuses.get(request.getService());
            }
            if (status == null) {
                response.onError(Status.NOT_FOUND
                        .withDescription("health: nothing is known of the service \"" + request.getService() + "\"")
                        .asRuntimeException());
                return;
            }
            response.onNext(HealthCheckResponse.newBuilder().setStatus(status).build());
            response.onCompleted();
        }

        @Override
        public void list(HealthListRequest request, StreamObserver<HealthListResponse> response) {
            HealthListResponse.Builder all = HealthListResponse.newBuilder();
            synchronized (lock) {
                if (statuses.size() <= MAX_LISTED_SERVICES) {
                    statuses.forEach((service, status) -> all.putStatuses(
                            service,
                            HealthCheckResponse.newBuilder().setStatus(status).build()));
                }
            }
            if (all.getStatusesCount() == 0) {
                response.onError(Status.RESOURCE_EXHAUSTED
                        .withDescription("health: more than " + MAX_LISTED_SERVICES + " services; check them by name")
                        .asRuntimeException());
                return;
            }
            response.onNext(all.build());
            response.onCompleted();
        }

        @Override
        public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> response) {
            Watcher watcher =
                    new Watcher(request.getService(), (ServerCallStreamObserver<HealthCheckResponse>) response);
            watcher.call.setOnCancelHandler(() -> remove(watcher));
            watcher.call.setOnReadyHandler(watcher::send);
            add(watcher);
            if (watcher.call.isCancelled()) {
                remove(watcher); // cancelled before it was there to be removed
            }
        }
    }
}
