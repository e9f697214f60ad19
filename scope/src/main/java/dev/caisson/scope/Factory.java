package dev.caisson.scope;

/**
 * Makes a resource inside the scope that will own it; see {@link Scope#own(String, Factory)}.
 *
 * @param <T> the resource
 * @param <X> what making it may throw; inferred as unchecked where the lambda throws nothing checked
 */
@FunctionalInterface
public interface Factory<T, X extends Exception> {
    /** Makes it. What it takes on the way it takes through {@code Scope.current()}, so that a failure gives it back. */
    T make() throws X;
}
