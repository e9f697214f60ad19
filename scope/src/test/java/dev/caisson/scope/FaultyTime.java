package dev.caisson.scope;

/** Throws at one call, or at some calls in a row: the worst thing that may happen, at any place that asks for the time. */
final class FaultyTime extends VirtualTime {
    /* Guarded by this. */
    private long calls = Long.MIN_VALUE;
    private long failures;

    /** Lets the {@code nth} call from now fail, counted from zero, and the next ones as many as said. */
    synchronized void failAt(long nth, long inARow) {
        calls = -nth;
        failures = inARow;
    }

    /** Whether all failures have happened. */
    synchronized boolean exhausted() {
        return calls >= failures;
    }

    @Override
    public long nanoTime() {
        fail();
        return super.nanoTime();
    }

    @Override
    public Runnable at(long nanoTime, Runnable code) {
        fail();
        return super.at(nanoTime, code);
    }

    private synchronized void fail() {
        long call = calls++;
        if (call >= 0 && call < failures) {
            throw new StackOverflowError("planted");
        }
    }
}
