package dev.caisson.store.data;

import java.util.Arrays;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a hash that expire, soonest first. An entry that was replaced or removed stays until it comes to the top
 * or until half of the heap is such: the owner says by a predicate which entries are still true.
 */
final class ExpiryHeap {
    private static final int OWN_BYTES = HeapSizes.object(2 * HeapSizes.REFERENCE + 4 + 8);
    private static final int FIRST_CAPACITY = 8;
    private static final byte[] NONE = {};

    private long[] times = new long[FIRST_CAPACITY];
    private byte[][] entries = new byte[FIRST_CAPACITY][];
    private int size;
    private long staleBytes; // of entries that are no longer the hash's

    int size() {
        return size;
    }

    long memory() {
        return OWN_BYTES + HeapSizes.longs(times.length) + HeapSizes.words(entries.length) + staleBytes;
    }

    /** Says that an entry, which stays for now, is no longer true. */
    void disown(byte[] entry) {
        staleBytes += HeapSizes.bytes(entry.length);
    }

    /** Heap bytes that only this heap still holds. */
    long staleBytes() {
        return staleBytes;
    }

    void add(long time, byte[] entry) {
        if (size == times.length) {
            times = Arrays.copyOf(times, size * 2);
            entries = Arrays.copyOf(entries, size * 2);
        }
        times[size] = time;
        entries[size] = entry;
        size++;
        int at = size - 1;
        while (at > 0 && times[at] < times[(at - 1) / 2]) {
            swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    /** The soonest time, or {@link Long#MAX_VALUE}. */
    long soonest() {
        return size == 0 ? Long.MAX_VALUE : times[0];
    }

    /** The soonest entry, or null. */
    byte @Nullable [] first() {
        return size == 0 ? null : entries[0];
    }

    /** Removes the soonest entry, which was disowned. */
    void removeFirst() {
        staleBytes -= HeapSizes.bytes(entries[0].length);
        size--;
        swap(0, size);
        entries[size] = NONE;
        sink(0);
    }

    /** Keeps the entries that are still true, in the smallest arrays. O(size). */
    void retain(Predicate<byte[]> isTrue) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (isTrue.test(entries[i])) {
                times[kept] = times[i];
                entries[kept++] = entries[i];
            }
        }
        size = kept;
        staleBytes = 0;
        int capacity = Math.max(FIRST_CAPACITY, size + size / 2);
        times = Arrays.copyOf(times, capacity);
        entries = Arrays.copyOf(entries, capacity);
        Arrays.fill(entries, size, capacity, NONE);
        for (int i = size / 2 - 1; i >= 0; i--) {
            sink(i);
        }
    }

    private void sink(int from) {
        int at = from;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                return;
            }
            if (child + 1 < size && times[child + 1] < times[child]) {
                child++;
            }
            if (times[at] <= times[child]) {
                return;
            }
            swap(at, child);
            at = child;
        }
    }

    private void swap(int a, int b) {
        long time = times[a];
        times[a] = times[b];
        times[b] = time;
        byte[] entry = entries[a];
        entries[a] = entries[b];
        entries[b] = entry;
    }
}
