package dev.caisson.scope;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The one piece of process-wide state of this module: the root scopes, the timer thread, the safety net and the
 * management bean. It is there with the first root and gone with the last.
 *
 * <pre>
 *   none --first root--> live --last root closed, nothing left behind--> threads joined, bean gone --> none
 * </pre>
 */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
final class Registry {
    /*
     * Locks: LOCK guards `instance` and, of each registry, roots and left. It is the last in the order; under it only
     * the bean is registered. Threads are joined without it.
     */
    private static final Object LOCK = new Object();
    private static @Nullable Registry instance;

    private static final int JOIN_SECONDS = 5;

    /** How long the bean waits where the management classes are not loaded yet: short programs never pay for them. */
    private static final long BEAN_AFTER_MILLIS = 250;

    private static final System.Logger LOG = System.getLogger("dev.caisson.scope");

    final TimeSource clock = new JvmTime();

    /** The objects owned by {@link Scope#own}, so that none is owned twice. */
    final Map<Claim, Hold<?>> owned = new ConcurrentHashMap<>();

    /** Handles that are watched; keeps the references themselves reachable. */
    private final Set<Dropped> watched = ConcurrentHashMap.newKeySet();

    private final ReferenceQueue<Object> queue = new ReferenceQueue<>();
    private final Thread net = new Thread(this::catchDropped, "caisson-safety-net");

    /* Guarded by LOCK. */
    private final Set<Core> roots = new LinkedHashSet<>();
    private final IdentityHashMap<Node, Census.Row> left = new IdentityHashMap<>();
    private @Nullable ScheduledThreadPoolExecutor timers;
    private volatile @Nullable Thread timerThread;
    private @Nullable Bean bean;
    private long droppedCount;

    private Registry() {}

    static Core open(String name, ScopeOptions options) {
        Core root;
        synchronized (LOCK) {
            Registry now = instance;
            boolean first = now == null;
            if (now == null) {
                now = new Registry();
            }
            root = new Core(now, null, name, options, false);
            root.identify();
            root.place = Node.HELD;
            now.roots.add(root);
            if (first) {
                instance = now;
                now.begin();
            }
        }
        try {
            root.scheduleDeadline();
        } catch (Throwable refused) {
            root.closeInBackground(root.closeWithin, false);
            throw refused;
        }
        return root;
    }

    private void begin() {
        assert Thread.holdsLock(LOCK);
        net.setDaemon(true);
        net.start();
        if (Bean.isCheap()) {
            bean = Bean.register();
        }
    }

    /** On the safety net's thread; the first use of the management classes takes a tenth of a second. */
    private void registerBean() {
        Bean.prepare();
        synchronized (LOCK) {
            if (instance == this && bean == null) {
                bean = Bean.register();
            }
        }
    }

    /** A root has got a parent. */
    void adopted(Core root) {
        synchronized (LOCK) {
            roots.remove(root);
        }
    }

    /** A root has closed. The last one takes the registry with it. */
    void removeRoot(Core root) {
        synchronized (LOCK) {
            roots.remove(root);
        }
        endIfEmpty();
    }

    /** Keeps something in the census that outlived its scope. */
    void leave(Node node, String path) {
        Census.Row row = Census.row(node, path + "/" + node.name(), "left");
        synchronized (LOCK) {
            left.put(node, row);
        }
    }

    /** It has ended after all. */
    void leftEnded(Node node) {
        boolean was;
        synchronized (LOCK) {
            was = left.remove(node) != null;
        }
        if (was) {
            endIfEmpty();
        }
    }

    private void endIfEmpty() {
        ScheduledThreadPoolExecutor ending;
        synchronized (LOCK) {
            if (instance != this || !roots.isEmpty() || !left.isEmpty()) {
                return;
            }
            instance = null;
            ending = timers;
            timers = null;
            if (bean != null) {
                bean.unregister();
                bean = null;
            }
        }
        net.interrupt();
        if (ending != null) {
            ending.shutdownNow();
        }
        boolean interrupted = Thread.interrupted();
        try {
            Thread timing = timerThread;
            if (timing != null && !timing.join(Duration.ofSeconds(JOIN_SECONDS))) {
                log(System.Logger.Level.WARNING, "the timer thread did not end", null);
            }
            if (!net.join(Duration.ofSeconds(JOIN_SECONDS))) {
                log(System.Logger.Level.WARNING, "the safety net's thread did not end", null);
            }
        } catch (InterruptedException e) {
            interrupted = true; // the threads end by themselves
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- time

    /** The clock of the JVM; what it runs later shares one thread. */
    final class JvmTime implements TimeSource {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public Instant instant() {
            return Instant.now();
        }

        @Override
        public Runnable at(long nanoTime, Runnable code) {
            return schedule(code, Math.max(0, nanoTime - System.nanoTime()));
        }
    }

    private Runnable schedule(Runnable code, long delayNanos) {
        ScheduledThreadPoolExecutor pool;
        synchronized (LOCK) {
            pool = timers;
            if (pool == null) {
                if (instance != this) {
                    return () -> {};
                }
                pool = new ScheduledThreadPoolExecutor(1, runnable -> {
                    Thread thread = new Thread(runnable, "caisson-timer");
                    thread.setDaemon(true);
                    timerThread = thread;
                    return thread;
                });
                pool.setRemoveOnCancelPolicy(true);
                timers = pool;
            }
        }
        try {
            ScheduledFuture<?> future = pool.schedule(code, delayNanos, TimeUnit.NANOSECONDS);
            return () -> future.cancel(false);
        } catch (RejectedExecutionException lastRootClosed) {
            return () -> {};
        }
    }

    // ---- the safety net

    Dropped watch(Object handle, Core core, boolean drains) {
        Dropped reference = new Dropped(handle, core, drains, queue);
        watched.add(reference);
        return reference;
    }

    void unwatch(Dropped reference) {
        watched.remove(reference);
        reference.clear();
    }

    private void catchDropped() {
        try {
            caught(queue.remove(BEAN_AFTER_MILLIS));
            registerBean();
            for (; ; ) {
                caught(queue.remove());
            }
        } catch (InterruptedException lastRootClosed) {
            return;
        }
    }

    private void caught(@Nullable Reference<?> reference) {
        if (reference instanceof Dropped dropped && watched.remove(dropped)) {
            found(dropped.core, dropped.drains);
        }
    }

    private void found(Core core, boolean drains) {
        if (core.state >= Core.SHUTTING) {
            return;
        }
        synchronized (LOCK) {
            droppedCount++;
        }
        log(
                System.Logger.Level.WARNING,
                "scope '" + core.path() + "' was dropped without close and is closed now; it holds " + core.size()
                        + " things. Close it, or give it an owner"
                        + (core.origin == null ? " (its origin was not kept)." : "; it was made where the cause says."),
                core.origin);
        Thread.ofVirtual().name("caisson-dropped " + core.name).start(() -> {
            if (drains) {
                core.drain(core.closeWithin);
            }
            core.closeInBackground(core.closeWithin, false);
        });
    }

    // ---- what is told

    static Census census() {
        Registry now;
        List<Core> all;
        List<Census.Row> behind;
        synchronized (LOCK) {
            now = instance;
            if (now == null) {
                return new Census(0, List.of());
            }
            all = new ArrayList<>(now.roots);
            behind = new ArrayList<>(now.left.values());
        }
        return Census.of(all, behind);
    }

    static String[] rootNames() {
        synchronized (LOCK) {
            return instance == null
                    ? new String[0]
                    : instance.roots.stream().map(root -> root.name).toArray(String[]::new);
        }
    }

    static long droppedCount() {
        synchronized (LOCK) {
            return instance == null ? 0 : instance.droppedCount;
        }
    }

    /** Whether the holder is there: for tests. */
    static boolean live() {
        synchronized (LOCK) {
            return instance != null;
        }
    }

    void log(System.Logger.Level level, String message, @Nullable Throwable cause) {
        try {
            if (cause == null) {
                LOG.log(level, message);
            } else {
                LOG.log(level, message, cause);
            }
        } catch (Throwable noLog) {
            return; // a log that fails ends no close and no task
        }
    }
}
