package dev.caisson.benchmarks.store;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What redis-benchmark sends.
 *
 * @param test set or get
 * @param pipeline requests that a connection sends at once
 * @param connections how many
 */
record Load(String test, int pipeline, int connections) {
    static final int VALUE_BYTES = 64;
    static final int KEYS = 100_000;

    /** The loads of a full run. */
    static List<Load> all() {
        List<Load> loads = new ArrayList<>();
        for (int pipeline : new int[] {16, 1}) {
            for (int connections : new int[] {50, 500}) {
                loads.add(new Load("set", pipeline, connections));
                loads.add(new Load("get", pipeline, connections));
            }
        }
        return loads;
    }

    boolean isPipelined() {
        return pipeline > 1;
    }

    /** As {@code --only} takes it: {@code set-p16-c50}. */
    String key() {
        return test + "-p" + pipeline + "-c" + connections;
    }

    @Override
    public String toString() {
        return test.toUpperCase(Locale.ROOT) + ", pipeline " + pipeline + ", " + connections + " connections";
    }
}
