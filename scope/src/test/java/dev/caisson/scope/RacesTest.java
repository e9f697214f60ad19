package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Threads that do everything at once to one tree that is closed in their midst: whatever was given ends exactly once. */
class RacesTest {
    private static final int ROUNDS = 60;
    private static final int THREADS = 4;
    private static final int STEPS = 120;
    private static final Kind THING = Kind.of("thing", Origins.OFF);

    private static final class Thing implements AutoCloseable {
        final AtomicInteger ended = new AtomicInteger();

        @Override
        public void close() {
            ended.incrementAndGet();
        }
    }

    @Test
    void whateverWasGivenEndsExactlyOnce() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("RacesTest seed " + seed);
        Random seeds = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            oneRound(seeds.nextLong());
        }
        assertThat(Registry.live()).isFalse();
    }

    private static void oneRound(long seed) throws Exception {
        Random random = new Random(seed);
        ConcurrentLinkedQueue<Thing> given = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Task<?>> forked = new ConcurrentLinkedQueue<>();
        try (Scope test = Scope.open("test")) {
            Scope root = Scope.open("raced");
            List<Task<?>> workers = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                long own = random.nextLong();
                boolean closes = i == 0;
                workers.add(test.fork("worker " + i, () -> work(root, new Random(own), closes, given, forked)));
            }
            for (Task<?> worker : workers) {
                worker.join(Waits.LONG);
            }
            CloseReport report = root.close(Waits.LONG);
            assertThat(report.clean()).as("%s, seed %d", report, seed).isTrue();
        }
        assertThat(given)
                .as("seed %d", seed)
                .allSatisfy(thing -> assertThat(thing.ended).hasValue(1));
        assertThat(forked)
                .as("seed %d", seed)
                .allSatisfy(task -> assertThat(task.done()).isTrue());
    }

    private static void work(
            Scope root,
            Random random,
            boolean closes,
            ConcurrentLinkedQueue<Thing> given,
            ConcurrentLinkedQueue<Task<?>> forked) {
        List<Scope> scopes = new ArrayList<>(List.of(root));
        List<Hold<Thing>> holds = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            Scope scope = scopes.get(random.nextInt(scopes.size()));
            try {
                switch (random.nextInt(closes ? 9 : 8)) {
                    case 0 -> scopes.add(scope.child("child"));
                    case 1 -> {
                        Thing thing = new Thing();
                        given.add(thing);
                        scope.own(thing);
                    }
                    case 2 -> {
                        Thing thing = new Thing();
                        given.add(thing);
                        holds.add(scope.hold(THING, "thing", thing, (t, within) -> t.close()));
                    }
                    case 3 -> {
                        if (!holds.isEmpty()) {
                            Hold<Thing> hold = holds.remove(random.nextInt(holds.size()));
                            Thing thing = hold.resourceOrNull();
                            if (thing != null && hold.release()) {
                                thing.close();
                            }
                        }
                    }
                    case 4 -> {
                        if (!holds.isEmpty()) {
                            holds.get(random.nextInt(holds.size())).moveTo(scope);
                        }
                    }
                    case 5 -> {
                        if (!holds.isEmpty()) {
                            holds.remove(random.nextInt(holds.size())).close();
                        }
                    }
                    case 6 -> forked.add(scope.fork("task", Waits::forever));
                    case 7 -> {
                        if (scope != root || step > STEPS * 3 / 4) {
                            scope.close(Waits.LONG);
                        }
                    }
                    default -> scope.cancel(new IllegalStateException("cancelled by the test"));
                }
            } catch (IllegalStateException endedMeanwhile) {
                scopes.removeIf(one -> one.closed() && one != root);
            }
        }
    }
}
