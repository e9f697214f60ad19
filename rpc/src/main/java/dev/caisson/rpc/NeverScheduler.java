package dev.caisson.rpc;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * What {@link io.grpc.Context#withDeadline} is given: it keeps the deadline readable and arms nothing, because the call's
 * own timer on the loop's wheel cancels the context.
 */
final class NeverScheduler extends AbstractExecutorService implements ScheduledExecutorService {
    static final NeverScheduler INSTANCE = new NeverScheduler();
    private static final Never<?> NEVER = new Never<>();

    private NeverScheduler() {}

    @SuppressWarnings("unchecked")
    private static <V> ScheduledFuture<V> never() {
        return (ScheduledFuture<V>) NEVER;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return never();
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        return never();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long delay, long period, TimeUnit unit) {
        throw new UnsupportedOperationException("only deadlines are asked for here");
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long delay, long period, TimeUnit unit) {
        throw new UnsupportedOperationException("only deadlines are asked for here");
    }

    @Override
    public void execute(Runnable command) {
        throw new UnsupportedOperationException("only deadlines are asked for here");
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return false;
    }

    private static final class Never<V> implements ScheduledFuture<V> {
        @Override
        public long getDelay(TimeUnit unit) {
            return Long.MAX_VALUE;
        }

        @Override
        public int compareTo(Delayed other) {
            return other == this ? 0 : 1;
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            return true;
        }

        @Override
        public boolean isCancelled() {
            return true;
        }

        @Override
        public boolean isDone() {
            return true;
        }

        @Override
        public V get() {
            throw new java.util.concurrent.CancellationException("it never runs");
        }

        @Override
        public V get(long timeout, TimeUnit unit) {
            throw new java.util.concurrent.CancellationException("it never runs");
        }
    }
}
