package dev.caisson.benchmarks.rpc;

/**
 * A load.
 *
 * @param connections how many
 * @param inFlight calls in flight on each
 */
record Cell(int connections, int inFlight) {
    /** The one that the goals are about. */
    static final Cell JUDGED = new Cell(4, 100);

    static Cell parse(String text) {
        String[] parts = text.split("x");
        if (parts.length != 2) {
            throw new IllegalArgumentException("a cell is CONNECTIONSxIN_FLIGHT, like 4x100, not " + text);
        }
        return new Cell(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }

    @Override
    public String toString() {
        return connections + "x" + inFlight;
    }
}
