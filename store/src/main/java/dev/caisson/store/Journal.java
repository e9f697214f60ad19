package dev.caisson.store;

import dev.caisson.scope.Scope;
import dev.caisson.store.engine.Replay;
import dev.caisson.store.engine.Shard;
import dev.caisson.store.log.Batch;
import dev.caisson.store.log.Fate;
import dev.caisson.store.log.Log;
import dev.caisson.store.log.LogFailure;
import dev.caisson.store.log.LogFiles;
import dev.caisson.store.log.LogOptions;
import dev.caisson.store.log.LogRecord;
import dev.caisson.store.log.RecoverySink;
import dev.caisson.store.log.Waker;
import dev.caisson.store.resp.RespWriter;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The log of a store, as its loops use it: each appends what its commands changed, in one record for each burst, and holds
 * replies until the records that they depend on are safe.
 *
 * <p>Methods that take a loop are for that loop's thread; the others for any.
 */
final class Journal {
    private final Log log;
    private final Desk[] desks;

    /** What one loop needs. Its own thread only. */
    private static final class Desk {
        final Batch batch = new Batch();
        final Set<Conversation> waiting = new LinkedHashSet<>();
        final RandomGenerator seeds = RandomGenerator.getDefault();
        final Waker waker;

        Desk(Waker waker) {
            this.waker = waker;
        }
    }

    private Journal(Log log, Loop[] loops) {
        this.log = log;
        this.desks = new Desk[loops.length];
        for (int i = 0; i < loops.length; i++) {
            Loop loop = loops[i];
            desks[i] = new Desk(log.onChange(() -> loop.execute(() -> release(loop))));
        }
    }

    /**
     * Locks the folder, and reads what it holds into the shards; before any loop uses them.
     *
     * @param scope ends the log when it closes; that is after the loops have ended
     */
    static Journal open(Scope scope, LogFiles files, Store store, Replay replay) throws IOException {
        Loop[] loops = store.loops();
        LogOptions options =
                LogOptions.defaults().sync(store.options().durability().sync()).budget(store.budget()::buffers);
        Log log = Log.open(scope, files, options, new RecoverySink() {
            @Override
            public void block(byte[] bytes, int offset, int length) {
                replay.apply(0, bytes, offset, length);
            }

            @Override
            public void apply(LogRecord logged) {
                replay.apply(logged.millis(), logged.bytes(), logged.offset(), logged.length());
            }
        });
        for (Loop loop : loops) {
            Shard shard = loop.shard;
            shard.leases().restart(store.monotonic());
            shard.publish();
            loop.call.logging(true);
        }
        return new Journal(log, loops);
    }

    Log log() {
        return log;
    }

    /** Why nothing may be written now, as an error reply without its sign; null if it may. */
    @Nullable
    String refusal() {
        String why = log.refusal();
        return why == null ? null : "MISCONF Errors writing to the log: " + why;
    }

    /** The error reply, without its sign, to a command whose outcome is unknown. */
    String doubt() {
        LogFailure failure = log.failure();
        return "MISCONF Errors writing to the log, so that it is unknown whether this command's changes survive a restart: "
                + (failure == null ? "the log was closed" : failure.reason());
    }

    /** Appends what the loop's commands changed, if they did. */
    void commit(Loop loop) {
        RespWriter effects = loop.call.effects();
        if (effects.length() == 0) {
            return;
        }
        Desk desk = desks[loop.index];
        desk.batch.begin(loop.call.now(), desk.seeds.nextLong());
        desk.batch.put(effects.array(), 0, effects.length());
        desk.batch.end();
        loop.call.clearEffects();
        log.append(desk.batch);
    }

    long lastIndex() {
        return log.lastIndex();
    }

    Fate fate(long index) {
        return log.fate(index);
    }

    /** Has a conversation of the loop told when more is safe. */
    void waits(Conversation conversation) {
        Desk desk = desks[conversation.loop.index];
        if (desk.waiting.add(conversation) && desk.waiting.size() == 1) {
            desk.waker.arm();
            Loop loop = conversation.loop;
            loop.execute(() -> release(loop)); // it may have happened before the waker was armed
        }
    }

    private void release(Loop loop) {
        Desk desk = desks[loop.index];
        desk.waker.arm();
        for (Conversation each : desk.waiting.toArray(Conversation[]::new)) {
            if (each.released()) {
                desk.waiting.remove(each);
            }
        }
        if (desk.waiting.isEmpty()) {
            desk.waker.disarm();
        }
    }
}
