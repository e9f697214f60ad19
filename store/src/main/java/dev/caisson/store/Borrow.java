package dev.caisson.store;

/**
 * Borrows several shards for one command: one after another in ascending order, each by a message to its loop, so that no
 * loop ever waits and no two borrowers can wait for each other. When it has all, it runs on the borrower's loop, and
 * gives them back.
 */
final class Borrow implements Loop.Work {
    /** Who borrows. */
    interface Borrower {
        /** All shards are here; on the borrower's loop. */
        void borrowed();

        /** The shards have been given back. */
        void goOn();
    }

    private final Borrower borrower;
    private final Loop home;
    private final long shards;
    private long still;

    /** {@code home} is the loop on which the borrower gets its shards. */
    Borrow(Borrower borrower, Loop home, long shards) {
        this.borrower = borrower;
        this.home = home;
        this.shards = shards;
        this.still = shards;
    }

    void start() {
        next();
    }

    private void next() {
        Loop[] loops = home.store.loops();
        loops[Long.numberOfTrailingZeros(still)].submit(this);
    }

    /** On the loop whose shard is next: takes it. */
    @Override
    public void run(Loop lender) {
        lender.lend();
        still &= still - 1;
        if (still != 0) {
            next();
        } else if (lender == home) {
            granted();
        } else {
            home.execute(this::granted);
        }
    }

    private void granted() {
        Loop[] loops = home.store.loops();
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
