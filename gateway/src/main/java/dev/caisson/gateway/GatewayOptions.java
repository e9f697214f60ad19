package dev.caisson.gateway;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a {@link Gateway} listens on, whom it calls and how much it takes. Immutable; made by {@link #builder()}. Every
 * limit has a default that suits a gateway on a small machine; nothing is unlimited.
 */
public final class GatewayOptions {
    private final Builder set;

    private GatewayOptions(Builder set) {
        this.set = set;
    }

    /** Loopback, port 8080, no target allowed, default limits. */
    public static Builder builder() {
        return new Builder();
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return set.address;
    }

    /** The targets that may be called, as {@code host:port}; meaningless with {@link #allowAll()}. */
    public Set<String> allowed() {
        return Set.copyOf(set.allowed);
    }

    /** Whether any target may be called. */
    public boolean allowAll() {
        return set.allowAll;
    }

    /** Whether targets beyond loopback are called without TLS. */
    public boolean plaintext() {
        return set.plaintext;
    }

    /** Host names accepted in {@code Host} beside the loopback ones. */
    public Set<String> hostNames() {
        return Set.copyOf(set.hostNames);
    }

    /** Origins whose pages may call this gateway; empty means cross-origin requests are refused. */
    public Set<String> corsOrigins() {
        return Set.copyOf(set.corsOrigins);
    }

    /** Whether the first page, {@code /api/tree} and {@code /metrics} are served. */
    public boolean console() {
        return set.console != null ? set.console : address().getAddress().isLoopbackAddress();
    }

    int maxConnections() {
        return set.maxConnections;
    }

    int maxCalls() {
        return set.maxCalls;
    }

    int maxTargets() {
        return set.maxTargets;
    }

    int maxWatchers() {
        return set.maxWatchers;
    }

    int maxMessageBytes() {
        return set.maxMessageBytes;
    }

    long maxMessagesPerRequest() {
        return set.maxMessagesPerRequest;
    }

    int maxHeaderBytes() {
        return set.maxHeaderBytes;
    }

    int maxRequestLineBytes() {
        return set.maxRequestLineBytes;
    }

    Duration deadline() {
        return set.deadline;
    }

    Duration streamDeadline() {
        return set.streamDeadline;
    }

    Duration maxDeadline() {
        return set.maxDeadline;
    }

    Duration headTimeout() {
        return set.headTimeout;
    }

    Duration bodyTimeout() {
        return set.bodyTimeout;
    }

    Duration writeTimeout() {
        return set.writeTimeout;
    }

    Duration idleTimeout() {
        return set.idleTimeout;
    }

    Duration targetIdleTimeout() {
        return set.targetIdleTimeout;
    }

    Duration descriptorLifetime() {
        return set.descriptorLifetime;
    }

    /** Sets what differs from the defaults. Not thread-safe. */
    public static final class Builder {
        private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 8080);
        private final Set<String> allowed = new TreeSet<>();
        private boolean allowAll;
        private boolean plaintext;
        private final Set<String> hostNames = new TreeSet<>();
        private final Set<String> corsOrigins = new TreeSet<>();
        private @org.jspecify.annotations.Nullable Boolean console;
        private int maxConnections = 4_096;
        private int maxCalls = 2_048;
        private int maxTargets = 256;
        private int maxWatchers = 32;
        private int maxMessageBytes = 4 << 20;
        private long maxMessagesPerRequest = 1_000_000;
        private int maxHeaderBytes = 16 << 10;
        private int maxRequestLineBytes = 4 << 10;
        private Duration deadline = Duration.ofSeconds(30);
        private Duration streamDeadline = Duration.ofMinutes(10);
        private Duration maxDeadline = Duration.ofHours(1);
        private Duration headTimeout = Duration.ofSeconds(10);
        private Duration bodyTimeout = Duration.ofSeconds(30);
        private Duration writeTimeout = Duration.ofSeconds(30);
        private Duration idleTimeout = Duration.ofSeconds(60);
        private Duration targetIdleTimeout = Duration.ofMinutes(5);
        private Duration descriptorLifetime = Duration.ofMinutes(5);

        private Builder() {}

        /** Listens there; port 0 takes any free one. Beyond loopback every target is as open as the network is. */
        public Builder address(InetSocketAddress value) {
            if (value.isUnresolved()) {
                throw new IllegalArgumentException("cannot resolve " + value.getHostString());
            }
            address = value;
            return this;
        }

        /** Listens on this port of the address set, 0 for any free one. */
        public Builder port(int value) {
            return address(new InetSocketAddress(address.getAddress(), value));
        }

        /**
         * Allows calls to this target.
         *
         * @param target {@code host:port} or {@code [ipv6]:port}, exactly as requests will name it, letter case aside
         */
        public Builder allow(String target) {
            allowed.add(TargetName.parse(target).toString());
            return this;
        }

        /** Allows calls to any host and port this machine can reach. Mind who can reach the gateway. */
        public Builder allowAll(boolean value) {
            allowAll = value;
            return this;
        }

        /** Calls every target without TLS; by default only loopback targets are. */
        public Builder plaintext(boolean value) {
            plaintext = value;
            return this;
        }

        /**
         * Accepts this name in {@code Host}, too. On loopback only loopback names are accepted otherwise; elsewhere any
         * name is, until one is set here.
         */
        public Builder hostName(String name) {
            hostNames.add(name.toLowerCase(java.util.Locale.ROOT));
            return this;
        }

        /** Lets pages of this origin, as in {@code https://tools.example}, call the gateway (CORS). Off by default. */
        public Builder corsOrigin(String origin) {
            corsOrigins.add(origin);
            return this;
        }

        /** Serves the first page, the tree and the metrics: by default on loopback only. */
        public Builder console(boolean value) {
            console = value;
            return this;
        }

        /** HTTP connections open at once; more are answered 503 and closed. Default 4,096. */
        public Builder maxConnections(int value) {
            maxConnections = positive("maxConnections", value);
            return this;
        }

        /** Calls in flight at once; more are answered 503. Default 2,048. */
        public Builder maxCalls(int value) {
            maxCalls = positive("maxCalls", value);
            return this;
        }

        /** Targets with an open channel; the longest idle one makes room, else 503. Default 256. */
        public Builder maxTargets(int value) {
            maxTargets = positive("maxTargets", value);
            return this;
        }

        /** Pages that watch the tree at once; more are answered 503. Default 32. */
        public Builder maxWatchers(int value) {
            maxWatchers = positive("maxWatchers", value);
            return this;
        }

        /** Bytes of one message: a body, a line of one, or what a server sends. Default 4 MiB. */
        public Builder maxMessageBytes(int value) {
            maxMessageBytes = positive("maxMessageBytes", value);
            return this;
        }

        /** Messages in one request body. Default 1,000,000. */
        public Builder maxMessagesPerRequest(long value) {
            if (value < 1) {
                throw new IllegalArgumentException("maxMessagesPerRequest must be positive: " + value);
            }
            maxMessagesPerRequest = value;
            return this;
        }

        /** Bytes of all request headers together. Default 16 KiB. */
        public Builder maxHeaderBytes(int value) {
            maxHeaderBytes = positive("maxHeaderBytes", value);
            return this;
        }

        /** Deadline of a unary or client-streaming call whose request names none. Default 30 s. */
        public Builder deadline(Duration value) {
            deadline = positive("deadline", value);
            return this;
        }

        /** Deadline of a server- or bidi-streaming call whose request names none. Default 10 min. */
        public Builder streamDeadline(Duration value) {
            streamDeadline = positive("streamDeadline", value);
            return this;
        }

        /** The longest deadline a request may name; longer ones are cut to it. Default 1 h. */
        public Builder maxDeadline(Duration value) {
            maxDeadline = positive("maxDeadline", value);
            return this;
        }

        /** From a request's first byte to its last header, else 408. Default 10 s. */
        public Builder headTimeout(Duration value) {
            headTimeout = positive("headTimeout", value);
            return this;
        }

        /** For a body to arrive once it is asked for, else 408; streamed bodies have the call's deadline. Default 30 s. */
        public Builder bodyTimeout(Duration value) {
            bodyTimeout = positive("bodyTimeout", value);
            return this;
        }

        /** For a finished answer to be taken by the client, else the connection is cut. Default 30 s. */
        public Builder writeTimeout(Duration value) {
            writeTimeout = positive("writeTimeout", value);
            return this;
        }

        /** A connection without request is closed after this. Default 60 s. */
        public Builder idleTimeout(Duration value) {
            idleTimeout = positive("idleTimeout", value);
            return this;
        }

        /** A target's channel without call is closed after this. Default 5 min. */
        public Builder targetIdleTimeout(Duration value) {
            targetIdleTimeout = positive("targetIdleTimeout", value);
            return this;
        }

        /** A target's descriptors are asked for again after this. Default 5 min. */
        public Builder descriptorLifetime(Duration value) {
            descriptorLifetime = positive("descriptorLifetime", value);
            return this;
        }

        /** The options as set so far; the builder may go on. */
        public GatewayOptions build() {
            Builder copy = new Builder();
            copy.address = address;
            copy.allowed.addAll(allowed);
            copy.allowAll = allowAll;
            copy.plaintext = plaintext;
            copy.hostNames.addAll(hostNames);
            copy.corsOrigins.addAll(corsOrigins);
            copy.console = console;
            copy.maxConnections = maxConnections;
            copy.maxCalls = maxCalls;
            copy.maxTargets = maxTargets;
            copy.maxWatchers = maxWatchers;
            copy.maxMessageBytes = maxMessageBytes;
            copy.maxMessagesPerRequest = maxMessagesPerRequest;
            copy.maxHeaderBytes = maxHeaderBytes;
            copy.maxRequestLineBytes = maxRequestLineBytes;
            copy.deadline = deadline;
            copy.streamDeadline = streamDeadline;
            copy.maxDeadline = maxDeadline;
            copy.headTimeout = headTimeout;
            copy.bodyTimeout = bodyTimeout;
            copy.writeTimeout = writeTimeout;
            copy.idleTimeout = idleTimeout;
            copy.targetIdleTimeout = targetIdleTimeout;
            copy.descriptorLifetime = descriptorLifetime;
            return new GatewayOptions(copy);
        }

        private static int positive(String name, int value) {
            if (value < 1) {
                throw new IllegalArgumentException(name + " must be positive: " + value);
            }
            return value;
        }

        private static Duration positive(String name, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException(name + " must be positive: " + value);
            }
            return value;
        }
    }
}
