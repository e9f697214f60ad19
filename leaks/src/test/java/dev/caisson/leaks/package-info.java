@NullMarked
package dev.caisson.leaks;

import org.jspecify.annotations.NullMarked;
