/**
 * What keys hold: compact values with their own bookkeeping of memory. No class here is thread-safe: the event loop that
 * owns a shard owns its values.
 */
@NullMarked
package dev.caisson.store.data;

import org.jspecify.annotations.NullMarked;
