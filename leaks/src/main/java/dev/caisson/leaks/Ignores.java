package dev.caisson.leaks;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Rules for what is alive but is no leak. Immutable. */
final class Ignores {
    /** A part of a {@link Live} that a pattern is held against. */
    enum Part {
        NAME,
        TYPE,
        TOP,
        FRAME,
        CREATOR
    }

    /** One rule: what matches, and why it is no leak. */
    record Rule(Part part, Pattern pattern, String reason) {
        static Rule of(Part part, String glob, String reason) {
            StringBuilder regex = new StringBuilder();
            for (String piece : glob.split("\\*", -1)) {
                regex.append(regex.length() == 0 ? "" : ".*").append(Pattern.quote(piece));
            }
            return new Rule(part, Pattern.compile(regex.toString(), Pattern.DOTALL), reason);
        }

        boolean matches(Live live) {
            switch (part) {
                case NAME:
                    return pattern.matcher(live.name()).matches();
                case TYPE:
                    return pattern.matcher(live.type()).matches();
                case TOP:
                    return !live.stack().isEmpty() && matches(live.stack().get(0));
                case FRAME:
                    return live.stack().stream().anyMatch(this::matches);
                case CREATOR:
                    return live.origin().stream().anyMatch(this::matches);
            }
            return false;
        }

        private boolean matches(String frame) {
            return pattern.matcher(Live.method(frame)).matches();
        }
    }

    private static final Ignores BUILT_IN = new Ignores(List.of(
            built(Part.TYPE, "jdk.internal.misc.CarrierThread", "carries virtual threads, the JDK makes and ends it"),
            built(Part.TYPE, "jdk.internal.misc.InnocuousThread", "the JDK's own: cleaner, pollers, unparker, reaper"),
            built(Part.TYPE, "sun.misc.InnocuousThread", "the JDK's own"),
            built(Part.TYPE, "java.util.concurrent.CompletableFuture$Delayer*", "the JDK's timer, made once"),
            built(
                    Part.FRAME,
                    "sun.nio.ch.Poller.*pollerLoop",
                    "the JDK waits for sockets of virtual threads, for good"),
            built(
                    Part.FRAME,
                    "sun.nio.ch.Poller.*PollerLoop",
                    "the JDK waits for sockets of virtual threads, for good"),
            built(Part.NAME, "VirtualThread-unparker", "wakes virtual threads, made once by the JDK"),
            built(Part.NAME, "VirtualThread-unblocker", "wakes virtual threads, made once by the JDK"),
            built(Part.NAME, "CompletableFutureDelayScheduler", "the timer of orTimeout, made once by the JDK"),
            built(Part.NAME, "ForkJoinPool.commonPool-*", "the common pool, shared by all, ends when idle"),
            built(Part.NAME, "ForkJoinPool-*-delayScheduler", "the timer of the carriers' or the common pool"),
            built(Part.NAME, "process reaper*", "waits for a child process to end, then for a minute more"),
            built(Part.NAME, "Common-Cleaner", "the JDK's cleaner, made once"),
            built(Part.NAME, "Cleaner-*", "a java.lang.ref.Cleaner ends when it is collected, not when it is closed"),
            built(Part.NAME, "Signal Dispatcher", "the JVM's own"),
            built(Part.NAME, "Attach Listener", "the JVM's own, made when a tool attaches"),
            built(Part.NAME, "Notification Thread", "the JVM's own"),
            built(Part.NAME, "Reference Handler", "the JVM's own"),
            built(Part.NAME, "Finalizer", "the JVM's own"),
            built(Part.NAME, "Keep-Alive-Timer", "HttpURLConnection's idle connections, ends by itself"),
            built(Part.NAME, "JFR *", "flight recorder's own, made with the first recording and kept"),
            built(Part.NAME, "DestroyJavaVM", "the JVM's own"),
            built(Part.NAME, "RMI *", "remote management of this JVM, made once by the JDK"),
            built(Part.NAME, "JMX server connection timeout *", "remote management of this JVM"),
            built(Part.NAME, "globalEventExecutor-*", "Netty's, shared by all, ends after a second without work"),
            built(Part.NAME, "surefire-*", "the build's own"),
            built(Part.NAME, "ping-*-thread*", "the build's own: Surefire's watch over its parent"),
            built(Part.NAME, "last-ditch-daemon-shutdown-thread-*", "the build's own: Surefire's exit"),
            built(Part.NAME, "junit-*-timeout-watcher*", "JUnit's own, for @Timeout; closed with the run"),
            built(
                    Part.TYPE,
                    "org.junit.platform.engine.support.hierarchical.*",
                    "JUnit's own workers for parallel tests"),
            built(Part.NAME, "Test worker*", "Gradle's own")));

    private final List<Rule> rules;

    private Ignores(List<Rule> rules) {
        this.rules = List.copyOf(rules);
    }

    static Ignores builtIn() {
        return BUILT_IN;
    }

    private static Rule built(Part part, String glob, String reason) {
        return Rule.of(part, glob, reason);
    }

    Ignores plus(Part part, String[] globs, String reason) {
        if (globs.length == 0) {
            return this;
        }
        List<Rule> all = new ArrayList<>(rules);
        for (String glob : globs) {
            all.add(Rule.of(part, glob.trim(), reason));
        }
        return new Ignores(all);
    }

    boolean match(Live live) {
        return rules.stream().anyMatch(rule -> rule.matches(live));
    }

    List<Rule> rules() {
        return rules;
    }
}
