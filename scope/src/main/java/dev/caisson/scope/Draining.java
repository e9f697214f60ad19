package dev.caisson.scope;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Drains one scope and everything below it: newest first, each resource once, then waits for each task. */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
final class Draining extends Sequence {
    /* Guarded by this. */
    private final ArrayDeque<Iterator<Node>> stack = new ArrayDeque<>();
    private final List<CloseReport.Left> undrained = new ArrayList<>();
    private boolean abandoned;

    Draining(Core top, long deadline) {
        super(top, "caisson-drain " + top.path(), deadline);
        stack.push(top.nodes().iterator());
    }

    @Override
    long share(long left) {
        return left / 4 * 3;
    }

    @Override
    @Nullable
    Step next() {
        while (!abandoned && !stack.isEmpty()) {
            Iterator<Node> nodes = stack.getFirst();
            if (!nodes.hasNext()) {
                stack.pop();
                continue;
            }
            switch (nodes.next()) {
                case Core child -> stack.push(child.nodes().iterator());
                case Timer timer -> {}
                case Hold<?> hold -> {
                    if (!hold.drainsNothing()) {
                        return new Drain(hold, null);
                    }
                }
                case Task<?> task -> {
                    Thread thread = task.thread;
                    if (thread != null && thread != starter()) {
                        return new Drain(task, thread);
                    }
                }
            }
        }
        return null;
    }

    @Override
    void finish() {}

    /** The time is over: what is not drained now is closed as it is. */
    void abandon() {
        synchronized (this) {
            abandoned = true;
            giveUpStep();
        }
        superviseInBackground();
    }

    synchronized List<CloseReport.Left> undrained() {
        return List.copyOf(undrained);
    }

    private final class Drain implements Step {
        private final Node node;
        private final @Nullable Thread thread;
        private boolean told;

        Drain(Node node, @Nullable Thread thread) {
            this.node = node;
            this.thread = thread;
        }

        @Override
        public Thread subject(Thread worker) {
            return thread == null ? worker : thread;
        }

        @Override
        public void run(Duration within) throws Exception {
            switch (node) {
                case Hold<?> hold -> hold.callDrain(within);
                case Task<?> task -> Objects.requireNonNull(thread).join();
                default -> throw new AssertionError(node);
            }
        }

        @Override
        public void ended(@Nullable Throwable failure) {
            if (failure != null) {
                tell("its drain failed: " + Thrown.text(failure), failure.getStackTrace());
            }
        }

        @Override
        public void hung(StackTraceElement[] stack, Thread worker) {
            tell("it has not drained in time", stack);
            if (node instanceof Hold<?>) {
                top.registry.leave(node, ownerPath());
            }
        }

        @Override
        public void endedLate() {
            if (node instanceof Hold<?>) {
                top.registry.leftEnded(node);
            }
        }

        private String ownerPath() {
            Core owner = node.owner;
            return owner == null ? top.path() : owner.path();
        }

        private void tell(String why, StackTraceElement[] stack) {
            if (told || undrained.size() >= CloseReport.MAX_LISTED) {
                return;
            }
            told = true;
            Origin origin = node.origin;
            undrained.add(new CloseReport.Left(
                    node.kind().name(),
                    node.name(),
                    ownerPath(),
                    why,
                    List.of(stack),
                    origin == null ? List.of() : origin.frames()));
        }
    }
}
