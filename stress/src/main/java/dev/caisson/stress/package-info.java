/** Races over ownership, run by jcstress: each nested class is one race, with every outcome that may be seen. */
@NullMarked
package dev.caisson.stress;

import org.jspecify.annotations.NullMarked;
