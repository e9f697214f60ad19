/** Tests that leak on purpose, run by the real tests through JUnit's launcher; the build does not run them itself. */
@NullMarked
package dev.caisson.leaks.samples;

import org.jspecify.annotations.NullMarked;
