/** Tests of the bench itself. */
@NullMarked
package dev.caisson.benchmarks.rpc;

import org.jspecify.annotations.NullMarked;
