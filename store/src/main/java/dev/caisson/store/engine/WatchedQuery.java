package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.Reply;
import dev.caisson.store.resp.RespDecoder;
import dev.caisson.store.resp.RespException;
import dev.caisson.store.resp.RespWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A query that somebody watches, with all who do: evaluated once for all of them. Belongs to the owner of its home shard,
 * the lowest of those of its keys; it is evaluated only while all of these are in one hand.
 */
public final class WatchedQuery {
    final Vector vector;
    final Command command;
    final Args args;
    final String fingerprint;
    /** A bit for each shard of its keys. */
    final long shards;
    /** For each loop, who is to be told there. */
    private final Map<Integer, List<Watcher>> watchers = new HashMap<>();

    private int count;
    /** What it yielded last, in RESP3; null before the first time. */
    private byte @Nullable [] last;
    /** Several shards may each find that it must be evaluated: the first asks for it. Any thread. */
    final AtomicBoolean asked = new AtomicBoolean();
    /** It ended: nobody watches any more, or its result has become too large. */
    boolean ended;

    WatchedQuery(Vector vector, Command command, long shards) {
        this.vector = vector;
        this.command = command;
        this.args = vector.args();
        this.fingerprint = vector.fingerprint();
        this.shards = shards;
    }

    int home() {
        return Long.numberOfTrailingZeros(shards);
    }

    boolean isLocal() {
        return (shards & (shards - 1)) == 0;
    }

    /** A bit for each shard of its keys. */
    public long shards() {
        return shards;
    }

    void add(Watcher watcher) {
        List<Watcher> there = watchers.computeIfAbsent(watcher.session().loop(), any -> new ArrayList<>());
        watcher.place = there.size();
        there.add(watcher);
        count++;
    }

    /** Forgets the watcher; returns whether it was the last. */
    boolean remove(Watcher watcher) {
        List<Watcher> there = watchers.get(watcher.session().loop());
        if (there == null || watcher.place < 0) {
            return count == 0;
        }
        Watcher moved = there.removeLast();
        if (moved != watcher) {
            there.set(watcher.place, moved);
            moved.place = watcher.place;
        }
        watcher.place = -1;
        if (there.isEmpty()) {
            watchers.remove(watcher.session().loop());
        }
        return --count == 0;
    }

    /** Whether what it yields now, in RESP3, differs from last time; if so that is kept. */
    boolean takes(RespWriter now) {
        byte[] before = last;
        if (before != null && Arrays.equals(before, 0, before.length, now.array(), 0, now.length())) {
            return false;
        }
        byte[] copy = Arrays.copyOf(now.array(), now.length());
        boolean same = before != null && sameElements(before, copy);
        last = copy;
        return before != null && !same;
    }

    /** Whether both are the same set or map, in whatever order. */
    private static boolean sameElements(byte[] before, byte[] now) {
        if (before.length != now.length || before.length == 0 || before[0] != now[0]) {
            return false;
        }
        if (now[0] != '~' && now[0] != '%') {
            return false;
        }
        Reply one = decode(before);
        Reply two = decode(now);
        if (one instanceof Reply.SetReply a && two instanceof Reply.SetReply b) {
            return new HashSet<>(a.elements()).equals(new HashSet<>(b.elements()));
        }
        return one instanceof Reply.MapReply a
                && two instanceof Reply.MapReply b
                && new HashSet<>(a.pairs()).equals(new HashSet<>(b.pairs()));
    }

    private static @Nullable Reply decode(byte[] bytes) {
        RespDecoder decoder = new RespDecoder();
        decoder.feed(bytes, 0, bytes.length);
        try {
            return decoder.next();
        } catch (RespException ours) {
            throw new IllegalStateException("the store wrote a reply that is none", ours);
        }
    }

    /** Who is to be told, by loop; arrays of their own, which other threads may read. */
    Map<Integer, Watcher[]> byLoop() {
        Map<Integer, Watcher[]> all = new HashMap<>();
        watchers.forEach((loop, there) -> all.put(loop, there.toArray(new Watcher[0])));
        return all;
    }

    /** What is pushed when it has changed: made once for each protocol and spelling. Immutable; any thread. */
    public static final class Push {
        private final byte[][] bytes;
        /** Nothing follows: the watch is over. */
        private final boolean last;

        Push(WatchedQuery query, byte[] result2, byte[] result3, boolean last) {
            this.last = last;
            bytes = new byte[4][];
            for (int i = 0; i < 4; i++) {
                RespWriter out = new RespWriter();
                out.protocol(i < 2 ? 2 : 3);
                if (i % 2 == 0) {
                    out.push(3);
                    head(out, query);
                } else {
                    out.push(5);
                    observed(out, query);
                }
                byte[] result = i < 2 ? result2 : result3;
                out.raw(result, 0, result.length);
                bytes[i] = Arrays.copyOf(out.array(), out.length());
            }
        }

        /** The bytes for this watcher, in the protocol that it speaks now. On the watcher's loop; not to be changed. */
        public byte[] bytesFor(Watcher watcher) {
            return bytes[(watcher.session().protocol() == 3 ? 2 : 0) + (watcher.observing ? 1 : 0)];
        }

        /** Whether the watch has ended with this. */
        public boolean isLast() {
            return last;
        }
    }

    static void head(RespWriter out, WatchedQuery query) {
        out.bulk(query.command.name);
        out.bulk(query.fingerprint);
    }

    static void observed(RespWriter out, WatchedQuery query) {
        out.bulk("observe");
        out.bulk("fingerprint");
        out.bulk(query.fingerprint);
        out.bulk("result");
    }
}
