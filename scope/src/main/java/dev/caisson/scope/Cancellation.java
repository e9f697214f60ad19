package dev.caisson.scope;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a cancellation flows down: marks a scope and all below, interrupts their tasks, tells those who asked to hear. */
final class Cancellation {
    private Cancellation() {}

    /** Spares the tasks that run on the given thread. */
    static void of(Core top, Throwable reason, @Nullable Thread except) {
        List<Task<?>> tasks = new ArrayList<>();
        Map<Core, List<Hold<?>>> listeners = new HashMap<>();
        ArrayDeque<Core> todo = new ArrayDeque<>();
        todo.add(top);
        for (Core core; (core = todo.poll()) != null; ) {
            synchronized (core) {
                if (core.cancelReason == null) {
                    core.cancelReason = reason;
                }
                for (Node node = core.newest; node != null; node = node.older) {
                    switch (node) {
                        case Core child -> todo.add(child);
                        case Task<?> task -> tasks.add(task);
                        case Hold<?> hold -> {
                            if (hold.kind == Kind.ON_CANCEL) {
                                listeners
                                        .computeIfAbsent(core, c -> new ArrayList<>())
                                        .add(hold);
                            }
                        }
                        case Timer timer -> {}
                    }
                }
            }
        }
        for (Task<?> task : tasks) {
            task.interrupt(except);
        }
        listeners.forEach(Cancellation::tell);
    }

    /** Tells on-cancel listeners, on a task that the close will join; a scope that closes already tells them itself. */
    static void tell(Core core, List<Hold<?>> listeners) {
        try {
            Task<Void> teller =
                    new Task<>(core, Kind.TASK, "on-cancel", () -> tellAll(core, listeners), core.originOf(Kind.TASK));
            if (core.addInside(teller, false)) {
                teller.start();
            }
        } catch (Throwable carrierFailed) { // they are told by the close at the latest
            core.registry.log(
                    System.Logger.Level.WARNING,
                    "on-cancel listeners of scope '" + core.path() + "' are not told now",
                    carrierFailed);
        }
    }

    @SuppressWarnings("NullAway") // the result of a task that has none
    private static Void tellAll(Core core, List<Hold<?>> listeners) {
        for (Hold<?> hold : listeners) {
            try {
                if (hold.resourceOrNull() instanceof Closers.OnCancel listener) {
                    listener.tell();
                }
            } catch (Throwable failure) {
                core.registry.log(
                        System.Logger.Level.WARNING,
                        "on-cancel '" + hold.name() + "' of scope '" + core.path() + "' failed",
                        failure);
            }
        }
        return null;
    }
}
