package dev.caisson.scope;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Scope} is a handle of: the list of what it owns, newest first, and its state.
 *
 * <pre>
 *   OPEN --drain--> DRAINING --close--> CLOSING --all ended, or left behind--> CLOSED
 *     '------------------close------------^
 * </pre>
 */
@SuppressWarnings("ReferenceEquality") // of threads and nodes, which are one of a kind
final class Core extends Node {
    /*
     * Ownership: a core is linked in its parent's list, a root in the registry. Tasks, timers and the scoped value hold
     * the core and never the handle, or a dropped handle with a running task would never be found.
     *
     * Locks: the monitor of a core guards its list and its state. It is short, and no user code runs under it. Two
     * cores are locked at once only to move a node, the lower `number` first. Order: Sequence -> Core -> Registry.
     */
    static final byte OPEN = 0;
    static final byte DRAINING = 1;
    static final byte SHUTTING = 2;
    static final byte CLOSED = 3;

    /** What the running code belongs to: a Task, a Core (by wrap) or a LazyScope. */
    static final ScopedValue<Object> CURRENT = ScopedValue.newInstance();

    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final Carrier[] NO_CARRIERS = {};

    final long number = nextNumber();
    final Registry registry;
    final TimeSource clock;
    final String name;
    final Kind kind;
    final Duration closeWithin;
    final TaskFailure taskFailure;
    /** Whether the first task that ends ends the others, and the last one the scope. */
    final boolean endsTogether;
    /** The instant of the clock at which it is cancelled, or null; ancestors may have an earlier one. */
    final @Nullable Long deadlineNanos;

    private final @Nullable Map<Kind, Origins> origins;

    /* Written under this monitor, read anywhere. */
    volatile byte state = OPEN;
    volatile @Nullable Throwable cancelReason;
    private volatile Carrier[] carriers;

    /* Guarded by this. */
    @Nullable
    Node newest;

    private int size;

    @Nullable
    Closing closing;

    @Nullable
    Draining drain;

    @Nullable
    CloseReport report;

    @Nullable
    Throwable closedHere;

    boolean shutdownAsked;
    /** Guarded by the monitor of the closing. */
    long closedCount;
    /** The entry of the resource whose scope this is ({@link Scoped}); it leaves with the core. */
    @Nullable
    Hold<?> face;

    @Nullable
    Runnable deadlineTimer;

    volatile @Nullable Dropped dropped;

    Core(Registry registry, @Nullable Core parent, String name, ScopeOptions options, boolean endsTogether) {
        TimeSource time = clock(registry, parent, name, options);
        super(time.nanoTime(), captures(parent, options.kind, options.origins) ? new Origin("made here") : null);
        if (name.isBlank()) {
            throw new IllegalArgumentException("a scope needs a name");
        }
        this.clock = time;
        this.registry = registry;
        this.name = name;
        this.kind = options.kind;
        this.endsTogether = endsTogether;
        this.closeWithin = options.closeWithin != null
                ? options.closeWithin
                : parent != null ? parent.closeWithin : ScopeOptions.CLOSE_WITHIN;
        this.taskFailure = options.taskFailure != null
                ? options.taskFailure
                : parent != null ? parent.taskFailure : TaskFailure.LOG;
        this.carriers = parent != null ? parent.carriers : NO_CARRIERS;
        for (Carrier carrier : options.carriers) {
            install(carrier);
        }
        this.origins = merge(parent == null ? null : parent.origins, options.origins);
        this.deadlineNanos = options.timeout == null ? null : createdNanos + Nanos.of(options.timeout);
    }

    private static TimeSource clock(Registry registry, @Nullable Core parent, String name, ScopeOptions options) {
        TimeSource asked = options.clock;
        if (parent == null) {
            return asked == null ? registry.clock : asked;
        }
        if (asked != null && asked != parent.clock) {
            throw new IllegalArgumentException("the child scope '" + name + "' of '" + parent.path()
                    + "' asks for a clock of its own; set the clock where the root scope is opened");
        }
        return parent.clock;
    }

    private static boolean captures(@Nullable Core parent, Kind kind, Map<Kind, Origins> own) {
        Origins set = own.get(kind);
        if (set == null && parent != null && parent.origins != null) {
            set = parent.origins.get(kind);
        }
        return (set == null ? kind.origins() : set).now();
    }

    private static @Nullable Map<Kind, Origins> merge(@Nullable Map<Kind, Origins> inherited, Map<Kind, Origins> own) {
        if (own.isEmpty()) {
            return inherited;
        }
        Map<Kind, Origins> all = inherited == null ? new HashMap<>() : new HashMap<>(inherited);
        all.putAll(own);
        return Map.copyOf(all);
    }

    /** For scopes, in the order of which they are locked, and for the ids of the census. */
    static long nextNumber() {
        return NUMBERS.incrementAndGet();
    }

    @Override
    Kind kind() {
        return kind;
    }

    @Override
    String name() {
        return name;
    }

    /** Names from the root down, joined by slashes; changes when the scope gets another owner. */
    String path() {
        Core parent = owner;
        return parent == null ? name : parent.path() + "/" + name;
    }

    @Nullable
    Origin originOf(Kind of) {
        Origins set = origins == null ? null : origins.get(of);
        return (set == null ? of.origins() : set).now() ? new Origin("made here") : null;
    }

    void install(Carrier carrier) {
        for (; ; ) {
            Carrier[] now = carriers;
            for (Carrier one : now) {
                if (one.equals(carrier)) { // their code: not under the monitor
                    return;
                }
            }
            Carrier[] more = java.util.Arrays.copyOf(now, now.length + 1);
            more[now.length] = carrier;
            synchronized (this) {
                if (carriers == now) {
                    carriers = more;
                    return;
                }
            }
        }
    }

    Runnable carry(Runnable task) {
        Runnable carried = task;
        for (Carrier carrier : carriers) {
            carried = carrier.capture(carried);
        }
        return carried;
    }

    // ---- the list

    /** Links the node as the newest; false if this scope does not accept it. */
    boolean add(Node node, boolean asWork) {
        for (; ; ) {
            byte seen = state;
            boolean inside = seen == DRAINING && runsInside();
            synchronized (this) {
                if (state != seen) {
                    continue;
                }
                if (seen > DRAINING || (seen == DRAINING && !inside) || (asWork && cancelReason != null)) {
                    return false;
                }
                link(node);
            }
            Events.acquired(node, this);
            return true;
        }
    }

    /** As {@link #add} for work that belongs to what already runs here: a firing timer, the scope of a call. */
    boolean addInside(Node node, boolean asWork) {
        synchronized (this) {
            if (state > DRAINING || (asWork && cancelReason != null)) {
                return false;
            }
            link(node);
        }
        Events.acquired(node, this);
        return true;
    }

    private void link(Node node) {
        assert Thread.holdsLock(this);
        node.owner = this;
        if (node instanceof Core child && state == DRAINING) {
            child.state = DRAINING;
        }
        node.place = HELD;
        Node second = newest;
        node.older = second;
        if (second != null) {
            second.newer = node;
        }
        newest = node;
        size++;
    }

    /** Takes a linked node out of the list. */
    void remove(Node node) {
        assert Thread.holdsLock(this);
        Node older = node.older;
        Node newer = node.newer;
        if (older != null) {
            older.newer = newer;
        }
        if (newer != null) {
            newer.older = older;
        } else {
            newest = older;
        }
        node.older = null;
        node.newer = null;
        size--;
        if (state >= SHUTTING) {
            notifyAll();
        }
    }

    /** Moves a held node from whatever owns it now to this scope; null if done, else why not. */
    @Nullable
    String adopt(Node node) {
        for (; ; ) {
            Core from = node.owner;
            if (from == null) {
                return "it has no owner";
            }
            if (from == this) {
                return null;
            }
            Core first = from.number < number ? from : this;
            Core second = first == from ? this : from;
            synchronized (first) {
                synchronized (second) {
                    if (node.owner != from) {
                        continue;
                    }
                    if (node.place != HELD) {
                        return "it is released or closed";
                    }
                    if (state != OPEN) {
                        return "'" + path() + "' is " + stateName();
                    }
                    if (from.clock != clock) {
                        return "'" + path() + "' has another clock";
                    }
                    from.remove(node);
                    link(node);
                    return null;
                }
            }
        }
    }

    /** Makes a root a child of this scope; null if done, else why not. */
    @Nullable
    String adoptRoot(Core root) {
        if (root.clock != clock) {
            return "it has another clock";
        }
        for (Core up = this; up != null; up = up.owner) {
            if (up == root) {
                return "it is an ancestor of '" + path() + "'";
            }
        }
        Core first = root.number < number ? root : this;
        Core second = first == root ? this : root;
        synchronized (first) {
            synchronized (second) {
                if (root.owner != null || root.state != OPEN) {
                    return root.owner == this ? null : "its scope '" + root.path() + "' is owned or closed already";
                }
                if (state != OPEN) {
                    return "'" + path() + "' is " + stateName();
                }
                link(root);
                registry.adopted(root);
                Dropped own = root.dropped;
                if (own != null && !own.drains) {
                    root.dropped = null; // its owner ends it now
                    registry.unwatch(own);
                }
            }
        }
        Throwable reason = cancelReason;
        if (reason != null) {
            root.cancel(reason, null);
        }
        return null;
    }

    private boolean runsInside() {
        for (Core up = currentCoreOrParent(); up != null; up = up.owner) {
            if (up == this) {
                return true;
            }
        }
        return false;
    }

    /** The scope that the running code belongs to, or the parent of a lazy one that is not made. */
    static @Nullable Core currentCoreOrParent() {
        Object bound = CURRENT.isBound() ? CURRENT.get() : null;
        return switch (bound) {
            case null -> null;
            case Task<?> task -> task.core;
            case Core core -> core;
            case LazyScope lazy -> lazy.coreOrParent();
            default -> throw new AssertionError(bound);
        };
    }

    /** The scope that the running code belongs to; makes it if it is a lazy one. */
    static @Nullable Core current() {
        Object bound = CURRENT.isBound() ? CURRENT.get() : null;
        return switch (bound) {
            case null -> null;
            case Task<?> task -> task.core;
            case Core core -> core;
            case LazyScope lazy -> lazy.core();
            default -> throw new AssertionError(bound);
        };
    }

    synchronized int size() {
        return size;
    }

    /** What it owns now, newest first. */
    synchronized List<Node> nodes() {
        List<Node> all = new ArrayList<>(size);
        for (Node node = newest; node != null; node = node.older) {
            node.identify();
            all.add(node);
        }
        return all;
    }

    // ---- time

    /** The time left until the instant of the clock, zero if it has passed. */
    Duration until(long instant) {
        return Duration.ofNanos(Math.max(0, instant - clock.nanoTime()));
    }

    // ---- children, tasks, deadline

    Core child(String childName, ScopeOptions options, boolean together, boolean inside) {
        Core child = new Core(registry, this, childName, options, together);
        if (!(inside ? addInside(child, true) : add(child, true))) {
            throw refusal("the child scope '" + childName + "' was not made");
        }
        try {
            child.scheduleDeadline();
        } catch (Throwable refused) {
            child.closeInBackground(child.closeWithin, false);
            throw refused;
        }
        return child;
    }

    /** A scope that is closed from birth, for who asks too late. */
    Core dead(String childName) {
        Core dead = new Core(registry, this, childName, ScopeOptions.defaults().kind(Kind.SCOPE), false);
        dead.owner = this;
        dead.place = GONE;
        dead.state = CLOSED;
        dead.cancelReason = ScopeClosedException.reason("'" + dead.path() + "' has ended", null);
        dead.report = CloseReport.nothing(dead.path());
        return dead;
    }

    void scheduleDeadline() {
        Long at = deadlineNanos;
        if (at == null) {
            return;
        }
        Runnable stop = clock.at(
                at, () -> Thread.ofVirtual().name("caisson-deadline " + name).start(this::deadlinePassed));
        boolean over;
        synchronized (this) {
            deadlineTimer = stop;
            over = state == CLOSED;
        }
        if (over) {
            stop.run();
        }
    }

    private void deadlinePassed() {
        cancel(new DeadlineExceededException("the deadline of scope '" + path() + "' passed"), null);
    }

    /** The earliest deadline from here up, as an instant of the clock, or null. */
    @Nullable
    Long effectiveDeadline() {
        Long earliest = null;
        for (Core up = this; up != null; up = up.owner) {
            Long own = up.deadlineNanos;
            if (own != null && (earliest == null || own - earliest < 0)) {
                earliest = own;
            }
        }
        return earliest;
    }

    <T extends @Nullable Object> Task<T> fork(Task<T> task, boolean inside) {
        if (!(inside ? addInside(task, true) : add(task, true))) {
            throw refusal("the task '" + task.name() + "' was not started");
        }
        task.start();
        return task;
    }

    void taskEnded(Task<?> task, @Nullable Throwable failure) {
        if (failure != null && !task.cancelled() && cancelReason == null) {
            registry.log(
                    System.Logger.Level.WARNING,
                    "task '" + task.name() + "' of scope '" + path() + "' failed",
                    failure);
            if (taskFailure == TaskFailure.CANCEL_SCOPE) {
                cancel(failure, null);
            }
        }
        if (endsTogether) {
            String how = failure == null ? "ended" : "failed";
            cancel(ScopeClosedException.reason("task '" + task.name() + "' of '" + path() + "' " + how, failure), null);
        }
        boolean leftBehind;
        synchronized (this) {
            task.over = true;
            leftBehind = task.place == GONE;
            if (!leftBehind && state < SHUTTING) {
                remove(task);
                task.place = GONE;
            } // else the closing joins the thread, then unlinks the task
        }
        Events.released(task, this, failure == null ? "ended" : "failed");
        if (leftBehind) {
            registry.leftEnded(task);
        }
        if (endsTogether && size() == 0) {
            closeInBackground(closeWithin, false);
        }
    }

    /** Goes on without a task that does not end; the census keeps it until it does. */
    void leave(Task<?> task) {
        registry.leave(task, path());
        boolean over;
        synchronized (this) {
            over = task.over;
            task.unlink();
        }
        if (over) {
            registry.leftEnded(task);
        }
    }

    // ---- cancellation

    boolean isCancelled() {
        return cancelReason != null;
    }

    /** Marks this scope and all below as cancelled and interrupts their tasks, but for those on the given thread. */
    void cancel(Throwable reason, @Nullable Thread except) {
        Cancellation.of(this, reason, except);
    }

    synchronized void askShutdown() {
        shutdownAsked = true;
        notifyAll();
    }

    // ---- draining and closing

    void markDraining() {
        ArrayDeque<Core> todo = new ArrayDeque<>();
        todo.add(this);
        for (Core core; (core = todo.poll()) != null; ) {
            synchronized (core) {
                if (core.state == OPEN) {
                    core.state = DRAINING;
                }
                for (Node node = core.newest; node != null; node = node.older) {
                    if (node instanceof Core child) {
                        todo.add(child);
                    }
                }
                core.notifyAll();
            }
        }
    }

    /** Drains within the time; returns at once when another thread drains or closes already and is waited for by us. */
    void drain(Duration within) {
        long deadline = clock.nanoTime() + Nanos.of(within);
        Draining mine = null;
        Draining theirs;
        synchronized (this) {
            if (state >= SHUTTING) {
                return;
            }
            theirs = drain;
            if (theirs == null) {
                drain = mine = new Draining(this, deadline);
            }
        }
        if (mine != null) {
            markDraining();
            try {
                mine.start();
                mine.await(deadline);
            } finally {
                mine.abandon();
            }
        } else if (theirs != null && !theirs.involves(Thread.currentThread())) {
            theirs.await(deadline);
        }
    }

    CloseReport close(Duration within, boolean here) {
        if (closeIfEmpty(here)) {
            return report();
        }
        long deadline = clock.nanoTime() + Nanos.of(within);
        Closing mine = beginOwnClose(deadline, here);
        if (mine != null) {
            try {
                cancelToClose();
                mine.start();
                mine.await(deadline);
                return mine.leave();
            } catch (Throwable onThisStack) {
                mine.superviseInBackground();
                throw onThisStack;
            }
        }
        return awaitClosed(deadline);
    }

    /** Starts to close and returns; the report is kept for who asks, and logged if something is left. */
    void closeInBackground(Duration within, boolean here) {
        if (closeIfEmpty(here)) {
            return;
        }
        long deadline = clock.nanoTime() + Nanos.of(within);
        Closing mine = beginOwnClose(deadline, here);
        if (mine != null) {
            mine.logs = true;
            try {
                cancelToClose();
                mine.start();
            } finally {
                mine.superviseInBackground();
            }
        }
    }

    private void cancelToClose() {
        cancel(ScopeClosedException.reason("scope '" + path() + "' is closing", null), Thread.currentThread());
    }

    /** The short way for a scope that owns nothing, such as most calls: no thread, no search. */
    private boolean closeIfEmpty(boolean here) {
        Throwable closer = here && origin != null ? new ClosedHere() : null;
        synchronized (this) {
            if (state >= SHUTTING || newest != null || drain != null) {
                return false;
            }
            state = SHUTTING;
            closedHere = closer;
            if (cancelReason == null) {
                cancelReason = ScopeClosedException.reason("scope '" + path() + "' is closing", null);
            }
            notifyAll();
        }
        finish(CloseReport.nothing(path()));
        return true;
    }

    private @Nullable Closing beginOwnClose(long deadline, boolean here) {
        Throwable closer = here && origin != null ? new ClosedHere() : null;
        Closing mine = new Closing(this, deadline);
        synchronized (this) {
            if (state >= SHUTTING) {
                return null;
            }
            state = SHUTTING;
            closing = mine;
            closedHere = closer;
            notifyAll();
            return mine;
        }
    }

    /** Lets the closing of an ancestor close this scope too; false if somebody else does already. */
    boolean beginClose(Closing by) {
        synchronized (this) {
            if (state >= SHUTTING) {
                return false;
            }
            state = SHUTTING;
            closing = by;
            notifyAll();
            return true;
        }
    }

    private CloseReport awaitClosed(long deadline) {
        Closing theirs;
        synchronized (this) {
            if (state == CLOSED) {
                return report();
            }
            theirs = closing;
        }
        if (theirs != null && theirs.involves(Thread.currentThread())) {
            return theirs.report(this);
        }
        resumeClose();
        boolean interrupted = false;
        synchronized (this) {
            while (state != CLOSED && deadline - clock.nanoTime() > 0) {
                try {
                    Nanos.waitOn(this, clock, deadline);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            if (state == CLOSED) {
                return report();
            }
        }
        return theirs == null ? report() : theirs.report(this);
    }

    /** Goes on with a close that threw in its caller's thread; harmless if it did not. */
    void resumeClose() {
        Closing theirs;
        synchronized (this) {
            theirs = closing;
        }
        if (theirs != null) {
            theirs.start();
        } else {
            finish(report()); // it owned nothing, or all has ended
        }
    }

    /** Closes and throws if that was not clean; does nothing for a closer or a task of the close that goes on. */
    void closeOrThrow() {
        CloseReport told = close(closeWithin, true);
        Closing now;
        synchronized (this) {
            now = closing;
        }
        if (now == null || !now.involves(Thread.currentThread())) {
            told.throwIfNotClean();
        }
    }

    synchronized CloseReport report() {
        CloseReport now = report;
        return now == null ? CloseReport.nothing(path()) : now;
    }

    /** The end: nothing is owned any more. Called by the closing, not under its monitor for a root; again if it threw. */
    void finish(CloseReport with) {
        Runnable timer;
        Hold<?> facade;
        synchronized (this) {
            state = CLOSED;
            report = with;
            closing = null;
            drain = null;
            timer = deadlineTimer;
            deadlineTimer = null;
            facade = face;
            face = null;
            carriers = NO_CARRIERS;
            notifyAll();
        }
        if (timer != null) {
            try {
                timer.run();
            } catch (Throwable clockFailed) {
                registry.log(
                        System.Logger.Level.WARNING,
                        "the deadline of scope '" + path() + "' was not taken back",
                        clockFailed);
            }
        }
        if (facade != null) {
            facade.release();
        }
        Dropped watched = dropped;
        if (watched != null) {
            dropped = null;
            registry.unwatch(watched);
        }
        Core parent = unlink();
        if (parent != null) {
            Events.released(this, parent, "closed");
        } else {
            registry.leftEnded(this);
            registry.removeRoot(this);
        }
    }

    List<CloseReport.Left> undrained() {
        Draining ran = drain;
        return ran == null ? List.of() : ran.undrained();
    }

    // ---- what is told

    String stateName() {
        return switch (state) {
            case OPEN -> cancelReason != null ? "cancelled" : "open";
            case DRAINING -> "draining";
            case SHUTTING -> "closing";
            default -> "closed";
        };
    }

    ScopeClosedException refusal(String consequence) {
        Throwable where = null;
        for (Core up = this; up != null && where == null; up = up.owner) {
            where = up.closedHere;
        }
        return new ScopeClosedException(
                "scope '" + path() + "' is " + stateName() + ": " + consequence
                        + (state == OPEN && cancelReason != null ? "; why: " + Thrown.text(cancelReason) : ""),
                where != null ? where : cancelReason);
    }

    /** Where close was called: the cause in what a later use throws. */
    static final class ClosedHere extends RuntimeException {
        private static final long serialVersionUID = 1;

        ClosedHere() {
            super("the scope was closed here");
        }
    }
}
