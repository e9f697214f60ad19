package dev.caisson.stress;

import dev.caisson.store.log.Batch;
import dev.caisson.store.log.Tickets;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/** The races of the log's queue: indices without a gap, each record taken once. */
public final class LogRaces {
    private LogRaces() {}

    private static Batch batch(int records) {
        Batch batch = new Batch();
        for (int i = 0; i < records; i++) {
            batch.begin(1, 1);
            batch.put(new byte[] {1}, 0, 1);
            batch.end();
        }
        return batch;
    }

    @JCStressTest
    @Outcome(id = "1, 3, 3", expect = Expect.ACCEPTABLE, desc = "one before two")
    @Outcome(id = "3, 2, 3", expect = Expect.ACCEPTABLE, desc = "two before one")
    @Outcome(expect = Expect.FORBIDDEN, desc = "an index given twice, a gap, or a record lost")
    @State
    public static class AppendAgainstAppend {
        private final Tickets tickets = Tickets.after(0);
        private final Batch one = batch(1);
        private final Batch two = batch(2);

        @Actor
        public void appendsOne(JJJ_Result result) {
            result.r1 = tickets.append(one, 0);
        }

        @Actor
        public void appendsTwo(JJJ_Result result) {
            result.r2 = tickets.append(two, 0);
        }

        @Arbiter
        public void takes(JJJ_Result result) {
            result.r3 = tickets.drain();
        }
    }

    @JCStressTest
    @Outcome(
            id = {"0, 2, 2", "1, 1, 2", "2, 0, 2"},
            expect = Expect.ACCEPTABLE,
            desc = "each taken once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a record lost, or taken twice")
    @State
    public static class AppendAgainstTake {
        private final Tickets tickets = Tickets.after(0);
        private final Batch one = batch(1);
        private final Batch other = batch(1);

        @Actor
        public void appends() {
            tickets.append(one, 0);
            tickets.append(other, 0);
        }

        @Actor
        public void takes(JJJ_Result result) {
            result.r1 = tickets.drain();
        }

        @Arbiter
        public void rest(JJJ_Result result) {
            result.r2 = tickets.drain();
            result.r3 = tickets.last();
        }
    }
}
