/** What a scope costs beside a plain list of resources in a try statement; start at {@code ScopeBench}. */
@NullMarked
package dev.caisson.benchmarks.scope;

import org.jspecify.annotations.NullMarked;
