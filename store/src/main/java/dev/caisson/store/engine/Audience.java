package dev.caisson.store.engine;

import dev.caisson.store.engine.Channels.Kind;
import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Who is subscribed to what, over all loops: how many clients of each loop. It tells a publisher how many receive its
 * message and which loops must be told; the clients themselves are known to their loops only ({@link Channels}).
 * Thread-safe, without locks beyond those of a concurrent map.
 */
public final class Audience {
    /** Runs code on a loop. */
    @FunctionalInterface
    public interface Loops {
        /** Has the code run on the loop of this number, after what was given to it before; dropped if the loop has ended. */
        void run(int loop, Runnable code);
    }

    /** Bytes of messages that may wait to be told on one loop; past it a message is refused. */
    static final long MAX_WAITING_BYTES = 64L << 20;

    /** The one name of what is no channel. */
    static final Key ALL = new Key(new byte[0]);

    private final Loops loops;
    private final Channels[] channels;
    /** For each kind: how many clients of each loop subscribed to a name; a name without any is not there. */
    private final List<Map<Key, int[]>> counts = new ArrayList<>();
    /** For each loop: bytes of messages under way to it. */
    private final AtomicLong[] under;

    private final LongAdder dropped = new LongAdder();

    Audience(int loopCount, Loops loops) {
        this.loops = loops;
        this.channels = new Channels[loopCount];
        this.under = new AtomicLong[loopCount];
        for (int i = 0; i < loopCount; i++) {
            channels[i] = new Channels(i, this);
            under[i] = new AtomicLong();
        }
        for (int i = 0; i < Kind.values().length; i++) {
            counts.add(new ConcurrentHashMap<>());
        }
    }

    /** The subscribers of a loop; for that loop only. */
    public Channels of(int loop) {
        return channels[loop];
    }

    /** A client of a loop came (1) or went (-1). */
    void count(Kind kind, Key name, int loop, int change) {
        names(kind).compute(name, (any, before) -> changed(before, loop, change));
    }

    private int @Nullable [] changed(int @Nullable [] before, int loop, int change) {
        int[] after = before == null ? new int[channels.length] : before.clone();
        after[loop] += change;
        for (int each : after) {
            if (each != 0) {
                return after;
            }
        }
        return null;
    }

    /**
     * Sends a message to all who subscribed to its channel, or to a pattern that matches it. Any thread.
     *
     * @return how many clients receive it; one that subscribed twice, by channel and pattern, counts twice
     * @throws ErrorReply if too much waits for one of their loops; then nobody receives it
     */
    long publish(boolean sharded, byte[] channel, byte[] message) {
        int[] receivers = new int[channels.length];
        add(receivers, names(sharded ? Kind.SHARD : Kind.CHANNEL).get(new Key(channel)));
        if (!sharded) {
            names(Kind.PATTERN).forEach((pattern, of) -> {
                if (Glob.matches(pattern.bytes(), channel)) {
                    add(receivers, of);
                }
            });
        }
        long all = 0;
        for (int i = 0; i < receivers.length; i++) {
            all += receivers[i];
            if (receivers[i] > 0 && under[i].get() > MAX_WAITING_BYTES) {
                throw new ErrorReply("ERR more than " + MAX_WAITING_BYTES
                        + " bytes of messages wait for their receivers; publish again later");
            }
        }
        for (int i = 0; i < receivers.length; i++) {
            if (receivers[i] > 0) {
                Channels there = channels[i];
                send(i, (long) channel.length + message.length, () -> there.post(sharded, channel, message));
            }
        }
        return all;
    }

    /** Publishes what nobody is answered for: it is dropped where {@link #publish} would refuse it. Any thread. */
    void notify(byte[] channel, byte[] message) {
        try {
            publish(false, channel, message);
        } catch (ErrorReply lagging) {
            dropped.increment();
        }
    }

    /** How many notifications and lines of MONITOR were dropped because their receivers lagged. */
    public long dropped() {
        return dropped.sum();
    }

    /** Whether anybody monitors. */
    boolean isMonitored() {
        return !names(Kind.MONITOR).isEmpty();
    }

    /** Tells those who monitor; a line is dropped for a loop that lags. */
    void report(byte[] line) {
        int[] receivers = new int[channels.length];
        add(receivers, names(Kind.MONITOR).get(ALL));
        for (int i = 0; i < receivers.length; i++) {
            if (receivers[i] > 0 && under[i].get() <= MAX_WAITING_BYTES) {
                Channels there = channels[i];
                send(i, line.length, () -> there.report(line));
            } else if (receivers[i] > 0) {
                dropped.increment();
            }
        }
    }

    private void send(int loop, long bytes, Runnable code) {
        under[loop].addAndGet(bytes);
        loops.run(loop, code);
    }

    /** So many bytes of messages have been told on a loop, or nobody was there any more. */
    void arrived(int loop, long bytes) {
        under[loop].addAndGet(-bytes);
    }

    void later(int loop, Runnable code) {
        loops.run(loop, code);
    }

    private static void add(int[] sum, int @Nullable [] more) {
        if (more != null) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += more[i];
            }
        }
    }

    /** How many clients subscribed to this name. */
    long count(Kind kind, Key name) {
        int[] of = names(kind).get(name);
        long sum = 0;
        if (of != null) {
            for (int each : of) {
                sum += each;
            }
        }
        return sum;
    }

    /** The names that somebody subscribed to. */
    List<Key> names(Kind kind, Predicate<Key> wanted) {
        return names(kind).keySet().stream().filter(wanted).toList();
    }

    /** How many names of this kind somebody subscribed to. */
    public int size(boolean patterns) {
        return names(patterns ? Kind.PATTERN : Kind.CHANNEL).size();
    }

    @SuppressWarnings("EnumOrdinal") // a map for each kind
    private Map<Key, int[]> names(Kind kind) {
        return counts.get(kind.ordinal());
    }
}
