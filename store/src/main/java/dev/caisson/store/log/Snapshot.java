package dev.caisson.store.log;

import java.io.IOException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot that is being written: event loops {@link #offer} blocks, a task of the log's scope writes them.
 *
 * <pre>
 *   taking --complete--> forcing --> written: old segments and snapshots are deleted
 *      '-----abandon, a failure, the log closes----> failed: the unfinished file is deleted, nothing else is
 * </pre>
 *
 * Thread-safe; no method here blocks.
 */
public final class Snapshot {
    private static final System.Logger LOG = System.getLogger("dev.caisson.store");

    /** Blocks that may wait to be written. */
    private static final int WAITING_BLOCKS_MAX = 32;

    private static final Block END = new Block(new byte[0], 0, 0);

    private record Block(byte[] bytes, int length, int entries) {}

    /**
     * A snapshot that was written.
     *
     * @param index the records up to it are in
     * @param entries how many entries it has
     * @param bytes how many bytes of payload
     */
    public record Written(long index, long entries, long bytes) {}

    private final long index;
    /** Bounded by {@code taken}. */
    private final LinkedBlockingQueue<Block> waiting = new LinkedBlockingQueue<>();

    private final AtomicInteger taken = new AtomicInteger();
    /** One for each event loop that was refused. */
    private final ConcurrentLinkedQueue<Runnable> rooms = new ConcurrentLinkedQueue<>();

    private final CompletableFuture<Written> result = new CompletableFuture<>();
    private volatile @Nullable String abandoned;
    private volatile boolean over;
    private @Nullable Written written;
    private @Nullable Exception failure;

    Snapshot(long index) {
        this.index = index;
    }

    /** The records up to this index are in it. */
    public long index() {
        return index;
    }

    /**
     * Hands over a block: whole commands in RESP that stand for so many entries. The array then belongs to the snapshot.
     *
     * @return false if too many blocks wait; try again when {@code room} is run, on the writing thread
     */
    public boolean offer(byte[] bytes, int length, int entries, Runnable room) {
        Block block = new Block(bytes, length, entries);
        if (take(block)) {
            return true;
        }
        rooms.add(room);
        if (take(block)) {
            rooms.remove(room); // too late perhaps: then it runs without need
            return true;
        }
        return false;
    }

    private boolean take(Block block) {
        if (over) {
            return true; // nobody wants it any more
        }
        if (taken.incrementAndGet() > WAITING_BLOCKS_MAX) {
            taken.decrementAndGet();
            return false;
        }
        waiting.add(block);
        return true;
    }

    /** Says that all blocks were handed over. */
    public void complete() {
        waiting.add(END);
    }

    /** Gives up. */
    public void abandon(String why) {
        abandoned = why;
        waiting.clear();
        waiting.add(END);
    }

    /** Completes, on the writing thread, when the snapshot is written and older files are gone, or with the reason why not. */
    public CompletableFuture<Written> result() {
        return result.copy();
    }

    void write(LogFiles files, long salt, Log log) {
        try (SnapshotFile.Writing file = SnapshotFile.Writing.begin(files, index, salt)) {
            for (Block block = waiting.take(); block != END; block = waiting.take()) {
                taken.decrementAndGet();
                room();
                file.block(block.bytes(), block.length(), block.entries());
            }
            String why = abandoned;
            if (why != null) {
                throw new IOException("the snapshot was given up: " + why);
            }
            awaitDurable(log);
            file.finish();
            written = new Written(index, file.entries(), file.payloadBytes());
            tidy(files, log);
        } catch (IOException | InterruptedException | RuntimeException broken) {
            failure = broken;
            LOG.log(System.Logger.Level.WARNING, "the snapshot at record " + index + " was not written", broken);
        } finally {
            over = true;
            waiting.clear();
            room();
        }
    }

    private void tidy(LogFiles files, Log log) {
        try {
            deleteOlder(files, index, log.cutIsDone(index));
        } catch (IOException kept) {
            LOG.log(System.Logger.Level.WARNING, "files older than the snapshot at record " + index + " stay", kept);
        }
    }

    private void room() {
        for (Runnable code = rooms.poll(); code != null; code = rooms.poll()) {
            code.run();
        }
    }

    /** A snapshot must not be ahead of the log: what follows it would hang in the air. */
    private void awaitDurable(Log log) throws InterruptedException {
        Semaphore changed = new Semaphore(0);
        try (Waker waker = log.onChange(changed::release)) {
            for (waker.arm(); log.durableIndex() < index; waker.arm()) {
                changed.acquire();
            }
        }
    }

    /** Deletes what a snapshot stands for, once it is there for good. */
    static void deleteOlder(LogFiles files, long index, boolean cutIsDone) throws IOException {
        for (String name : SnapshotFile.among(files.list()).headMap(index).values()) {
            files.delete(name);
        }
        NavigableMap<Long, String> segments = Segment.among(files.list());
        for (Map.Entry<Long, String> one : segments.headMap(index, true).entrySet()) {
            Long next = segments.higherKey(one.getKey());
            if (next == null ? cutIsDone : next <= index + 1) {
                files.delete(one.getValue());
            }
        }
        files.forceFolder();
    }

    void tell() {
        Written done = written;
        if (done != null) {
            result.complete(done);
        } else {
            Exception why = failure;
            result.completeExceptionally(why == null ? new IOException("the snapshot was not written") : why);
        }
    }
}
