/** Tests of the bench itself. */
@NullMarked
package dev.caisson.benchmarks.store;

import org.jspecify.annotations.NullMarked;
