package dev.caisson.scope;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that end together: when the first one ends, by returning or by failing, the others are cancelled; when the last
 * one has ended, so has the group, and its scope forgets it. The reader and the writer of a connection are a group.
 * Thread-safe.
 */
public final class Group implements AutoCloseable {
    private final Core core;

    Group(Core core) {
        this.core = core;
    }

    /**
     * Starts a task of the group on a virtual thread.
     *
     * @throws ScopeClosedException if a task of the group has ended already, or the scope is not open
     */
    public <T extends @Nullable Object> Task<T> fork(String name, Callable<T> body) {
        return core.fork(new Task<>(core, Kind.TASK, name, body, core.originOf(Kind.TASK)), false);
    }

    /** As {@link #fork(String, Callable)} for code without a result. */
    public Task<@Nullable Void> fork(String name, Action body) {
        return fork(name, Scope.callable(body));
    }

    /** Tells all tasks to end. */
    public void cancel(Throwable reason) {
        core.cancel(reason, null);
    }

    /** Whether a task has ended or the group was cancelled: it accepts no more. */
    public boolean ending() {
        return core.isCancelled();
    }

    /** Whether all has ended. */
    public boolean ended() {
        return core.state == Core.CLOSED;
    }

    /** Cancels all tasks and waits for them, as {@link Scope#close(Duration)} does. */
    public CloseReport close(Duration within) {
        return core.close(within, true);
    }

    /** As {@link Scope#close()}. */
    @Override
    public void close() {
        core.closeOrThrow();
    }

    @Override
    public String toString() {
        return "group '" + core.path() + "' (" + core.stateName() + ")";
    }
}
