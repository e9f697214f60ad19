@NullMarked
package dev.caisson.gateway;

import org.jspecify.annotations.NullMarked;
