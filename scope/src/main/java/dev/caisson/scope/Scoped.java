package dev.caisson.scope;

/**
 * A resource that has a scope of its own, such as a server.
 *
 * <p>When a scope owns it ({@link Scope#own}) and the scope of the resource is a root, that root becomes a child of the
 * owner: the tree shows the resource once, and deadline and cancellation flow into it.
 */
public interface Scoped extends AutoCloseable {
    /** The scope in which the resource keeps what it holds; always the same one. */
    Scope scope();
}
