package dev.caisson.benchmarks.rpc;

import java.util.Locale;

/** What is measured: a server or a channel. */
interface Subject {
    /** The constant's own. */
    String name();

    /** For people. */
    String title();

    /** Ours, not grpc-java's. */
    boolean ours();

    /** As the command line and the JSON call it. */
    default String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
