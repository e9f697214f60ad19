package dev.caisson.leaks.samples;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** What the samples leave behind on purpose, and how the real test ends it so that it leaves nothing itself. */
public final class Planted {
    private static final List<AutoCloseable> PLANTED = new CopyOnWriteArrayList<>();

    private Planted() {}

    public static <T extends AutoCloseable> T plant(T planted) {
        PLANTED.add(planted);
        return planted;
    }

    /** Starts a platform thread that waits until it is interrupted. */
    public static Thread thread(String name) {
        Thread thread = new Thread(Planted::waitForInterrupt, name);
        plant(() -> end(thread));
        thread.start();
        return thread;
    }

    /** Starts a virtual thread that waits until it is interrupted. By reflection: this is compiled for Java 17. */
    public static Thread virtualThread(String name) {
        try {
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            Class<?> type = Class.forName("java.lang.Thread$Builder");
            type.getMethod("name", String.class).invoke(builder, name);
            Thread thread = (Thread)
                    type.getMethod("start", Runnable.class).invoke(builder, (Runnable) Planted::waitForInterrupt);
            plant(() -> end(thread));
            return thread;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("needs JDK 21 or newer", e);
        }
    }

    /** An executor of virtual threads, one per task. */
    public static ExecutorService virtualExecutor() {
        try {
            ExecutorService executor = (ExecutorService)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
            plant(() -> end(executor));
            return executor;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("needs JDK 21 or newer", e);
        }
    }

    public static void end(ExecutorService executor) throws InterruptedException {
        executor.shutdownNow();
        if (!executor.awaitTermination(30, TimeUnit.SECONDS)) {
            throw new IllegalStateException("did not end: " + executor);
        }
    }

    public static void waitForInterrupt() {
        Object lock = new Object();
        synchronized (lock) {
            try {
                while (true) {
                    lock.wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends all that was planted, the last first. */
    public static void uproot() throws Exception {
        for (int i = PLANTED.size() - 1; i >= 0; i--) {
            PLANTED.remove(i).close();
        }
    }

    public static void end(Thread thread) throws InterruptedException {
        thread.interrupt();
        thread.join();
    }
}
