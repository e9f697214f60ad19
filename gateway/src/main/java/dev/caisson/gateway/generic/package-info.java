@NullMarked
package dev.caisson.gateway.generic;

import org.jspecify.annotations.NullMarked;
