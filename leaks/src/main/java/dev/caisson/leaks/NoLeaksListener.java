package dev.caisson.leaks;

import org.jspecify.annotations.Nullable;
import org.junit.platform.commons.PreconditionViolationException;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Watches the tests of all engines but Jupiter, and every run as a whole.
 *
 * <p>A listener cannot fail a test: what it finds is printed at once and fails the launcher session at its end, see
 * {@link NoLeaksSession}. Registered with the JUnit Platform by ServiceLoader; users need not name it.
 */
public final class NoLeaksListener implements TestExecutionListener {
    private static final System.Logger LOG = System.getLogger(NoLeaksListener.class.getName());

    private @Nullable Options options;
    private @Nullable Watch run;

    /** For JUnit. */
    public NoLeaksListener() {}

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
        Options configured = Options.of(plan.getConfigurationParameters()::get);
        options = configured;
        if (configured.on()) {
            run = Watch.begin(new Watch.Plan(Suite.current(), "", "the start of the run", configured, null, false));
        }
    }

    @Override
    public void executionStarted(TestIdentifier test) {
        Options configured = options;
        if (configured == null || ofJupiter(test) || test.getParentId().isEmpty()) {
            return;
        }
        Options asked = annotated(configured, test);
        if (asked.on()) {
            Suite suite = Suite.current();
            Watch enclosing = test.getParentId().map(suite::watch).orElse(null);
            Watch.begin(new Watch.Plan(suite, test.getUniqueId(), name(test), asked, enclosing, false));
        }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (!ofJupiter(test)) {
            end(Suite.current().watch(test.getUniqueId()));
        }
    }

    @Override
    public void testPlanExecutionFinished(TestPlan plan) {
        end(run);
        run = null;
        options = null;
    }

    private static Options annotated(Options configured, TestIdentifier test) {
        TestSource source = test.getSource().orElse(null);
        try {
            if (source instanceof MethodSource method) {
                return configured.with(method.getJavaClass()).with(method.getJavaMethod());
            }
            return source instanceof ClassSource type ? configured.with(type.getJavaClass()) : configured;
        } catch (PreconditionViolationException noSuchMethodOrClass) {
            return configured; // an engine may name sources that are not there
        }
    }

    private static void end(@Nullable Watch watch) {
        if (watch != null) {
            watch.end().ifPresent(error -> {
                LOG.log(System.Logger.Level.ERROR, error.getMessage());
                Suite.current().keep(error);
            });
        }
    }

    private static boolean ofJupiter(TestIdentifier test) {
        return test.getUniqueIdObject().getSegments().stream()
                .anyMatch(segment ->
                        segment.getType().equals("engine") && segment.getValue().equals("junit-jupiter"));
    }

    private static String name(TestIdentifier test) {
        TestSource source = test.getSource().orElse(null);
        if (source instanceof MethodSource method) {
            return method.getClassName() + "." + method.getMethodName() + "()";
        }
        return source instanceof ClassSource type ? "class " + type.getClassName() : test.getDisplayName();
    }
}
