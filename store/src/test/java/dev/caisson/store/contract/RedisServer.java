package dev.caisson.store.contract;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A real redis-server on a loopback port, in memory, with the settings that the contract is recorded with. Owned by
 * whoever opened it; closing ends the process and removes its folder.
 */
final class RedisServer implements ContractSuite.Server {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int ATTEMPTS = 5;
    private static final Pattern VERSION = Pattern.compile("v=([\\d.]+)");

    private final Process process;
    private final Path folder;
    private final int port;

    private RedisServer(Process process, Path folder, int port) {
        this.process = process;
        this.folder = folder;
        this.port = port;
    }

    /** The executable on the PATH. */
    static Optional<String> installed() {
        for (String directory : System.getenv("PATH").split(File.pathSeparator)) {
            Path executable = Path.of(directory, "redis-server");
            if (Files.isExecutable(executable)) {
                return Optional.of(executable.toString());
            }
        }
        return Optional.empty();
    }

    /** Such as {@code 7.0.15}. */
    static String version(String executable) throws IOException {
        Process process = new ProcessBuilder(executable, "--version").start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        Matcher version = VERSION.matcher(said);
        if (!version.find()) {
            throw new IOException(executable + " --version says no version: " + said);
        }
        return version.group(1);
    }

    static RedisServer open(String executable) throws IOException {
        IOException last = null;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                return openOnce(executable);
            } catch (IOException e) {
                last = e; // another process may have taken the port in between
            }
        }
        throw new IOException(executable + " did not start in " + ATTEMPTS + " attempts", last);
    }

    private static RedisServer openOnce(String executable) throws IOException {
        int port;
        try (var probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = probe.getLocalPort();
        }
        Path folder = Files.createTempDirectory("contract-redis");
        Process process = new ProcessBuilder(List.of(
                        executable,
                        "--port",
                        Integer.toString(port),
                        "--bind",
                        "127.0.0.1",
                        "--save",
                        "",
                        "--appendonly",
                        "no",
                        "--databases",
                        "1",
                        "--dir",
                        folder.toString()))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        var server = new RedisServer(process, folder, port);
        try {
            server.awaitStart();
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private void awaitStart() throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            if (!process.isAlive()) {
                throw new IOException("redis-server ended with " + process.exitValue());
            }
            try (var connection = new ContractConnection(port, PATIENCE)) {
                if (connection.ask("PING").text().equals("PONG")) {
                    return;
                }
            } catch (IOException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
