package dev.caisson.benchmarks.scope;

import java.util.ArrayList;
import java.util.List;

/** The peer: a list in a try statement, which closes what it holds, newest first. Not thread-safe, no deadline. */
final class ResourceList implements AutoCloseable {
    private final List<AutoCloseable> resources = new ArrayList<>();

    void add(AutoCloseable resource) {
        resources.add(resource);
    }

    void removeNewest() {
        resources.removeLast();
    }

    @Override
    public void close() throws Exception {
        while (!resources.isEmpty()) {
            resources.removeLast().close();
        }
    }
}
