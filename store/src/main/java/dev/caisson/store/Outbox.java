package dev.caisson.store;

import dev.caisson.store.log.Fate;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * What a client is to be sent once the records that it depends on are safe; in order. Belongs to the client's loop.
 *
 * <p>A reply depends on every record there is when it is handed over: it may have seen any of them, and all loops append
 * what they changed before anybody else can see it.
 */
final class Outbox {
    /** Bytes past which no further request of the client is taken. */
    static final int FULL_BYTES = 1 << 20;

    private record Held(byte[] bytes, long[] marks, long index) {}

    private final Conversation conversation;
    private final Journal journal;
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private long bytes;

    Outbox(Conversation conversation, Journal journal) {
        this.conversation = conversation;
        this.journal = journal;
    }

    boolean isEmpty() {
        return held.isEmpty();
    }

    boolean isFull() {
        return bytes > FULL_BYTES;
    }

    /** Sends the output now, or keeps a copy of it until it may go; forgets its marks, before anything is sent. */
    void pass(byte[] output, int length, ReplyMarks marks) {
        long index = journal.lastIndex();
        Fate fate = held.isEmpty() ? journal.fate(index) : Fate.PENDING;
        switch (fate) {
            case KEPT -> {
                marks.clear();
                conversation.send(output, length);
            }
            case DOUBTFUL -> {
                long[] replies = marks.copy();
                marks.clear();
                send(output, length, replies);
            }
            case PENDING -> {
                held.add(new Held(Arrays.copyOf(output, length), marks.copy(), index));
                marks.clear();
                count(length);
                journal.waits(conversation);
            }
        }
    }

    private void send(byte[] output, int length, long[] marks) {
        byte[] told = ReplyMarks.takenBack(output, length, marks, journal.doubt());
        conversation.send(told, told.length);
    }

    /** Sends what may go by now; returns whether some must wait on. */
    boolean release() {
        for (Held first; (first = held.peek()) != null; ) {
            Fate fate = journal.fate(first.index);
            if (fate == Fate.PENDING) {
                return true;
            }
            held.remove();
            count(-first.bytes.length);
            if (fate == Fate.KEPT) {
                conversation.send(first.bytes, first.bytes.length);
            } else {
                send(first.bytes, first.bytes.length, first.marks);
            }
        }
        return false;
    }

    private void count(long change) {
        bytes += change;
        conversation.store.budget().buffers(change);
    }

    /** The client is gone. */
    void drop() {
        held.clear();
        count(-bytes);
    }
}
