package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A process that waits for its end is told by a real signal. */
class ShutdownIT {
    /** What runs in the child. */
    static final class Program {
        public static void main(String[] args) {
            try (Scope app = Scope.open("app")) {
                app.onDrain("drain", () -> System.out.println("drained"));
                app.onClose("close", () -> System.out.println("closed"));
                app.fork("works", Waits::forever).cancel();
                Thread main = Thread.currentThread();
                app.fork("says when the signal is waited for", () -> {
                    while (main.getState() != Thread.State.WAITING) {
                        Thread.onSpinWait();
                    }
                    System.out.println("ready");
                });
                System.out.println(app.awaitShutdown().clean() ? "clean" : "not clean");
            }
        }
    }

    @Test
    void sigtermDrainsThenCloses() throws Exception {
        Process child = new ProcessBuilder(List.of(
                        System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName()))
                .redirectErrorStream(true)
                .start();
        try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("ready");
            assertThat(child.supportsNormalTermination()).isTrue();
            child.toHandle().destroy(); // Process.destroy would close the stream that is read here
            assertThat(out.readLine()).isEqualTo("drained");
            assertThat(out.readLine()).isEqualTo("closed");
            // the main thread is free to say more, but the JVM waits for the close only
            assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(child.exitValue()).isEqualTo(128 + 15);
        } finally {
            child.destroyForcibly();
        }
    }
}
