package dev.caisson.tests.interop;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.testing.integration.TestServiceImpl;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * {@code TestServiceImpl} in a process of its own. grpc-java's has none of our jars on its class path, so nothing of
 * ours can stand in for it. The child prints {@code port N} once it listens and leaves when its standard input ends,
 * which also happens when the parent dies.
 */
final class ExternalServer implements AutoCloseable {
    private static final long GRACE_SECONDS = 30;

    private final Process process;
    private final int port;

    private ExternalServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static ExternalServer start(Side side, Transport transport) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classPath(side),
                ExternalServer.class.getName(),
                side.name(),
                transport.name()));
        Process process =
                new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
        BufferedReader out = process.inputReader(UTF_8);
        String line = out.readLine();
        if (line == null || !line.startsWith("port ")) {
            process.destroyForcibly();
            throw new IOException("the " + side + " server did not start; it said: " + line);
        }
        return new ExternalServer(process, Integer.parseInt(line.substring("port ".length())));
    }

    int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new IOException("the server process did not end within " + GRACE_SECONDS + " s of its input");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the server process to end");
        }
    }

    private static String classPath(Side side) {
        String[] entries = System.getProperty("java.class.path").split(File.pathSeparator);
        if (side == Side.CAISSON) {
            return String.join(File.pathSeparator, entries);
        }
        return Arrays.stream(entries).filter(e -> !isOurs(e)).collect(Collectors.joining(File.pathSeparator));
    }

    /** Ours in a build is a module's target/classes, or its jar. */
    private static boolean isOurs(String entry) {
        return Path.of(entry).endsWith(Path.of("target", "classes"))
                || Path.of(entry).getFileName().toString().startsWith("caisson-");
    }

    public static void main(String[] args) throws IOException {
        Side side = Side.valueOf(args[0]);
        Transport transport = Transport.valueOf(args[1]);
        if (side == Side.GRPC_JAVA && ClassLoader.getSystemResource("dev/caisson/rpc") != null) {
            throw new IllegalStateException("caisson-rpc is on the class path of the foreign server");
        }
        try (ScheduledExecutorService executor = Executors.newScheduledThreadPool(2)) {
            Server server = side.check(side.serverBuilder(transport.serverCredentials())
                    .addService(
                            ServerInterceptors.intercept(new TestServiceImpl(executor), TestServiceImpl.interceptors()))
                    .build());
            server.start();
            System.out.println("port " + server.getPort());
            System.in.readAllBytes();
            server.shutdownNow();
            executor.shutdownNow();
        }
    }
}
