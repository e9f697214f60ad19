package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.leaks.samples.Leaky;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** The oldest JUnit and the oldest JDK that are supported, each in a JVM of its own. */
class OldestIT {
    private static final String SAMPLES = Leaky.class.getName() + "$";

    @TempDir
    Path directory;

    @Test
    @DisabledForJreRange(max = JRE.JAVA_20, disabledReason = "no virtual threads")
    void worksOnTheOldestJUnit() throws Exception {
        String output = run(
                Path.of(System.getProperty("java.home")),
                List.of(),
                "Threads",
                "VirtualThreads",
                "BeforeAllThread",
                "CleanResource",
                "LeakyResource");
        assertThat(output)
                .contains("FAILED leavesThread(): dev.caisson.leaks.LeakError: 1 leak since ")
                .contains("thread \"planted-platform\" #")
                .contains("at dev.caisson.leaks.samples.Leaky$Threads.leavesThread(Leaky.java:")
                .contains("PASSED isClean()")
                .contains("virtual thread \"planted-virtual\" #")
                .contains("thread \"planted-before-all\" #")
                .contains("thread \"stored-by-LosesWhatItStores\" #")
                .doesNotContain("stored-by-EndsWhatItStores")
                .contains("SESSION null");
    }

    @Test
    void fallsBackOnTheOldestJdkAndSaysSoOnce() throws Exception {
        String output = run(jdk17(), List.of(), "Threads", "BeforeAllThread", "CleanResource");
        assertThat(output)
                .contains("END on 17")
                .contains("thread \"planted-platform\" #")
                .contains("at dev.caisson.leaks.samples.Leaky$Threads.leavesThread(Leaky.java:")
                .contains("thread \"planted-before-all\" #")
                .contains("PASSED usesIt()")
                .containsOnlyOnce("has no thread dump in JSON, virtual threads are not checked")
                .contains("SESSION null");
    }

    @Test
    @DisabledForJreRange(max = JRE.JAVA_20, disabledReason = "no virtual threads")
    void accusesNoPollerOfTheJdk() throws Exception {
        String output = run(Path.of(System.getProperty("java.home")), List.of(), "VirtualSockets");
        assertThat(output).contains("PASSED waitsForSocketInVirtualThread()").contains("SESSION null");
    }

    @Test
    @DisabledForJreRange(max = JRE.JAVA_20, disabledReason = "no virtual threads")
    void saysOnceThatVirtualThreadsAreHidden() throws Exception {
        String output =
                run(Path.of(System.getProperty("java.home")), List.of("-Djdk.trackAllThreads=false"), "VirtualThreads");
        assertThat(output)
                .containsOnlyOnce("-Djdk.trackAllThreads=false hides virtual threads")
                .contains("PASSED leavesVirtualThread()")
                .contains("FAILED leavesParkedTask()");
    }

    private String run(Path java, List<String> flags, String... samples) throws IOException, InterruptedException {
        return Child.run(
                directory.resolve("output.txt"),
                java,
                flags,
                "target/classes:target/test-classes:target/junit-oldest/*",
                Stream.of(samples).map(SAMPLES::concat).toList());
    }

    private static Path jdk17() throws IOException {
        String named = System.getenv("JAVA_17_HOME");
        if (named != null) {
            return Path.of(named);
        }
        Path installed = Path.of("/usr/lib/jvm");
        assumeTrue(Files.isDirectory(installed), "no JDK 17 found; name one in JAVA_17_HOME");
        try (Stream<Path> homes = Files.list(installed)) {
            List<Path> found = homes.filter(
                            home -> home.getFileName().toString().contains("17"))
                    .filter(home -> Files.isExecutable(home.resolve("bin/java")))
                    .toList();
            assumeTrue(!found.isEmpty(), "no JDK 17 found; name one in JAVA_17_HOME");
            return found.get(0);
        }
    }
}
