package dev.caisson.scope;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a scope behaves; immutable, each method returns a copy.
 *
 * <p>What children inherit: the clock, carriers, origins, {@code closeWithin} and {@code onTaskFailure} where they set none of
 * their own. The deadline flows down by itself.
 */
public final class ScopeOptions {
    /** How long {@code close()} waits where nothing else is said. */
    public static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);

    private static final ScopeOptions NONE =
            new ScopeOptions(null, null, null, List.of(), Map.of(), Kind.SCOPE, false, null);

    final @Nullable Duration timeout;
    final @Nullable Duration closeWithin;
    final @Nullable TaskFailure taskFailure;
    final List<Carrier> carriers;
    final Map<Kind, Origins> origins;
    final Kind kind;
    final boolean closeWhenDropped;
    final @Nullable TimeSource clock;

    private ScopeOptions(
            @Nullable Duration timeout,
            @Nullable Duration closeWithin,
            @Nullable TaskFailure taskFailure,
            List<Carrier> carriers,
            Map<Kind, Origins> origins,
            Kind kind,
            boolean closeWhenDropped,
            @Nullable TimeSource clock) {
        this.timeout = timeout;
        this.closeWithin = closeWithin;
        this.taskFailure = taskFailure;
        this.carriers = carriers;
        this.origins = origins;
        this.kind = kind;
        this.closeWhenDropped = closeWhenDropped;
        this.clock = clock;
    }

    /** No deadline, ten seconds to close, failed tasks are logged. */
    public static ScopeOptions defaults() {
        return NONE;
    }

    /** The scope is cancelled when this much time has passed since it was made; never later than its parent. */
    public ScopeOptions timeout(Duration timeout) {
        return new ScopeOptions(timeout, closeWithin, taskFailure, carriers, origins, kind, closeWhenDropped, clock);
    }

    /** How long {@code close()} waits; {@link #CLOSE_WITHIN} unless set here or on an ancestor. */
    public ScopeOptions closeWithin(Duration closeWithin) {
        if (closeWithin.isNegative()) {
            throw new IllegalArgumentException("closeWithin is " + closeWithin + "; give zero or more");
        }
        return new ScopeOptions(timeout, closeWithin, taskFailure, carriers, origins, kind, closeWhenDropped, clock);
    }

    /** What a failed task does; {@link TaskFailure#LOG} unless set here or on an ancestor. */
    public ScopeOptions onTaskFailure(TaskFailure taskFailure) {
        return new ScopeOptions(timeout, closeWithin, taskFailure, carriers, origins, kind, closeWhenDropped, clock);
    }

    /** Adds a carrier to those that the scope inherits. */
    public ScopeOptions carrier(Carrier carrier) {
        List<Carrier> more = new java.util.ArrayList<>(carriers);
        more.add(carrier);
        return new ScopeOptions(
                timeout, closeWithin, taskFailure, List.copyOf(more), origins, kind, closeWhenDropped, clock);
    }

    /** How often stacks are kept for this kind, in this scope and below. */
    public ScopeOptions origins(Kind kind, Origins origins) {
        Map<Kind, Origins> more = new java.util.HashMap<>(this.origins);
        more.put(kind, origins);
        return new ScopeOptions(
                timeout, closeWithin, taskFailure, carriers, Map.copyOf(more), this.kind, closeWhenDropped, clock);
    }

    /** What the census calls the scope: "scope" unless set, for instance "server" or "call". */
    public ScopeOptions kind(Kind kind) {
        return new ScopeOptions(timeout, closeWithin, taskFailure, carriers, origins, kind, closeWhenDropped, clock);
    }

    /**
     * Whether a child scope is closed when its handle is dropped without close. Roots always are; children by default
     * are not, because their parent owns and ends them.
     */
    public ScopeOptions closeWhenDropped(boolean closeWhenDropped) {
        return new ScopeOptions(timeout, closeWithin, taskFailure, carriers, origins, kind, closeWhenDropped, clock);
    }

    /**
     * Where the scope and all below take the time from; that of the JVM unless set. For roots: a child has the clock of
     * its parent, or their deadlines could not be compared, and to make one with another is an error.
     */
    public ScopeOptions clock(TimeSource clock) {
        return new ScopeOptions(timeout, closeWithin, taskFailure, carriers, origins, kind, closeWhenDropped, clock);
    }
}
