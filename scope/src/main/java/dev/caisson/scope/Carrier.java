package dev.caisson.scope;

/**
 * Carries what a thread has bound (a context, a trace) into the tasks that are forked from it.
 *
 * <p>Given to a scope by {@link ScopeOptions#carrier} or {@link Scope#install}; children made afterwards inherit it.
 */
@FunctionalInterface
public interface Carrier {
    /**
     * Called on the thread that forks; returns a task that binds what was found there, runs {@code task} once, and
     * binds what was there before.
     */
    Runnable capture(Runnable task);
}
