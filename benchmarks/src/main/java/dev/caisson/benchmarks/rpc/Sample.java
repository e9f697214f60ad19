package dev.caisson.benchmarks.rpc;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * One window of one server or channel under one load. What is measured has another side: the load generator of a server, the
 * server of a channel.
 *
 * @param callsPerSecond replies counted by whoever calls
 * @param cpuMicros CPU time of the measured process per call, JIT and GC included
 * @param allocatedBytes allocated in the measured process per call
 * @param p50Micros of the time from request written to reply read
 * @param p99Micros the same
 * @param busy share of its core that the measured process used
 * @param otherBusy share of its core that the other side used
 */
record Sample(
        double callsPerSecond,
        double cpuMicros,
        double allocatedBytes,
        double p50Micros,
        double p99Micros,
        double busy,
        double otherBusy) {

    static Sample of(long calls, Usage measured, Usage other, long[] percentilesNanos) {
        return new Sample(
                calls * 1e9 / other.wallNanos(),
                measured.cpuNanos() / 1e3 / calls,
                (double) measured.allocatedBytes() / calls,
                percentilesNanos[0] / 1e3,
                percentilesNanos[1] / 1e3,
                measured.busy(),
                other.busy());
    }

    /** Each figure's own median. */
    static Sample median(List<Sample> samples) {
        return new Sample(
                median(samples, Sample::callsPerSecond),
                median(samples, Sample::cpuMicros),
                median(samples, Sample::allocatedBytes),
                median(samples, Sample::p50Micros),
                median(samples, Sample::p99Micros),
                median(samples, Sample::busy),
                median(samples, Sample::otherBusy));
    }

    static double median(List<Sample> samples, ToDoubleFunction<Sample> figure) {
        double[] sorted = samples.stream().mapToDouble(figure).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    static String range(List<Sample> samples, ToDoubleFunction<Sample> figure) {
        double[] sorted = samples.stream().mapToDouble(figure).sorted().toArray();
        return Arrays.stream(new double[] {sorted[0], sorted[sorted.length - 1]})
                .mapToObj(v -> String.format(java.util.Locale.ROOT, "%.2f", v))
                .reduce((a, b) -> a + "-" + b)
                .orElseThrow();
    }
}
