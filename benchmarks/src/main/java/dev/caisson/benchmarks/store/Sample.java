package dev.caisson.benchmarks.store;

/**
 * One run of redis-benchmark.
 *
 * @param perSecond requests answered in a second, as redis-benchmark says
 * @param p99Millis as redis-benchmark says
 * @param cpuMicros CPU time of the server's process, user and system, divided by the requests
 */
record Sample(double perSecond, double p99Millis, double cpuMicros) {}
