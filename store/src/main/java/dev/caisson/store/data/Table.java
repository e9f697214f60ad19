package dev.caisson.store.data;

import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A hash table of items that are looked up by a slice of bytes, made for one thread and for a million keys without a
 * pause:
 *
 * <ul>
 *   <li>no operation moves more than {@value #STEP_SLOTS} slots or allocates more than one segment of
 *       {@value #SEGMENT_SLOTS} slots and, when a resize begins, the two directories of segments;
 *   <li>it shrinks as it grew;
 *   <li>{@link #scan} returns at least once whatever is present from the first call to the last, whatever happens in
 *       between;
 *   <li>the hash is kept beside the item, so a miss reads no item and a resize computes no hash.
 * </ul>
 *
 * <p>An item's slice and hash never change while it is in the table. Visitors must not change the table.
 *
 * @param <E> items, one per slice
 */
public abstract class Table<E> {
    /* Implementation note.
     *
     * Open addressing, linear probing, at most 3/4 full. An item stands in the first free slot at or after its home,
     * hash & mask. Removal shifts the followers back, so the live slots hold no tombstones. A stored hash of 0 marks a free
     * slot; a real 0 is stored as ZERO.
     *
     *      live only --(3/4 full, or less than 1/8)--> live + draining --(all slots moved)--> live only
     *
     * A resize makes new live slots; the former ones drain from slot 0 upwards, some at each insert, removal and
     * rehashFor. Inserts go to the live slots only. A slot of the draining ones whose item moved or was removed keeps its
     * hash and loses its item: probing passes over it, and a slot that was free stays the end of its cluster.
     *
     * The live slots never fill while others drain. Growing from c slots to 2c at 3c/4 items: each step moves at least
     * STEP_ITEMS = 8 slots, so draining ends within c/8 inserts, at 7c/8 items of 2c slots. Shrinking from c to c/4 slots
     * at c/8 items: a step ends after 8 items or 64 slots, so there are at most c/64 + c/64 steps, at 5c/32 items of c/4
     * slots.
     *
     * scan: an item belongs to the bucket that is its home, wherever it stands. Cursors count buckets with the bits
     * reversed, highest bit of the mask first, so a cursor of one size means the same set of hashes in any other size
     * (the method of Redis's dictScan). */

    /** A resize moves at most this many items at each operation. */
    static final int STEP_ITEMS = 8;

    /** A resize looks at most at this many slots at each operation. */
    static final int STEP_SLOTS = 64;

    private static final int SEGMENT_BITS = 14;

    /** Slots of a segment: the unit of allocation. */
    static final int SEGMENT_SLOTS = 1 << SEGMENT_BITS;

    private static final int SEGMENT_MASK = SEGMENT_SLOTS - 1;
    private static final int MIN_CAPACITY = 16;
    private static final int MAX_CAPACITY = 1 << 30;
    private static final int ZERO = 0x9e3779b9;
    private static final long DRAINING = 1L << 32;
    private static final int RANDOM_TRIES = 64;
    private static final int OWN_BYTES = HeapSizes.object(2 * HeapSizes.REFERENCE + 4);

    private Slots live;
    private @Nullable Slots draining;
    private int drained; // slots of draining that hold nothing any more: [0, drained)

    /** An empty table. */
    protected Table() {
        this(0);
    }

    /** An empty table with room for {@code expected} items before it first grows. */
    protected Table(int expected) {
        live = new Slots(capacityFor(expected));
    }

    /** Whether the slice is the one by which {@code item} is looked up. */
    protected abstract boolean matches(E item, byte[] bytes, int offset, int length);

    /** The hash of the slice by which {@code item} is looked up; only {@link #verify} calls this. */
    protected abstract int hash(E item);

    /** The number of items. */
    public final int size() {
        return draining == null ? live.used : live.used + draining.used;
    }

    /** The number of buckets that a full {@link #scan} visits now. */
    public final long buckets() {
        return draining == null ? live.mask + 1L : Math.max(live.mask, draining.mask) + 1L;
    }

    /** Bytes of the table itself, without its items. O(1). */
    public final long memory() {
        return OWN_BYTES + live.bytes + (draining == null ? 0 : draining.bytes);
    }

    /** The item of a slice, or null. */
    public final @Nullable E find(byte[] bytes, int offset, int length, int hash) {
        int stored = stored(hash);
        int slot = slot(live, bytes, offset, length, stored);
        if (slot >= 0) {
            return item(live, slot);
        }
        Slots other = draining;
        if (other == null) {
            return null;
        }
        slot = slot(other, bytes, offset, length, stored);
        return slot < 0 ? null : item(other, slot);
    }

    /** Where the item of a slice stands, or -1. A position is good until the next insert, removal or rehash. */
    public final long locate(byte[] bytes, int offset, int length, int hash) {
        int stored = stored(hash);
        int slot = slot(live, bytes, offset, length, stored);
        if (slot >= 0 || draining == null) {
            return slot;
        }
        slot = slot(draining, bytes, offset, length, stored);
        return slot < 0 ? -1 : slot | DRAINING;
    }

    /** The item at a position that {@link #locate} gave. */
    public final E at(long position) {
        return item(slots(position), (int) position);
    }

    /** Puts an item of the same slice in the place of the one at {@code position}, which it returns. */
    public final E replaceAt(long position, E item) {
        Slots slots = slots(position);
        int slot = (int) position;
        E former = item(slots, slot);
        slots.items[slot >>> SEGMENT_BITS][slot & SEGMENT_MASK] = item;
        return former;
    }

    /** Adds an item whose slice has none yet. */
    public final void insert(E item, int hash) {
        step();
        if (draining == null && (live.used + 1) * 4L > (live.mask + 1L) * 3) {
            grow();
        }
        live.put(item, stored(hash));
    }

    /** Removes and returns the item at {@code position}. */
    public final E removeAt(long position) {
        Slots slots = slots(position);
        int slot = (int) position;
        E former = item(slots, slot);
        if (slots == live) {
            live.remove(slot);
        } else {
            slots.vacate(slot);
        }
        step();
        if (draining == null) {
            shrink();
        }
        return former;
    }

    /** Removes everything; all cursors then stay valid, as after any other removal. */
    public final void clear() {
        live = new Slots(MIN_CAPACITY);
        draining = null;
        drained = 0;
    }

    /** Whether a resize is under way. */
    public final boolean isRehashing() {
        return draining != null;
    }

    /**
     * Goes on with a resize for at most {@code steps} steps of {@value #STEP_SLOTS} slots.
     *
     * @return whether there is more to do
     */
    public final boolean rehashFor(int steps) {
        for (int i = 0; i < steps && draining != null; i++) {
            step();
            if (draining == null) {
                shrink();
            }
        }
        return draining != null;
    }

    /** Visits each item once. */
    @SuppressWarnings("unchecked") // only insert and replaceAt store items
    public final void forEach(Consumer<? super E> visitor) {
        for (Slots slots = live; slots != null; slots = slots == live ? draining : null) {
            for (@Nullable Object[] segment : slots.items) {
                if (segment != null) {
                    for (Object item : segment) {
                        if (item != null) {
                            visitor.accept((E) item);
                        }
                    }
                }
            }
        }
    }

    /**
     * Visits the items of one bucket (and, while a resize is under way, of all buckets that it stands for). A walk begins
     * with cursor 0 and is over when 0 is returned. Each item that is present during the whole walk is visited at least
     * once, any other maybe; an item may be visited more than once.
     *
     * @return the next cursor
     */
    public final long scan(long cursor, Consumer<? super E> visitor) {
        Slots other = draining;
        if (other == null) {
            visitBucket(live, (int) cursor & live.mask, visitor);
            return next(cursor, live.mask);
        }
        Slots small = live.mask < other.mask ? live : other;
        Slots large = small == live ? other : live;
        visitBucket(small, (int) cursor & small.mask, visitor);
        long at = cursor;
        do {
            visitBucket(large, (int) at & large.mask, visitor);
            at = next(at, large.mask);
        } while ((at & (small.mask ^ large.mask)) != 0);
        return at;
    }

    /**
     * An item chosen by {@code random}, or null if there is none. Every item is as likely as any other as long as one slot
     * in some {@value #RANDOM_TRIES} is taken; in the emptier table that a mass removal leaves until it has shrunk, items
     * after long gaps are likelier.
     */
    public final @Nullable E random(RandomGenerator random) {
        if (size() == 0) {
            return null;
        }
        long slots = live.mask + 1L + (draining == null ? 0 : draining.mask + 1L - drained);
        for (int i = 0; i < RANDOM_TRIES; i++) {
            E item = itemOf(random.nextLong(slots));
            if (item != null) {
                return item;
            }
        }
        for (long i = random.nextLong(slots); ; i = i + 1 == slots ? 0 : i + 1) {
            E item = itemOf(i);
            if (item != null) {
                return item;
            }
        }
    }

    /** The item of the n-th slot of the live slots and the rest of the draining ones together. */
    private @Nullable E itemOf(long n) {
        if (n <= live.mask) {
            return itemOrNull(live, (int) n);
        }
        return draining == null ? null : itemOrNull(draining, (int) (n - live.mask - 1) + drained);
    }

    private Slots slots(long position) {
        if ((position & DRAINING) == 0) {
            return live;
        }
        if (draining == null) {
            throw new IllegalStateException("position " + position + " is from before the last change of the table");
        }
        return draining;
    }

    private int slot(Slots slots, byte[] bytes, int offset, int length, int stored) {
        int mask = slots.mask;
        int[][] hashes = slots.hashes;
        for (int i = stored & mask; ; i = (i + 1) & mask) {
            int[] segment = hashes[i >>> SEGMENT_BITS];
            if (segment == null) {
                return -1;
            }
            int found = segment[i & SEGMENT_MASK];
            if (found == 0) {
                return -1;
            }
            if (found == stored) {
                E item = itemOrNull(slots, i);
                if (item != null && matches(item, bytes, offset, length)) {
                    return i;
                }
            }
        }
    }

    private E item(Slots slots, int slot) {
        E item = itemOrNull(slots, slot);
        if (item == null) {
            throw new IllegalStateException("slot " + slot + " is empty: a position from before the table changed?");
        }
        return item;
    }

    @SuppressWarnings("unchecked") // only insert and replaceAt store items
    private @Nullable E itemOrNull(Slots slots, int slot) {
        @Nullable Object[] segment = slots.items[slot >>> SEGMENT_BITS];
        return segment == null ? null : (E) segment[slot & SEGMENT_MASK];
    }

    private void visitBucket(Slots slots, int bucket, Consumer<? super E> visitor) {
        int mask = slots.mask;
        for (int i = bucket; ; i = (i + 1) & mask) {
            int found = slots.hash(i);
            if (found == 0) {
                return;
            }
            if ((found & mask) == bucket) {
                E item = itemOrNull(slots, i);
                if (item != null) {
                    visitor.accept(item);
                }
            }
        }
    }

    private static long next(long cursor, int mask) {
        return Long.reverse(Long.reverse(cursor | ~(long) mask) + 1);
    }

    private void grow() {
        if (live.mask + 1 == MAX_CAPACITY) {
            throw new IllegalStateException("a table holds at most " + MAX_CAPACITY / 4L * 3 + " items");
        }
        resize((live.mask + 1) * 2);
    }

    private void shrink() {
        int capacity = live.mask + 1;
        if (capacity > MIN_CAPACITY && live.used < capacity / 8) {
            resize(Math.max(MIN_CAPACITY, capacity / 4));
        }
    }

    private void resize(int capacity) {
        draining = live;
        drained = 0;
        live = new Slots(capacity);
    }

    /** Moves a few items out of the draining slots, if there are any. */
    private void step() {
        Slots from = draining;
        if (from == null) {
            return;
        }
        int end = (int) Math.min(from.mask + 1L, drained + (long) STEP_SLOTS);
        int slot = drained;
        for (int moved = 0; slot < end && moved < STEP_ITEMS; slot++) {
            E item = itemOrNull(from, slot);
            if (item != null) {
                live.put(item, from.hash(slot));
                from.vacate(slot);
                moved++;
            }
        }
        drained = slot;
        if (drained > from.mask) {
            draining = null;
            drained = 0;
        }
    }

    private static int stored(int hash) {
        return hash == 0 ? ZERO : hash;
    }

    private static int capacityFor(int expected) {
        long slots = expected + expected / 3L + 1;
        if (slots > MAX_CAPACITY) {
            throw new IllegalArgumentException("a table of " + expected + " items is too large");
        }
        return slots <= MIN_CAPACITY ? MIN_CAPACITY : Integer.highestOneBit((int) slots - 1) << 1;
    }

    /** Slots that are still to be drained. */
    final int remaining() {
        return draining == null ? 0 : draining.mask + 1 - drained;
    }

    /** Checks all that this class promises itself. */
    final void verify() {
        for (Slots slots = live; slots != null; slots = slots == live ? draining : null) {
            int used = 0;
            for (int i = 0; i <= slots.mask; i++) {
                E item = itemOrNull(slots, i);
                if (item == null) {
                    check(slots != live || slots.hash(i) == 0, "a tombstone among the live slots", i);
                    continue;
                }
                used++;
                check(slots.hash(i) == stored(hash(item)), "the hash beside the item is not its own", i);
                check(slots == live || i >= drained, "an item in a drained slot", i);
                for (int j = slots.hash(i) & slots.mask; j != i; j = (j + 1) & slots.mask) {
                    check(slots.hash(j) != 0, "a free slot between the item and its home", i);
                }
            }
            check(used == slots.used, "wrong count of items", used);
            check(used <= slots.mask, "no free slot", used);
        }
    }

    private static void check(boolean fact, String otherwise, int slot) {
        if (!fact) {
            throw new IllegalStateException(otherwise + ": " + slot);
        }
    }

    /** A power of two of slots, in segments that exist from the first item on. */
    private static final class Slots {
        final int mask;
        final int[][] hashes;
        final @Nullable Object[][] items;
        int used;
        long bytes;

        Slots(int capacity) {
            int segments = Math.max(1, capacity >>> SEGMENT_BITS);
            mask = capacity - 1;
            hashes = new int[segments][];
            items = new Object[segments][];
            bytes = HeapSizes.object(4 + 2 * HeapSizes.REFERENCE + 4 + 8) + 2 * HeapSizes.words(segments);
        }

        int hash(int slot) {
            int[] segment = hashes[slot >>> SEGMENT_BITS];
            return segment == null ? 0 : segment[slot & SEGMENT_MASK];
        }

        void put(Object item, int hash) {
            int slot = hash & mask;
            while (hash(slot) != 0) {
                slot = (slot + 1) & mask;
            }
            set(slot, item, hash);
            used++;
        }

        /** Frees a slot and moves those back that stood behind it only because it was taken. */
        void remove(int slot) {
            int free = slot;
            for (int i = (slot + 1) & mask; ; i = (i + 1) & mask) {
                int hash = hash(i);
                if (hash == 0) {
                    break;
                }
                int fromHome = (i - (hash & mask)) & mask;
                int fromFree = (i - free) & mask;
                if (fromHome >= fromFree) {
                    set(free, items[i >>> SEGMENT_BITS][i & SEGMENT_MASK], hash);
                    free = i;
                }
            }
            set(free, null, 0);
            used--;
        }

        /** Takes the item out and leaves the hash: whatever stands behind is still found. */
        void vacate(int slot) {
            items[slot >>> SEGMENT_BITS][slot & SEGMENT_MASK] = null;
            used--;
        }

        private void set(int slot, @Nullable Object item, int hash) {
            int segment = slot >>> SEGMENT_BITS;
            if (hashes[segment] == null) {
                int length = Math.min(mask + 1, SEGMENT_SLOTS);
                hashes[segment] = new int[length];
                items[segment] = new Object[length];
                bytes += 2 * HeapSizes.words(length);
            }
            hashes[segment][slot & SEGMENT_MASK] = hash;
            items[segment][slot & SEGMENT_MASK] = item;
        }
    }
}
