package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own in which {@link OutcomeMain} runs sample classes. */
final class Child {
    private static final long TIMEOUT_SECONDS = 120;

    private Child() {}

    /** What it printed, standard error among it; it must have ended in time, with exit code 0. */
    static String run(Path output, Path java, List<String> flags, String classPath, List<String> samples)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(java.resolve("bin/java").toString(), "-Xmx256m"));
        command.addAll(flags);
        command.addAll(List.of("-cp", classPath, OutcomeMain.class.getName()));
        command.addAll(samples);
        Process child = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(child.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS))
                    .as("the child ends")
                    .isTrue();
        } finally {
            child.destroyForcibly().waitFor();
        }
        String text = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(child.exitValue()).as(text).isZero();
        return text;
    }
}
