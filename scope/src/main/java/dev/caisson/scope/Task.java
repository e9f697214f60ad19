package dev.caisson.scope;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Code that runs on a virtual thread of its own and cannot outlive its scope. Thread-safe.
 *
 * @param <T> what it returns
 */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
public final class Task<T extends @Nullable Object> extends Node {
    final Core core;
    private final String name;
    private final Kind kind;

    /* Guarded by this, but for the volatile ones. */
    private @Nullable Callable<T> body;
    private @Nullable T result;
    private @Nullable Throwable failure;
    private boolean done;
    private volatile boolean cancelled;
    volatile @Nullable Thread thread;
    /** Guarded by the core's monitor: it has told the core of its end. */
    boolean over;

    Task(Core core, Kind kind, String name, Callable<T> body, @Nullable Origin origin) {
        super(core.clock.nanoTime(), origin);
        this.core = core;
        this.kind = kind;
        this.name = name;
        this.body = body;
        Runnable bound = core.carry(() -> ScopedValue.where(Core.CURRENT, this).run(this::run));
        this.thread = Thread.ofVirtual().name(core.path() + "/" + name).unstarted(() -> {
            try {
                bound.run();
            } catch (Throwable carrierFailed) {
                end(null, carrierFailed);
            }
        });
    }

    void start() {
        Thread mine = thread;
        try {
            if (mine != null) {
                mine.start();
            }
        } catch (Throwable notStarted) {
            end(null, notStarted);
            throw notStarted;
        }
    }

    private void run() {
        Callable<T> code;
        synchronized (this) {
            code = body;
        }
        T value = null;
        Throwable thrown = null;
        try {
            if (cancelled) {
                thrown = new CancellationException("task '" + name + "' was cancelled before it began");
            } else if (code != null) {
                value = code.call();
            }
        } catch (Throwable t) {
            thrown = t;
        }
        end(value, thrown);
    }

    private void end(@Nullable T value, @Nullable Throwable thrown) {
        synchronized (this) {
            if (done) {
                return;
            }
            body = null;
            result = value;
            failure = thrown;
        }
        try {
            core.taskEnded(this, thrown);
        } finally {
            synchronized (this) {
                done = true;
                thread = null;
                notifyAll();
            }
        }
    }

    /** The name it was forked with. */
    @Override
    public String name() {
        return name;
    }

    @Override
    Kind kind() {
        return kind;
    }

    /** Whether it has ended, in whatever way. */
    public synchronized boolean done() {
        return done;
    }

    /** Whether it was told to end, by {@link #cancel} or with its scope. It may still run. */
    public boolean cancelled() {
        return cancelled;
    }

    /** What it threw, once it has failed. */
    public synchronized Optional<Throwable> failure() {
        return done ? Optional.ofNullable(failure) : Optional.empty();
    }

    /** Interrupts it; it ends when its code answers the interrupt. Does nothing once it is done. */
    public void cancel() {
        interrupt(null);
    }

    void interrupt(@Nullable Thread except) {
        Thread running = thread;
        cancelled = true;
        if (running != null && running != except) {
            running.interrupt();
        }
    }

    /**
     * Waits until it has ended and returns its result.
     *
     * @throws ExecutionException if it failed; the cause is what it threw
     * @throws InterruptedException if the waiting thread is interrupted; the task goes on
     */
    public T join() throws InterruptedException, ExecutionException {
        try {
            return join(Duration.ofDays(10_000));
        } catch (TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * As {@link #join()}, at most for the given time.
     *
     * @throws TimeoutException if it still runs then; the task goes on
     */
    @SuppressWarnings("NullAway") // null only where the body returned null
    public T join(Duration within) throws InterruptedException, ExecutionException, TimeoutException {
        if (!awaitDone(Nanos.of(within))) {
            throw new TimeoutException("task '" + name + "' of scope '" + core.path() + "' still runs after " + within);
        }
        synchronized (this) {
            if (failure != null) {
                throw new ExecutionException("task '" + name + "' of scope '" + core.path() + "' failed", failure);
            }
            return result;
        }
    }

    /** Waits for the code to have ended, and the thread with it; false if the time was too short. */
    boolean awaitDone(long nanos) throws InterruptedException {
        Thread running = thread;
        long deadline = core.clock.nanoTime() + nanos;
        synchronized (this) {
            while (!done) {
                if (deadline - core.clock.nanoTime() <= 0) {
                    return false;
                }
                Nanos.waitOn(this, core.clock, deadline);
            }
        }
        return running == null
                || running == Thread.currentThread()
                || running.join(Duration.ofNanos(Math.max(1, deadline - core.clock.nanoTime())));
    }

    @Override
    public String toString() {
        return "task '" + name + "' of '" + core.path() + "'" + (done() ? " (done)" : cancelled ? " (cancelled)" : "");
    }
}
