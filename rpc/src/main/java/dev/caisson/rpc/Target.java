package dev.caisson.rpc;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.function.Predicate;

/**
 * What a channel was told to connect to, as a URI whose scheme says how it is resolved (gRPC's naming.md).
 *
 * @param text what the caller wrote
 * @param uri the same as a URI; {@code dns:///text} where the text names no scheme that somebody resolves
 */
record Target(String text, URI uri) {
    /** The scheme of a target that names none. */
    static final String DEFAULT_SCHEME = "dns";

    /**
     * Reads a target.
     *
     * @param knownScheme says whether somebody resolves the scheme; one that nobody does is taken for a host name, so
     *     that {@code localhost:80} works
     * @throws IllegalArgumentException if the text is neither a URI of a known scheme nor host:port, saying why
     */
    static Target parse(String text, Predicate<String> knownScheme) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("the target is empty; give host:port or scheme:///name");
        }
        try {
            URI uri = new URI(text);
            String scheme = uri.getScheme();
            if (scheme != null) {
                if (scheme.equals("unix") || scheme.equals("unix-abstract")) {
                    throw new IllegalArgumentException("target " + text
                            + ": Unix domain sockets are not supported; use dns:///host:port or ipv4:address:port");
                }
                if (knownScheme.test(scheme)) {
                    return new Target(text, uri);
                }
                if (text.startsWith(scheme + "://")) {
                    throw new IllegalArgumentException("target " + text + ": no name resolver for the scheme \""
                            + scheme + "\"; built in are dns, ipv4 and ipv6, others must be registered with"
                            + " io.grpc.NameResolverRegistry");
                }
            }
        } catch (URISyntaxException notAUri) {
            // A bare address such as [::1]:80 is no URI but may well be a target.
        }
        try {
            return new Target(text, new URI(DEFAULT_SCHEME, "", "/" + text, null, null));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("target " + text + " is neither a URI nor host:port", e);
        }
    }

    String scheme() {
        return uri.getScheme();
    }

    /**
     * A host and a port.
     *
     * @param host a name or an address, an IPv6 address without its brackets
     * @param port from 0 to 65535
     */
    record HostPort(String host, int port) {
        /**
         * Reads {@code host}, {@code host:port}, {@code [v6]} or {@code [v6]:port}; a bare IPv6 address is understood
         * too.
         *
         * @throws IllegalArgumentException if the text is not of this form, saying what is wrong
         */
        static HostPort parse(String text, int defaultPort) {
            String host = text;
            String port = null;
            if (text.startsWith("[")) {
                int end = text.indexOf(']');
                if (end < 0) {
                    throw new IllegalArgumentException("address " + text + ": the bracket is never closed");
                }
                host = text.substring(1, end);
                String rest = text.substring(end + 1);
                if (rest.startsWith(":")) {
                    port = rest.substring(1);
                } else if (!rest.isEmpty()) {
                    throw new IllegalArgumentException("address " + text + ": expected :port after the bracket");
                }
            } else if (text.indexOf(':') == text.lastIndexOf(':') && text.indexOf(':') >= 0) {
                host = text.substring(0, text.indexOf(':'));
                port = text.substring(text.indexOf(':') + 1);
            }
            if (host.isEmpty()) {
                throw new IllegalArgumentException("address " + text + ": the host is missing");
            }
            return new HostPort(host, port == null ? defaultPort : parsePort(text, port));
        }

        private static int parsePort(String text, String port) {
            if (!port.isEmpty() && port.length() <= 5 && port.chars().allMatch(c -> c >= '0' && c <= '9')) {
                int number = Integer.parseInt(port);
                if (number <= 65535) {
                    return number;
                }
            }
            throw new IllegalArgumentException("address " + text + ": the port must be a number from 0 to 65535");
        }

        /** The host and port as an authority, an IPv6 address in brackets. */
        static String authority(String host, int port) {
            return (host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host) + ":" + port;
        }
    }
}
