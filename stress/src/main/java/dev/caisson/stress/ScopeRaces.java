package dev.caisson.stress;

import dev.caisson.scope.Hold;
import dev.caisson.scope.Kind;
import dev.caisson.scope.LazyScope;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeClosedException;
import dev.caisson.scope.ScopeOptions;
import dev.caisson.scope.Task;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** The races between owning, releasing, moving and closing: whatever happens, a resource ends once. */
public final class ScopeRaces {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Kind THING = Kind.of("thing", Origins.OFF);

    /** Never closed: the harness ends the process. Its children are what is raced for. */
    private static final Scope ROOT = Scope.open("stress");

    private ScopeRaces() {}

    private static Scope scope() {
        return ROOT.child("raced", ScopeOptions.defaults().kind(THING));
    }

    /** Counts how often it was closed. */
    private static final class Thing implements AutoCloseable {
        final AtomicInteger closed = new AtomicInteger();

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }

    private static Hold<Thing> hold(Scope scope, Thing thing) {
        return scope.hold(THING, "thing", thing, (t, within) -> t.close());
    }

    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "released, so not closed")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "closed, so not released")
    @Outcome(expect = Expect.FORBIDDEN, desc = "both or neither")
    @State
    public static class ReleaseAgainstClose {
        private final Scope scope = scope();
        private final Thing thing = new Thing();
        private final Hold<Thing> hold = hold(scope, thing);

        @Actor
        public void release(II_Result r) {
            r.r1 = hold.release() ? 1 : 0;
        }

        @Actor
        public void close() {
            scope.close(LONG);
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = thing.closed.get();
        }
    }

    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "closed once, and before the scope said that it was")
    @Outcome(expect = Expect.FORBIDDEN, desc = "closed twice, never, or later")
    @State
    public static class HoldCloseAgainstScopeClose {
        private final Scope scope = scope();
        private final Thing thing = new Thing();
        private final Hold<Thing> hold = hold(scope, thing);

        @Actor
        public void closeHold() {
            hold.close();
        }

        @Actor
        public void closeScope(II_Result r) {
            scope.close(LONG);
            r.r1 = thing.closed.get();
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = thing.closed.get();
        }
    }

    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "owned, and closed with the scope")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "refused, and closed at once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, or closed twice")
    @State
    public static class OwnAgainstClose {
        private final Scope scope = scope();
        private final Thing thing = new Thing();

        @Actor
        public void own(II_Result r) {
            try {
                scope.own(thing);
                r.r1 = 1;
            } catch (ScopeClosedException refused) {
                r.r1 = 0;
            }
        }

        @Actor
        public void close() {
            scope.close(LONG);
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = thing.closed.get();
        }
    }

    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "the first owns it")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "the second owns it")
    @Outcome(expect = Expect.FORBIDDEN, desc = "shared, or owned by none")
    @State
    public static class OwnAgainstOwn {
        private final Scope first = scope();
        private final Scope second = scope();
        private final Thing thing = new Thing();

        @Actor
        public void own1(II_Result r) {
            r.r1 = owns(first);
        }

        @Actor
        public void own2(II_Result r) {
            r.r2 = owns(second);
        }

        private int owns(Scope scope) {
            try {
                scope.own(thing);
                return 1;
            } catch (IllegalStateException shared) {
                return 0;
            }
        }

        @Arbiter
        public void look() {
            first.close(LONG);
            second.close(LONG);
        }
    }

    @JCStressTest
    @Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "moved away, and closed by the new owner")
    @Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "not moved, and closed by the old owner")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, or closed twice")
    @State
    public static class MoveAgainstCloseOfTheOldOwner {
        private final Scope from = scope();
        private final Scope to = scope();
        private final Thing thing = new Thing();
        private final Hold<Thing> hold = hold(from, thing);

        @Actor
        public void move(III_Result r) {
            r.r1 = moved(hold, to);
        }

        @Actor
        public void close() {
            from.close(LONG);
        }

        @Arbiter
        public void look(III_Result r) {
            r.r2 = thing.closed.get();
            to.close(LONG);
            r.r3 = thing.closed.get();
        }
    }

    @JCStressTest
    @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "moved, and closed by the new owner")
    @Outcome(id = "0, 0, 1", expect = Expect.ACCEPTABLE, desc = "not moved, and closed by the old owner")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, or closed twice")
    @State
    public static class MoveAgainstCloseOfTheNewOwner {
        private final Scope from = scope();
        private final Scope to = scope();
        private final Thing thing = new Thing();
        private final Hold<Thing> hold = hold(from, thing);

        @Actor
        public void move(III_Result r) {
            r.r1 = moved(hold, to);
        }

        @Actor
        public void close() {
            to.close(LONG);
        }

        @Arbiter
        public void look(III_Result r) {
            r.r2 = thing.closed.get();
            from.close(LONG);
            r.r3 = thing.closed.get();
        }
    }

    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "moved one way, then back or not at all")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, doubled, or locked up")
    @State
    public static class MoveAgainstMoveBack {
        private final Scope left = scope();
        private final Scope right = scope();
        private final Hold<Thing> one = hold(left, new Thing());
        private final Hold<Thing> two = hold(right, new Thing());

        @Actor
        public void swapOne() {
            one.moveTo(right);
            two.moveTo(left);
        }

        @Actor
        public void swapTwo() {
            two.moveTo(left);
            one.moveTo(right);
        }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = left.size() == 1 && right.size() == 1 ? 1 : 0;
            left.close(LONG);
            right.close(LONG);
            r.r2 = left.size() + right.size();
        }
    }

    private static int moved(Hold<Thing> hold, Scope to) {
        try {
            hold.moveTo(to);
            return 1;
        } catch (IllegalStateException tooLate) {
            return 0;
        }
    }

    @JCStressTest
    @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "both return when it is closed, once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "one returned early, or it was closed twice")
    @State
    public static class CloseAgainstClose {
        private final Scope scope = scope();
        private final Thing thing = new Thing();

        public CloseAgainstClose() {
            scope.own(thing);
        }

        @Actor
        public void close1(III_Result r) {
            scope.close(LONG);
            r.r1 = thing.closed.get();
        }

        @Actor
        public void close2(III_Result r) {
            scope.close(LONG);
            r.r2 = thing.closed.get();
        }

        @Arbiter
        public void look(III_Result r) {
            r.r3 = thing.closed.get();
        }
    }

    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "started, and ended before the scope")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "outlives the scope")
    @State
    public static class ForkAgainstClose {
        private final Scope scope = scope();
        private volatile int ended = 1;

        @Actor
        public void fork(II_Result r) {
            try {
                Task<?> task = scope.fork("task", () -> {});
                ended = 0;
                r.r1 = 1;
                scope.close(LONG);
                ended = task.done() ? 1 : 0;
            } catch (ScopeClosedException refused) {
                r.r1 = 0;
            }
        }

        @Actor
        public void close() {
            scope.close(LONG);
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = ended;
        }
    }

    @JCStressTest
    @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "asked for in time, or too late: nothing stays")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a scope stays with the parent")
    @State
    public static class LazyScopeMadeAgainstEnded {
        private final Scope parent = scope();
        private final Call call = new Call(parent);

        @Actor
        public void ask() {
            Scope.runWith(call, Scope::current);
        }

        @Actor
        public void end() {
            call.end();
        }

        @Arbiter
        public void look(II_Result r) {
            r.r1 = parent.size();
            parent.close(LONG);
            r.r2 = parent.size();
        }
    }

    private static final class Call extends LazyScope {
        private final Scope parent;

        Call(Scope parent) {
            this.parent = parent;
        }

        @Override
        protected Scope parent() {
            return parent;
        }

        @Override
        protected String scopeName() {
            return "call";
        }

        @Override
        protected ScopeOptions options() {
            return ScopeOptions.defaults().kind(THING);
        }
    }
}
