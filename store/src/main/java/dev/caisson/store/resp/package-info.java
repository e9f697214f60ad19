/**
 * The RESP codec: requests in, replies out, without I/O. Start at {@link dev.caisson.store.resp.RespReader} and
 * {@link dev.caisson.store.resp.RespWriter} for a server, {@link dev.caisson.store.resp.RespDecoder} for a client;
 * {@link dev.caisson.store.resp.Numbers} has Redis's way with numbers. Each instance belongs to one thread at a time, the
 * connection's.
 */
@NullMarked
package dev.caisson.store.resp;

import org.jspecify.annotations.NullMarked;
