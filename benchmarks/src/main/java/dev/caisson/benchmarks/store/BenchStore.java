package dev.caisson.benchmarks.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.management.ThreadMXBean;
import dev.caisson.scope.Scope;
import dev.caisson.store.Store;
import dev.caisson.store.StoreOptions;
import dev.caisson.store.engine.Shard.Figure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * The process around our store, opened as {@code caisson store} opens it. Prints {@code port N}, then answers lines:
 *
 * <pre>
 * allocated         allocated BYTES                by all threads since the start
 * memory            memory BOOKED LIVE KEYS        bytes by the store's own bookkeeping, bytes of live objects after a GC
 * quit, or the end of the input: the process ends
 * </pre>
 */
final class BenchStore {
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    private BenchStore() {}

    /** What {@code caisson store} gives its JVM. */
    static List<String> jvm() throws IOException {
        List<String> jvm = new ArrayList<>(List.of("-Xshare:auto", "-XX:+UseCompactObjectHeaders"));
        if (Files.isReadable(HUGE_PAGES) && !Files.readString(HUGE_PAGES).contains("[never]")) {
            jvm.add("-XX:+UseTransparentHugePages");
        }
        return jvm;
    }

    public static void main(String[] args) throws Exception {
        try (Scope app = Scope.open("bench store")) {
            Store store =
                    app.own("store", () -> Store.open(StoreOptions.defaults().port(0)));
            System.out.println("port " + store.port());
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
            for (String line = in.readLine(); line != null && !line.equals("quit"); line = in.readLine()) {
                switch (line) {
                    case "allocated" -> System.out.println("allocated " + allocatedBytes());
                    case "memory" ->
                        System.out.println("memory " + store.figure(Figure.MEMORY) + " " + liveBytes() + " "
                                + store.figure(Figure.KEYS));
                    default -> throw new IOException("not a command: " + line);
                }
            }
        }
    }

    private static long allocatedBytes() {
        return ManagementFactory.getPlatformMXBean(ThreadMXBean.class).getTotalThreadAllocatedBytes();
    }

    /** The total of a heap histogram, which collects garbage first. */
    private static long liveBytes() throws JMException {
        String histogram = String.valueOf(ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()}));
        String total = histogram
                .lines()
                .filter(line -> line.startsWith("Total"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("a histogram without a total:\n" + histogram));
        return Long.parseLong(total.split("\\s+")[2]);
    }
}
