package dev.caisson.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Throwables;
import dev.caisson.leaks.NoLeaks;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.runner.Description;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;
import org.junit.runner.notification.RunNotifier;

/**
 * grpc-java's interoperability suite, whole, over every {@link Way}: 35 cases run, none fails, and the skipped ones are
 * exactly those that the suite skips for grpc-java itself.
 */
@NoLeaks(
        ignoreNames = { // grpc-java's shared executor keeps idle threads for 60 s, and closes its loops and timers late
            "grpc-default-executor-*",
            "grpc-shared-destroyer-*",
            "grpc-default-worker-*",
            "grpc-default-boss-*",
            "grpc-timer-*"
        },
        // The suite's pool is shut down, not joined, and waits for the reply that a cancelled call no longer needs.
        ignoreCreators = "io.grpc.testing.integration.TestServiceImpl*")
class InteropTest {
    private static final int CASES = 35;

    /** grpc-java to grpc-java shows that a failure elsewhere is not the harness's. */
    static Stream<Way> ways() {
        List<Way> ways = new ArrayList<>();
        for (Transport transport : Transport.values()) {
            ways.add(new Way(Side.GRPC_JAVA, Side.GRPC_JAVA, transport, false));
            ways.add(new Way(Side.GRPC_JAVA, Side.GRPC_JAVA, transport, true));
            ways.add(new Way(Side.GRPC_JAVA, Side.CAISSON, transport, false));
            ways.add(new Way(Side.GRPC_JAVA, Side.CAISSON, transport, true));
            for (Side server : Side.values()) {
                ways.add(new Way(Side.CAISSON, server, transport, false));
                ways.add(new Way(Side.CAISSON, server, transport, true));
            }
        }
        return ways.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ways")
    void passesTheWholeSuite(Way way) throws Exception {
        Outcome outcome = new Outcome();
        RunNotifier notifier = new RunNotifier();
        notifier.addListener(outcome);
        try (InteropSuite.Runner runner = new InteropSuite.Runner(way)) {
            runner.run(notifier);
        }
        assertThat(outcome.failed).as("failed").isEmpty();
        assertThat(outcome.skipped).as("skipped").containsExactlyInAnyOrderElementsOf(skips(way));
        assertThat(outcome.started).as("run").hasSize(CASES);
    }

    /** Both executions of the build must be what their names say: with grpc-services, and without. */
    @Test
    void runsOnTheClassPathItIsMeantFor() {
        boolean present =
                getClass().getClassLoader().getResource("io/grpc/protobuf/services/HealthStatusManager.class") != null;
        assertThat(present).as("grpc-services on the class path").isEqualTo(!Boolean.getBoolean("interop.noServices"));
    }

    private static List<String> skips(Way way) {
        return way.external()
                ? List.of("censusContextsPropagated", "sendsTimeoutHeader")
                : List.of("censusContextsPropagated");
    }

    private static final class Outcome extends RunListener {
        final List<String> started = new ArrayList<>();
        final List<String> skipped = new ArrayList<>();
        final List<String> failed = new ArrayList<>();

        @Override
        public void testStarted(Description description) {
            started.add(description.getMethodName());
        }

        @Override
        public void testIgnored(Description description) {
            skipped.add(description.getMethodName());
        }

        @Override
        public void testAssumptionFailure(Failure failure) {
            skipped.add(failure.getDescription().getMethodName());
        }

        @Override
        public void testFailure(Failure failure) {
            failed.add(failure.getDescription().getMethodName() + ": "
                    + Throwables.getStackTraceAsString(failure.getException()));
        }
    }
}
