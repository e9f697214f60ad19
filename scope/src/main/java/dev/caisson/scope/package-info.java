/**
 * The lifecycle tree: who owns what, closing in order, deadlines, cancellation, census. Needs the JDK only.
 *
 * <p>Start at {@link dev.caisson.scope.Scope}. What owns whom: a scope its resources, tasks, timers and child scopes;
 * nobody a root scope but its caller. Threads: each task has a virtual thread of its own; each close that meets a closer
 * has one, and one more for each closer that hangs; while there is a root scope there is one daemon thread for the
 * safety net and, once a timer or a deadline was set, one for all timers.
 */
@NullMarked
package dev.caisson.scope;

import org.jspecify.annotations.NullMarked;
