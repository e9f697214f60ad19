package dev.caisson.rpc.http2;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The dynamic table of one direction (RFC 7541, section 2.3.2): a ring, the newest entry at index 0. */
final class DynamicTable {
    private static final int INITIAL_ENTRIES = 8;

    private @Nullable HpackEntry[] ring = new HpackEntry[0];
    private int newest = -1;
    private int length;
    private int size;
    private int capacity;

    DynamicTable(int capacity) {
        this.capacity = capacity;
    }

    int length() {
        return length;
    }

    int size() {
        return size;
    }

    int capacity() {
        return capacity;
    }

    HpackEntry get(int index) {
        HpackEntry entry = ring[(newest - index) & (ring.length - 1)];
        assert entry != null && index < length;
        return entry;
    }

    /** RFC 7541, section 4.3. */
    void capacity(int newCapacity) {
        capacity = newCapacity;
        evictTo(newCapacity);
        if (newCapacity == 0) {
            ring = new HpackEntry[0];
            newest = -1;
        }
    }

    /** RFC 7541, section 4.4: an entry larger than the table empties it, and is not an error. */
    void add(HpackEntry entry) {
        if (entry.size > capacity) {
            evictTo(0);
            return;
        }
        evictTo(capacity - entry.size);
        if (length == ring.length) {
            grow();
        }
        newest = (newest + 1) & (ring.length - 1);
        ring[newest] = entry;
        length++;
        size += entry.size;
    }

    private void evictTo(int room) {
        while (size > room) {
            int oldest = (newest - length + 1) & (ring.length - 1);
            HpackEntry entry = ring[oldest];
            assert entry != null;
            ring[oldest] = null;
            length--;
            size -= entry.size;
        }
    }

    private void grow() {
        @Nullable HpackEntry[] larger = new HpackEntry[Math.max(INITIAL_ENTRIES, 2 * ring.length)];
        for (int i = 0; i < length; i++) {
            larger[length - 1 - i] = get(i);
        }
        Arrays.fill(ring, null);
        ring = larger;
        newest = length - 1;
    }
}
