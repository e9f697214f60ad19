package dev.caisson.benchmarks.store;

import java.util.Collection;
import java.util.Locale;

/**
 * Where some figures lie.
 *
 * @param low below it a tenth of them, at most
 * @param high above it a tenth of them, at most
 */
record Spread(double low, double median, double high) {
    static Spread of(Collection<Double> figures) {
        double[] sorted =
                figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int cut = sorted.length / 10;
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(sorted[cut], median, sorted[sorted.length - 1 - cut]);
    }

    boolean holds(double figure) {
        return low <= figure && figure <= high;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", median, low, high);
    }
}
