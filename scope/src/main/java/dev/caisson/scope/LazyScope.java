package dev.caisson.scope;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A scope that is made only when somebody asks for it with {@link Scope#current}, for things as frequent as calls: until
 * then it costs the field in this object. Extend it, run the code with {@link Scope#runWith}, call {@link #end} when the
 * thing is over. Thread-safe.
 *
 * <pre>
 *   nothing --Scope.current()--> scope --end()--> the scope closes
 *      '-----------end()--------> ended: who asks now gets a closed scope
 * </pre>
 */
@SuppressWarnings("ReferenceEquality") // ENDED is one of a kind
public abstract class LazyScope {
    private static final Object ENDED = new Object();
    private static final VarHandle MADE;

    static {
        try {
            MADE = MethodHandles.lookup().findVarHandle(LazyScope.class, "made", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Nothing yet (null), why it is cancelled (Throwable), the scope (Core), or ENDED. */
    private volatile @Nullable Object made;

    /** For subclasses. */
    protected LazyScope() {}

    /** The owner of the scope, if it comes to be made. Called from any thread, must not block. */
    protected abstract Scope parent();

    /** The name of the scope. */
    protected abstract String scopeName();

    /** How the scope behaves: its deadline, its kind. */
    protected ScopeOptions options() {
        return ScopeOptions.defaults();
    }

    /** The scope, if somebody has asked for it. */
    public final Optional<Scope> made() {
        return made instanceof Core core ? Optional.of(Scope.of(core)) : Optional.empty();
    }

    /** Cancels the scope; if it is made later, it is cancelled from birth. */
    public final void cancel(Throwable reason) {
        for (; ; ) {
            Object seen = made;
            if (seen instanceof Core core) {
                core.cancel(reason, null);
                return;
            }
            if (seen != null || MADE.compareAndSet(this, null, reason)) {
                return;
            }
        }
    }

    /**
     * Closes the scope if there is one, without waiting: forked tasks are interrupted now, the rest ends in the
     * background within the scope's {@code closeWithin}. Idempotent.
     */
    public final void end() {
        for (; ; ) {
            Object seen = made;
            if (seen instanceof Core core) {
                core.closeInBackground(core.closeWithin, false);
                return;
            }
            if (seen == ENDED || MADE.compareAndSet(this, seen, ENDED)) {
                return;
            }
        }
    }

    final Core core() {
        for (; ; ) {
            Object seen = made;
            if (seen instanceof Core core) {
                return core;
            }
            Core parent = parent().core;
            if (seen == ENDED) {
                return parent.dead(scopeName());
            }
            Core child;
            try {
                child = parent.child(scopeName(), options(), false, true);
            } catch (ScopeClosedException parentEnds) {
                child = parent.dead(scopeName());
            }
            if (MADE.compareAndSet(this, seen, child)) {
                if (seen instanceof Throwable reason) {
                    child.cancel(reason, null);
                }
                return child;
            }
            child.closeInBackground(child.closeWithin, false);
        }
    }

    final Core coreOrParent() {
        return made instanceof Core core ? core : parent().core;
    }
}
