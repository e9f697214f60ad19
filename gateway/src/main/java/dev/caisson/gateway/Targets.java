package dev.caisson.gateway;

import dev.caisson.scope.Scope;
import io.grpc.Status;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The servers that were called of late: one {@link Target} each, shared by all calls, closed when idle for long. Thread-safe;
 * everything in it ends with the scope.
 */
final class Targets {
    private final Scope scope;
    private final GatewayOptions options;
    private final GatewayMetrics metrics;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<TargetName, Target> open = new HashMap<>(); // guarded by lock; at most maxTargets
    private long opened; // guarded by lock

    Targets(Scope scope, GatewayOptions options, GatewayMetrics metrics) {
        this.scope = scope;
        this.options = options;
        this.metrics = metrics;
    }

    /** Begins to look after idle targets. */
    void start() {
        Duration half = options.targetIdleTimeout().dividedBy(2);
        Duration often = half.compareTo(Duration.ofSeconds(30)) > 0 ? Duration.ofSeconds(30) : half;
        scope.every(often, "close idle targets", this::closeIdle);
    }

    /**
     * A share in the target, to be given back by {@link Target#release}.
     *
     * @throws HttpError if the target is not allowed, or all places are taken by targets in use
     */
    Target acquire(String text) {
        TargetName name;
        try {
            name = TargetName.parse(text);
        } catch (IllegalArgumentException e) {
            throw HttpError.badRequest(String.valueOf(e.getMessage()));
        }
        if (!options.allowAll() && !options.allowed().contains(name.toString())) {
            throw HttpError.of(
                    HttpResponseStatus.FORBIDDEN,
                    Status.Code.PERMISSION_DENIED,
                    "target " + name + " is not allowed; allow it when starting the gateway (allowed: "
                            + (options.allowed().isEmpty() ? "none" : String.join(", ", options.allowed())) + ")");
        }
        Target evicted = null;
        try {
            lock.lock();
            try {
                Target there = open.get(name);
                if (there == null) {
                    if (open.size() >= options.maxTargets()) {
                        evicted = removeLongestIdle();
                    }
                    there = Target.open(scope, name, options);
                    open.put(name, there);
                    opened++;
                }
                there.share();
                return there;
            } finally {
                lock.unlock();
            }
        } finally {
            if (evicted != null) {
                Target old = evicted;
                scope.fork("close " + old.name(), () -> close(old));
            }
        }
    }

    int size() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }

    /** Channels made since the start. */
    long opened() {
        lock.lock();
        try {
            return opened;
        } finally {
            lock.unlock();
        }
    }

    private Target removeLongestIdle() {
        Target oldest = null;
        for (Target target : open.values()) {
            if (target.unused() && (oldest == null || target.idleNanos() > oldest.idleNanos())) {
                oldest = target;
            }
        }
        if (oldest == null) {
            throw HttpError.busy(
                    "calls to " + options.maxTargets() + " targets are in flight, the most this gateway takes");
        }
        open.remove(oldest.name());
        return oldest;
    }

    private void closeIdle() {
        List<Target> idle = new ArrayList<>();
        lock.lock();
        try {
            for (Target target : open.values()) {
                if (target.unused()
                        && target.idleNanos() >= options.targetIdleTimeout().toNanos()) {
                    idle.add(target);
                }
            }
            idle.forEach(target -> open.remove(target.name()));
        } finally {
            lock.unlock();
        }
        idle.forEach(this::close);
    }

    private @Nullable Void close(Target target) {
        target.close();
        metrics.forget(target.name());
        return null;
    }
}
