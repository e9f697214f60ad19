package dev.caisson.store.engine;

import dev.caisson.store.resp.RespWriter;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The subscribers among the clients of one loop, and what is on its way to them. Belongs to its loop, but for
 * {@link #post}.
 *
 * <ul>
 *   <li>Messages reach a client in the order in which its loop got them; those of one publisher in the order in which it
 *       published.
 *   <li>No message follows the confirmation that a client has unsubscribed.
 *   <li>Of many receivers {@value #TURN} are told, then others are served before the rest is told.
 *   <li>What waits is bounded by {@link Audience#MAX_WAITING_BYTES}, past which a message is refused to its publisher.
 * </ul>
 */
public final class Channels {
    /** How many clients are told before others are served. */
    static final int TURN = 256;

    /** What can be subscribed to. */
    enum Kind {
        CHANNEL("message", "subscribe", "unsubscribe"),
        PATTERN("pmessage", "psubscribe", "punsubscribe"),
        SHARD("smessage", "ssubscribe", "sunsubscribe"),
        /** All commands, for MONITOR; its one name is empty. */
        MONITOR("", "", "");

        final String message;
        final String subscribed;
        final String unsubscribed;

        Kind(String message, String subscribed, String unsubscribed) {
            this.message = message;
            this.subscribed = subscribed;
            this.unsubscribed = unsubscribed;
        }
    }

    /** A message on its way, and who of one name is still to be told. */
    private static final class Delivery {
        final Kind kind;
        final Key name;
        final byte[] channel;
        final byte[] message;
        /** Null until its turn comes. */
        Session @Nullable [] receivers;

        int told;
        /** What {@link Audience} counts as under way until this has been told; on the last delivery of a message. */
        long counted;

        byte @Nullable [] resp2;
        byte @Nullable [] resp3;

        Delivery(Kind kind, Key name, byte[] channel, byte[] message) {
            this.kind = kind;
            this.name = name;
            this.channel = channel;
            this.message = message;
        }

        byte[] bytes(int protocol) {
            byte[] made = protocol == 2 ? resp2 : resp3;
            if (made == null) {
                made = make(protocol);
                if (protocol == 2) {
                    resp2 = made;
                } else {
                    resp3 = made;
                }
            }
            return made;
        }

        private byte[] make(int protocol) {
            if (kind == Kind.MONITOR) {
                return message;
            }
            RespWriter out = new RespWriter();
            out.protocol(protocol);
            out.push(kind == Kind.PATTERN ? 4 : 3);
            out.bulk(kind.message);
            if (kind == Kind.PATTERN) {
                out.bulk(name.bytes());
            }
            out.bulk(channel).bulk(message);
            return Arrays.copyOf(out.array(), out.length());
        }
    }

    private final int loop;
    private final Audience audience;
    private final Map<Key, Set<Session>>[] subscribers;
    private final ArrayDeque<Delivery> waiting = new ArrayDeque<>();

    @SuppressWarnings({"unchecked", "rawtypes", "EnumOrdinal"}) // an array for each kind
    Channels(int loop, Audience audience) {
        this.loop = loop;
        this.audience = audience;
        this.subscribers = new Map[Kind.values().length];
        for (Kind kind : Kind.values()) {
            subscribers[kind.ordinal()] = new HashMap<>();
        }
    }

    /** Has the client told from now on; returns whether it was not before. */
    boolean join(Session session, Kind kind, Key name) {
        if (!session.joined(kind).add(name)) {
            return false;
        }
        of(kind).computeIfAbsent(name, any -> new LinkedHashSet<>()).add(session);
        audience.count(kind, name, loop, 1);
        return true;
    }

    /** Has the client not told any more; returns whether it was before. */
    boolean leave(Session session, Kind kind, Key name) {
        if (!session.joined(kind).remove(name)) {
            return false;
        }
        Set<Session> all = of(kind).get(name);
        if (all != null && all.remove(session) && all.isEmpty()) {
            of(kind).remove(name);
        }
        audience.count(kind, name, loop, -1);
        return true;
    }

    /** Ends all subscriptions of a client: it is gone, or was reset. */
    public void leave(Session session) {
        for (Kind kind : Kind.values()) {
            for (Key name : Set.copyOf(session.joined(kind))) {
                leave(session, kind, name);
            }
        }
    }

    /**
     * A message has come from another thread or this one: it goes to those who subscribed to the channel, then to those of
     * each pattern that matches.
     */
    void post(boolean sharded, byte[] channel, byte[] message) {
        Key name = new Key(channel);
        Kind kind = sharded ? Kind.SHARD : Kind.CHANNEL;
        Delivery last = add(kind, name, channel, message, null);
        if (!sharded) {
            for (Key pattern : of(Kind.PATTERN).keySet()) {
                if (Glob.matches(pattern.bytes(), channel)) {
                    last = add(Kind.PATTERN, pattern, channel, message, last);
                }
            }
        }
        tell(last, (long) channel.length + message.length);
    }

    /** A command was run: those who monitor are told. */
    void report(byte[] line) {
        tell(add(Kind.MONITOR, Audience.ALL, line, line, null), line.length);
    }

    private @Nullable Delivery add(Kind kind, Key name, byte[] channel, byte[] message, @Nullable Delivery before) {
        if (!of(kind).containsKey(name)) {
            return before;
        }
        Delivery delivery = new Delivery(kind, name, channel, message);
        waiting.add(delivery);
        return delivery;
    }

    private void tell(@Nullable Delivery last, long bytes) {
        if (last == null) {
            audience.arrived(loop, bytes);
        } else {
            last.counted = bytes;
            tell();
        }
    }

    /** Tells some of those who wait to be told, and has itself called again for the rest. */
    private void tell() {
        int left = TURN;
        while (left > 0) {
            Delivery delivery = waiting.peek();
            if (delivery == null) {
                return;
            }
            Set<Session> now = of(delivery.kind).getOrDefault(delivery.name, Set.of());
            if (delivery.receivers == null) {
                delivery.receivers = now.toArray(new Session[0]);
            }
            Session[] receivers = delivery.receivers;
            while (left > 0 && delivery.told < receivers.length) {
                Session session = receivers[delivery.told++];
                left--;
                if (now.contains(session)) {
                    session.push(delivery.bytes(session.protocol()));
                }
            }
            if (delivery.told == receivers.length) {
                waiting.remove();
                audience.arrived(loop, delivery.counted);
            }
        }
        if (!waiting.isEmpty()) {
            audience.later(loop, this::tell);
        }
    }

    @SuppressWarnings("EnumOrdinal") // an array for each kind
    private Map<Key, Set<Session>> of(Kind kind) {
        return subscribers[kind.ordinal()];
    }
}
