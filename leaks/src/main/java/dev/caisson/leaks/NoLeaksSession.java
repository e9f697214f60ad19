package dev.caisson.leaks;

import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.junit.platform.launcher.LauncherDiscoveryListener;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Fails the launcher session, and so the build, when tests of engines that offer no other way left something behind.
 *
 * <p>Registered with the JUnit Platform by ServiceLoader; users need not name it.
 */
public final class NoLeaksSession implements LauncherSessionListener {
    private final Deque<Suite> suites = new ConcurrentLinkedDeque<>();

    /** For JUnit. */
    public NoLeaksSession() {}

    @Override
    public void launcherSessionOpened(LauncherSession session) {
        suites.push(Suite.enter());
    }

    /** Ends the session's memory; throws the first report that no test could carry, with the others suppressed. */
    @Override
    public void launcherSessionClosed(LauncherSession session) {
        Suite suite = suites.poll();
        if (suite == null) {
            return;
        }
        suite.leave();
        List<LeakError> unheard = suite.takeUnheard();
        if (!unheard.isEmpty()) {
            LeakError first = unheard.get(0);
            unheard.subList(1, unheard.size()).forEach(first::addSuppressed);
            throw first;
        }
    }

    /** Makes one line of configuration enough: {@code caisson.leaks=on} switches on JUnit's auto-detection for us. */
    public static final class Switch implements LauncherDiscoveryListener {
        static final String AUTODETECTION = "junit.jupiter.extensions.autodetection.enabled";
        static final String INCLUDE = "junit.jupiter.extensions.autodetection.include";

        /** For JUnit. */
        public Switch() {}

        @Override
        public void launcherDiscoveryStarted(LauncherDiscoveryRequest request) {
            var parameters = request.getConfigurationParameters();
            if (Options.of(parameters::get).on()
                    && parameters.get(AUTODETECTION).isEmpty()) {
                // JUnit 5.12 and newer then load our extension alone; older ones load all that offer themselves.
                Suite.current().property(AUTODETECTION, "true");
                if (parameters.get(INCLUDE).isEmpty()) {
                    Suite.current().property(INCLUDE, "dev.caisson.leaks.*");
                }
            }
        }
    }
}
