package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.leaks.samples.Leaky;
import dev.caisson.leaks.samples.Parallel;
import dev.caisson.leaks.samples.Planted;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ParallelTest {
    private static final Map<String, String> IN_PARALLEL = Map.of(
            Options.SWITCH,
            "on",
            Options.LINGER,
            "300",
            "junit.jupiter.execution.parallel.enabled",
            "true",
            "junit.jupiter.execution.parallel.mode.default",
            "concurrent",
            "junit.jupiter.execution.parallel.config.strategy",
            "fixed",
            "junit.jupiter.execution.parallel.config.fixed.parallelism",
            "2",
            "junit.jupiter.execution.parallel.config.fixed.max-pool-size",
            "2");

    @AfterEach
    void uproot() throws Exception {
        Planted.uproot();
    }

    @Test
    void blamesTheTestOnWhoseBehalfTheThreadWasCreated() {
        Outcome outcome = Outcome.of(IN_PARALLEL, Parallel.OneLeaks.class);
        assertThat(outcome.report("leavesThread()")).contains("thread \"planted-in-parallel\" #");
        assertThat(outcome.passed()).containsExactly("isClean()");
        assertThat(outcome.session()).isNull();
    }

    @Test
    void blamesTheClassWhereTwoTestsCreateThreadsAtOnce() {
        Outcome outcome = Outcome.of(IN_PARALLEL, Parallel.BothCreate.class);
        assertThat(outcome.report("Parallel$BothCreate"))
                .contains("1 leak since class dev.caisson.leaks.samples.Parallel$BothCreate")
                .contains("thread \"planted-beside-another\" #");
        assertThat(outcome.passed()).hasSize(2);
        assertThat(outcome.session()).isNull();
    }

    @Test
    void tellsEachLeakOnceWhereClassesRunAtTheSameTime() {
        Outcome outcome = Outcome.of(IN_PARALLEL, Leaky.Threads.class, Leaky.Constructed.class, Leaky.Nesting.class);
        String all = outcome.failures() + " " + outcome.session();
        assertThat(all)
                .containsOnlyOnce("thread \"planted-platform\" #")
                .containsOnlyOnce("thread \"planted-in-constructor\" #")
                .containsOnlyOnce("thread \"planted-before-each\" #");
    }
}
