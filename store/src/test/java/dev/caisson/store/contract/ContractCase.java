package dev.caisson.store.contract;

import java.util.List;

/**
 * A named run of requests and recorded replies, played on an empty server.
 *
 * @param family the folder that holds the case's file
 * @param file the file, relative to the contract folder
 * @param line where the case begins, from 1
 * @param protocols 2, 3 or both: the case is played once in each
 */
record ContractCase(String family, String file, int line, String name, List<Integer> protocols, List<Step> steps) {

    /** {@code strings/set.case:12 SET: stores a value}. */
    String place() {
        return file + ":" + line + " " + name;
    }

    /** The command that the case is about, in upper case: {@code CONFIG GET} of {@code CONFIG GET: arity}. */
    String command() {
        int colon = name.indexOf(": ");
        return colon < 0 ? "" : name.substring(0, colon);
    }

    /** What the case says of its command: {@code arity} of {@code CONFIG GET: arity}. */
    String subject() {
        return name.substring(name.indexOf(": ") + 2);
    }

    boolean uses(Comparator comparator) {
        return expectations().stream().anyMatch(e -> e.comparator() == comparator);
    }

    /** Whether every reply is held against the recorded bytes. */
    boolean exact() {
        return expectations().stream().allMatch(e -> e.comparator() == Comparator.EXACT);
    }

    List<Step.Expect> expectations() {
        return steps.stream()
                .filter(Step.Expect.class::isInstance)
                .map(Step.Expect.class::cast)
                .toList();
    }
}
