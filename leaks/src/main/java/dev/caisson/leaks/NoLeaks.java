package dev.caisson.leaks;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Fails a test, or a class of tests, that leaves a thread, a virtual thread, a scope, a socket, a pipe or a file behind.
 *
 * <pre>{@code
 * @NoLeaks
 * class OrdersTest { ... }
 * }</pre>
 *
 * <p>With the line {@code caisson.leaks=on} in {@code junit-platform.properties} every test is checked and the
 * annotation is needed only for its options. Options of a method, its class, its enclosing classes and the
 * configuration add up: ignore rules are the union of all, {@link #check} and {@link #lingerMillis} are taken from the
 * nearest place that sets them.
 *
 * <ul>
 *   <li>What was there before the test is never told.
 *   <li>A test is judged after all JUnit resources of the test are closed; a class after those of the class.
 *   <li>What ends by itself within the linger is never told.
 *   <li>Each leak is told once, at the innermost test or class it belongs to, and not again in later tests.
 * </ul>
 *
 * <p>Patterns are plain text in which {@code *} stands for any run of characters, and must match as a whole. A frame is
 * written {@code package.Class.method}, without module and line.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ExtendWith(NoLeaksExtension.class)
public @interface NoLeaks {
    /** What is checked; empty takes what is configured, or else every kind. What is not checked is not told later. */
    LeakKind[] check() default {};

    /** Why this test or class is not checked at all; empty if it is checked. */
    String off() default "";

    /** How long to wait for what is left to end by itself, in milliseconds; -1 takes the configured time (5000). */
    long lingerMillis() default -1;

    /** Names to ignore, of any kind: the name of a thread, the path of a scope, the target of a descriptor. */
    String[] ignoreNames() default {};

    /** Threads to ignore whose topmost frame matches. */
    String[] ignoreTop() default {};

    /** Threads to ignore of which any frame matches. */
    String[] ignoreFrames() default {};

    /** Threads and scopes to ignore of whose creation stack, where it is known, any frame matches. */
    String[] ignoreCreators() default {};
}
