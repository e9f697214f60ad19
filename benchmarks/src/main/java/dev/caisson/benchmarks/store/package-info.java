/**
 * {@code ./caisson bench store}: our store beside redis-server under redis-benchmark in one run.
 *
 * <p>{@link dev.caisson.benchmarks.store.StoreBench} directs and reports. Servers are processes: two of Redis, whose ratio
 * to each other says what this machine cannot tell apart, and {@link dev.caisson.benchmarks.store.BenchStore}. Needs
 * redis-server and redis-benchmark; without them it says so and measures nothing.
 */
@NullMarked
package dev.caisson.benchmarks.store;

import org.jspecify.annotations.NullMarked;
