package dev.caisson.scope;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Something that a scope runs later, once or again and again. All timers share one thread, which only starts the tasks:
 * the code runs on a virtual thread, as a task of the scope. Thread-safe.
 */
public final class Timer extends Node implements AutoCloseable {
    private final Core core;
    private final String name;
    private final long delayNanos;
    private final boolean repeats;

    /* Guarded by this. */
    private @Nullable Action action;
    private @Nullable Runnable unschedule;
    private boolean stopped;

    Timer(Core core, String name, Duration delay, boolean repeats, Action action, @Nullable Origin origin) {
        super(core.clock.nanoTime(), origin);
        this.core = core;
        this.name = name;
        this.delayNanos = Nanos.of(delay);
        this.repeats = repeats;
        this.action = action;
    }

    void schedule() {
        synchronized (this) {
            if (stopped) {
                return;
            }
            unschedule = core.clock.at(core.clock.nanoTime() + delayNanos, this::fire);
        }
    }

    /** On the timer thread. */
    private void fire() {
        Action todo;
        synchronized (this) {
            todo = stopped ? null : action;
        }
        if (todo == null) {
            return;
        }
        try {
            core.fork(
                    new Task<@Nullable Void>(
                            core,
                            Kind.TASK,
                            name,
                            () -> {
                                try {
                                    todo.run();
                                } finally {
                                    if (repeats) {
                                        schedule();
                                    }
                                }
                                return null;
                            },
                            origin),
                    true);
        } catch (ScopeClosedException closedMeanwhile) {
            return; // the scope ends, and with it this timer
        } catch (Throwable failure) {
            core.registry.log(
                    System.Logger.Level.WARNING,
                    "timer '" + name + "' of scope '" + core.path() + "' could not start its task",
                    failure);
            if (repeats) {
                schedule();
                return;
            }
        }
        if (!repeats) {
            close();
        }
    }

    /** The name it was made with. */
    @Override
    public String name() {
        return name;
    }

    @Override
    Kind kind() {
        return Kind.TIMER;
    }

    /** Stops it: nothing starts any more; what runs is not disturbed. */
    @Override
    public void close() {
        stop();
        Core from = unlink();
        if (from != null) {
            Events.released(this, from, "closed");
        }
    }

    void stop() {
        Runnable scheduled;
        synchronized (this) {
            stopped = true;
            action = null;
            scheduled = unschedule;
            unschedule = null;
        }
        if (scheduled != null) {
            scheduled.run();
        }
    }

    @Override
    public String toString() {
        return "timer '" + name + "' of '" + core.path() + "'";
    }
}
