package dev.caisson.store;

import java.nio.file.Path;

/** A store in a process of its own, to be killed: prints its port, and runs until then. */
final class CrashChild {
    private CrashChild() {}

    public static void main(String[] args) throws Exception {
        Store store = Store.open(StoreOptions.defaults()
                .folder(Path.of(args[0]))
                .durability(Durability.valueOf(args[1]))
                .snapshotAfterBytes(Long.parseLong(args[2]))
                .loops(2)
                .port(0));
        System.out.println("port " + store.port());
        Thread.currentThread().join();
    }
}
