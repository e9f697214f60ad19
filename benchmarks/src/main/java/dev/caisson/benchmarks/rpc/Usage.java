package dev.caisson.benchmarks.rpc;

import java.lang.management.ManagementFactory;

/**
 * What this process has used since it started: monotonic counters, to be subtracted.
 *
 * @param wallNanos the clock of {@link System#nanoTime}
 * @param cpuNanos user and system time of all threads, JIT and GC included
 * @param allocatedBytes allocated by all threads that ever ran; virtual threads count on their carriers
 */
record Usage(long wallNanos, long cpuNanos, long allocatedBytes) {
    private static final com.sun.management.OperatingSystemMXBean OS =
            ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
    private static final com.sun.management.ThreadMXBean THREADS =
            ManagementFactory.getPlatformMXBean(com.sun.management.ThreadMXBean.class);

    static Usage now() {
        return new Usage(System.nanoTime(), OS.getProcessCpuTime(), THREADS.getTotalThreadAllocatedBytes());
    }

    static Usage parse(String[] words, int from) {
        return new Usage(Long.parseLong(words[from]), Long.parseLong(words[from + 1]), Long.parseLong(words[from + 2]));
    }

    Usage since(Usage earlier) {
        return new Usage(
                wallNanos - earlier.wallNanos, cpuNanos - earlier.cpuNanos, allocatedBytes - earlier.allocatedBytes);
    }

    /** Share of one core that was used, 0 to 1 and above where several cores were. */
    double busy() {
        return (double) cpuNanos / wallNanos;
    }

    String line() {
        return wallNanos + " " + cpuNanos + " " + allocatedBytes;
    }
}
