package dev.caisson.leaks;

import net.jqwik.api.lifecycle.AroundPropertyHook;
import net.jqwik.api.lifecycle.PropagationMode;
import net.jqwik.api.lifecycle.PropertyExecutionResult;
import net.jqwik.api.lifecycle.PropertyExecutor;
import net.jqwik.api.lifecycle.PropertyLifecycleContext;

/**
 * Lets a jqwik property that leaks fail itself, rather than the launcher session.
 *
 * <p>Registered with jqwik by ServiceLoader, which alone loads this class; users need not name it. Judges after the
 * property's own life-cycle methods and hooks, but before jqwik closes what is in its store.
 */
public final class NoLeaksHook implements AroundPropertyHook {
    /** Farther from the property than any other hook, so that those have cleaned up. */
    private static final int OUTERMOST = Integer.MIN_VALUE;

    /** For jqwik. */
    public NoLeaksHook() {}

    @Override
    public PropagationMode propagateTo() {
        return PropagationMode.ALL_DESCENDANTS;
    }

    @Override
    public int aroundPropertyProximity() {
        return OUTERMOST;
    }

    /** Runs the property; {@link NoLeaksListener} has begun to watch it on this thread. */
    @Override
    public PropertyExecutionResult aroundProperty(PropertyLifecycleContext context, PropertyExecutor property) {
        PropertyExecutionResult result = property.execute();
        Watch watch = Suite.current().watch();
        if (watch == null || watch.isRun()) {
            return result;
        }
        return watch.end()
                .map(error -> {
                    result.throwable().ifPresent(error::addSuppressed);
                    return result.mapToFailed(error);
                })
                .orElse(result);
    }
}
