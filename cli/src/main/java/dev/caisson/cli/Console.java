package dev.caisson.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Where a command reads and writes, and how it hears of Ctrl-C. Nothing in this package uses {@code System.in},
 * {@code out} or {@code err} but through this. Thread-safe; owns nothing that needs closing.
 */
final class Console {
    /** The reader of our output went away: the command ends quietly. */
    static final class BrokenPipe extends RuntimeException {
        private static final long serialVersionUID = 1;

        BrokenPipe(IOException cause) {
            super(cause);
        }
    }

    /** What to do on Ctrl-C until closed; closing tells whether it was pressed. */
    interface Interrupts {
        /** Stops listening. */
        void close();
    }

    /** Registers what to do on Ctrl-C. */
    interface InterruptSource {
        Interrupts listen(Runnable onInterrupt);
    }

    private static final String RED = "\u001b[1;31m";
    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";

    private final InputStream in;
    private final OutputStream out;
    private final OutputStream err;
    private final boolean colours;
    private final InterruptSource interrupts;

    Console(InputStream in, OutputStream out, OutputStream err, boolean colours, InterruptSource interrupts) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.colours = colours;
        this.interrupts = interrupts;
    }

    /**
     * The process's own. Standard input is read through its channel, so that an interrupt ends a read that waits (a plain
     * {@code System.in} would hold the command until the next key).
     */
    @SuppressWarnings({
        "resource", // the three descriptors belong to the process
        "SystemConsoleNull" // tried on JDK 25: null where standard input or output is no terminal
    })
    static Console system() {
        java.io.Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        return new Console(
                Channels.newInputStream(new FileInputStream(FileDescriptor.in).getChannel()),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err),
                wantsColours(terminal, System::getenv),
                Console::onShutdown);
    }

    /** On a terminal, unless it is a dumb one or NO_COLOR (no-color.org) is set to something. */
    static boolean wantsColours(boolean terminal, UnaryOperator<@Nullable String> environment) {
        String noColor = environment.apply("NO_COLOR");
        return terminal && (noColor == null || noColor.isEmpty()) && !"dumb".equals(environment.apply("TERM"));
    }

    /** Ctrl-C and SIGTERM end the JVM; what must still be done is done in a shutdown hook, and the JVM's exit code is 128 plus the signal. */
    private static Interrupts onShutdown(Runnable onInterrupt) {
        AtomicBoolean listening = new AtomicBoolean(true);
        Thread hook = new Thread(
                () -> {
                    if (listening.get()) {
                        onInterrupt.run();
                    }
                },
                "caisson interrupt");
        Runtime.getRuntime().addShutdownHook(hook);
        return () -> {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
                listening.set(false);
            } catch (IllegalStateException shuttingDown) {
                // the hook runs already: it is its turn
            }
        };
    }

    InputStream in() {
        return in;
    }

    OutputStream out() {
        return out;
    }

    OutputStream err() {
        return err;
    }

    boolean colours() {
        return colours;
    }

    Interrupts onInterrupt(Runnable action) {
        return interrupts.listen(action);
    }

    /**
     * Writes a line to standard output, at once.
     *
     * @throws BrokenPipe if nobody reads it any more
     */
    void line(String text) {
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (out) {
            try {
                out.write(bytes);
                out.flush();
            } catch (IOException e) {
                throw new BrokenPipe(e);
            }
        }
    }

    /** Writes a line to standard error; one that cannot be written is lost. */
    void errorLine(String text) {
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        synchronized (err) {
            try {
                err.write(bytes);
                err.flush();
            } catch (IOException e) {
                // there is nowhere left to tell it
            }
        }
    }

    /** {@code caisson: …} in red. */
    void error(String message) {
        errorLine(colours ? RED + "caisson:" + PLAIN + " " + message : "caisson: " + message);
    }

    /** A further line of an error, indented. */
    void errorDetail(String message) {
        errorLine("  " + message.replace("\n", "\n  "));
    }

    /** A line of {@code -v}. */
    void note(String message) {
        errorLine(colours ? DIM + message + PLAIN : message);
    }
}
