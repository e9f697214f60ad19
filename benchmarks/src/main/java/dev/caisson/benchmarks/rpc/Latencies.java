package dev.caisson.benchmarks.rpc;

/** A histogram of nanoseconds in 16 buckets per power of two: a percentile is off by at most 7 %. One thread. */
final class Latencies {
    private static final int BUCKETS_PER_POWER = 16;
    private static final int SHIFT = Integer.numberOfTrailingZeros(BUCKETS_PER_POWER);

    private final long[] counts = new long[64 * BUCKETS_PER_POWER];
    private long total;

    void add(long nanos) {
        counts[bucket(Math.max(nanos, BUCKETS_PER_POWER))]++;
        total++;
    }

    /** The value that {@code share} of the samples stay under, 0 where there are none. */
    long percentile(double share) {
        long rank = (long) Math.ceil(total * share);
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen >= rank && seen > 0) {
                return middle(i);
            }
        }
        return 0;
    }

    void addAll(Latencies others) {
        for (int i = 0; i < counts.length; i++) {
            counts[i] += others.counts[i];
        }
        total += others.total;
    }

    void clear() {
        java.util.Arrays.fill(counts, 0);
        total = 0;
    }

    private static int bucket(long nanos) {
        int power = 63 - Long.numberOfLeadingZeros(nanos);
        int within = (int) (nanos >>> (power - SHIFT)) & (BUCKETS_PER_POWER - 1);
        return power * BUCKETS_PER_POWER + within;
    }

    private static long middle(int bucket) {
        int power = bucket >>> SHIFT;
        long width = 1L << (power - SHIFT);
        return (1L << power) + (bucket & (BUCKETS_PER_POWER - 1)) * width + width / 2;
    }
}
