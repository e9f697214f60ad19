package dev.caisson.scope;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Waits for the end of the JVM on behalf of one scope; the hook is there only while somebody waits. */
final class Shutdown {
    private Shutdown() {}

    static CloseReport await(Core core) {
        // The hook holds the core, never the handle; it ends the waiting and then lets the JVM wait for the close.
        Thread hook = new Thread(() -> askAndWait(core), "caisson-shutdown " + core.name);
        boolean hooked = hook(hook);
        boolean interrupted = false;
        try {
            synchronized (core) {
                while (!core.shutdownAsked && core.state < Core.SHUTTING) {
                    try {
                        core.wait();
                    } catch (InterruptedException e) {
                        interrupted = true;
                        break;
                    }
                }
            }
            long deadline = System.nanoTime() + 2 * Nanos.of(core.closeWithin);
            core.drain(core.closeWithin);
            return core.close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())), true);
        } finally {
            if (hooked) {
                unhook(hook);
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static boolean hook(Thread hook) {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
            return true;
        } catch (IllegalStateException endingAlready) {
            return false;
        }
    }

    private static void unhook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException endingAlready) {
            return;
        }
    }

    private static void askAndWait(Core core) {
        core.askShutdown();
        long deadline = System.nanoTime() + 2 * Nanos.of(core.closeWithin) + TimeUnit.SECONDS.toNanos(1);
        synchronized (core) {
            for (long left; core.state != Core.CLOSED && (left = deadline - System.nanoTime()) > 0; ) {
                try {
                    Nanos.waitOn(core, left);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }
    }
}
