package dev.caisson.store;

import dev.caisson.store.engine.Call;
import dev.caisson.store.engine.Command;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.RespWriter;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Commands of one connection for one shard of another loop, from one read burst; on the way back their replies. So a hop
 * carries a burst.
 *
 * <p>Filled by the connection's loop, run by the shard's, read by the connection's again; the hand-over through the loops'
 * queues orders the memory. One for each connection and shard is kept for the next burst.
 */
final class Batch implements Loop.Work {
    /** A batch whose replies have grown to this comes back with them, and goes on when its client has taken them. */
    static final int MOST_REPLY_BYTES = 256 << 10;

    /** Arrays larger than this are not kept for the next burst. */
    private static final int KEEP_BYTES = 64 << 10;

    private final Conversation conversation;
    final Loop loop;

    private byte[] bytes = new byte[256];
    private int used;
    /* For each command: the number of its arguments, then the length of each. */
    private int[] shape = new int[32];
    private int shapes;
    private Command[] commands = new Command[8];
    private int count;

    /** Made once, not for each burst. */
    private final Runnable back = this::back;

    private final Args args = new Args();
    private final RespWriter replies = new RespWriter();
    /** Where the reply of each command ends in {@link #replies}. */
    private int[] ends = new int[8];
    /** Which of them changed something. */
    private final BitSet wrote = new BitSet();

    /* How far it has run: commands, and where the arguments and the shape of the next one begin. */
    private int ran;
    private int nextByte;
    private int nextShape;
    /** The first command whose reply is in {@link #replies}; those of earlier ones were taken. */
    private int first;
    /** Whether it is back with what has run. Set and read on the connection's loop. */
    private boolean here;
    /** How many replies were taken. */
    private int taken;

    Batch(Conversation conversation, Loop loop) {
        this.conversation = conversation;
        this.loop = loop;
    }

    boolean isEmpty() {
        return count == 0;
    }

    void add(Command command, Args from) {
        int n = from.count();
        if (shapes + n + 1 > shape.length) {
            shape = Arrays.copyOf(shape, Math.max(shape.length * 2, shapes + n + 1));
        }
        if (count == commands.length) {
            commands = Arrays.copyOf(commands, count * 2);
        }
        shape[shapes++] = n;
        for (int i = 0; i < n; i++) {
            int length = from.length(i);
            if (length > bytes.length - used) {
                bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, Math.addExact(used, length)));
            }
            System.arraycopy(from.bytes(), from.offset(i), bytes, used, length);
            used += length;
            shape[shapes++] = length;
        }
        commands[count++] = command;
    }

    /** Runs what has not run, until the replies are large; on the shard's loop. */
    @Override
    public void run(Loop at) {
        if (ends.length < count) {
            ends = Arrays.copyOf(ends, Math.max(count, ends.length * 2));
        }
        replies.protocol(conversation.protocol());
        Call call = at.begin();
        while (ran < count && replies.length() < MOST_REPLY_BYTES) {
            args.reset(bytes);
            int n = shape[nextShape++];
            for (int k = 0; k < n; k++) {
                int length = shape[nextShape++];
                args.add(nextByte, length);
                nextByte += length;
            }
            int before = call.effects().length();
            call.execute(commands[ran], args, conversation, replies, at.shard);
            wrote.set(ran, call.effects().length() != before);
            ends[ran++] = replies.length();
        }
        at.commit();
        conversation.loop.execute(back);
    }

    private void back() {
        here = true;
        conversation.cameBack(this);
    }

    /** Whether all of its commands have run. Asked while it is here. */
    boolean hasRun() {
        return ran == count;
    }

    /** Whether it is here with replies that were not taken. */
    boolean hasReply() {
        return here && taken < ran;
    }

    /** Whether it waits here for {@link #goOn}: its replies were taken, and there are commands left. */
    boolean isPaused() {
        return here && taken == ran && ran < count;
    }

    /** Goes for the rest. */
    void goOn() {
        here = false;
        first = ran;
        replies.reset();
        loop.submit(this);
    }

    /** Whether the next reply answers a change. */
    boolean nextWrote() {
        return wrote.get(taken);
    }

    /** Appends the next reply; returns whether it was the last. */
    boolean take(RespWriter out) {
        int from = taken == first ? 0 : ends[taken - 1];
        out.raw(replies.array(), from, ends[taken] - from);
        return ++taken == count;
    }

    /** Makes it ready for the next burst. */
    void reset() {
        if (bytes.length > KEEP_BYTES) {
            bytes = new byte[256];
        }
        Arrays.fill(commands, 0, count, null);
        args.reset(bytes);
        replies.reset();
        wrote.clear();
        used = 0;
        shapes = 0;
        count = 0;
        ran = 0;
        nextByte = 0;
        nextShape = 0;
        first = 0;
        taken = 0;
        here = false;
    }

    // ---- replies of commands that ran here, while earlier ones are still on their way

    /** The writer of a batch that stands for replies made on the connection's own loop. */
    RespWriter local() {
        here = true;
        replies.protocol(conversation.protocol());
        return replies;
    }

    /** Bytes of replies that it holds. */
    int replyBytes() {
        return replies.length();
    }

    /** The reply that was begun on {@link #local} is complete. */
    void sealed(boolean changed) {
        wrote.set(count, changed);
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, count * 2);
        }
        ends[count++] = replies.length();
        ran = count;
        if (commands.length < count) {
            commands = Arrays.copyOf(commands, ends.length);
        }
    }
}
