package dev.caisson.leaks;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * What a run of sample classes came to, run like a build would: a launcher session, listeners and extensions found by
 * ServiceLoader.
 *
 * @param failures display name of the test or class to its failure
 * @param passed display names of the tests that passed
 * @param session what closing the launcher session threw
 */
record Outcome(
        Map<String, Throwable> failures,
        List<String> passed,
        @Nullable Throwable session) {

    static Outcome of(Class<?>... samples) {
        return of(Map.of(Options.SWITCH, "on", Options.LINGER, "300"), samples);
    }

    static Outcome of(Map<String, String> configuration, Class<?>... samples) {
        return of(LauncherConfig.DEFAULT, configuration, samples);
    }

    static Outcome of(LauncherConfig launcher, Map<String, String> configuration, Class<?>... samples) {
        Map<String, Throwable> failures = new LinkedHashMap<>();
        List<String> passed = new ArrayList<>();
        TestExecutionListener listener = new TestExecutionListener() {
            @Override
            public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (result.getThrowable().isPresent()) {
                    failures.put(test.getDisplayName(), result.getThrowable().get());
                } else if (test.isTest()) {
                    passed.add(test.getDisplayName());
                }
            }
        };
        Throwable thrown = null;
        LauncherSession session = LauncherFactory.openSession(launcher);
        try {
            session.getLauncher()
                    .execute(
                            LauncherDiscoveryRequestBuilder.request()
                                    .selectors(Stream.of(samples)
                                            .map(type -> selectClass(type))
                                            .toList())
                                    .configurationParameters(configuration)
                                    .build(),
                            listener);
        } finally {
            try {
                session.close();
            } catch (Throwable e) {
                thrown = e;
            }
        }
        return new Outcome(failures, passed, thrown);
    }

    /** The report of the test or class; fails if there is none. */
    String report(String displayName) {
        Throwable failure = failures.get(displayName);
        if (failure instanceof LeakError) {
            return String.valueOf(failure.getMessage());
        }
        throw new AssertionError("no leak told for " + displayName + "; failures: " + failures, failure);
    }
}
