package dev.caisson.leaks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The text that tells leaks to the author of a test. */
final class Report {
    static final int MAX_FRAMES = 40;
    static final int MAX_LEAKS = 20;
    static final int MAX_NAMES = 10;

    private Report() {}

    /**
     * One report for all that is left of a test.
     *
     * @param leaks not empty
     * @param since the test or class they belong to, as a sentence's end: {@code OrdersTest.closes()}
     * @param waited what was done before accusing
     */
    static LeakError error(List<Live> leaks, String since, String waited) {
        Map<String, List<Live>> groups = new LinkedHashMap<>();
        leaks.stream()
                .sorted(Live::compare)
                .forEach(leak -> groups.computeIfAbsent(leak.sameness(), key -> new ArrayList<>())
                        .add(leak));
        StringBuilder text = new StringBuilder()
                .append(leaks.size() == 1 ? "1 leak" : leaks.size() + " leaks")
                .append(" since ")
                .append(since)
                .append(" (")
                .append(waited)
                .append(")\n");
        int number = 0;
        for (List<Live> group : groups.values()) {
            if (++number > MAX_LEAKS) {
                text.append("... and ").append(groups.size() - MAX_LEAKS).append(" more with other stacks\n");
                break;
            }
            append(text, number, group);
        }
        Set<LeakKind> kinds = new TreeSet<>();
        leaks.forEach(leak -> kinds.add(leak.kind()));
        kinds.forEach(kind -> text.append(nextStep(kind)));
        text.append("If it is meant to stay: @NoLeaks(ignoreNames = \"")
                .append(leaks.get(0).name().replaceAll("[0-9]+", "*"))
                .append("\") on the test, or ")
                .append(Options.IGNORE_NAMES)
                .append("=... in junit-platform.properties, with a comment that says why.");
        return new LeakError(text.toString(), leaks.stream().map(Live::name).toList());
    }

    private static void append(StringBuilder text, int number, List<Live> group) {
        Live leak = group.get(0);
        text.append('\n').append(number).append(". ");
        if (group.size() > 1) {
            text.append(group.size()).append(" times the same; the first: ");
        }
        text.append(title(leak)).append('\n');
        if (group.size() > 1) {
            text.append("   all: ");
            group.stream()
                    .limit(MAX_NAMES)
                    .forEach(one -> text.append('"').append(one.name()).append("\" "));
            text.append(group.size() > MAX_NAMES ? "...\n" : "\n");
        }
        frames(text, leak.stack());
        if (!leak.since().isEmpty()) {
            text.append("   since ").append(leak.since()).append('\n');
        }
        if (!leak.origin().isEmpty()) {
            text.append("   created at\n");
            frames(text, leak.origin());
        }
    }

    private static String title(Live leak) {
        String number = leak.id().startsWith(leak.kind().label() + " #")
                ? leak.id().substring(leak.kind().label().length())
                : "";
        return leak.kind().label() + " \"" + leak.name() + "\"" + number + ", " + leak.state()
                + (leak.owner().isEmpty() ? "" : " (" + leak.owner() + ")");
    }

    private static void frames(StringBuilder text, List<String> frames) {
        frames.stream()
                .limit(MAX_FRAMES)
                .forEach(frame -> text.append("     at ").append(frame).append('\n'));
        if (frames.size() > MAX_FRAMES) {
            text.append("     ... ").append(frames.size() - MAX_FRAMES).append(" more\n");
        }
    }

    private static String nextStep(LeakKind kind) {
        switch (kind) {
            case THREAD:
                return "\nNext step: close the executor, timer or client that owns the thread before the test ends,"
                        + " and wait for the thread to end.\n";
            case VIRTUAL_THREAD:
                return "\nNext step: fork it in a scope that the test closes, or end what it waits for and join it.\n";
            case SCOPE:
                return "\nNext step: close the scope before the test ends, best with try (Scope scope = Scope.open(...)).\n";
            case DESCRIPTOR:
                return "\nNext step: close the socket, file or process's stream before the test ends.\n";
        }
        return "";
    }
}
