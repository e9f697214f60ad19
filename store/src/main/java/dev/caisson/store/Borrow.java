package dev.caisson.store;

/**
 * Borrows several shards for one command: one after another in ascending order, each by a message to its loop, so that no
 * loop ever waits and no two borrowers can wait for each other. When it has all, it runs on the borrower's loop, and
 * gives them back.
 */
final class Borrow implements Loop.Work {
    private final Conversation borrower;
    private final long shards;
    private long still;

    Borrow(Conversation borrower, long shards) {
        this.borrower = borrower;
        this.shards = shards;
        this.still = shards;
    }

    void start() {
        next();
    }

    private void next() {
        Loop[] loops = borrower.loop.store.loops();
        loops[Long.numberOfTrailingZeros(still)].submit(this);
    }

    /** On the loop whose shard is next: takes it. */
    @Override
    public void run(Loop lender) {
        lender.lend();
        still &= still - 1;
        if (still != 0) {
            next();
        } else if (lender == borrower.loop) {
            granted();
        } else {
            borrower.loop.execute(this::granted);
        }
    }

    private void granted() {
        Loop[] loops = borrower.loop.store.loops();
        try {
            borrower.borrowed();
        } finally {
            for (long left = shards; left != 0; left &= left - 1) {
                loops[Long.numberOfTrailingZeros(left)].returned();
            }
            borrower.goOn();
        }
    }
}
