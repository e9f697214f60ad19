package dev.caisson.leaks.samples;

import static dev.caisson.leaks.samples.Planted.plant;

import dev.caisson.leaks.samples.ScopesMXBean.Row;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import net.jqwik.api.Example;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Tests that leak, one class a way. */
public final class Leaky {
    private Leaky() {}

    @TestMethodOrder(MethodOrderer.OrderAnnotation.class)
    public static class Threads {
        @Test
        @Order(1)
        void leavesThread() {
            Planted.thread("planted-platform");
        }

        @Test
        @Order(2)
        void isClean() {}
    }

    public static class VirtualThreads {
        @Test
        void leavesVirtualThread() {
            Planted.virtualThread("planted-virtual");
        }

        @Test
        void leavesParkedTask() throws InterruptedException {
            CountDownLatch runs = new CountDownLatch(1);
            CountDownLatch never = new CountDownLatch(1);
            Planted.virtualExecutor().submit(() -> {
                runs.countDown();
                never.await();
                return null;
            });
            runs.await();
        }
    }

    public static class Constructed {
        Constructed() {
            Planted.thread("planted-in-constructor");
        }

        @Test
        void usesIt() {}
    }

    public static class BeforeAllThread {
        @BeforeAll
        static void open() {
            Planted.thread("planted-before-all");
        }

        @Test
        void isClean() {}
    }

    /** What it starts lazily ends with the class. */
    public static class Fixtures {
        @BeforeAll
        static void open() {}

        @Test
        void startsThreadForTheClass() {
            Planted.thread("lazily-for-the-class");
        }

        @org.junit.jupiter.api.AfterAll
        static void close() throws Exception {
            Planted.uproot();
        }
    }

    public static class LeakyFixtures {
        @BeforeAll
        static void open() {}

        @Test
        void startsThreadForTheClass() {
            Planted.thread("never-ended-by-the-class");
        }
    }

    public static class Nesting {
        @Nested
        class Inner {
            @BeforeEach
            void open() {
                Planted.thread("planted-before-each");
            }

            @Test
            void isInside() {}
        }
    }

    public static class OpenScope {
        @Test
        void leavesScope() {
            Scopes.BEAN.add(new Row(
                    1L << 24,
                    "scope",
                    "orders",
                    "open",
                    "app//dev.acme.Orders.open(Orders.java:12)",
                    "app//dev.acme.Main.main(Main.java:3)"));
            Scopes.BEAN.add(new Row((1L << 24) + 1, "task", "orders/reconcile", "open"));
            Scopes.BEAN.add(new Row((1L << 24) + 2, "task", "orders/refresh", "open"));
            Scopes.BEAN.add(new Row(2L << 24, "server", "orders-server", "open"));
            Scopes.BEAN.add(new Row((2L << 24) + 1, "connection", "orders-server/c1", "open"));
            Scopes.BEAN.add(new Row(7L << 24, "task", "billing/hung", "left"));
        }
    }

    public static class Descriptors {
        @Test
        void leavesSocket() throws IOException {
            plant(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        }

        @Test
        void leavesFile() throws IOException {
            Path file = Files.createTempFile("planted", ".txt");
            plant(() -> Files.delete(file));
            plant(FileChannel.open(file, StandardOpenOption.WRITE));
        }

        @Test
        void leavesPipe() throws IOException {
            Pipe pipe = Pipe.open();
            plant(pipe.sink());
            plant(pipe.source());
        }

        @Test
        void leavesSelector() throws IOException {
            plant(Selector.open());
        }

        @Test
        void closesSelector() throws IOException {
            Selector.open().close();
        }
    }

    /** Stores a thread that JUnit ends, or fails to end, after all callbacks. */
    abstract static class Storing implements BeforeEachCallback {
        abstract void end(Thread thread) throws InterruptedException;

        @Override
        public void beforeEach(ExtensionContext context) {
            Thread thread = Planted.thread("stored-by-" + getClass().getSimpleName());
            context.getStore(ExtensionContext.Namespace.GLOBAL).put(thread, new Stored(thread, this));
        }
    }

    private record Stored(Thread thread, Storing owner)
            implements ExtensionContext.Store.CloseableResource, AutoCloseable {
        @Override
        public void close() throws InterruptedException {
            owner.end(thread);
        }
    }

    public static class EndsWhatItStores extends Storing {
        @Override
        void end(Thread thread) throws InterruptedException {
            Planted.end(thread);
        }
    }

    public static class LosesWhatItStores extends Storing {
        @Override
        void end(Thread thread) {}
    }

    @ExtendWith(EndsWhatItStores.class)
    public static class CleanResource {
        @Test
        void usesIt() {}
    }

    @ExtendWith(LosesWhatItStores.class)
    public static class LeakyResource {
        @Test
        void usesIt() {}
    }

    public static class Properties {
        @Example
        void leavesThreadInProperty() {
            Planted.thread("planted-by-jqwik");
        }

        @Example
        void isCleanProperty() {}
    }

    /** Ends well within the linger, but after the test. */
    public static class Lingering {
        @Test
        void leavesThreadThatEnds() {
            Thread thread = Planted.thread("about-to-end");
            Thread ender = new Thread(
                    () -> {
                        try {
                            Planted.end(thread);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    },
                    "ender");
            ender.start();
        }
    }

    public static class Failing {
        @Test
        void failsAndLeaks() {
            Planted.thread("planted-by-failure");
            throw new IllegalStateException("the test's own failure");
        }
    }

    /** The first virtual thread that waits for a socket makes the JDK start pollers, which stay. */
    public static class VirtualSockets {
        @Test
        void waitsForSocketInVirtualThread() throws Exception {
            try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                    Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                    Socket accepted = server.accept()) {
                ExecutorService executor = Planted.virtualExecutor();
                CompletableFuture<Thread> reader = new CompletableFuture<>();
                executor.submit(() -> {
                    reader.complete(Thread.currentThread());
                    return client.getInputStream().read();
                });
                while (reader.get().getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                accepted.getOutputStream().write(1);
                Planted.end(executor);
            }
        }
    }
}
