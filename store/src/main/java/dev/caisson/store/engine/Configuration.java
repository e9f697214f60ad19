package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The parameters that CONFIG GET shows and CONFIG SET sets, under Redis's names. Some act at once; some are kept and shown
 * only, because clients and tests set them and this store has nothing they would change; some cannot be set while it runs.
 *
 * <p>Thread-safe: a value is one volatile field, and setting several takes a lock, so that either all are set or none.
 */
public final class Configuration {
    private static final int BIG = Integer.MAX_VALUE;

    /** A kind of value: how it is checked, and in which form it is kept. */
    @FunctionalInterface
    private interface Kind {
        /** The value in the form kept. @throws Refused if it is none */
        String normal(String text) throws Refused;
    }

    /** A value that a parameter does not take; the message is Redis's. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message, null, false, false);
        }

        String reason() {
            return String.valueOf(getMessage());
        }
    }

    /** One parameter. */
    private static final class Parameter {
        final String name;
        private final Kind kind;
        private final boolean fixed;
        private final Consumer<String> apply;
        private volatile String value;

        Parameter(String name, Kind kind, String value, boolean fixed, Consumer<String> apply) {
            this.name = name;
            this.kind = kind;
            this.value = value;
            this.fixed = fixed;
            this.apply = apply;
        }
    }

    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Object lock = new Object();

    Configuration(Settings settings, int loops, Consumer<String> password) {
        live(settings);
        add("requirepass", text -> text, "", password);
        add("notify-keyspace-events", Configuration::notifications, settings.notifications(), settings::notifications);
        fixed("databases", "1");
        fixed("io-threads", Integer.toString(loops));
        fixed("port", "-1");
        fixed("bind", "");
        fixed("cluster-enabled", "no");
        fixed("enable-debug-command", "no");
        fixed("dir", "");
        fixed("appendonly", "no");
        fixed("supervised", "no");
        kept();
    }

    /** Those that act. */
    private void live(Settings settings) {
        add(
                "maxmemory",
                Configuration::memory,
                Long.toString(settings.maxMemoryBytes()),
                value -> settings.maxMemoryBytes(Long.parseLong(value)));
        add(
                "maxmemory-policy",
                choice(policies()),
                settings.eviction().text(),
                value -> settings.eviction(
                        Settings.Eviction.valueOf(value.replace('-', '_').toUpperCase(Locale.ROOT))));
        add(
                "command-work-limit",
                whole(1, Long.MAX_VALUE),
                Long.toString(settings.workLimit()),
                value -> settings.workLimit(Long.parseLong(value)));
    }

    private static String notifications(String text) throws Refused {
        String classes = KeyspaceEvents.normal(text);
        if (classes == null) {
            throw new Refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        }
        return classes;
    }

    /** Those that are kept and shown. */
    private void kept() {
        keep("maxclients", whole(1, BIG), "10000");
        keep("timeout", whole(0, BIG), "0");
        keep("tcp-keepalive", whole(0, BIG), "300");
        keep("save", text -> text, "");
        keep("appendfsync", choice("everysec", "always", "no"), "everysec");
        keep("no-appendfsync-on-rewrite", Configuration::yesNo, "no");
        keep("auto-aof-rewrite-percentage", whole(0, BIG), "100");
        keep("auto-aof-rewrite-min-size", Configuration::memory, "67108864");
        keep("loglevel", choice("debug", "verbose", "notice", "warning", "nothing"), "notice");
        keep("hz", whole(1, 500), "10");
        keep("maxmemory-samples", whole(1, 64), "5");
        keep("lazyfree-lazy-eviction", Configuration::yesNo, "no");
        keep("lazyfree-lazy-expire", Configuration::yesNo, "no");
        keep("lazyfree-lazy-server-del", Configuration::yesNo, "no");
        keep("lazyfree-lazy-user-del", Configuration::yesNo, "no");
        keep("lazyfree-lazy-user-flush", Configuration::yesNo, "no");
        keep("activerehashing", Configuration::yesNo, "yes");
        keep("rdbcompression", Configuration::yesNo, "yes");
        keep("rdbchecksum", Configuration::yesNo, "yes");
        keep("stop-writes-on-bgsave-error", Configuration::yesNo, "yes");
        keep("close-on-replica-write", Configuration::yesNo, "yes");
        keep("list-compress-depth", whole(0, BIG), "0");
        keep("lua-time-limit", whole(0, Long.MAX_VALUE), "5000");
        keep("busy-reply-threshold", whole(0, Long.MAX_VALUE), "5000");
        keep("latency-tracking", Configuration::yesNo, "no");
        keep("latency-monitor-threshold", whole(0, Long.MAX_VALUE), "0");
        keep("tracking-table-max-keys", whole(0, Long.MAX_VALUE), "1000000");
        keep("set-max-intset-entries", whole(0, BIG), "512");
        size("hash-max-listpack-entries", "hash-max-ziplist-entries", "512");
        size("hash-max-listpack-value", "hash-max-ziplist-value", "64");
        size("zset-max-listpack-entries", "zset-max-ziplist-entries", "128");
        size("zset-max-listpack-value", "zset-max-ziplist-value", "64");
        size("list-max-listpack-size", "list-max-ziplist-size", "-2");
        keep("set-max-listpack-entries", whole(0, BIG), "128");
        keep("set-max-listpack-value", Configuration::memory, "64");
        keep("hll-sparse-max-bytes", Configuration::memory, "3000");
        keep("stream-node-max-bytes", Configuration::memory, "4096");
        keep("stream-node-max-entries", whole(0, BIG), "100");
    }

    private static String[] policies() {
        Settings.Eviction[] all = Settings.Eviction.values();
        String[] texts = new String[all.length];
        for (int i = 0; i < all.length; i++) {
            texts[i] = all[i].text();
        }
        return texts;
    }

    /** A size whose old name means the same. */
    private void size(String name, String oldName, String value) {
        keep(name, whole(-BIG, BIG), value);
        parameters.put(oldName, parameter(name));
    }

    private void keep(String name, Kind kind, String value) {
        add(name, kind, value, ignored -> {});
    }

    private void fixed(String name, String value) {
        parameters.put(name, new Parameter(name, text -> text, value, true, ignored -> {}));
    }

    private void add(String name, Kind kind, String value, Consumer<String> apply) {
        parameters.put(name, new Parameter(name, kind, value, false, apply));
    }

    private Parameter parameter(String name) {
        Parameter parameter = parameters.get(name);
        if (parameter == null) {
            throw new IllegalArgumentException("no parameter " + name);
        }
        return parameter;
    }

    // ---- use

    /** The value of a parameter as CONFIG GET shows it. @throws IllegalArgumentException if there is none of this name */
    public String get(String name) {
        return parameter(name).value;
    }

    /** Shows another value from now on, for what the store itself decides (its port); nothing acts on it. */
    public void show(String name, String value) {
        parameter(name).value = value;
    }

    /** The parameters whose names match a pattern, whatever its case, each once. */
    Map<String, String> find(Collection<String> patterns) {
        Map<String, String> found = new LinkedHashMap<>();
        for (String pattern : patterns) {
            Parameter exact = parameters.get(pattern.toLowerCase(Locale.ROOT));
            if (exact != null) {
                found.put(pattern, exact.value); // under the name as it was written
                continue;
            }
            byte[] glob = pattern.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.ISO_8859_1);
            parameters.forEach((name, parameter) -> {
                if (Glob.matches(glob, name.getBytes(StandardCharsets.ISO_8859_1))) {
                    found.put(name, parameter.value);
                }
            });
        }
        return found;
    }

    /**
     * Sets parameters: all, or none if one is refused.
     *
     * @param pairs a name and a value, in turn
     * @throws ErrorReply in Redis's words
     */
    void set(List<String> pairs) {
        Map<Parameter, String> next = new LinkedHashMap<>();
        Set<String> seen = new LinkedHashSet<>();
        synchronized (lock) {
            for (int i = 0; i < pairs.size(); i += 2) {
                String name = pairs.get(i);
                Parameter parameter = parameters.get(name.toLowerCase(Locale.ROOT));
                if (parameter == null) {
                    throw new ErrorReply("ERR Unknown option or number of arguments for CONFIG SET - '" + name + "'");
                }
                if (parameter.fixed) {
                    throw failed(name, "can't set immutable config");
                }
                if (!seen.add(parameter.name)) {
                    throw failed(name, "duplicate parameter");
                }
                try {
                    next.put(parameter, parameter.kind.normal(pairs.get(i + 1)));
                } catch (Refused refused) {
                    throw failed(name, refused.reason());
                }
            }
            next.forEach((parameter, value) -> {
                parameter.apply.accept(value);
                parameter.value = value;
            });
        }
    }

    private static ErrorReply failed(String name, String reason) {
        return new ErrorReply("ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + reason);
    }

    // ---- kinds of values

    private static String yesNo(String text) throws Refused {
        String value = text.toLowerCase(Locale.ROOT);
        if (!value.equals("yes") && !value.equals("no")) {
            throw new Refused("argument must be 'yes' or 'no'");
        }
        return value;
    }

    private static Kind choice(String... choices) {
        return text -> {
            String value = text.toLowerCase(Locale.ROOT);
            if (!List.of(choices).contains(value)) {
                throw new Refused("argument(s) must be one of the following: " + String.join(", ", choices));
            }
            return value;
        };
    }

    private static Kind whole(long least, long most) {
        return text -> {
            long value;
            try {
                value = Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw new Refused("argument couldn't be parsed into an integer");
            }
            if (value < least || value > most) {
                throw new Refused("argument must be between " + least + " and " + most + " inclusive");
            }
            return Long.toString(value);
        };
    }

    private static String memory(String text) throws Refused {
        Long bytes = bytes(text);
        if (bytes == null) {
            throw new Refused("argument must be a memory value");
        }
        return Long.toString(bytes);
    }

    /** Bytes of {@code 100}, {@code 1k} (1000), {@code 1kb} (1024) and so on; null if it is none. */
    static @Nullable Long bytes(String text) {
        int digits = 0;
        while (digits < text.length() && Character.isDigit(text.charAt(digits))) {
            digits++;
        }
        long unit = switch (text.substring(digits).toLowerCase(Locale.ROOT)) {
            case "", "b" -> 1;
            case "k" -> 1000;
            case "kb" -> 1L << 10;
            case "m" -> 1_000_000;
            case "mb" -> 1L << 20;
            case "g" -> 1_000_000_000;
            case "gb" -> 1L << 30;
            default -> 0;
        };
        try {
            return unit == 0 ? null : Math.multiplyExact(Long.parseLong(text, 0, digits, 10), unit);
        } catch (NumberFormatException | ArithmeticException e) {
            return null;
        }
    }
}
