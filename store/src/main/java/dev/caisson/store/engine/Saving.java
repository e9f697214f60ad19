package dev.caisson.store.engine;

import dev.caisson.store.resp.RespWriter;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * One shard's part of a snapshot: a walk over its table that writes every entry as it was at the cut, each once. An entry
 * that is about to be touched before the walk has come by is written first. Belongs to the owner of the shard.
 *
 * <pre>
 *   cut ──► WALKING ──the table is through──► WALKED ──all blocks are taken──► DONE
 *              '── given up: entries are still marked, none is written ──►'
 * </pre>
 */
public final class Saving {
    /** Takes blocks: whole commands in RESP. */
    public interface Blocks {
        /** Takes a block, and its array for good; false if it is full, then it says so when it is not any more. */
        boolean offer(byte[] bytes, int length, int entries);

        /** The snapshot cannot be finished. */
        void giveUp(String why);
    }

    private static final int BLOCK_BYTES = 64 << 10;
    /** What may wait for the disk in memory; beyond it the snapshot is given up. */
    private static final long WAITING_BYTES_MAX = 64L << 20;

    private record Block(byte[] bytes, int entries) {}

    private final Shard shard;
    private final Blocks blocks;
    private final RespWriter out = new RespWriter();
    private final ArrayDeque<Block> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private int entries;
    private long cursor;
    private boolean walked;
    private boolean givenUp;

    Saving(Shard shard, Blocks blocks) {
        this.shard = shard;
        this.blocks = blocks;
        for (Leases.Lease lease : shard.leases.all()) {
            EntryCommands.grant(out, lease);
            flushIfFull();
        }
        flush(); // before any entry that hangs on one of them, whichever shard has it
    }

    /** Writes an entry as it is now; the shard has seen that it was not written yet. */
    void save(Object item) {
        if (givenUp) {
            return;
        }
        byte[] key = Keyspace.key(item);
        EntryCommands.write(out, item, Shard.isLeased(item) ? shard.leases.of(new Key(key)) : null);
        entries++;
        flushIfFull();
    }

    private void flushIfFull() {
        if (out.length() >= BLOCK_BYTES) {
            flush();
        }
    }

    private void flush() {
        if (out.length() == 0) {
            return;
        }
        waiting.add(new Block(Arrays.copyOf(out.array(), out.length()), entries));
        waitingBytes += out.length();
        out.reset();
        entries = 0;
        handOver();
        if (waitingBytes > WAITING_BYTES_MAX) {
            giveUp("more than " + WAITING_BYTES_MAX + " bytes of shard " + shard.index + " wait for the disk");
        }
    }

    private boolean handOver() {
        for (Block block; (block = waiting.peek()) != null; ) {
            if (!blocks.offer(block.bytes(), block.bytes().length, block.entries())) {
                return false;
            }
            waiting.remove();
            waitingBytes -= block.bytes().length;
        }
        return true;
    }

    /** The shard cannot tell any more what it held at the cut. */
    void giveUp(String why) {
        if (!givenUp) {
            givenUp = true;
            waiting.clear();
            waitingBytes = 0;
            blocks.giveUp(why);
        }
    }

    /** What a step came to. */
    public enum Progress {
        /** Call again soon. */
        GOES_ON,
        /** Call again when blocks are taken. */
        IS_FULL,
        /** Nothing is left; the shard has forgotten it. */
        DONE
    }

    /** Walks over some buckets. */
    public Progress step(int buckets) {
        if (!handOver()) {
            return Progress.IS_FULL;
        }
        for (int i = 0; i < buckets && !walked; i++) {
            cursor = shard.keys.scan(cursor, shard::saveOnce);
            walked = cursor == 0;
        }
        if (!walked) {
            return Progress.GOES_ON;
        }
        flush();
        if (!waiting.isEmpty()) {
            return Progress.IS_FULL;
        }
        shard.saved(this);
        return Progress.DONE;
    }
}
