package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.caisson.leaks.LeakError;
import dev.caisson.leaks.NoLeaks;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** The leak check and the management bean agree, though neither imports the other. */
class LeakCheckTest {
    private static @Nullable Scope left;

    @NoLeaks(lingerMillis = 300)
    static class Sample {
        @Test
        void leavesScope() {
            Scope scope = Scope.open("left-by-sample");
            scope.onClose("unsubscribe", () -> {});
            left = scope;
        }

        @Test
        void closesScope() {
            Scope.open("closed-by-sample").close();
        }
    }

    @Test
    void theLeakCheckTellsAnOpenScopeWithItsOrigin() {
        List<Throwable> failures = new ArrayList<>();
        try (LauncherSession session = LauncherFactory.openSession()) {
            session.getLauncher()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(selectClass(Sample.class))
                                    .configurationParameter("caisson.leaks", "off")
                                    .build(),
                            new TestExecutionListener() {
                                @Override
                                public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                                    result.getThrowable().ifPresent(failures::add);
                                }
                            });
        } finally {
            Scope scope = left;
            left = null;
            if (scope != null) {
                scope.close();
            }
        }
        assertThat(failures).singleElement().isInstanceOfSatisfying(LeakError.class, error -> {
            assertThat(error.names()).contains("left-by-sample").doesNotContain("closed-by-sample");
            assertThat(error)
                    .hasMessageContaining("scope \"left-by-sample\" #")
                    .hasMessageContaining("created at")
                    .hasMessageContaining("LeakCheckTest$Sample.leavesScope(LeakCheckTest.java:");
        });
    }
}
