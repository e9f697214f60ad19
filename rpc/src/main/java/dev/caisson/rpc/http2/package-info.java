/**
 * HTTP/2 (RFC 9113) and its header compression (RFC 7541) without I/O: bytes in, bytes and events out. Starting points:
 * {@link dev.caisson.rpc.http2.Http2Connection}, {@link dev.caisson.rpc.http2.Http2Stream},
 * {@link dev.caisson.rpc.http2.HpackDecoder}.
 *
 * <p>Everything here belongs to one thread, that of its connection, and is not synchronized. Buffers are borrowed for the
 * length of a call and never kept, unless a method says that it takes ownership.
 */
@NullMarked
package dev.caisson.rpc.http2;

import org.jspecify.annotations.NullMarked;
