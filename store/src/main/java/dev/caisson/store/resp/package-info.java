/**
 * The RESP codec: requests in, replies out, without I/O.
 */
@NullMarked
package dev.caisson.store.resp;

import org.jspecify.annotations.NullMarked;
