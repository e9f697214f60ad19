/**
 * A reactive, sharded store that speaks RESP2 and RESP3: any Redis client connects, queries can be watched, each event loop
 * owns its shard. This package is the API and, package-private, everything that does I/O.
 */
@NullMarked
package dev.caisson.store;

import org.jspecify.annotations.NullMarked;
