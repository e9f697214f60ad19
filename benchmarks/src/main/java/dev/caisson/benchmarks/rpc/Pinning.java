package dev.caisson.benchmarks.rpc;

import java.io.IOException;

/** Whether a process can be tied to a core here: Linux with taskset. */
final class Pinning {
    private Pinning() {}

    static boolean available() {
        try {
            Process process = new ProcessBuilder("taskset", "-c", "0,1", "true")
                    .redirectErrorStream(true)
                    .start();
            process.getInputStream().readAllBytes();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
