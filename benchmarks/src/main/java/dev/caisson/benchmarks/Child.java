package dev.caisson.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of the bench's own class path that answers lines; it ends when its standard input does. */
public final class Child implements AutoCloseable {
    private static final long GRACE_SECONDS = 20;

    private final String name;
    private final Process process;
    private final BufferedReader out;
    private final Writer in;

    private Child(String name, Process process) {
        this.name = name;
        this.process = process;
        this.out = process.inputReader(UTF_8);
        this.in = process.outputWriter(UTF_8);
    }

    /**
     * Starts a JVM.
     *
     * @param core the core it may run on, or -1 for any
     * @param jvm options of the JVM
     */
    public static Child start(Class<?> main, int core, List<String> jvm, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        if (core >= 0) {
            Collections.addAll(command, "taskset", "-c", Integer.toString(core));
        }
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        Collections.addAll(command, "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow");
        command.addAll(jvm);
        Collections.addAll(command, "-cp", System.getProperty("java.class.path"), main.getName());
        Collections.addAll(command, arguments);
        String name = main.getSimpleName() + " " + String.join(" ", arguments);
        return new Child(
                name,
                new ProcessBuilder(command).redirectError(Redirect.INHERIT).start());
    }

    /** The words of the next line, whose first must be {@code expected}; the rest are returned with it. */
    public String[] expect(String expected) throws IOException {
        String line = out.readLine();
        if (line == null || !(line.equals(expected) || line.startsWith(expected + " "))) {
            throw new IOException(name + " should have answered '" + expected + "' and said: " + line);
        }
        return line.split(" ");
    }

    /** Writes the line and expects the answer. */
    public String[] ask(String command, String expected) throws IOException {
        in.write(command + "\n");
        in.flush();
        return expect(expected);
    }

    /** The process. */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    @Override
    public void close() {
        try {
            in.close();
            if (!process.waitFor(GRACE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
