package dev.caisson.store.data;

import org.jspecify.annotations.Nullable;

/**
 * A list of byte strings: O(1) at both ends; elsewhere it walks chunks from the nearer end. Arguments are slices of other
 * arrays and are copied; what visitors get is good during the call only. Not thread-safe.
 */
public final class ListValue implements Value {
    /* Implementation note. A doubly linked list of chunks, each one Packed of at most listMaxChunkBytes, or of one larger
     * element. No chunk is empty, but the only one of an empty list is missing. Chunks are filled at the ends; an insert
     * into a full one splits it, and a chunk that gets small joins its neighbour, so that no history leaves many small
     * chunks. */

    private static final int OWN_BYTES = HeapSizes.object(3 * HeapSizes.REFERENCE + 4 + 8 + 1);

    private final ValueSettings settings;
    private @Nullable Chunk first;
    private @Nullable Chunk last;
    private int size;
    private long chunkBytes; // heap bytes of all chunks
    private boolean large; // Redis's name for the form: quicklist

    /** An empty list. */
    public ListValue(ValueSettings settings) {
        this.settings = settings;
    }

    /** The number of elements. */
    @Override
    public int size() {
        return size;
    }

    /** Heap bytes of everything in here. O(1). */
    @Override
    public long memory() {
        return OWN_BYTES + chunkBytes;
    }

    @Override
    public String type() {
        return "list";
    }

    /** Redis's name of the present form: a list of one small chunk is a listpack, and again when half that small. */
    @Override
    public String encoding() {
        return large ? "quicklist" : "listpack";
    }

    /** Adds an element at the head. */
    public void addFirst(byte[] bytes, int offset, int length) {
        Chunk chunk = first;
        if (chunk == null || !fits(chunk, length)) {
            chunk = link(new Chunk(), null, first);
        }
        insert(chunk, 0, bytes, offset, length);
    }

    /** Adds an element at the tail. */
    public void addLast(byte[] bytes, int offset, int length) {
        Chunk chunk = last;
        if (chunk == null || !fits(chunk, length)) {
            chunk = link(new Chunk(), last, null);
        }
        insert(chunk, chunk.elements.end(), bytes, offset, length);
    }

    /** Finds the element at {@code index}, 0 being the head; false if there is none. */
    public boolean get(long index, Slice element) {
        if (index < 0 || index >= size) {
            return false;
        }
        Place place = place((int) index);
        Packed elements = place.chunk.elements;
        element.set(elements.bytes(), elements.start(place.at), elements.length(place.at));
        return true;
    }

    /** Gives the element at {@code index}, which exists, another content. */
    public void set(int index, byte[] bytes, int offset, int length) {
        Place place = place(index);
        Chunk chunk = place.chunk;
        Packed elements = chunk.elements;
        int former = elements.length(place.at);
        long size = elements.end() + (long) Packed.size(length) - Packed.size(former);
        if (elements.count() == 1 || size <= settings.listMaxChunkBytes()) {
            long before = chunk.memory();
            elements.replace(place.at, bytes, offset, length);
            chunkBytes += chunk.memory() - before;
            name(true);
        } else {
            removeAt(chunk, place.at);
            insertAt(index, bytes, offset, length);
        }
    }

    /** Removes and returns the head, or null. */
    public byte @Nullable [] pollFirst() {
        return first == null ? null : poll(first, 0);
    }

    /** Removes and returns the tail, or null. */
    public byte @Nullable [] pollLast() {
        return last == null ? null : poll(last, last.elements.previous(last.elements.end()));
    }

    /** Puts an element at {@code index}, 0 to {@link #size}; those from there on move up by one. */
    public void insertAt(int index, byte[] bytes, int offset, int length) {
        if (index == 0) {
            addFirst(bytes, offset, length);
            return;
        }
        if (index == size) {
            addLast(bytes, offset, length);
            return;
        }
        Place place = place(index);
        Chunk chunk = place.chunk;
        if (fits(chunk, length)) {
            insert(chunk, place.at, bytes, offset, length);
            return;
        }
        if (place.at > 0) {
            chunk = split(chunk, place.at);
        }
        Chunk before = chunk.previous;
        if (before != null && fits(before, length)) {
            insert(before, before.elements.end(), bytes, offset, length);
        } else if (fits(chunk, length)) {
            insert(chunk, 0, bytes, offset, length);
        } else {
            insert(link(new Chunk(), before, chunk), 0, bytes, offset, length);
        }
    }

    /** The index of the first element equal to the slice, or -1. */
    public int indexOf(byte[] bytes, int offset, int length) {
        int index = 0;
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            Packed elements = chunk.elements;
            for (int at = 0; at < elements.end(); at = elements.next(at)) {
                if (elements.is(at, bytes, offset, length)) {
                    return index;
                }
                index++;
            }
        }
        return -1;
    }

    /**
     * Removes elements equal to the slice: the first {@code count}, or if it is negative the last ones, or all for 0.
     *
     * @return how many
     */
    public int remove(long count, byte[] bytes, int offset, int length) {
        long limit = count == 0 ? Long.MAX_VALUE : count == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(count);
        return count >= 0 ? removeForward(limit, bytes, offset, length) : removeBackward(limit, bytes, offset, length);
    }

    /** Keeps the elements from {@code from} to before {@code to}, 0 <= from <= to <= size. Costs what it removes. */
    public void keep(int from, int to) {
        int kept = to - from;
        int front = from;
        while (front > 0 && first != null) {
            front -= cutFront(first, front);
        }
        while (size > kept && last != null) {
            cutBack(last, size - kept);
        }
        name(true);
    }

    /** Visits elements from {@code from} to before {@code to}, 0 <= from <= to <= size. */
    public void forEach(int from, int to, SliceVisitor visitor) {
        if (from >= to) {
            return;
        }
        Place place = place(from);
        int left = to - from;
        int at = place.at;
        for (Chunk chunk = place.chunk; left > 0 && chunk != null; chunk = chunk.next) {
            Packed elements = chunk.elements;
            for (; left > 0 && at < elements.end(); at = elements.next(at)) {
                visitor.visit(elements.bytes(), elements.start(at), elements.length(at));
                left--;
            }
            at = 0;
        }
    }

    /** Visits all elements from the tail to the head until {@code visitor} returns false. */
    public void forEachBackward(Search visitor) {
        for (Chunk chunk = last; chunk != null; chunk = chunk.previous) {
            Packed elements = chunk.elements;
            for (int at = elements.end(); at > 0; ) {
                at = elements.previous(at);
                if (!visitor.visit(elements.bytes(), elements.start(at), elements.length(at))) {
                    return;
                }
            }
        }
    }

    /** Visits all elements from the head to the tail until {@code visitor} returns false. */
    public void forEachForward(Search visitor) {
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            Packed elements = chunk.elements;
            for (int at = 0; at < elements.end(); at = elements.next(at)) {
                if (!visitor.visit(elements.bytes(), elements.start(at), elements.length(at))) {
                    return;
                }
            }
        }
    }

    /** A list of its own with the same elements. */
    @Override
    public ListValue copy() {
        ListValue copy = new ListValue(settings);
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            copy.link(new Chunk(chunk.elements.copy()), copy.last, null);
        }
        copy.size = size;
        copy.large = large;
        return copy;
    }

    /** The same for the same elements in the same order, in any process. O(size). */
    @Override
    public long digest() {
        long[] digest = {0};
        forEach(
                0,
                size,
                (bytes, offset, length) ->
                        digest[0] = Hashing.mix(digest[0] + 1 + Hashing.digest(bytes, offset, length)));
        return digest[0];
    }

    /** Takes elements until it has seen enough. */
    @FunctionalInterface
    public interface Search {
        /** One element; whether to go on. */
        boolean visit(byte[] bytes, int offset, int length);
    }

    /** The number of chunks, for tests. */
    int chunks() {
        int chunks = 0;
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            chunks++;
        }
        return chunks;
    }

    private boolean fits(Chunk chunk, int length) {
        return chunk.elements.end() + (long) Packed.size(length) <= settings.listMaxChunkBytes();
    }

    private Place place(int index) {
        if (index < size / 2) {
            Chunk chunk = first;
            for (int skipped = 0; chunk != null; chunk = chunk.next) {
                int count = chunk.elements.count();
                if (index < skipped + count) {
                    return new Place(chunk, chunk.elements.index(index - skipped));
                }
                skipped += count;
            }
        } else {
            Chunk chunk = last;
            for (int skipped = size; chunk != null; chunk = chunk.previous) {
                skipped -= chunk.elements.count();
                if (index >= skipped && index < size) {
                    return new Place(chunk, chunk.elements.index(index - skipped));
                }
            }
        }
        throw new IndexOutOfBoundsException("no element " + index + " in a list of " + size);
    }

    private void insert(Chunk chunk, int at, byte[] bytes, int offset, int length) {
        long before = chunk.memory();
        chunk.elements.insert(at, bytes, offset, length);
        chunkBytes += chunk.memory() - before;
        size++;
        name(false);
    }

    private byte[] poll(Chunk chunk, int at) {
        Slice slice = new Slice();
        Packed elements = chunk.elements;
        slice.set(elements.bytes(), elements.start(at), elements.length(at));
        byte[] element = slice.copy();
        removeAt(chunk, at);
        name(true);
        return element;
    }

    /** Removes one element; its chunk too if that was the last one in it. */
    private void removeAt(Chunk chunk, int at) {
        removeRange(chunk, at, chunk.elements.next(at), 1);
    }

    private void removeRange(Chunk chunk, int from, int to, int elements) {
        size -= elements;
        if (chunk.elements.count() == elements) {
            unlink(chunk);
            return;
        }
        long before = chunk.memory();
        chunk.elements.removeRange(from, to, elements);
        chunkBytes += chunk.memory() - before;
        if (chunk != first && chunk != last) {
            join(chunk);
        }
    }

    private int removeForward(long limit, byte[] bytes, int offset, int length) {
        int removed = 0;
        for (Chunk chunk = first; chunk != null && removed < limit; ) {
            Chunk next = chunk.next;
            removed += sweep(chunk, true, limit - removed, bytes, offset, length);
            joinPrevious(next == null ? last : next.previous);
            chunk = next;
        }
        name(true);
        return removed;
    }

    private int removeBackward(long limit, byte[] bytes, int offset, int length) {
        int removed = 0;
        for (Chunk chunk = last; chunk != null && removed < limit; ) {
            Chunk previous = chunk.previous;
            removed += sweep(chunk, false, limit - removed, bytes, offset, length);
            Chunk swept = previous == null ? first : previous.next;
            joinPrevious(swept == null ? null : swept.next);
            chunk = previous;
        }
        name(true);
        return removed;
    }

    /** Removes equal elements of one chunk, which is written anew if there are any. */
    private int sweep(Chunk chunk, boolean forward, long limit, byte[] bytes, int offset, int length) {
        Packed elements = chunk.elements;
        int equal = 0;
        for (int at = 0; at < elements.end(); at = elements.next(at)) {
            if (elements.is(at, bytes, offset, length)) {
                equal++;
            }
        }
        int removed = (int) Math.min(limit, equal);
        if (removed == 0) {
            return 0;
        }
        size -= removed;
        if (removed == elements.count()) {
            unlink(chunk);
            return removed;
        }
        int from = forward ? 0 : equal - removed; // the equal elements [from, from + removed) go
        Packed rest = new Packed();
        int seen = 0;
        for (int at = 0; at < elements.end(); at = elements.next(at)) {
            if (elements.is(at, bytes, offset, length)) {
                seen++;
                if (seen > from && seen <= from + removed) {
                    continue;
                }
            }
            rest.append(elements.bytes(), elements.start(at), elements.length(at));
        }
        chunkBytes -= chunk.memory();
        rest.trim();
        chunk.elements = rest;
        chunkBytes += chunk.memory();
        return removed;
    }

    private int cutFront(Chunk chunk, int most) {
        int cut = Math.min(most, chunk.elements.count());
        removeRange(chunk, 0, chunk.elements.index(cut), cut);
        return cut;
    }

    private void cutBack(Chunk chunk, int most) {
        int count = chunk.elements.count();
        int cut = Math.min(most, count);
        removeRange(chunk, chunk.elements.index(count - cut), chunk.elements.end(), cut);
    }

    /** Splits a chunk before {@code at}, which is inside; returns the second part. */
    private Chunk split(Chunk chunk, int at) {
        Packed elements = chunk.elements;
        Packed tail = new Packed();
        for (int from = at; from < elements.end(); from = elements.next(from)) {
            tail.append(elements.bytes(), elements.start(from), elements.length(from));
        }
        long before = chunk.memory();
        elements.removeRange(at, elements.end(), tail.count());
        chunkBytes += chunk.memory() - before;
        return link(new Chunk(tail), chunk, chunk.next);
    }

    /** Joins a chunk with a neighbour if both together are at most half full. */
    private void join(Chunk chunk) {
        Chunk next = chunk.next;
        if (!joinPrevious(chunk)) {
            joinPrevious(next);
        }
    }

    private boolean joinPrevious(@Nullable Chunk chunk) {
        if (chunk == null || chunk.previous == null) {
            return false;
        }
        int bytes = chunk.previous.elements.end() + chunk.elements.end();
        if (bytes < 0 || bytes > settings.listMaxChunkBytes() / 2) {
            return false;
        }
        merge(chunk.previous, chunk);
        return true;
    }

    private void merge(Chunk into, Chunk from) {
        long before = into.memory();
        Packed elements = from.elements;
        for (int at = 0; at < elements.end(); at = elements.next(at)) {
            into.elements.append(elements.bytes(), elements.start(at), elements.length(at));
        }
        chunkBytes += into.memory() - before;
        unlink(from);
    }

    private Chunk link(Chunk chunk, @Nullable Chunk previous, @Nullable Chunk next) {
        chunk.previous = previous;
        chunk.next = next;
        if (previous == null) {
            first = chunk;
        } else {
            settle(previous);
            previous.next = chunk;
        }
        if (next == null) {
            last = chunk;
        } else {
            settle(next);
            next.previous = chunk;
        }
        chunkBytes += chunk.memory();
        return chunk;
    }

    /** A chunk that is no longer at an end needs no reserve. */
    private void settle(Chunk chunk) {
        long before = chunk.memory();
        chunk.elements.trim();
        chunkBytes += chunk.memory() - before;
    }

    private void unlink(Chunk chunk) {
        chunkBytes -= chunk.memory();
        if (chunk.previous == null) {
            first = chunk.next;
        } else {
            chunk.previous.next = chunk.next;
        }
        if (chunk.next == null) {
            last = chunk.previous;
        } else {
            chunk.next.previous = chunk.previous;
        }
    }

    /** Keeps the name of the form: large above one chunk's bytes, small again (after a removal) below half of them. */
    private void name(boolean shrinking) {
        long bytes = first == null ? 0 : first.elements.end();
        if (first != last || bytes > settings.listMaxChunkBytes()) {
            large = true;
        } else if (shrinking && bytes <= settings.listMaxChunkBytes() / 2) {
            large = false;
        }
    }

    private record Place(Chunk chunk, int at) {}

    private static final class Chunk {
        static final int BYTES = HeapSizes.object(3 * HeapSizes.REFERENCE);

        Packed elements;

        @Nullable
        Chunk previous;

        @Nullable
        Chunk next;

        Chunk() {
            this(new Packed());
        }

        Chunk(Packed elements) {
            this.elements = elements;
        }

        long memory() {
            return BYTES + elements.memory();
        }
    }
}
