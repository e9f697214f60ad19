package dev.caisson.scope;

/** Code that may throw: what {@link Scope#fork}, {@link Scope#onClose} and the timers run. */
@FunctionalInterface
public interface Action {
    /** Does it. An interrupt means: the scope was cancelled, end soon. */
    void run() throws Exception;
}
