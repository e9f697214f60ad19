package dev.caisson.store.engine;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Keyspace notifications: what changes is published to the channels {@code __keyspace@0__:<key>} and
 * {@code __keyevent@0__:<event>}, in the classes that {@code notify-keyspace-events} names. Any thread.
 */
final class KeyspaceEvents implements Shard.Listener {
    /** The classes of {@code A}, in the order in which CONFIG GET writes them. */
    private static final String ALL = "g$lshzxetd";

    private static final String OTHERS = "nKEm";

    private final Server server;

    KeyspaceEvents(Server server) {
        this.server = server;
    }

    /** The classes of this text as CONFIG GET writes them, each once; null if there is an unknown one. */
    static @Nullable String normal(String classes) {
        boolean all = classes.indexOf('A') >= 0;
        StringBuilder normal = new StringBuilder();
        for (int i = 0; i < classes.length(); i++) {
            char c = classes.charAt(i);
            if (c != 'A' && ALL.indexOf(c) < 0 && OTHERS.indexOf(c) < 0) {
                return null;
            }
        }
        if (all || ALL.chars().allMatch(c -> classes.indexOf(c) >= 0)) {
            normal.append('A');
        } else {
            ALL.chars().filter(c -> classes.indexOf(c) >= 0).forEach(c -> normal.append((char) c));
        }
        OTHERS.chars().filter(c -> classes.indexOf(c) >= 0).forEach(c -> normal.append((char) c));
        return normal.toString();
    }

    @Override
    public boolean hears(char kind) {
        String classes = server.settings().notifications();
        return !classes.isEmpty()
                && (classes.indexOf(kind) >= 0 || classes.charAt(0) == 'A' && ALL.indexOf(kind) >= 0)
                && (classes.indexOf('K') >= 0 || classes.indexOf('E') >= 0);
    }

    @Override
    public void changed(Shard shard, byte[] key, String event, char kind) {
        String classes = server.settings().notifications();
        byte[] name = event.getBytes(StandardCharsets.ISO_8859_1);
        if (classes.indexOf('K') >= 0) {
            publish("__keyspace@0__:", key, name);
        }
        if (classes.indexOf('E') >= 0) {
            publish("__keyevent@0__:", name, key);
        }
    }

    private void publish(String prefix, byte[] rest, byte[] message) {
        byte[] start = prefix.getBytes(StandardCharsets.ISO_8859_1);
        byte[] channel = new byte[start.length + rest.length];
        System.arraycopy(start, 0, channel, 0, start.length);
        System.arraycopy(rest, 0, channel, start.length, rest.length);
        server.audience().notify(channel, message);
    }
}
