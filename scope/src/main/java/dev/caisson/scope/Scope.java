package dev.caisson.scope;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Owns resources, tasks, timers and child scopes, and ends them all when it is closed.
 *
 * <pre>{@code
 * try (Scope app = Scope.open("orders")) {
 *     Server server = app.own("server", () -> startServer(50051));
 *     app.fork("reconcile", () -> reconcile(inventory));
 *     app.every(Duration.ofSeconds(30), "refresh", this::refresh);
 *     app.onClose("unsubscribe", () -> registry.unsubscribe(listener));
 *     app.awaitShutdown();
 * }
 * }</pre>
 *
 * <pre>
 *   open --drainAndClose--> draining --> closing --> closed
 *     '-----------close--------------------^
 * </pre>
 *
 * What it guarantees:
 *
 * <ul>
 *   <li><b>Order.</b> What it owns is closed newest first, whatever its sort, children before their parents. When the
 *       close begins every task below is interrupted; each is joined in its place in that order.
 *   <li><b>Once.</b> Close is idempotent and may be called from any threads at once: all of them return when it is done.
 *   <li><b>Bounded.</b> A close returns at its deadline at the latest. One closer, or one task, gets half of the time that
 *       is left: then it is interrupted, reported with the stack of where it hangs, kept in the census as "left" until it
 *       ends, and the close goes on with the next.
 *   <li><b>Past failures.</b> A closer that throws keeps no other from being called; what it threw is in the report.
 *   <li><b>No gap.</b> What arrives while the scope closes, or afterwards, is closed at once and the caller told, by a
 *       {@link ScopeClosedException} that says where the scope was closed. What a factory makes meanwhile likewise.
 *   <li><b>Half-way.</b> What a factory took through {@link #current} before it failed is given back.
 *   <li><b>From inside.</b> A closer may close its own scope, and a task the scope that owns it: neither waits for itself.
 *       Such a task is not interrupted and may run to its end; the census has it until then.
 *   <li><b>One owner.</b> {@link #own} refuses what is owned already; {@link #hold} does where assertions are enabled. Moving is
 *       atomic: at every moment one scope owns it.
 *   <li><b>No trace.</b> After close, release or move nothing here keeps the resource, the task's code, the timer's or the
 *       child reachable. Names and stacks survive in the report, as text.
 *   <li><b>Flows down.</b> A child is cancelled with its parent, has no later deadline, and drains with it.
 *   <li><b>Found.</b> A root whose handle is dropped without close is reported with the stack that opened it, and closed;
 *       its running tasks do not hide it. (Code that captures the handle itself does: inside, ask {@link #current}.)
 *   <li><b>Constant cost.</b> Owning, releasing and moving take the same time however much the scope owns. Cancelling and
 *       the census walk all of it.
 * </ul>
 *
 * <p>Closers run one after another on a virtual thread of the close, not on the calling thread, because only so can the
 * close go on without one that hangs: they see neither the caller's thread-locals nor locks that it holds. Threads that
 * code starts by itself are no tasks: no scope knows of them.
 *
 * <p>This object is a thin handle; two handles of one scope are equal. Thread-safe.
 */
public final class Scope implements AutoCloseable {
    /** Whether {@link #hold} looks for another owner. */
    private static final boolean LOOKS = Scope.class.desiredAssertionStatus();

    final Core core;
    /** The handle whose loss would close this scope: who holds a child holds its root. */
    private final @Nullable Object anchor;

    private Scope(Core core, @Nullable Object anchor) {
        this.core = core;
        this.anchor = anchor;
    }

    // ---- making

    /** Opens a root scope with the default options; see {@link #open(String, ScopeOptions)}. */
    public static Scope open(String name) {
        return open(name, ScopeOptions.defaults());
    }

    /** Opens a root scope: the caller owns it and closes it. */
    public static Scope open(String name, ScopeOptions options) {
        Core core = Registry.open(name, options);
        return watched(core, null);
    }

    /** The first handle of a scope, watched by the safety net. */
    private static Scope watched(Core core, @Nullable Object anchor) {
        Scope handle = new Scope(core, anchor);
        core.dropped = core.registry.watch(handle, core, false);
        return handle;
    }

    /** A handle of a core that the holder of some other handle, or running code, has reached. */
    static Scope of(Core core) {
        Object anchor = null;
        for (Core up = core; up != null; up = up.owner) {
            Dropped watched = up.dropped;
            if (watched != null) {
                anchor = watched.get();
                break;
            }
        }
        return anchor instanceof Scope handle && handle.core == core ? handle : new Scope(core, anchor);
    }

    /**
     * The scope that the running code belongs to: the one that forked its task, that was bound by {@link #wrap} or
     * {@link #runWith}, or that {@link #own(String, Factory)} makes a resource for. Empty on a thread that nobody bound.
     */
    public static Optional<Scope> current() {
        Core core = Core.current();
        return core == null ? Optional.empty() : Optional.of(of(core));
    }

    /** Runs the code, on this thread, with a scope that is made only if the code asks for {@link #current}. */
    public static void runWith(LazyScope lazy, Runnable code) {
        ScopedValue.where(Core.CURRENT, lazy).run(code);
    }

    /** Makes a child scope with the default options; see {@link #child(String, ScopeOptions)}. */
    public Scope child(String name) {
        return child(name, ScopeOptions.defaults());
    }

    /**
     * Makes a scope that ends with this one at the latest. Its deadline is never later than this scope's, and it is
     * cancelled with it.
     *
     * @throws ScopeClosedException if this scope is not open, or cancelled
     */
    public Scope child(String name, ScopeOptions options) {
        Core child = core.child(name, options, false, false);
        Object holder = anchor == null ? this : anchor;
        return options.closeWhenDropped ? watched(child, holder) : new Scope(child, holder);
    }

    /** Makes a group of tasks that end together; it ends by itself with the last of them. */
    public Group group(String name) {
        return new Group(core.child(name, ScopeOptions.defaults().kind(Kind.GROUP), true, false));
    }

    // ---- owning

    /** Owns the resource under the name of its class; see {@link #own(AutoCloseable, String)}. */
    public <T extends AutoCloseable> T own(T resource) {
        String simple = resource.getClass().getSimpleName();
        return own(resource, simple.isEmpty() ? resource.getClass().getName() : simple);
    }

    /**
     * Owns the resource: it is closed with this scope, unless it is {@linkplain #release released} or moved before.
     *
     * @return the resource
     * @throws ScopeClosedException if this scope is not open; the resource is then closed already
     * @throws IllegalStateException if a scope owns the resource already
     */
    public <T extends AutoCloseable> T own(T resource, String name) {
        return own(name, resource, Closers.of(resource));
    }

    /** As {@link #own(AutoCloseable, String)} for a resource that needs to be told how it ends. */
    public <T> T own(String name, T resource, Closer<? super T> closer) {
        Hold<T> hold = new Hold<>(core, Kind.RESOURCE, name, resource, closer);
        claim(hold, resource);
        if (resource instanceof Scoped scoped) {
            adopt(scoped, hold);
        }
        keep(hold);
        return resource;
    }

    private void claim(Hold<?> hold, Object resource) {
        Claim claim = new Claim(core.registry, resource);
        Hold<?> before = core.registry.owned.putIfAbsent(claim, hold);
        if (before != null) {
            throw new IllegalStateException("'" + hold.name() + "' is owned already, as " + before
                    + "; a resource has one owner: move it (Scope.move, Hold.moveTo) or release it there first");
        }
        hold.claim = claim;
    }

    private void adopt(Scoped scoped, Hold<?> hold) {
        Core inner;
        try {
            inner = scoped.scope().core;
        } catch (Throwable none) {
            hold.disown();
            throw none;
        }
        if (core.adoptRoot(inner) == null) {
            synchronized (inner) {
                if (inner.state < Core.CLOSED) {
                    inner.face = hold;
                    hold.hidden = true;
                }
            }
        }
    }

    private void keep(Hold<?> hold) {
        if (core.add(hold, false)) {
            return;
        }
        Core last = new Core(
                core.registry, null, core.path(), ScopeOptions.defaults().kind(Kind.SCOPE), false);
        last.addInside(hold, false);
        CloseReport report = last.close(core.closeWithin, false);
        ScopeClosedException refusal = core.refusal(
                "'" + hold.name() + "' came too late and was closed at once" + (report.clean() ? "" : ": " + report));
        report.failures().forEach(failure -> refusal.addSuppressed(failure.error()));
        throw refusal;
    }

    /**
     * Makes a resource inside this scope. While the factory runs, {@link #current} is a scope of its own: what the
     * factory takes there is given back if it fails half-way, and stays owned, below this scope, if it succeeds. If this
     * scope closes meanwhile, the resource is closed at once.
     *
     * @throws ScopeClosedException if this scope is not open (the factory does not run), or closes while it runs
     * @throws X what the factory throws; what closing its parts threw is suppressed
     */
    public <T extends AutoCloseable, X extends Exception> T own(String name, Factory<T, X> factory) throws X {
        if (core.state != Core.OPEN) {
            throw core.refusal("'" + name + "' was not made");
        }
        Workshop workshop = new Workshop(this, name);
        T made;
        try {
            made = ScopedValue.where(Core.CURRENT, workshop).call(factory::make);
        } catch (Throwable failure) {
            workshop.made()
                    .ifPresent(parts -> parts.close(core.closeWithin)
                            .failures()
                            .forEach(one -> Thrown.suppress(failure, one.error())));
            throw failure;
        }
        java.util.Objects.requireNonNull(made, "the factory returned null");
        return workshop.made().map(parts -> parts.own(made, name)).orElseGet(() -> own(made, name));
    }

    /** The scope of what a factory takes on its way. */
    private static final class Workshop extends LazyScope {
        private final Scope parent;
        private final String name;

        Workshop(Scope parent, String name) {
            this.parent = parent;
            this.name = name;
        }

        @Override
        protected Scope parent() {
            return parent;
        }

        @Override
        protected String scopeName() {
            return name;
        }
    }

    /**
     * The cheap way to own, for what is made by the thousand: no search, no table, a stack only as often as the kind
     * says. End it by the hold.
     *
     * <p>The rule of one owner holds here too, but looking would cost as much again as all the rest. So it is an
     * assertion: where assertions are enabled for this class, as test runners do, an {@link AutoCloseable} that is held or
     * owned already is refused as {@link #own} refuses it; elsewhere the caller sees to it that it holds nothing twice.
     * What is not AutoCloseable (a name, an address, a number to give back) has no identity to go by and may be held by
     * several.
     *
     * @throws ScopeClosedException if this scope is not open; the resource is then closed already
     * @throws IllegalStateException if assertions are enabled and a scope owns the AutoCloseable already
     */
    public <T> Hold<T> hold(Kind kind, String name, T resource, Closer<? super T> closer) {
        Hold<T> hold = new Hold<>(core, kind, name, resource, closer);
        if (LOOKS && resource instanceof AutoCloseable) {
            claim(hold, resource);
        }
        if (!core.add(hold, false)) {
            keep(hold);
        }
        return hold;
    }

    /**
     * Forgets a resource that {@link #own} took here, without closing it.
     *
     * @return whether this call did it; false if this scope does not own it, or no more
     */
    public boolean release(Object resource) {
        Hold<?> hold = owned(resource);
        return hold != null && hold.release();
    }

    /** What {@link #own} took here; what {@link #hold} took has its own handle, and is not found by the resource. */
    private @Nullable Hold<?> owned(Object resource) {
        Hold<?> hold = core.registry.owned.get(new Claim(core.registry, resource));
        return hold != null && hold.owner == core && hold.kind == Kind.RESOURCE ? hold : null;
    }

    /**
     * Gives a resource that {@link #own} took here to another scope, atomically.
     *
     * @throws ScopeClosedException if the other scope is not open; the resource stays here
     * @throws IllegalStateException if this scope does not own it
     */
    public void move(Object resource, Scope other) {
        Hold<?> hold = owned(resource);
        if (hold == null) {
            throw new IllegalStateException("scope '" + path() + "' does not own "
                    + resource.getClass().getName() + "; only what own() took here can move");
        }
        hold.moveTo(other);
    }

    /**
     * Runs the code when this scope closes, in its place among the resources.
     *
     * @return release it to forget the code, close it to run the code now
     */
    public Hold<Action> onClose(String name, Action action) {
        return hold(Kind.ON_CLOSE, name, action, Closers.ON_CLOSE);
    }

    /** Runs the code when this scope drains, in its place among the resources; not if it closes without draining. */
    public Hold<Action> onDrain(String name, Action action) {
        return hold(Kind.ON_DRAIN, name, action, Closers.ON_DRAIN);
    }

    /**
     * Runs the code, on a virtual thread, when this scope is cancelled, by {@link #cancel}, by its deadline, or because
     * it closes; at once if it is cancelled already.
     *
     * @return release it to forget the code
     */
    public Hold<?> onCancel(String name, Consumer<Throwable> action) {
        Hold<?> hold = hold(Kind.ON_CANCEL, name, new Closers.OnCancel(core, action), Closers.ON_CANCEL);
        if (core.isCancelled()) {
            Cancellation.tell(core, List.of(hold));
        }
        return hold;
    }

    // ---- running

    /**
     * Starts a task on a virtual thread of its own, bound to this scope.
     *
     * @throws ScopeClosedException if this scope is not open, or cancelled
     */
    public <T extends @Nullable Object> Task<T> fork(String name, Callable<T> body) {
        return core.fork(new Task<>(core, Kind.TASK, name, body, core.originOf(Kind.TASK)), false);
    }

    /** As {@link #fork(String, Callable)} for code without a result. */
    public Task<@Nullable Void> fork(String name, Action body) {
        return fork(name, callable(body));
    }

    static Callable<@Nullable Void> callable(Action body) {
        return () -> {
            body.run();
            return null;
        };
    }

    /** Runs the code once, as a task of this scope, when the delay has passed. */
    public Timer after(Duration delay, String name, Action action) {
        return timer(name, delay, false, action);
    }

    /**
     * Runs the code again and again, as a task of this scope, each time when the delay has passed since the run before
     * ended (and for the first time after one delay), so that runs never overlap. A run that fails is logged, or does
     * what {@link TaskFailure} says, and the next one comes all the same.
     */
    public Timer every(Duration delay, String name, Action action) {
        if (!delay.isPositive()) {
            throw new IllegalArgumentException(
                    "timer '" + name + "': every " + delay + " is no delay; give more than zero");
        }
        return timer(name, delay, true, action);
    }

    private Timer timer(String name, Duration delay, boolean repeats, Action action) {
        Timer timer = new Timer(core, name, delay, repeats, action, core.originOf(Kind.TIMER));
        if (!core.add(timer, true)) {
            throw core.refusal("the timer '" + name + "' was not made");
        }
        try {
            timer.schedule();
        } catch (Throwable refused) {
            timer.close();
            throw refused;
        }
        return timer;
    }

    /** Code that runs bound to this scope, with what the carriers find now, wherever it is run. Owned by nobody. */
    public Runnable wrap(Runnable code) {
        Core bound = core;
        return core.carry(() -> ScopedValue.where(Core.CURRENT, bound).run(code));
    }

    /** An executor that forks a task of this scope for each command. Refuses when the scope does. */
    public Executor executor() {
        return command -> {
            try {
                fork("executor", command::run);
            } catch (ScopeClosedException refused) {
                throw new RejectedExecutionException(refused.getMessage(), refused);
            }
        };
    }

    /** Adds a carrier for what is forked from now on, here and in children made from now on. Once, if equal. */
    public void install(Carrier carrier) {
        core.install(carrier);
    }

    // ---- ending

    /**
     * Cancels this scope and everything below: tasks are interrupted, new ones and new children refused. What it owns
     * stays until it is closed. The first reason counts.
     */
    public void cancel(Throwable reason) {
        core.cancel(reason, null);
    }

    /**
     * Drains, newest first: from now on nothing new is accepted from outside, what runs goes on and may still own and
     * fork, each closer's {@link Closer#drain} and each {@link #onDrain} is called once, and each task is waited for.
     * Timers go on until the close. Then closes. Three quarters of the time are for draining.
     *
     * @return as {@link #close(Duration)}
     */
    public CloseReport drainAndClose(Duration within) {
        long deadline = core.clock.nanoTime() + Nanos.of(within);
        core.drain(Duration.ofNanos(Nanos.of(within) / 4 * 3));
        return core.close(core.until(deadline), true);
    }

    /** Closes, and returns at the deadline at the latest, with what did not end by then. Never throws for a closer. */
    public CloseReport close(Duration within) {
        return core.close(within, true);
    }

    /**
     * Closes within the scope's {@code closeWithin}, ten seconds unless the options say otherwise.
     *
     * @throws CloseFailedException if a closer threw or something did not end in time; all else is closed
     */
    @Override
    public void close() {
        core.closeOrThrow();
    }

    /** Starts to close and returns at once, for callers that must not wait; what is left is logged. */
    public void closeInBackground() {
        core.closeInBackground(core.closeWithin, true);
    }

    /** Lets {@link #awaitShutdown} go on. */
    public void shutdown() {
        core.askShutdown();
    }

    /**
     * Waits until the JVM is told to end (SIGTERM, SIGINT, exit), or {@link #shutdown} is called, or this scope is closed;
     * then drains and closes within twice the scope's {@code closeWithin}. The JVM's end waits for that.
     *
     * @return the close report
     */
    public CloseReport awaitShutdown() {
        try {
            return Shutdown.await(core);
        } finally {
            java.lang.ref.Reference.reachabilityFence(this);
        }
    }

    // ---- looking

    /** The name it was made with. */
    public String name() {
        return core.name;
    }

    /** The names from the root down, joined by slashes. */
    public String path() {
        return core.path();
    }

    /** Whether it is closing or closed: it owns nothing new. */
    public boolean closed() {
        return core.state >= Core.SHUTTING;
    }

    /** Whether it accepts nothing new from outside: it drains, closes or is closed. */
    public boolean draining() {
        return core.state >= Core.DRAINING;
    }

    /** Whether it was cancelled, by {@link #cancel}, its deadline, or its close, or an ancestor's. */
    public boolean cancelled() {
        return core.isCancelled();
    }

    /** Why it was cancelled. */
    public Optional<Throwable> cancelReason() {
        return Optional.ofNullable(core.cancelReason);
    }

    /** When it is cancelled: the earliest deadline of this scope and those above. */
    public Optional<Instant> deadline() {
        return remaining().map(core.clock.instant()::plus);
    }

    /** The time left until the {@link #deadline}; zero once it has passed. */
    public Optional<Duration> remaining() {
        return remaining(core);
    }

    private static Optional<Duration> remaining(Core core) {
        Long at = core.effectiveDeadline();
        return at == null ? Optional.empty() : Optional.of(core.until(at));
    }

    /**
     * The time left to the running code by the deadline of the scope it belongs to. Makes no {@link LazyScope}: where that
     * is not made yet, the time left to its parent.
     */
    public static Optional<Duration> currentRemaining() {
        Core core = Core.currentCoreOrParent();
        return core == null ? Optional.empty() : remaining(core);
    }

    /** How many things it owns itself: resources, tasks, timers, children. */
    public int size() {
        return core.size();
    }

    /**
     * Ties the scope to another handle than this one: when that object becomes unreachable without the scope having been
     * closed, the scope is reported with its origin, drained and closed. For types that keep their scope inside, behind a
     * thin handle. What the scope owns must not reach the handle.
     */
    public void closeWhenDropped(Object handle) {
        Dropped before = core.dropped;
        core.dropped = core.registry.watch(handle, core, true);
        if (before != null) {
            core.registry.unwatch(before);
        }
    }

    /** What lives in this process, by all root scopes. */
    public static Census census() {
        return Registry.census();
    }

    /** What lives in this scope and below. */
    public static Census census(Scope scope) {
        return Census.of(List.of(scope.core), List.of());
    }

    /** Handles are equal if they are of the same scope. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Scope scope && scope.core == core;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(core);
    }

    @Override
    public String toString() {
        return "scope '" + path() + "' (" + core.stateName() + ")";
    }
}
