package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A sequence comes to its end whatever its own parts throw. */
class SequenceTest {
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    /** Plays a list: null stands for a failure of {@code next} itself. */
    private final class Played extends Sequence {
        private final Deque<Step> steps = new ArrayDeque<>();
        private final Deque<Boolean> throwing = new ArrayDeque<>();
        private int badEnds;

        Played(Scope scope, @Nullable Step... steps) {
            super(scope.core, "played", scope.core.clock.nanoTime() + Waits.LONG.toNanos());
            for (Step step : steps) {
                throwing.add(step == null);
                if (step != null) {
                    this.steps.add(step);
                }
            }
        }

        @Override
        @Nullable
        Step next() {
            if (Boolean.TRUE.equals(throwing.poll())) {
                throw new StackOverflowError("next");
            }
            return steps.poll();
        }

        @Override
        long share(long left) {
            return left / 2;
        }

        @Override
        void finish() {
            if (badEnds-- > 0) {
                throw new OutOfMemoryError("planted");
            }
            order.add("finished");
        }
    }

    private Sequence.Step step(String name, boolean badEnd) {
        return new Sequence.Step() {
            @Override
            public void run(Duration within) {
                order.add(name);
            }

            @Override
            public void ended(@Nullable Throwable failure) {
                if (badEnd) {
                    throw new LinkageError("ended");
                }
            }

            @Override
            public void hung(StackTraceElement[] stack, Thread worker) {
                order.add(name + " hung");
            }
        };
    }

    private void play(int logged, Played sequence) {
        try (Logged log = new Logged()) {
            sequence.start();
            assertThat(sequence.await(System.nanoTime() + Waits.LONG.toNanos())).isTrue();
            assertThat(log.messages()).hasSize(logged).allMatch(message -> message.contains("a failure of its own"));
        }
    }

    @Test
    void takesTheNextStepThoughLookingForItFailed() {
        try (Scope scope = Scope.open("sequence")) {
            play(1, new Played(scope, step("a", false), null, step("b", false)));
        }
        assertThat(order).containsExactly("a", "b", "finished");
    }

    @Test
    void looksForTheFirstStepOnAnotherStackIfThisOneIsUsedUp() {
        try (Scope scope = Scope.open("sequence")) {
            play(0, new Played(scope, null, step("a", false)));
        }
        assertThat(order).containsExactly("a", "finished");
    }

    @Test
    void finishesThoughNoStepCanBeFound() {
        try (Scope scope = Scope.open("sequence")) {
            Sequence.Step[] failures = new Sequence.Step[Sequence.MAX_BROKEN + 2];
            failures[0] = step("a", false);
            play(Sequence.MAX_BROKEN, new Played(scope, Arrays.copyOf(failures, failures.length)));
        }
        assertThat(order).containsExactly("a", "finished");
    }

    @Test
    void goesOnThoughAStepFailsWhenItIsOver() {
        try (Scope scope = Scope.open("sequence")) {
            play(1, new Played(scope, step("a", true), step("b", false)));
        }
        assertThat(order).containsExactly("a", "b", "finished");
    }

    @Test
    void triesTheEndAgain() {
        try (Scope scope = Scope.open("sequence")) {
            Played some = new Played(scope, step("a", false));
            some.badEnds = Sequence.MAX_BROKEN - 1;
            play(Sequence.MAX_BROKEN - 1, some);
            assertThat(order).containsExactly("a", "finished");
            Played atOnce = new Played(scope);
            atOnce.badEnds = 1;
            play(1, atOnce);
            assertThat(order).containsExactly("a", "finished", "finished");
            Played never = new Played(scope);
            never.badEnds = Integer.MAX_VALUE;
            play(Sequence.MAX_BROKEN, never); // and still whoever waits is let go
        }
    }

    @Test
    void goesOnThoughTellingOfAHangFails() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        VirtualTime time = new VirtualTime();
        try (Logged log = new Logged();
                Scope scope = Scope.open("sequence", ScopeOptions.defaults().clock(time))) {
            Sequence.Step hangs = new Sequence.Step() {
                @Override
                public void run(Duration within) throws Exception {
                    running.countDown();
                    Waits.forever();
                }

                @Override
                public void ended(@Nullable Throwable failure) {
                    order.add("never");
                }

                @Override
                public void hung(StackTraceElement[] stack, Thread worker) {
                    throw new NoClassDefFoundError("planted");
                }

                @Override
                public void endedLate() {
                    order.add("late");
                    throw new NoClassDefFoundError("planted");
                }
            };
            Played sequence = new Played(scope, hangs, step("b", false));
            sequence.start();
            Waits.on(running);
            time.jump(Waits.LONG.dividedBy(2));
            assertThat(sequence.await(time.nanoTime() + Waits.LONG.toNanos())).isTrue();
            Waits.until("the worker that hung has ended", () -> order.contains("late"));
            Waits.until("both are told", () -> log.messages().size() == 2);
        }
        assertThat(order).containsExactlyInAnyOrder("b", "finished", "late");
    }

    @Test
    void startsWhatDidNotStartForWantOfStack() {
        Scope scope = Scope.open("deep");
        scope.onClose("a", () -> order.add("a"));
        assertThatThrownBy(() -> closeAtTheBottom(scope)).isInstanceOf(StackOverflowError.class);
        scope.close(Waits.LONG);
        Waits.until("the scope is closed", () -> !Registry.live());
        assertThat(order).containsExactly("a");
    }

    @SuppressWarnings("InfiniteRecursion") // the point
    private static int closeAtTheBottom(Scope scope) {
        try {
            return closeAtTheBottom(scope) + 1;
        } finally {
            if (scope.core.state != Core.CLOSED) {
                scope.close(Duration.ofSeconds(1)); // deepest first, where it cannot, until it can
            }
        }
    }
}
