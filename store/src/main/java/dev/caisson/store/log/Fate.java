package dev.caisson.store.log;

/** What is known of a record, as far as a reply that depends on it must know it. */
public enum Fate {
    /** As safe as the policy promises: answer. */
    KEPT,
    /** Not yet: hold the answer, {@link Waker#arm arm} the waker and ask again. */
    PENDING,
    /** A write or force failed before it was safe: it may come back or not. Say so. */
    DOUBTFUL
}
