package dev.caisson.benchmarks.rpc;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the command line says.
 *
 * @param rounds interleaved rounds, each with one sample of every server
 * @param warmupCpuSeconds CPU seconds that each server process burns before the first sample
 * @param sampleSeconds length of a sample's window
 * @param cells the loads
 * @param only the servers
 * @param clients the channels, measured under the first cell against the first server; empty for none
 * @param profile directory for flight recordings, if wanted
 * @param json file for the result
 * @param words the command line itself, to be repeated in the report
 */
record Options(
        int rounds,
        int warmupCpuSeconds,
        double sampleSeconds,
        List<Cell> cells,
        Set<Contender> only,
        Set<Caller> clients,
        @Nullable Path profile,
        Path json,
        String words) {

    static final int JUDGED_ROUNDS = 5;
    static final int JUDGED_WARMUP_CPU_SECONDS = 20;
    private static final double SAMPLE_SECONDS = 3;

    static final String HELP = """
            ./caisson bench rpc: our server beside grpc-java's, each pinned to one core, in one run

              --rounds N       interleaved rounds (default 5; fewer is not the judged measurement)
              --warmup S       CPU seconds of warm-up of each server (default 20; less overstates the ratio)
              --sample S       seconds of each sample (default 3)
              --cell CxM       connections x calls in flight; may be repeated (default 4x100, then 32x10 and 1x1 unjudged)
              --only NAMES     of caisson_loop,caisson_virtual,grpc_direct,grpc_default (default all)
              --clients NAMES  of caisson_direct,caisson_default,grpc_direct,grpc_default, or none (default all): channels, each
                               pinned to the other core, against the first of the servers, under the first cell
              --profile DIR    also take a flight recording of each server under the first cell, and print its top frames
              --json FILE      result as JSON (default benchmarks/target/bench-rpc.json)
            """;

    static Options parse(String[] args) {
        int rounds = JUDGED_ROUNDS;
        int warmup = JUDGED_WARMUP_CPU_SECONDS;
        double sample = SAMPLE_SECONDS;
        List<Cell> cells = new ArrayList<>();
        Set<Contender> only = EnumSet.allOf(Contender.class);
        Set<Caller> clients = EnumSet.allOf(Caller.class);
        @Nullable Path profile = null;
        Path json = Path.of("benchmarks", "target", "bench-rpc.json");
        Iterator<String> words = Arrays.asList(args).iterator();
        while (words.hasNext()) {
            String option = words.next();
            if (!words.hasNext()) {
                throw new IllegalArgumentException(option + " is not an option, or lacks its value; see --help");
            }
            String value = words.next();
            switch (option) {
                case "--rounds" -> rounds = Integer.parseInt(value);
                case "--warmup" -> warmup = Integer.parseInt(value);
                case "--sample" -> sample = Double.parseDouble(value);
                case "--cell" -> cells.add(Cell.parse(value));
                case "--only" -> only = contenders(value);
                case "--clients" -> clients = callers(value);
                case "--profile" -> profile = Path.of(value);
                case "--json" -> json = Path.of(value);
                default -> throw new IllegalArgumentException(option + " is not an option; see --help");
            }
        }
        if (rounds < 1 || sample <= 0) {
            throw new IllegalArgumentException("--rounds and --sample must be more than 0");
        }
        List<Cell> chosen = cells.isEmpty() ? List.of(Cell.JUDGED, new Cell(32, 10), new Cell(1, 1)) : cells;
        return new Options(rounds, warmup, sample, chosen, only, clients, profile, json, String.join(" ", args));
    }

    private static Set<Caller> callers(String names) {
        Set<Caller> chosen = EnumSet.noneOf(Caller.class);
        if (!names.equals("none")) {
            for (String name : names.split(",")) {
                chosen.add(Caller.valueOf(name.toUpperCase(Locale.ROOT)));
            }
        }
        return chosen;
    }

    private static Set<Contender> contenders(String names) {
        Set<Contender> chosen = EnumSet.noneOf(Contender.class);
        for (String name : names.split(",")) {
            chosen.add(Contender.valueOf(name.toUpperCase(Locale.ROOT)));
        }
        return chosen;
    }
}
