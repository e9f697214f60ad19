package dev.caisson.scope;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Steps that run one after another on one virtual thread, which is replaced when a step takes too long: one hanging
 * closer costs one thread, a hundred thousand quick ones cost one together.
 *
 * <pre>
 *   start --no step--> finished
 *     '--step--> worker runs it, takes the next, ...  --no step left--> finished
 *                   '--over its limit--> told as hung, interrupted, a new worker goes on
 * </pre>
 */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
abstract class Sequence {
    /*
     * Threads: `worker` is the only one that may take the next step. Whoever waits in await() supervises it: it looks
     * at the step's limit and replaces the worker. When the last waiting thread leaves at its deadline, a virtual
     * thread supervises the rest (abandon / superviseInBackground).
     *
     * Locks: this monitor, then a core's. Steps run without any.
     */

    /** More hanging steps than this are not left behind: the last worker waits for its own. */
    static final int MAX_HUNG = 64;

    /** What a step gets once the deadline has passed, in nanoseconds. */
    private static final long LATE_STEP_NANOS = 1_000_000_000L;

    /** One thing to do. All but {@link #run} are called under the monitor of the sequence. */
    interface Step {
        void run(java.time.Duration within) throws Exception;

        /** The thread whose stack tells where the step hangs. */
        default Thread subject(Thread worker) {
            return worker;
        }

        /** It ran to its end, or threw. */
        void ended(@Nullable Throwable failure);

        /** It took too long, and the sequence goes on without it. */
        void hung(StackTraceElement[] stack, Thread worker);

        /** A step that hung has ended after all; its worker ends now. Not for waiting, which the interrupt ends. */
        default void endedLate() {}
    }

    private final Thread starter = Thread.currentThread();
    private final String threadName;
    private final long deadline;

    /* Guarded by this. */
    private @Nullable Thread worker;
    private @Nullable Step step;
    private long stepLimit;
    private final List<Thread> hung = new ArrayList<>();
    private boolean finishing;
    private boolean done;
    private boolean supervised;

    Sequence(String threadName, long deadline) {
        this.threadName = threadName;
        this.deadline = deadline;
    }

    /** The next thing to do, or null if there is none; does by itself what needs no user code and no waiting. */
    abstract @Nullable Step next();

    /** How much of the time that is left one step may take. */
    abstract long share(long left);

    /** Called once, without the monitor, when no step is left. */
    abstract void finish();

    final Thread starter() {
        return starter;
    }

    final void start() {
        Step first;
        synchronized (this) {
            first = take();
            if (first != null) {
                launch(first);
                return;
            }
            finishing = true;
        }
        complete();
    }

    private @Nullable Step take() {
        step = null;
        Step taken = next();
        step = taken;
        if (taken != null) {
            long now = System.nanoTime();
            long left = deadline - now;
            stepLimit = now + (left <= 0 ? LATE_STEP_NANOS : Math.max(share(left), 1_000_000));
        } else {
            finishing = true;
        }
        return taken;
    }

    private void launch(@Nullable Step first) {
        Thread thread = Thread.ofVirtual().name(threadName).unstarted(() -> work(first));
        worker = thread;
        thread.start();
    }

    @SuppressWarnings("Interruption") // clears what the supervisor or a closer left behind
    private void work(@Nullable Step first) {
        Thread me = Thread.currentThread();
        Step now = first;
        while (now != null) {
            Throwable failure = null;
            try {
                now.run(java.time.Duration.ofNanos(Math.max(0, limit() - System.nanoTime())));
            } catch (Throwable thrown) {
                failure = thrown;
            }
            synchronized (this) {
                if (worker != me) {
                    hung.remove(me);
                    now.endedLate();
                    return;
                }
                now.ended(failure);
                Thread.interrupted();
                now = take();
            }
        }
        complete();
    }

    private synchronized long limit() {
        return stepLimit;
    }

    private void complete() {
        try {
            finish();
        } finally {
            synchronized (this) {
                done = true;
                worker = null;
                notifyAll();
            }
        }
    }

    /** Waits until all is done or the time has come, and meanwhile replaces workers that hang. Keeps an interrupt. */
    final boolean await(long until) {
        boolean interrupted = false;
        boolean ended;
        synchronized (this) {
            while (!done) {
                long now = System.nanoTime();
                boolean replaceable = step != null && hung.size() < MAX_HUNG;
                if (replaceable && now - stepLimit >= 0) {
                    replace();
                    continue;
                }
                if (now - until >= 0) {
                    break;
                }
                long next = replaceable && stepLimit - until < 0 ? stepLimit : until;
                try {
                    Nanos.waitOn(this, next - now);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            ended = done;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return ended;
    }

    private void replace() {
        Thread stuck = worker;
        Step stuckStep = step;
        if (stuck == null || stuckStep == null) {
            return;
        }
        hung.add(stuck);
        stuckStep.hung(stuckStep.subject(stuck).getStackTrace(), stuck);
        launch(take());
        stuck.interrupt();
    }

    /** Sees to it that the rest goes on when nobody waits any more. */
    final void superviseInBackground() {
        synchronized (this) {
            if (done || supervised) {
                return;
            }
            supervised = true;
        }
        Thread.ofVirtual()
                .name(threadName + " (supervisor)")
                .start(() -> await(System.nanoTime() + Long.MAX_VALUE / 4));
    }

    /** Whether it waits for this thread, directly or by a task: such a thread must not wait for it in turn. */
    boolean involves(Thread thread) {
        synchronized (this) {
            return thread == worker || hung.contains(thread);
        }
    }

    /** Goes on without the step that runs now. */
    final synchronized void giveUpStep() {
        if (!done && step != null) {
            replace();
        }
    }

    final synchronized boolean isDone() {
        return done;
    }

    final synchronized @Nullable Step currentStep() {
        return done || finishing ? null : step;
    }

    final synchronized StackTraceElement[] currentStack() {
        Step now = step;
        Thread on = worker;
        return now == null || on == null
                ? new StackTraceElement[0]
                : now.subject(on).getStackTrace();
    }
}
