package dev.caisson.scope;

/** What a scope does when a task that it forked fails. In both cases {@link Task#join} throws the failure. */
public enum TaskFailure {
    /** The failure is logged; if the task belongs to a {@link Group}, the group is cancelled. The default. */
    LOG,
    /** The failure is logged, and the scope with everything below it is cancelled. */
    CANCEL_SCOPE
}
