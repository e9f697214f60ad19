package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScopeTest {
    private final List<String> order = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void nothingIsLeft() {
        assertThat(Scope.census().rows()).isEmpty();
        assertThat(Registry.live()).isFalse();
    }

    private AutoCloseable named(String name) {
        return new AutoCloseable() {
            @Override
            public void close() {
                order.add(name);
            }
        };
    }

    @Test
    void closesTheNewestFirstWhateverItsSort() {
        try (Scope scope = Scope.open("lifo")) {
            scope.own(named("a"));
            Scope child = scope.child("child");
            child.own(named("in child"));
            scope.onClose("b", () -> order.add("b"));
            scope.fork("task", () -> {
                try {
                    new CountDownLatch(1).await();
                } finally {
                    order.add("task");
                }
            });
            scope.own(named("c"));
        }
        assertThat(order.indexOf("c")).isLessThan(order.indexOf("b"));
        order.remove("task"); // interrupted at once, joined in its place
        assertThat(order).containsExactly("c", "b", "in child", "a");
    }

    @Test
    void bindsItselfInTasks() throws Exception {
        try (Scope scope = Scope.open("bound")) {
            assertThat(Scope.current()).isEmpty();
            Task<Scope> task = scope.fork("who", () -> Scope.current().orElseThrow());
            assertThat(task.join(Duration.ofSeconds(30))).isEqualTo(scope);
        }
    }

    @Test
    void refusesAndClosesWhatComesTooLate() {
        Scope scope = Scope.open("late");
        scope.close();
        assertThatThrownBy(() -> scope.own(named("late one"), "thing"))
                .isInstanceOf(ScopeClosedException.class)
                .hasMessageContaining("scope 'late' is closed")
                .hasMessageContaining("'thing'")
                .hasCauseInstanceOf(Core.ClosedHere.class);
        assertThat(order).containsExactly("late one");
    }
}
