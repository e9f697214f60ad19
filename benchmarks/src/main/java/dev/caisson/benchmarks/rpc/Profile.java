package dev.caisson.benchmarks.rpc;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;

/** Where a flight recording spent its time: methods by their own samples, and allocations by class. */
final class Profile {
    private static final int SHOWN = 40;

    private Profile() {}

    static String topFrames(Path recording) throws IOException {
        Map<String, Long> cpu = new HashMap<>();
        Map<String, Long> wall = new HashMap<>();
        Map<String, Long> allocated = new HashMap<>();
        try (RecordingFile file = new RecordingFile(recording)) {
            while (file.hasMoreEvents()) {
                RecordedEvent event = file.readEvent();
                switch (event.getEventType().getName()) {
                    case "jdk.CPUTimeSample" -> count(cpu, frame(event), 1);
                    case "jdk.ExecutionSample", "jdk.NativeMethodSample" -> count(wall, frame(event), 1);
                    case "jdk.ObjectAllocationSample" ->
                        count(
                                allocated,
                                event.getClass("objectClass").getName() + " at " + frame(event),
                                event.getLong("weight"));
                    default -> {
                        // Everything else of the recording is for reading by hand.
                    }
                }
            }
        }
        return "  own CPU time, by method\n" + top(cpu.isEmpty() ? wall : cpu) + "  allocated, by class and place\n"
                + top(allocated);
    }

    private static void count(Map<String, Long> counts, @Nullable String key, long weight) {
        counts.merge(key == null ? "(no stack)" : key, weight, Long::sum);
    }

    private static @Nullable String frame(RecordedEvent event) {
        RecordedStackTrace stack = event.getStackTrace();
        if (stack == null || stack.getFrames().isEmpty()) {
            return null;
        }
        RecordedFrame top = stack.getFrames().getFirst();
        return top.getMethod().getType().getName() + "." + top.getMethod().getName();
    }

    private static String top(Map<String, Long> counts) {
        double total = counts.values().stream().mapToLong(Long::longValue).sum();
        return counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .limit(SHOWN)
                .map(e -> String.format(Locale.ROOT, "  %5.1f %%  %s%n", 100 * e.getValue() / total, e.getKey()))
                .collect(Collectors.joining());
    }
}
