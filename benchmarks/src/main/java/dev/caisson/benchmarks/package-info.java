/**
 * Benchmarks, never published: each of the sub-packages is one of {@code ./caisson bench}. {@link
 * dev.caisson.benchmarks.Child} is what they share, a JVM that answers lines.
 */
@NullMarked
package dev.caisson.benchmarks;

import org.jspecify.annotations.NullMarked;
