package dev.caisson.rpc.http2;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Open streams by id: open addressing, linear probing, backward-shift deletion.
 *
 * <p>Written by the connection's thread only. {@link #peek} may run on any thread and is weakly consistent: it sees each
 * stream that was there throughout, may or may not see one that came or went meanwhile, and may see one twice that was
 * moved by a deletion.
 */
final class StreamTable {
    private volatile @Nullable Http2Stream[] slots = new @Nullable Http2Stream[16];
    private int size;

    int size() {
        return size;
    }

    @Nullable
    Http2Stream get(int id) {
        @Nullable Http2Stream[] table = slots;
        int mask = table.length - 1;
        for (int i = slot(id, mask); ; i = (i + 1) & mask) {
            Http2Stream stream = table[i];
            if (stream == null || stream.id == id) {
                return stream;
            }
        }
    }

    void put(Http2Stream stream) {
        @Nullable Http2Stream[] table = slots;
        if (size * 2 >= table.length) {
            @Nullable Http2Stream[] larger = new @Nullable Http2Stream[table.length * 2];
            for (Http2Stream old : table) {
                if (old != null) {
                    insert(larger, old);
                }
            }
            slots = larger;
            table = larger;
        }
        insert(table, stream);
        size++;
    }

    private static void insert(@Nullable Http2Stream[] table, Http2Stream stream) {
        int mask = table.length - 1;
        int i = slot(stream.id, mask);
        while (table[i] != null) {
            i = (i + 1) & mask;
        }
        table[i] = stream;
    }

    void remove(int id) {
        @Nullable Http2Stream[] table = slots;
        int mask = table.length - 1;
        int hole = slot(id, mask);
        while (true) {
            Http2Stream stream = table[hole];
            if (stream == null) {
                return;
            }
            if (stream.id == id) {
                break;
            }
            hole = (hole + 1) & mask;
        }
        size--;
        table[hole] = null;
        for (int i = (hole + 1) & mask; ; i = (i + 1) & mask) {
            Http2Stream stream = table[i];
            if (stream == null) {
                return;
            }
            int home = slot(stream.id, mask);
            if (((i - home) & mask) >= ((i - hole) & mask)) {
                table[hole] = stream;
                table[i] = null;
                hole = i;
            }
        }
    }

    /** A copy, so that streams may be removed while they are visited. */
    Http2Stream[] snapshot() {
        Http2Stream[] all = new Http2Stream[size];
        int n = 0;
        for (Http2Stream stream : slots) {
            if (stream != null) {
                all[n++] = stream;
            }
        }
        return all;
    }

    void peek(Consumer<Http2Stream> visitor) {
        for (Http2Stream stream : slots) {
            if (stream != null) {
                visitor.accept(stream);
            }
        }
    }

    private static int slot(int id, int mask) {
        return (id >>> 1) & mask;
    }
}
