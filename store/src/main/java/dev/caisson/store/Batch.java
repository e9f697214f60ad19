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

    private final Args args = new Args();
    private final RespWriter replies = new RespWriter();
    /** Where the reply of each command ends. */
    private int[] ends = new int[8];
    /** Which of them changed something. */
    private final BitSet wrote = new BitSet();

    /** Whether the replies are there. Set and read on the connection's loop. */
    boolean done;
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

    /** Runs all commands; on the shard's loop. */
    @Override
    public void run(Loop at) {
        if (ends.length < count) {
            ends = new int[Math.max(count, ends.length * 2)];
        }
        replies.protocol(conversation.protocol());
        Call call = at.begin();
        int offset = 0;
        int next = 0;
        for (int i = 0; i < count; i++) {
            args.reset(bytes);
            int n = shape[next++];
            for (int k = 0; k < n; k++) {
                int length = shape[next++];
                args.add(offset, length);
                offset += length;
            }
            int before = call.effects().length();
            call.execute(commands[i], args, conversation, replies, at.shard);
            ends[i] = replies.length();
            wrote.set(i, call.effects().length() != before);
        }
        at.commit();
        conversation.loop.execute(this::back);
    }

    private void back() {
        done = true;
        conversation.delivered();
    }

    /** Whether the next reply answers a change. */
    boolean nextWrote() {
        return wrote.get(taken);
    }

    /** Appends the next reply; returns whether it was the last. */
    boolean take(RespWriter out) {
        int from = taken == 0 ? 0 : ends[taken - 1];
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
        taken = 0;
        done = false;
    }

    // ---- replies of commands that ran here, while earlier ones are still on their way

    /** The writer of a batch that stands for replies made on the connection's own loop. */
    RespWriter local() {
        done = true;
        replies.protocol(conversation.protocol());
        return replies;
    }

    /** The reply that was begun on {@link #local} is complete. */
    void sealed(boolean changed) {
        wrote.set(count, changed);
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, count * 2);
        }
        ends[count++] = replies.length();
        if (commands.length < count) {
            commands = Arrays.copyOf(commands, ends.length);
        }
    }
}
