package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.leaks.samples.Old;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JUnit 4's tests, run by the Vintage engine in a JVM of its own: the platform's listener sees them. */
class VintageIT {
    @TempDir
    Path directory;

    @Test
    void failsTheSessionForTheTestThatLeaks() throws Exception {
        String output = Child.run(
                directory.resolve("output.txt"),
                Path.of(System.getProperty("java.home")),
                List.of(),
                System.getProperty("java.class.path") + File.pathSeparator + "target/junit-vintage/*",
                List.of(Old.class.getName()));
        assertThat(output)
                .contains("PASSED aLeavesThread")
                .contains("PASSED bIsClean")
                .contains("PASSED cIsNotChecked")
                .contains(
                        "SESSION dev.caisson.leaks.LeakError: 1 leak since dev.caisson.leaks.samples.Old.aLeavesThread()")
                .contains("thread \"planted-by-vintage\" #")
                .contains("at dev.caisson.leaks.samples.Old.aLeavesThread(Old.java:")
                .doesNotContain("thread \"ended\"")
                .doesNotContain("planted-unchecked")
                .doesNotContain("Old.bIsClean()");
    }
}
