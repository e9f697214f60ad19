package dev.caisson.scope;

import java.time.Instant;

/**
 * Where a scope takes the time from: deadlines, timers, ages, and how long a close waits for what hangs. That of the JVM
 * unless {@link ScopeOptions#clock} says otherwise, as a test does to let a day pass in no time.
 *
 * <p>Thread-safe. A scope calls it under its locks: no method waits for anything.
 */
public interface TimeSource {
    /** The time in nanoseconds since some moment; never goes back. Differences count, as of {@link System#nanoTime}. */
    long nanoTime();

    /** The time of day. */
    Instant instant();

    /**
     * Runs the code once, as soon as {@link #nanoTime} has reached the instant, or soon if it has already, but never
     * inside this call. The code takes locks of the scope and never waits long.
     *
     * @return what takes the code back if it has not run; harmless if it has
     */
    Runnable at(long nanoTime, Runnable code);
}
