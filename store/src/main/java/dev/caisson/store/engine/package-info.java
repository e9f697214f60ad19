/**
 * Keys and commands without I/O. A shard and all in it belong to one thread at a time; time and randomness are
 * parameters, so that the same code serves a live server, recovery and tests.
 */
@NullMarked
package dev.caisson.store.engine;

import org.jspecify.annotations.NullMarked;
