@NullMarked
package dev.caisson.rpc.http2;

import org.jspecify.annotations.NullMarked;
