package dev.caisson.benchmarks.rpc;

import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * One window of one server under one load.
 *
 * @param callsPerSecond replies counted by the load generator
 * @param cpuMicros CPU time of the server process per call, JIT and GC included
 * @param allocatedBytes allocated in the server process per call
 * @param p50Micros of the time from request written to reply read
 * @param p99Micros the same
 * @param serverBusy share of its core that the server process used
 * @param generatorBusy share of its core that the load generator used
 */
record Sample(
        double callsPerSecond,
        double cpuMicros,
        double allocatedBytes,
        double p50Micros,
        double p99Micros,
        double serverBusy,
        double generatorBusy) {

    static Sample of(long calls, Usage server, Usage generator, long[] percentilesNanos) {
        return new Sample(
                calls * 1e9 / generator.wallNanos(),
                server.cpuNanos() / 1e3 / calls,
                (double) server.allocatedBytes() / calls,
                percentilesNanos[0] / 1e3,
                percentilesNanos[1] / 1e3,
                server.busy(),
                generator.busy());
    }

    /** Each figure's own median. */
    static Sample median(List<Sample> samples) {
        return new Sample(
                median(samples, Sample::callsPerSecond),
                median(samples, Sample::cpuMicros),
                median(samples, Sample::allocatedBytes),
                median(samples, Sample::p50Micros),
                median(samples, Sample::p99Micros),
                median(samples, Sample::serverBusy),
                median(samples, Sample::generatorBusy));
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
