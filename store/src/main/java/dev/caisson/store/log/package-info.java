/**
 * The log: segments, snapshots, recovery. Files are reached through one small interface only.
 */
@NullMarked
package dev.caisson.store.log;

import org.jspecify.annotations.NullMarked;
