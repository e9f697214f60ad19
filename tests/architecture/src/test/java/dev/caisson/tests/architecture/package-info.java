/**
 * The rules that hold the code base together, as tests: who may import whom, what is an API, where threads are made, and
 * what can be counted of the house style. Exceptions, each with its reason, are in {@code exceptions.txt}.
 */
@NullMarked
package dev.caisson.tests.architecture;

import org.jspecify.annotations.NullMarked;
