package dev.caisson.scope;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** The flight recorder's events; off until a recording enables them, and then free of any agent. */
final class Events {
    private Events() {}

    @Name("dev.caisson.scope.Acquire")
    @Label("Resource Acquired")
    @Category({"Caisson", "Scope"})
    @StackTrace
    static final class Acquire extends Event {
        @Label("Kind")
        String kind = "";

        @Label("Name")
        String name = "";

        @Label("Owner Path")
        String path = "";

        @Label("Id")
        long id;
    }

    @Name("dev.caisson.scope.Release")
    @Label("Resource Released")
    @Category({"Caisson", "Scope"})
    @StackTrace(false)
    static final class Release extends Event {
        @Label("Kind")
        String kind = "";

        @Label("Name")
        String name = "";

        @Label("Owner Path")
        String path = "";

        @Label("Id")
        long id;

        @Label("Age")
        @Timespan(Timespan.NANOSECONDS)
        long age;

        @Label("How")
        String how = "";
    }

    static void acquired(Node node, Core owner) {
        try {
            Acquire event = new Acquire();
            if (event.isEnabled()) {
                event.kind = node.kind().name();
                event.name = node.name();
                event.path = owner.path();
                synchronized (owner) {
                    node.identify();
                }
                event.id = node.id;
                event.commit();
            }
        } catch (Throwable failure) {
            untold(owner, failure);
        }
    }

    static void released(Node node, Core owner, String how) {
        try {
            Release event = new Release();
            if (event.isEnabled()) {
                event.kind = node.kind().name();
                event.name = node.name();
                event.path = owner.path();
                event.id = node.id;
                event.age = owner.clock.nanoTime() - node.createdNanos;
                event.how = how;
                event.commit();
            }
        } catch (Throwable failure) {
            untold(owner, failure);
        }
    }

    /** An event that cannot be told must not keep the thing that it is about from being owned or ended. */
    private static void untold(Core owner, Throwable failure) {
        owner.registry.log(System.Logger.Level.WARNING, "an event for the flight recorder was lost", failure);
    }
}
