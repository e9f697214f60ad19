package dev.caisson.scope;

import java.util.function.Consumer;

/**
 * A held resource that counts things of its own, such as the streams of a connection, without giving each a place in
 * the tree. The census shows them below the resource.
 */
@FunctionalInterface
public interface CensusSource {
    /**
     * Tells each thing that lives now. Called from any thread, also while the resource is closed; must not block and
     * must not throw. The path of a row is set by the census.
     */
    void census(Consumer<Census.Row> out);
}
