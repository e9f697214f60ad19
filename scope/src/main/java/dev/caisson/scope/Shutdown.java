package dev.caisson.scope;

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
            long deadline = core.clock.nanoTime() + 2 * Nanos.of(core.closeWithin);
            core.drain(core.closeWithin);
            return core.close(core.until(deadline), true);
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
        long deadline = core.clock.nanoTime() + 2 * Nanos.of(core.closeWithin) + TimeUnit.SECONDS.toNanos(1);
        synchronized (core) {
            while (core.state != Core.CLOSED && deadline - core.clock.nanoTime() > 0) {
                try {
                    Nanos.waitOn(core, core.clock, deadline);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }
    }
}
