/**
 * Finds what a test left behind: platform threads, virtual threads, scopes, sockets, pipes and files.
 *
 * <p>Start at {@link dev.caisson.leaks.NoLeaks}. For a whole suite, whatever its engines, the one line
 * {@code caisson.leaks=on} in {@code junit-platform.properties} is enough; README.md tells the rest.
 *
 * <p>Threads: everything here runs on the thread of the test it judges; no thread is started. The only state that
 * outlives a test is {@code Suite}, which ends with the launcher session.
 */
@NullMarked
package dev.caisson.leaks;

import org.jspecify.annotations.NullMarked;
