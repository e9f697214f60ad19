package dev.caisson.store.data;

/**
 * A stream: entries of fields and values, ordered by ids of two unsigned longs that only grow. Arguments are copied; what
 * visitors get is good during the call only. Not thread-safe.
 */
public final class StreamValue implements Value {
    /* Implementation note. Blocks of entries in a ring that is cut at the front (trimming) and grows at the back; a block is
     * found by halving. A block that loses its last entry goes. Ids within a block are at or after its base. */

    private static final int OWN_BYTES = HeapSizes.object(2 * HeapSizes.REFERENCE + 3 * 4 + 6 * 8);
    private static final int FIRST_CAPACITY = 4;

    private final ValueSettings settings;
    private StreamBlock[] blocks = new StreamBlock[FIRST_CAPACITY];
    private int firstBlock;
    private int blockCount;
    private int size;
    private long blockBytes;
    private long lastMs;
    private long lastSeq;
    private long maxDeletedMs;
    private long maxDeletedSeq;
    private long entriesAdded;

    /** An empty stream whose last id is 0-0. */
    public StreamValue(ValueSettings settings) {
        this.settings = settings;
    }

    /** Compares two ids. */
    public static int compare(long ms1, long seq1, long ms2, long seq2) {
        int order = Long.compareUnsigned(ms1, ms2);
        return order != 0 ? order : Long.compareUnsigned(seq1, seq2);
    }

    /** The number of entries. */
    @Override
    public int size() {
        return size;
    }

    /** Heap bytes of everything in here. O(1). */
    @Override
    public long memory() {
        return OWN_BYTES + HeapSizes.words(blocks.length) + blockBytes;
    }

    @Override
    public String type() {
        return "stream";
    }

    /** Redis's name of the form. */
    @Override
    public String encoding() {
        return "stream";
    }

    /** The number of blocks. */
    public int blocks() {
        return blockCount;
    }

    /** The first half of the last id given, also if its entry is gone. */
    public long lastMs() {
        return lastMs;
    }

    /** The second half of the last id given. */
    public long lastSeq() {
        return lastSeq;
    }

    /** The first half of the greatest id that was deleted by itself (not trimmed). */
    public long maxDeletedMs() {
        return maxDeletedMs;
    }

    /** The second half of the greatest id that was deleted. */
    public long maxDeletedSeq() {
        return maxDeletedSeq;
    }

    /** How many entries were ever added. */
    public long entriesAdded() {
        return entriesAdded;
    }

    /** Sets the last id, which must not be less than any entry's. */
    public void lastId(long ms, long seq) {
        lastMs = ms;
        lastSeq = seq;
    }

    /** Sets the greatest deleted id. */
    public void maxDeletedId(long ms, long seq) {
        maxDeletedMs = ms;
        maxDeletedSeq = seq;
    }

    /** Sets the number of entries ever added. */
    public void entriesAdded(long count) {
        entriesAdded = count;
    }

    /**
     * Adds an entry at the end.
     *
     * @param parts field, value, field, value ...
     * @throws IllegalArgumentException if the id is not greater than the last one
     */
    public void append(long ms, long seq, int fields, Parts parts) {
        if (compare(ms, seq, lastMs, lastSeq) <= 0) {
            throw new IllegalArgumentException("id " + Long.toUnsignedString(ms) + "-" + Long.toUnsignedString(seq)
                    + " is not after " + Long.toUnsignedString(lastMs) + "-" + Long.toUnsignedString(lastSeq));
        }
        StreamBlock block = blockCount == 0 ? null : block(blockCount - 1);
        if (block == null
                || block.appended >= settings.streamMaxBlockEntries()
                || block.entries.end() + block.sizeOf(ms, seq, fields, parts) >= settings.streamMaxBlockBytes()) {
            if (block != null) {
                blockBytes -= block.memory();
                block.entries.trim();
                blockBytes += block.memory();
            }
            block = new StreamBlock(ms, seq, fields, parts);
            push(block);
            blockBytes += block.memory();
        }
        blockBytes -= block.memory();
        block.append(ms, seq, fields, parts);
        blockBytes += block.memory();
        size++;
        entriesAdded++;
        lastMs = ms;
        lastSeq = seq;
    }

    /** Removes one entry; returns whether it was there. The greatest deleted id follows. */
    public boolean delete(long ms, long seq) {
        int index = blockOf(ms, seq);
        if (index < 0) {
            return false;
        }
        StreamBlock block = block(index);
        StreamEntry entry = new StreamEntry();
        for (int at = 0; at < block.entries.end(); at = block.entries.next(at)) {
            entry.set(block, block.entries.bytes(), block.entries.start(at));
            int order = compare(entry.ms(), entry.seq(), ms, seq);
            if (order == 0) {
                removeFrom(index, at, block.entries.next(at), 1);
                if (compare(ms, seq, maxDeletedMs, maxDeletedSeq) > 0) {
                    maxDeletedId(ms, seq);
                }
                return true;
            }
            if (order > 0) {
                return false;
            }
        }
        return false;
    }

    /**
     * Removes entries from the front until at most {@code most} are left.
     *
     * @param wholeBlocks removes blocks as a whole only, so that somewhat more may be left
     * @param limit removes no block that would make it more than this many; 0 for no limit
     * @return how many
     */
    public long trimToSize(long most, boolean wholeBlocks, long limit) {
        long removed = 0;
        while (size > most) {
            int count = block(0).entries.count();
            if (limit != 0 && removed + count > limit) {
                break;
            }
            if (size - count >= most) {
                removeBlock(0);
            } else if (wholeBlocks) {
                break;
            } else {
                count = (int) (size - most);
                removeFrom(0, 0, block(0).entries.index(count), count);
            }
            removed += count;
        }
        return removed;
    }

    /** Removes the entries before an id; as {@link #trimToSize} otherwise. */
    public long trimBefore(long ms, long seq, boolean wholeBlocks, long limit) {
        long removed = 0;
        StreamEntry entry = new StreamEntry();
        while (size > 0) {
            StreamBlock block = block(0);
            Packed entries = block.entries;
            int count = entries.count();
            if (limit != 0 && removed + count > limit) {
                break;
            }
            entry.set(block, entries.bytes(), entries.start(entries.previous(entries.end())));
            if (compare(entry.ms(), entry.seq(), ms, seq) < 0) {
                removeBlock(0);
                removed += count;
                continue;
            }
            if (wholeBlocks) {
                break;
            }
            int before = 0;
            int at = 0;
            for (; at < entries.end(); at = entries.next(at)) {
                entry.set(block, entries.bytes(), entries.start(at));
                if (compare(entry.ms(), entry.seq(), ms, seq) >= 0) {
                    break;
                }
                before++;
            }
            if (before > 0) {
                removeFrom(0, 0, at, before);
            }
            return removed + before;
        }
        return removed;
    }

    /**
     * Visits the entries from one id to another, both inclusive, until the visitor returns false.
     *
     * @param backward greatest id first
     */
    public void range(long fromMs, long fromSeq, long toMs, long toSeq, boolean backward, Visitor visitor) {
        if (size == 0 || compare(fromMs, fromSeq, toMs, toSeq) > 0) {
            return;
        }
        int step = backward ? -1 : 1;
        int index = backward ? blockOf(toMs, toSeq) : Math.max(0, blockOf(fromMs, fromSeq));
        StreamEntry entry = new StreamEntry();
        for (; index >= 0 && index < blockCount; index += step) {
            StreamBlock block = block(index);
            Packed entries = block.entries;
            int at = backward ? entries.end() : 0;
            while (backward ? at > 0 : at < entries.end()) {
                at = backward ? entries.previous(at) : at;
                entry.set(block, entries.bytes(), entries.start(at));
                at = backward ? at : entries.next(at);
                boolean early = compare(entry.ms(), entry.seq(), fromMs, fromSeq) < 0;
                boolean late = compare(entry.ms(), entry.seq(), toMs, toSeq) > 0;
                if (backward ? early : late) {
                    return;
                }
                if (!early && !late && !visitor.visit(entry)) {
                    return;
                }
            }
        }
    }

    /** A stream of its own with the same entries and state. O(size). */
    @Override
    public StreamValue copy() {
        StreamValue copy = new StreamValue(settings);
        Slice field = new Slice();
        Slice value = new Slice();
        range(0, 0, -1, -1, false, entry -> {
            byte[][] parts = new byte[2 * entry.fields()][];
            for (int i = 0; entry.next(field, value); i += 2) {
                parts[i] = field.copy();
                parts[i + 1] = value.copy();
            }
            copy.append(entry.ms(), entry.seq(), entry.fields(), Parts.of(parts));
            return true;
        });
        copy.lastId(lastMs, lastSeq);
        copy.maxDeletedId(maxDeletedMs, maxDeletedSeq);
        copy.entriesAdded(entriesAdded);
        return copy;
    }

    /** The same for the same entries and state, in any process. O(size). */
    @Override
    public long digest() {
        long[] digest = {mixed(mixed(mixed(lastMs, lastSeq), mixed(maxDeletedMs, maxDeletedSeq)), entriesAdded)};
        Slice field = new Slice();
        Slice value = new Slice();
        range(0, 0, -1, -1, false, entry -> {
            digest[0] = mixed(digest[0], mixed(entry.ms(), entry.seq()));
            while (entry.next(field, value)) {
                digest[0] = mixed(digest[0], Hashing.digest(field.bytes(), field.offset(), field.length()));
                digest[0] = mixed(digest[0], Hashing.digest(value.bytes(), value.offset(), value.length()));
            }
            return true;
        });
        return digest[0];
    }

    private static long mixed(long a, long b) {
        return Hashing.mix(Hashing.mix(a) + b + 1);
    }

    private StreamBlock block(int index) {
        return blocks[(firstBlock + index) & (blocks.length - 1)];
    }

    /** The last block whose base is at or before an id; -1 if it is before all. */
    private int blockOf(long ms, long seq) {
        int low = 0;
        int high = blockCount - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            StreamBlock block = block(middle);
            if (compare(block.baseMs, block.baseSeq, ms, seq) <= 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    private void push(StreamBlock block) {
        if (blockCount == blocks.length) {
            resize(blockCount * 2);
        }
        blocks[(firstBlock + blockCount) & (blocks.length - 1)] = block;
        blockCount++;
    }

    private void resize(int capacity) {
        StreamBlock[] to = new StreamBlock[capacity];
        for (int i = 0; i < blockCount; i++) {
            to[i] = block(i);
        }
        blocks = to;
        firstBlock = 0;
    }

    private void removeFrom(int index, int from, int to, int entries) {
        StreamBlock block = block(index);
        if (entries == block.entries.count()) {
            removeBlock(index);
            return;
        }
        blockBytes -= block.memory();
        block.entries.removeRange(from, to, entries);
        blockBytes += block.memory();
        size -= entries;
    }

    private void removeBlock(int index) {
        StreamBlock block = block(index);
        size -= block.entries.count();
        blockBytes -= block.memory();
        if (index == 0) {
            blocks[firstBlock] = null;
            firstBlock = (firstBlock + 1) & (blocks.length - 1);
        } else {
            int mask = blocks.length - 1;
            for (int i = index; i < blockCount - 1; i++) {
                blocks[(firstBlock + i) & mask] = blocks[(firstBlock + i + 1) & mask];
            }
            blocks[(firstBlock + blockCount - 1) & mask] = null;
        }
        blockCount--;
        if (blocks.length > FIRST_CAPACITY && blockCount < blocks.length / 4) {
            resize(blocks.length / 2);
        }
    }

    /** The fields and values of an entry to be added: field, value, field, value ... */
    public interface Parts {
        /** The array in which a part stands. */
        byte[] bytes(int i);

        /** Where a part begins. */
        int offset(int i);

        /** How long it is. */
        int length(int i);

        /** Parts that are whole arrays. */
        static Parts of(byte[]... parts) {
            return new Parts() {
                @Override
                public byte[] bytes(int i) {
                    return parts[i];
                }

                @Override
                public int offset(int i) {
                    return 0;
                }

                @Override
                public int length(int i) {
                    return parts[i].length;
                }
            };
        }
    }

    /** Takes entries one by one. */
    @FunctionalInterface
    public interface Visitor {
        /** One entry; whether to go on. */
        boolean visit(StreamEntry entry);
    }
}
