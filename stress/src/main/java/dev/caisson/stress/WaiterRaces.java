package dev.caisson.stress;

import dev.caisson.store.engine.Waiting;
import java.util.ArrayDeque;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** The races of a client that waits for an element: it is served or it ends, and no element goes to one who has gone. */
public final class WaiterRaces {
    private WaiterRaces() {}

    @JCStressTest
    @Outcome(id = "1, 0, 0", expect = Expect.ACCEPTABLE, desc = "served")
    @Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "timed out, the element stays")
    @Outcome(id = "0, 2, 1", expect = Expect.ACCEPTABLE, desc = "gone, the element stays")
    @Outcome(expect = Expect.FORBIDDEN, desc = "an element lost or given to nobody, or an end told twice")
    @State
    public static class ServeAgainstTimeoutAgainstClose {
        private final Waiting waiting = new Waiting();
        private final ArrayDeque<Integer> list = new ArrayDeque<>(java.util.List.of(7));
        private int timedOut;
        private int closed;

        @Actor
        public void serves(III_Result result) {
            if (waiting.end(Waiting.State.SERVED)) {
                list.remove();
                result.r1 = 1;
            }
        }

        @Actor
        public void timesOut() {
            timedOut = waiting.end(Waiting.State.TIMED_OUT) ? 1 : 0;
        }

        @Actor
        public void closes() {
            closed = waiting.end(Waiting.State.CLOSED) ? 2 : 0;
        }

        @Arbiter
        public void rest(III_Result result) {
            result.r2 = timedOut + closed;
            result.r3 = list.size();
        }
    }
}
