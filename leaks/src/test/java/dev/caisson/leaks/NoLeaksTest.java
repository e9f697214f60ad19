package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.leaks.samples.LeakyThreads;
import dev.caisson.leaks.samples.Planted;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class NoLeaksTest {
    @AfterEach
    void uproot() throws Exception {
        Planted.uproot();
    }

    @Test
    void tellsThreadWithItsStateBlockerAndStack() {
        Outcome outcome = Outcome.of(LeakyThreads.class);
        assertThat(outcome.report("leavesThread()"))
                .contains("since dev.caisson.leaks.samples.LeakyThreads.leavesThread()")
                .contains("thread \"planted-platform\" #")
                .contains("WAITING on java.lang.Object@")
                .contains("at dev.caisson.leaks.samples.Planted.waitForInterrupt(Planted.java:")
                .contains("Next step: ");
        assertThat(outcome.report("leavesVirtualThread()"))
                .contains("virtual thread \"planted-virtual\" #")
                .contains("WAITING on java.lang.Object@")
                .contains("at dev.caisson.leaks.samples.Planted.waitForInterrupt(Planted.java:");
        assertThat(outcome.passed()).containsExactly("isClean()");
        assertThat(outcome.failures()).hasSize(2);
        assertThat(outcome.session()).isNull();
    }
}
