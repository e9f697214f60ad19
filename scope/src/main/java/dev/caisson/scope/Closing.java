package dev.caisson.scope;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Closes one scope and everything below it: newest first, going on past failures. */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
final class Closing extends Sequence {
    private final long began;

    /** Set before start; whether the report is logged when it is not clean. */
    boolean logs;

    /* Guarded by this. */
    private final ArrayDeque<Core> stack = new ArrayDeque<>();
    private final List<CloseReport.Failure> failures = new ArrayList<>();
    private final List<CloseReport.Left> left = new ArrayList<>();
    private long unlistedFailures;
    private long unlistedLeft;

    Closing(Core top, long deadline) {
        super(top, "caisson-close " + top.path(), deadline);
        this.began = top.clock.nanoTime();
        stack.push(top);
    }

    @Override
    long share(long left) {
        return left / 2;
    }

    @Override
    @Nullable
    Step next() {
        for (; ; ) {
            Core core = stack.getFirst();
            Node node;
            Thread other = null;
            synchronized (core) {
                node = core.newest;
                if (node != null && node.place == Node.HELD && !(node instanceof Core)) {
                    node.place = Node.CLOSING;
                }
                if (node instanceof Hold<?> hold) {
                    other = hold.closedBy;
                }
            }
            if (node == null) {
                if (core == top) {
                    return null;
                }
                stack.pop();
                Core parent = stack.getFirst();
                parent.closedCount += core.closedCount + 1;
                core.finish(report(core));
                continue;
            }
            switch (node) {
                case Core child -> {
                    if (child.beginClose(this)) {
                        stack.push(child);
                    } else {
                        return new AwaitChild(core, child);
                    }
                }
                case Timer timer -> {
                    timer.close();
                    core.closedCount++;
                }
                case Task<?> task -> {
                    Thread thread = task.thread;
                    if (thread == starter()) {
                        core.leave(task);
                    } else if (thread == null) {
                        task.unlink();
                        core.closedCount++;
                    } else {
                        return new JoinTask(core, task, thread);
                    }
                }
                case Hold<?> hold -> {
                    if (other == null) {
                        return new CloseHold<>(core, hold);
                    }
                    if (other == starter()) {
                        hold.unlink();
                    } else {
                        return new AwaitHold(core, hold, other);
                    }
                }
            }
        }
    }

    @Override
    void finish() {
        synchronized (this) {
            for (Core core : stack) {
                unlistedLeft += core.size(); // nothing, unless next() failed for good
            }
        }
        CloseReport report = report(top);
        if (logs && !report.clean()) {
            top.registry.log(System.Logger.Level.WARNING, report.toString(), null);
        }
        top.finish(report);
    }

    /** For the thread that began it: the report, now; the rest goes on behind its back. */
    CloseReport leave() {
        if (isDone()) {
            return top.report();
        }
        logs = true;
        superviseInBackground();
        return report(top);
    }

    @Override
    boolean involves(Thread thread) {
        if (super.involves(thread)) {
            return true;
        }
        // a task that this closing waits for, or is going to
        if (Core.CURRENT.isBound() && Core.CURRENT.get() instanceof Task<?> task && task.thread == thread) {
            for (Core up = task.core; up != null; up = up.owner) {
                if (up.closing == this) {
                    return true;
                }
            }
        }
        return false;
    }

    /** What is known now about one of the scopes that it closes. */
    synchronized CloseReport report(Core core) {
        String path = core.path();
        List<CloseReport.Failure> failed = new ArrayList<>();
        for (CloseReport.Failure failure : failures) {
            if (below(path, failure.path())) {
                failed.add(failure);
            }
        }
        List<CloseReport.Left> behind = new ArrayList<>();
        for (CloseReport.Left one : left) {
            if (below(path, one.path())) {
                behind.add(one);
            }
        }
        Step now = currentStep();
        boolean complete = core.state == Core.CLOSED || now == null;
        if (now instanceof Told told && below(path, told.core.path())) {
            behind.add(told.left("still at it", currentStack()));
        }
        long waiting = 0;
        if (!complete && core == top) {
            for (Core one : stack) {
                waiting += one.size();
            }
            waiting = Math.max(0, waiting - stack.size());
        }
        long closed = core.closedCount;
        if (core == top) {
            for (Core one : stack) {
                closed += one == top ? 0 : one.closedCount;
            }
        }
        return new CloseReport(
                path,
                complete,
                closed,
                took(),
                failed,
                behind,
                core.undrained(),
                unlistedFailures,
                unlistedLeft + waiting);
    }

    private Duration took() {
        try {
            return Duration.ofNanos(top.clock.nanoTime() - began);
        } catch (Throwable failure) {
            broken(failure);
            return Duration.ZERO;
        }
    }

    private static boolean below(String path, String other) {
        return other.equals(path) || (other.startsWith(path) && other.charAt(path.length()) == '/');
    }

    private void failed(Core core, Node node, Throwable failure) {
        if (failures.size() < CloseReport.MAX_LISTED) {
            failures.add(new CloseReport.Failure(node.kind().name(), node.name(), core.path(), failure));
        } else {
            unlistedFailures++;
        }
    }

    private void left(CloseReport.Left one) {
        if (left.size() < CloseReport.MAX_LISTED) {
            left.add(one);
        } else {
            unlistedLeft++;
        }
    }

    /** A step about one node of one scope. */
    private abstract class Told implements Step {
        final Core core;
        final Node node;

        Told(Core core, Node node) {
            this.core = core;
            this.node = node;
        }

        /** What another thread closes leaves the list, and the census has it until that thread has ended. */
        final void goOnWithout(String why, StackTraceElement[] stack) {
            Core from = null;
            try {
                Closing.this.left(left(why, stack));
                core.registry.leave(node, core.path());
            } finally {
                from = node.unlink();
            }
            if (from == null) {
                core.registry.leftEnded(node);
            }
        }

        final CloseReport.Left left(String why, StackTraceElement[] stack) {
            Origin origin = node.origin;
            return new CloseReport.Left(
                    node.kind().name(),
                    node.name(),
                    core.path(),
                    why,
                    List.of(stack),
                    origin == null ? List.of() : origin.frames());
        }
    }

    private final class CloseHold<T> extends Told {
        private final Hold<T> hold;
        /* Of the hold, which forgets them if it is given up, maybe before the worker came to run. */
        private final @Nullable T resource;
        private final @Nullable Closer<? super T> closer;

        CloseHold(Core core, Hold<T> hold) {
            super(core, hold);
            this.hold = hold;
            this.resource = hold.resourceOrNull();
            this.closer = hold.closerOrNull();
        }

        @Override
        public void run(Duration within) throws Exception {
            if (resource != null && closer != null) {
                closer.close(resource, within);
            }
        }

        @Override
        public void ended(@Nullable Throwable failure) {
            hold.ended(failure == null ? "closed" : "failed"); // first of all, or it could be closed twice
            if (failure != null) {
                failed(core, hold, failure);
            } else {
                core.closedCount++;
            }
        }

        @Override
        public void hung(StackTraceElement[] stack, Thread worker) {
            try {
                Closing.this.left(left("its closer hangs", stack));
                core.registry.leave(hold, core.path());
            } finally {
                hold.ended("left");
            }
        }

        @Override
        public void endedLate() {
            core.registry.leftEnded(hold);
        }
    }

    private final class JoinTask extends Told {
        private final Task<?> task;
        private final Thread thread;

        JoinTask(Core core, Task<?> task, Thread thread) {
            super(core, task);
            this.task = task;
            this.thread = thread;
        }

        @Override
        public Thread subject(Thread worker) {
            return thread;
        }

        @Override
        public void run(Duration within) throws InterruptedException {
            if (!task.cancelled()) {
                task.interrupt(null); // the cancellation of the scope failed half-way
            }
            thread.join();
        }

        @Override
        public void ended(@Nullable Throwable failure) {
            task.unlink();
            core.closedCount++;
        }

        @Override
        public void hung(StackTraceElement[] stack, Thread worker) {
            Closing.this.left(left("it does not answer the interrupt", stack));
            core.leave(task);
        }
    }

    private final class AwaitHold extends Told {
        private final @Nullable Thread closer;

        AwaitHold(Core core, Hold<?> hold, @Nullable Thread closer) {
            super(core, hold);
            this.closer = closer;
        }

        @Override
        public Thread subject(Thread worker) {
            return closer == null ? worker : closer;
        }

        @Override
        public void run(Duration within) throws InterruptedException {
            synchronized (core) {
                while (node.place == Node.CLOSING) {
                    core.wait();
                }
            }
        }

        @Override
        public void ended(@Nullable Throwable failure) {
            core.closedCount++;
        }

        @Override
        public void hung(StackTraceElement[] stack, Thread worker) {
            goOnWithout("another thread closes it and has not ended", stack);
        }
    }

    private final class AwaitChild extends Told {
        private final Core child;

        AwaitChild(Core core, Core child) {
            super(core, child);
            this.child = child;
        }

        @Override
        public void run(Duration within) throws InterruptedException {
            child.resumeClose();
            synchronized (core) {
                while (child.place == Node.HELD) {
                    core.wait();
                }
            }
        }

        @Override
        public void ended(@Nullable Throwable failure) {
            core.closedCount += 1 + child.closedCount;
        }

        @Override
        public void hung(StackTraceElement[] stack, Thread worker) {
            Closing other = child.closing;
            goOnWithout("another thread closes it and has not ended", other == null ? stack : other.currentStack());
        }
    }
}
