package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class CancelTest {
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @Test
    void flowsDownToTasksAndLaterChildren() {
        try (Scope scope = Scope.open("cancel")) {
            Scope child = scope.child("child");
            Scope grandchild = child.child("grandchild");
            Task<?> task = grandchild.fork("parked", Waits::forever);
            child.cancel(new Stop());
            Waits.until("the task has ended", task::done);
            assertThat(grandchild.cancelReason()).containsInstanceOf(Stop.class);
            assertThat(scope.cancelled()).isFalse();
            assertThatThrownBy(() -> grandchild.fork("t", () -> {}))
                    .isInstanceOf(ScopeClosedException.class)
                    .hasMessageContaining("is cancelled")
                    .hasMessageContaining("Stop");
            assertThatThrownBy(() -> child.child("c")).isInstanceOf(ScopeClosedException.class);
        }
    }

    @Test
    void keepsWhatIsOwnedUntilTheClose() {
        List<String> order = new ArrayList<>();
        try (Scope scope = Scope.open("cancel")) {
            scope.onClose("a", () -> order.add("a"));
            scope.cancel(new Stop());
            assertThat(order).isEmpty();
            scope.onClose("b", () -> order.add("b"));
        }
        assertThat(order).containsExactly("b", "a");
    }

    @Test
    void tellsListenersOnceWhetherByCancelOrByClose() throws Exception {
        List<Throwable> told = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch heard = new CountDownLatch(1);
        Stop stop = new Stop();
        try (Scope scope = Scope.open("listen")) {
            scope.onCancel("listener", reason -> {
                told.add(reason);
                heard.countDown();
            });
            scope.onCancel("forgotten", told::add).release();
            scope.cancel(stop);
            Waits.on(heard);
            scope.cancel(new Stop());
        }
        assertThat(told).containsExactly(stop);
        told.clear();
        Scope closed = Scope.open("closes");
        closed.onCancel("listener", told::add);
        closed.close();
        assertThat(told).singleElement().isInstanceOf(ScopeClosedException.class);
    }

    @Test
    void tellsAListenerThatComesLate() throws Exception {
        try (Scope scope = Scope.open("late")) {
            Stop stop = new Stop();
            scope.cancel(stop);
            CountDownLatch heard = new CountDownLatch(1);
            scope.onCancel("late", reason -> {
                assertThat(reason).isSameAs(stop);
                heard.countDown();
            });
            Waits.on(heard);
        }
    }

    @Test
    void aDeadlineThatPassesCancelsAllBelow() {
        try (Scope scope = Scope.open("deadline", ScopeOptions.defaults().timeout(Duration.ofSeconds(1)))) {
            Scope child = scope.child("child");
            Waits.until("the child is cancelled", child::cancelled);
            assertThat(child.cancelReason()).containsInstanceOf(DeadlineExceededException.class);
            assertThat(scope.cancelReason()).containsInstanceOf(DeadlineExceededException.class);
            assertThat(scope.remaining()).contains(Duration.ZERO);
        }
    }

    @Test
    void theEarliestDeadlineOfTheAncestorsCounts() {
        try (Scope none = Scope.open("none");
                Scope hour = Scope.open("hour", ScopeOptions.defaults().timeout(Duration.ofHours(1)))) {
            assertThat(none.deadline()).isEmpty();
            Scope shorter = hour.child("shorter", ScopeOptions.defaults().timeout(Duration.ofMinutes(1)));
            Scope longer = hour.child("longer", ScopeOptions.defaults().timeout(Duration.ofDays(1)));
            assertThat(shorter.remaining().orElseThrow()).isLessThanOrEqualTo(Duration.ofMinutes(1));
            assertThat(longer.remaining().orElseThrow()).isLessThanOrEqualTo(Duration.ofHours(1));
            assertThat(longer.deadline().orElseThrow()).isBefore(Instant.now().plus(Duration.ofHours(2)));
            assertThat(hour.child("inherits").remaining()).isPresent();
        }
    }
}
