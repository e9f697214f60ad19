/** grpc-java's interoperability suite between our engine and grpc-java's, in all directions. */
@NullMarked
package dev.caisson.tests.interop;

import org.jspecify.annotations.NullMarked;
