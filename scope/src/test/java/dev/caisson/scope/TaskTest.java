package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class TaskTest {
    @Test
    void runsOnAVirtualThreadNamedAfterItsPathAndBoundToItsScope() throws Exception {
        try (Scope scope = Scope.open("bound")) {
            assertThat(Scope.current()).isEmpty();
            Task<String> task = scope.child("child").fork("who", () -> {
                assertThat(Thread.currentThread().isVirtual()).isTrue();
                return Scope.current().orElseThrow().path() + " on "
                        + Thread.currentThread().getName();
            });
            assertThat(task.join(Waits.LONG)).isEqualTo("bound/child on bound/child/who");
        }
    }

    @Test
    void leavesItsScopeWhenItEnds() throws Exception {
        try (Scope scope = Scope.open("ends")) {
            scope.fork("short", () -> {}).join(Waits.LONG);
            assertThat(scope.size()).isZero();
        }
    }

    @Test
    void thatFailsIsLoggedAndTheScopeGoesOn() throws Exception {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("fails")) {
            Task<?> task = scope.fork("bad", () -> {
                throw new IOException("no");
            });
            assertThatThrownBy(() -> task.join(Waits.LONG))
                    .isInstanceOf(ExecutionException.class)
                    .hasMessageContaining("task 'bad' of scope 'fails'")
                    .cause()
                    .isInstanceOf(IOException.class);
            assertThat(logged.messages()).containsExactly("task 'bad' of scope 'fails' failed");
            assertThat(scope.cancelled()).isFalse();
            assertThat(scope.fork("next", () -> 1).join(Waits.LONG)).isEqualTo(1);
        }
    }

    @Test
    void thatFailsCancelsTheScopeWhereTheOptionsSaySo() {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("strict", ScopeOptions.defaults().onTaskFailure(TaskFailure.CANCEL_SCOPE))) {
            Scope child = scope.child("child");
            Task<?> other = child.fork("other", Waits::forever);
            child.fork("bad", () -> {
                throw new IOException("no");
            });
            Waits.until("the other task has ended", other::done);
            assertThat(child.cancelled()).isTrue();
            assertThat(child.cancelReason()).containsInstanceOf(IOException.class);
            assertThat(scope.cancelled()).isFalse();
            assertThat(logged.messages()).containsExactly("task 'bad' of scope 'strict/child' failed");
        }
    }

    @Test
    void thatIsCancelledIsInterruptedAndNotLogged() throws Exception {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("cancel")) {
            CountDownLatch running = new CountDownLatch(1);
            Task<?> task = scope.fork("parked", () -> {
                running.countDown();
                Waits.forever();
            });
            Waits.on(running);
            task.cancel();
            Waits.until("it has ended", task::done);
            assertThat(task.failure()).containsInstanceOf(InterruptedException.class);
            assertThat(logged.messages()).isEmpty();
        }
    }

    @Test
    void joinGivesUpInTime() throws Exception {
        try (Scope scope = Scope.open("join")) {
            Task<?> task = scope.fork("parked", Waits::forever);
            assertThatThrownBy(() -> task.join(Duration.ofMillis(5)))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("still runs");
        }
    }

    @Test
    void thatDoesNotAnswerTheInterruptIsReportedWithItsStack() {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        Scope scope = Scope.open("stubborn");
        List<String> closed = new ArrayList<>();
        scope.onClose("older", () -> closed.add("older"));
        Task<?> task = scope.fork("deaf", () -> {
            running.countDown();
            deaf(release);
        });
        Waits.until("it runs", () -> running.getCount() == 0);
        CloseReport report = scope.close(Duration.ofMillis(200));
        assertThat(closed).containsExactly("older");
        assertThat(report.left()).singleElement().satisfies(left -> {
            assertThat(left.kind()).isEqualTo("task");
            assertThat(left.stack()).anyMatch(frame -> frame.getMethodName().equals("deaf"));
        });
        assertThat(Scope.census().rows()).extracting(Census.Row::state).containsExactly("left");
        release.countDown();
        Waits.until("it has ended and left the census", () -> task.done() && !Registry.live());
    }

    private static void deaf(CountDownLatch release) {
        Waits.stubbornly(release);
    }

    @Test
    void wrapCarriesTheScopeIntoForeignThreads() throws Exception {
        try (Scope scope = Scope.open("wrap")) {
            AtomicReference<Scope> seen = new AtomicReference<>();
            Thread foreign = Thread.ofPlatform()
                    .start(scope.wrap(() -> seen.set(Scope.current().orElseThrow())));
            foreign.join();
            assertThat(seen.get()).isEqualTo(scope);
            assertThat(Scope.current()).isEmpty();
        }
    }

    @Test
    void executorForksTasksOfTheScope() throws Exception {
        Scope scope = Scope.open("executor");
        CompletableFuture<Scope> seen =
                CompletableFuture.supplyAsync(() -> Scope.current().orElseThrow(), scope.executor());
        assertThat(seen.get(30, TimeUnit.SECONDS)).isEqualTo(scope);
        scope.close();
        assertThatThrownBy(() -> scope.executor().execute(() -> {}))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("'executor'");
    }

    @Test
    void carriersBindWhatTheForkingThreadHadBound() throws Exception {
        ThreadLocal<String> context = new ThreadLocal<>();
        Carrier carrier = task -> {
            String captured = context.get();
            return () -> {
                context.set(captured);
                task.run();
            };
        };
        try (Scope scope = Scope.open("carriers", ScopeOptions.defaults().carrier(carrier))) {
            context.set("mine");
            assertThat(scope.child("inherits").fork("see", context::get).join(Waits.LONG))
                    .isEqualTo("mine");
            context.remove();
        }
        AtomicInteger captures = new AtomicInteger();
        Carrier counting = task -> {
            captures.incrementAndGet();
            return task;
        };
        try (Scope scope = Scope.open("installed")) {
            scope.install(counting);
            scope.install(counting);
            scope.fork("one", () -> {}).join(Waits.LONG);
            assertThat(captures).hasValue(1);
        }
    }

    @Test
    void thatACarrierBreaksEndsAndIsReported() {
        Carrier broken = task -> () -> {
            throw new IllegalStateException("broken carrier");
        };
        try (Logged logged = new Logged();
                Scope scope = Scope.open("carriers", ScopeOptions.defaults().carrier(broken))) {
            Task<?> task = scope.fork("never runs", () -> {});
            assertThatThrownBy(() -> task.join(Waits.LONG)).hasRootCauseMessage("broken carrier");
            assertThat(logged.messages()).hasSize(1);
        }
    }

    @Test
    void groupsEndTogetherWhicheverEndsFirst() {
        try (Scope scope = Scope.open("group")) {
            Group group = scope.group("connection");
            CountDownLatch go = new CountDownLatch(1);
            Task<?> reader = group.fork("reader", Waits::forever);
            Task<?> writer = group.fork("writer", () -> go.await());
            assertThat(Scope.census(scope).rows())
                    .extracting(Census.Row::path)
                    .contains("group/connection", "group/connection/reader", "group/connection/writer");
            go.countDown();
            Waits.until("both have ended", () -> reader.done() && writer.done());
            assertThat(reader.cancelled()).isTrue();
            Waits.until("the group has ended", group::ended);
            assertThat(scope.size()).isZero();
            assertThat(scope.cancelled()).isFalse();
            assertThatThrownBy(() -> group.fork("late", () -> {})).isInstanceOf(ScopeClosedException.class);
        }
    }

    @Test
    void groupsEndWithATaskThatFails() {
        try (Logged logged = new Logged();
                Scope scope = Scope.open("group")) {
            Group group = scope.group("connection");
            Task<?> reader = group.fork("reader", Waits::forever);
            group.fork("writer", () -> {
                throw new IOException("broken pipe");
            });
            Waits.until("the group has ended", () -> group.ended() && reader.done());
            assertThat(logged.messages()).containsExactly("task 'writer' of scope 'group/connection' failed");
            assertThat(scope.cancelled()).isFalse();
        }
    }

    @Test
    void groupsCanBeClosed() {
        try (Scope scope = Scope.open("group")) {
            Group group = scope.group("pair");
            Task<?> one = group.fork("one", Waits::forever);
            group.close();
            assertThat(one.done()).isTrue();
            assertThat(group.ended()).isTrue();
            assertThat(group.ending()).isTrue();
        }
    }
}
