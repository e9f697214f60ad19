package dev.caisson.store.log;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The queue between the event loops and the log's thread: many append, one takes. Lock-free.
 *
 * <pre>
 *   tail --> ticket 7..9 --before--> ticket 6..6 --before--> ticket 1..5 (taken) --before--> nothing
 * </pre>
 *
 * What it guarantees:
 *
 * <ul>
 *   <li>The order of the queue is the order of the indices, without a gap: one compare-and-set decides both.
 *   <li>{@link #take} hands out each ticket once, in that order, and never waits for an appender: what is in the queue is
 *       complete.
 *   <li>After {@link #close} no ticket enters, and the last take has all that did.
 * </ul>
 *
 * <p>It is not bounded itself: {@link Log#refusal} bounds it before there is anything to append.
 */
public final class Tickets {
    /*
     * Tickets are never used twice (their buffers are), so a tail that compares equal is the same tail: no ABA.
     * The taken ticket at the end of the chain stays reachable while it is the tail; it has let go of its bytes.
     */
    private static final VarHandle TAIL;

    static {
        try {
            TAIL = MethodHandles.lookup().findVarHandle(Tickets.class, "tail", Ticket.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile Ticket tail;
    /** The newest that was taken. Only the taking thread uses it. */
    private Ticket taken;
    /** Stands at the tail for ever once the queue is closed. */
    private final Ticket end = new Ticket(null, null, 0);

    private Tickets(Ticket before) {
        tail = before;
        taken = before;
    }

    /** An empty queue whose first record gets the index after {@code last}. */
    public static Tickets after(long last) {
        Ticket before = new Ticket(null, null, 0);
        before.first = last + 1;
        before.last = last;
        return new Tickets(before);
    }

    /**
     * Appends the records of a batch and leaves it empty. Any thread; never blocks.
     *
     * @param nanos the time, by the log's monotonic clock
     * @return the index of its last record; 0 if the queue is closed, and the records are dropped
     */
    public long append(Batch batch, long nanos) {
        Ticket ticket = batch.take(nanos);
        int count = ticket.records().count();
        for (; ; ) {
            Ticket before = tail;
            if (before == end) {
                return 0;
            }
            ticket.before = before;
            ticket.first = before.last + 1;
            ticket.last = before.last + count;
            if (TAIL.compareAndSet(this, before, ticket)) {
                return ticket.last;
            }
        }
    }

    /** The index of the newest record. Any thread. */
    public long last() {
        return tail.last;
    }

    /** Whether {@link #take} would find nothing. Only for the taking thread. */
    boolean isEmpty() {
        Ticket now = tail;
        return now == taken || now == end;
    }

    /** Takes what is there, oldest first, to the end of a deque. Only for the taking thread. */
    void take(Deque<Ticket> into) {
        Ticket newest = tail;
        if (newest != end) {
            takeFrom(newest, into);
        }
    }

    private void takeFrom(Ticket newest, Deque<Ticket> into) {
        ArrayDeque<Ticket> fresh = new ArrayDeque<>();
        for (@Nullable Ticket at = newest; at != null && at != taken; ) {
            fresh.addFirst(at);
            Ticket older = at.before;
            at.before = null;
            at = older;
        }
        taken = newest;
        into.addAll(fresh);
    }

    /** Lets nothing more in, and takes what is there. Only for the taking thread; once. */
    void close(Deque<Ticket> into) {
        for (; ; ) {
            Ticket newest = tail;
            end.last = newest.last;
            if (TAIL.compareAndSet(this, newest, end)) {
                takeFrom(newest, into);
                return;
            }
        }
    }

    /** As {@link #take}, for those outside who only count: how many records. Only for the taking thread. */
    public long drain() {
        ArrayDeque<Ticket> into = new ArrayDeque<>();
        take(into);
        long count = 0;
        for (Ticket ticket : into) {
            count += ticket.last - ticket.first + 1;
            ticket.release();
        }
        return count;
    }
}
