/**
 * gRPC calls without generated stubs: what a server offers, and JSON in and out of its messages.
 *
 * <p>Start at {@link dev.caisson.gateway.generic.ServiceCatalog} (descriptors, by reflection or from a descriptor
 * set), make a {@link dev.caisson.gateway.generic.GenericMethod} of one of its methods, and convert with
 * {@link dev.caisson.gateway.generic.JsonMessages}; {@link dev.caisson.gateway.generic.JsonSplitter} cuts a stream into
 * messages and {@link dev.caisson.gateway.generic.CallError} is the JSON form of a failed call.
 *
 * <p>Nothing here starts a thread or keeps a stream open between two calls, so nothing here needs closing. Every class
 * is thread-safe unless it says otherwise.
 */
@NullMarked
package dev.caisson.gateway.generic;

import org.jspecify.annotations.NullMarked;
