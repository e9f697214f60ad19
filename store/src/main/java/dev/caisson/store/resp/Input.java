package dev.caisson.store.resp;

import java.util.Arrays;

/**
 * Bytes that have arrived and were not used yet: one array that grows with what arrives, moves its content to the front
 * when it needs room, and shrinks after a large message. Not thread-safe.
 */
final class Input {
    /* Implementation note. Unused bytes lie in bytes[start .. end). The owner reads the fields directly: they are what its
     * loops run over. Room is made only in free(), so offsets are good until then.
     *
     * Growth at least doubles, so that n bytes cost O(n) copying, and is at most twice what has arrived plus the room asked
     * for, so that memory follows arrival. It shrinks in two ways: an array larger than KEPT_BYTES that was hardly used for
     * QUIET_TURNS turns in a row (a turn ends when all is used) is replaced by a small one; trim() gives it up at once. */

    /** What an empty input holds. */
    static final byte[] NOTHING = new byte[0];

    /** The first array is at least as long, bytes. */
    static final int INITIAL_BYTES = 1024;

    /** A larger array is given up when it is not needed, bytes. */
    static final int KEPT_BYTES = 64 << 10;

    /** After so many turns that needed less than a quarter of a large array, it is given up. */
    static final int QUIET_TURNS = 16;

    byte[] bytes = NOTHING;
    int start;
    int end;

    private int quietTurns;

    /**
     * Makes room for at least {@code minFree} bytes behind {@code end}.
     *
     * @param expected how many bytes from {@code start} on the message in hand is known to need; growth then stops there
     * @return by how many bytes what was there has moved to the front
     */
    int free(int minFree, int expected) {
        if (bytes.length - end >= minFree) {
            return 0;
        }
        int used = end - start;
        int moved = start;
        int needed = Math.addExact(used, minFree);
        if (needed <= bytes.length) {
            System.arraycopy(bytes, start, bytes, 0, used);
        } else {
            int doubled = (int) Math.min(2L * used, Integer.MAX_VALUE - 16);
            int wanted = expected > used ? Math.min(doubled, expected) : doubled;
            byte[] larger = new byte[Math.max(Math.max(needed, wanted), INITIAL_BYTES)];
            System.arraycopy(bytes, start, larger, 0, used);
            bytes = larger;
        }
        start = 0;
        end = used;
        return moved;
    }

    /** So many bytes behind {@code end} were written. */
    void filled(int count) {
        if (count < 0 || count > bytes.length - end) {
            throw new IndexOutOfBoundsException(count + " bytes written where " + (bytes.length - end) + " were free");
        }
        end += count;
    }

    /** All that arrived was used. */
    void emptied() {
        if (bytes.length > KEPT_BYTES) {
            quietTurns = end < bytes.length / 4 ? quietTurns + 1 : 0;
            if (quietTurns == QUIET_TURNS) {
                quietTurns = 0;
                bytes = new byte[KEPT_BYTES / 4];
            }
        }
        start = 0;
        end = 0;
    }

    /**
     * Gives up all room that holds no unused byte.
     *
     * @return by how many bytes what was there has moved to the front
     */
    int trim() {
        int moved = start;
        bytes = start == end ? NOTHING : Arrays.copyOfRange(bytes, start, end);
        end -= start;
        start = 0;
        quietTurns = 0;
        return moved;
    }
}
