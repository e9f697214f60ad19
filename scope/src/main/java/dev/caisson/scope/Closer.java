package dev.caisson.scope;

import java.time.Duration;

/**
 * How a scope ends a resource that is not, or not only, {@link AutoCloseable}.
 *
 * <p>Both methods run on a virtual thread of the closing scope, never on two threads at once, never under a lock. The
 * scope waits for them only for a share of its deadline: a closer that takes longer is interrupted, reported with its
 * stack, and left behind while the scope goes on with the next resource.
 *
 * @param <T> the resource
 */
@FunctionalInterface
public interface Closer<T> {
    /**
     * Accepts nothing new and waits for what runs; called once, before {@link #close}, and only where the scope is
     * drained ({@link Scope#drainAndClose}).
     *
     * @param within how long the scope is going to wait, from now
     */
    default void drain(T resource, Duration within) throws Exception {}

    /**
     * Ends the resource. Called at most once.
     *
     * @param within how long the scope is going to wait, from now
     */
    void close(T resource, Duration within) throws Exception;
}
