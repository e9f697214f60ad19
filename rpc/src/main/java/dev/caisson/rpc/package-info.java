@NullMarked
package dev.caisson.rpc;

import org.jspecify.annotations.NullMarked;
