@NullMarked
package dev.caisson.scope;

import org.jspecify.annotations.NullMarked;
