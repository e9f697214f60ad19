package dev.caisson.rpc;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What of a gRPC service config (service_config.md) the channel obeys: the balancing policy, and per method the timeout,
 * whether calls wait for a connection, and the sizes of messages. Retry, hedging, health checking and the rest are read past. Immutable.
 */
final class ServiceConfig {
    /** The policies that are built in. */
    static final Set<String> POLICIES = Set.of("pick_first", "round_robin");

    static final ServiceConfig EMPTY = new ServiceConfig(null, Map.of());

    private final @Nullable String policy;
    /* By "service/method", "service/", or "" for every method. */
    private final Map<String, MethodConfig> methods;

    private ServiceConfig(@Nullable String policy, Map<String, MethodConfig> methods) {
        this.policy = policy;
        this.methods = methods;
    }

    /**
     * What is set for some methods.
     *
     * @param timeout the longest a call may take; null if not set
     * @param waitForReady whether a call waits for a connection unless its options say otherwise; null if not set
     * @param maxRequestBytes the longest message that may be sent; null if not set
     * @param maxResponseBytes the longest message that may be received; null if not set
     */
    record MethodConfig(
            @Nullable Duration timeout,
            @Nullable Boolean waitForReady,
            @Nullable Integer maxRequestBytes,
            @Nullable Integer maxResponseBytes) {}

    /** The balancing policy it asks for; null if it asks for none. May be one that is not built in. */
    @Nullable
    String policy() {
        return policy;
    }

    /** What is set for a method, by its full name {@code package.Service/Method}; null if nothing is. */
    @Nullable
    MethodConfig method(String fullMethodName) {
        if (methods.isEmpty()) {
            return null;
        }
        MethodConfig config = methods.get(fullMethodName);
        if (config == null) {
            config = methods.get(fullMethodName.substring(0, fullMethodName.lastIndexOf('/') + 1));
        }
        return config == null ? methods.get("") : config;
    }

    /**
     * Reads a service config from JSON as maps, lists, strings, booleans and doubles.
     *
     * @throws IllegalArgumentException if a part that matters here is malformed, naming it
     */
    static ServiceConfig parse(Map<String, ?> json) {
        Map<String, MethodConfig> methods = new HashMap<>();
        for (Object each : list(json.get("methodConfig"), "methodConfig")) {
            Map<?, ?> config = map(each, "methodConfig");
            MethodConfig method = new MethodConfig(
                    duration(config.get("timeout")),
                    bool(config.get("waitForReady")),
                    bytes(config, "maxRequestMessageBytes"),
                    bytes(config, "maxResponseMessageBytes"));
            for (Object name : list(config.get("name"), "methodConfig.name")) {
                methods.putIfAbsent(key(map(name, "methodConfig.name")), method);
            }
        }
        return new ServiceConfig(policy(json), Map.copyOf(methods));
    }

    private static String key(Map<?, ?> name) {
        String service = name.get("service") instanceof String s ? s : "";
        String method = name.get("method") instanceof String s ? s : "";
        if (service.isEmpty()) {
            if (!method.isEmpty()) {
                throw new IllegalArgumentException("service config: methodConfig.name has a method but no service");
            }
            return "";
        }
        return service + "/" + method;
    }

    /* loadBalancingConfig is a list in order of preference, each entry a map of one policy to its settings. */
    private static @Nullable String policy(Map<String, ?> json) {
        List<String> asked = new ArrayList<>();
        for (Object each : list(json.get("loadBalancingConfig"), "loadBalancingConfig")) {
            Map<?, ?> entry = map(each, "loadBalancingConfig");
            if (entry.size() != 1) {
                throw new IllegalArgumentException(
                        "service config: an entry of loadBalancingConfig names not one policy but " + entry.keySet());
            }
            String name = String.valueOf(entry.keySet().iterator().next());
            if (POLICIES.contains(name)) {
                return name;
            }
            asked.add(name);
        }
        if (!asked.isEmpty()) {
            return String.join(", ", asked);
        }
        return json.get("loadBalancingPolicy") instanceof String s ? s.toLowerCase(Locale.ROOT) : null;
    }

    private static List<?> list(@Nullable Object value, String name) {
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> list) {
            return list;
        }
        throw new IllegalArgumentException("service config: " + name + " is not a list but " + value);
    }

    private static Map<?, ?> map(@Nullable Object value, String name) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new IllegalArgumentException("service config: an entry of " + name + " is not an object but " + value);
    }

    private static @Nullable Boolean bool(@Nullable Object value) {
        if (value == null || value instanceof Boolean) {
            return (Boolean) value;
        }
        throw new IllegalArgumentException("service config: waitForReady is not true or false but " + value);
    }

    /** A size as JSON has it: a number, or the same as text. Above 2 GiB it is no limit to us, who have arrays. */
    private static @Nullable Integer bytes(Map<?, ?> config, String name) {
        Object value = config.get(name);
        if (value == null) {
            return null;
        }
        try {
            long bytes = new BigDecimal(value.toString()).longValueExact();
            if (bytes >= 0 && (value instanceof Number || value instanceof String)) {
                return (int) Math.min(Integer.MAX_VALUE, bytes);
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // Told below.
        }
        throw new IllegalArgumentException("service config: " + name + " is not a number of bytes but " + value);
    }

    /** A duration as protobuf writes it in JSON: {@code "1.5s"}. */
    private static @Nullable Duration duration(@Nullable Object value) {
        if (value == null) {
            return null;
        }
        try {
            if (value instanceof String text && text.endsWith("s")) {
                BigDecimal seconds = new BigDecimal(text.substring(0, text.length() - 1));
                if (seconds.signum() >= 0) {
                    return Duration.ofNanos(seconds.movePointRight(9).longValueExact());
                }
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // Told below.
        }
        throw new IllegalArgumentException("service config: timeout is not a duration such as \"1.5s\" but " + value);
    }
}
