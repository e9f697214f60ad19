package dev.caisson.rpc;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says of a service class, or of one of its methods, that its handlers never block: they then run on the connection's event
 * loop instead of on a virtual thread of their own. Such a handler must not wait for anything - no I/O, no lock that is
 * held for long, no {@code Thread.sleep} - because all connections of its loop wait with it.
 *
 * <p>Read when the service is added to a {@link CaissonServerBuilder} as a {@link io.grpc.BindableService}; for a bare
 * {@link io.grpc.ServerServiceDefinition} name the methods with {@link CaissonServerBuilder#nonBlocking(String...)}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface NonBlocking {}
