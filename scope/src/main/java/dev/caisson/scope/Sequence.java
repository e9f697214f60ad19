package dev.caisson.scope;

import java.time.Duration;
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
     *
     * Failures: what a step throws is the step's failure. What the sequence itself throws (a stack or heap used up, a
     * class that cannot be loaded) costs what it was just doing and never the end: the next step is taken all the same,
     * after MAX_BROKEN failures in a row finish() comes at once, and done is set whatever happens. A start that failed in
     * its caller's thread is made up for by whoever waits.
     */

    /** More hanging steps than this are not left behind: the last worker waits for its own. */
    static final int MAX_HUNG = 64;

    /** After so many failures in a row to find the next step, the sequence ends without it. */
    static final int MAX_BROKEN = 3;

    /** What a step gets once the deadline has passed, in nanoseconds. */
    private static final long LATE_STEP_NANOS = 1_000_000_000L;

    /** One thing to do. All but {@link #run} are called under the monitor of the sequence. */
    interface Step {
        void run(Duration within) throws Exception;

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

    final Core top;
    private final Thread starter = Thread.currentThread();
    private final String threadName;
    private final long deadline;

    /* Guarded by this. */
    private @Nullable Thread worker;
    private @Nullable Step step;
    private long stepLimit;
    private int brokenEnds;
    private final List<Thread> hung = new ArrayList<>();
    private boolean finishing;
    private boolean done;
    private boolean supervised;

    Sequence(Core top, String threadName, long deadline) {
        this.top = top;
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

    /** Begins, unless that was done; whoever waits calls it again, for the case that it threw before. */
    final void start() {
        synchronized (this) {
            if (worker != null || done) {
                return;
            }
            try {
                if (step == null && !finishing) {
                    take(next()); // here, because often there is none
                }
            } catch (Throwable onThisStack) {
                launch(null);
                return;
            }
            if (step != null) {
                launch(step);
                return;
            }
            worker = Thread.currentThread();
        }
        complete();
    }

    private void take() {
        step = null;
        for (int i = 1; i <= MAX_BROKEN; i++) {
            try {
                take(next());
                return;
            } catch (Throwable failure) {
                broken(failure);
            }
        }
        finishing = true;
    }

    private void take(@Nullable Step taken) {
        step = taken;
        finishing = taken == null;
        stepLimit = deadline;
        try {
            long now = top.clock.nanoTime();
            long left = deadline - now;
            stepLimit = now + (left <= 0 ? LATE_STEP_NANOS : Math.max(share(left), 1_000_000));
        } catch (Throwable failure) {
            broken(failure);
        }
    }

    /** A worker with its first step; without one it looks for it. */
    private void launch(@Nullable Step first) {
        Thread thread = Thread.ofVirtual().name(threadName).unstarted(() -> work(first));
        thread.start(); // it needs this monitor before it looks at `worker`
        worker = thread;
    }

    @SuppressWarnings("Interruption") // clears what the supervisor or a closer left behind
    private void work(@Nullable Step first) {
        Thread me = Thread.currentThread();
        Step now = first;
        if (now == null) {
            synchronized (this) {
                if (!finishing) {
                    take();
                    notifyAll(); // who waits looks at the new limit
                }
                now = step;
            }
        }
        while (now != null) {
            Throwable failure = null;
            Duration within = within();
            try {
                now.run(within);
            } catch (Throwable thrown) {
                failure = thrown;
            }
            synchronized (this) {
                boolean late = worker != me;
                try {
                    if (late) {
                        hung.remove(me);
                        now.endedLate();
                        return;
                    }
                    now.ended(failure);
                } catch (Throwable inside) {
                    broken(inside);
                    if (late) {
                        return;
                    }
                }
                Thread.interrupted();
                take();
                now = step;
            }
        }
        complete();
    }

    private Duration within() {
        long until;
        synchronized (this) {
            until = stepLimit;
        }
        try {
            return top.until(until);
        } catch (Throwable failure) {
            broken(failure);
            return Duration.ZERO;
        }
    }

    private void complete() {
        try {
            finish();
        } catch (Throwable failure) {
            broken(failure);
            synchronized (this) {
                worker = null;
                if (++brokenEnds < MAX_BROKEN) {
                    launch(null); // on a stack of its own
                    return;
                }
            }
        }
        synchronized (this) {
            done = true;
            worker = null;
            notifyAll();
        }
    }

    final void broken(Throwable failure) {
        top.registry.log(System.Logger.Level.ERROR, threadName + " met a failure of its own and goes on", failure);
    }

    /** Waits until all is done or the time has come, and meanwhile replaces workers that hang. Keeps an interrupt. */
    final boolean await(long until) {
        boolean interrupted = false;
        boolean ended;
        synchronized (this) {
            while (!done) {
                long now = top.clock.nanoTime();
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
                    Nanos.waitOn(this, top.clock, next);
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
        try {
            stuckStep.hung(stuckStep.subject(stuck).getStackTrace(), stuck);
        } catch (Throwable failure) {
            broken(failure);
        }
        take();
        launch(step);
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
        Thread.ofVirtual().name(threadName + " (supervisor)").start(this::supervise);
    }

    private void supervise() {
        for (int i = 1; i <= MAX_BROKEN && !isDone(); i++) {
            try {
                start();
                await(top.clock.nanoTime() + Long.MAX_VALUE / 4);
            } catch (Throwable failure) {
                broken(failure);
            }
        }
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
