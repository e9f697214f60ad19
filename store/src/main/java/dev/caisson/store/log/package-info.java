/**
 * The log: segments, snapshots, recovery. Files are reached through one small interface only.
 *
 * <p>Start at {@link dev.caisson.store.log.Log}. {@code Tickets} is the queue in, {@code LogWriter} what the log's thread does,
 * step by step and without a clock of its own, {@code Segment} and {@code SnapshotFile} are the formats, {@code Recovery} reads
 * them, {@link dev.caisson.store.log.Repair} cuts what recovery refuses.
 *
 * <p>Threads: any may append and ask; one platform thread, owned by the log's scope, writes and forces; a snapshot is written by
 * a task of that scope. See docs/decisions/0006-log.md.
 */
@NullMarked
package dev.caisson.store.log;

import org.jspecify.annotations.NullMarked;
