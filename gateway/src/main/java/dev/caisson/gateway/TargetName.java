package dev.caisson.gateway;

import java.util.Locale;

/**
 * A server to call: {@code host:port}. Nothing else is a target, so no request can name a resolver scheme, a socket file
 * or a path.
 *
 * @param host name, IPv4 address or IPv6 address without brackets, in lower case
 * @param port 1 to 65535
 */
record TargetName(String host, int port) {
    private static final int MAX_HOST_CHARS = 253; // RFC 1035 section 2.3.4, less the dots at both ends

    /** @throws IllegalArgumentException saying what a target looks like */
    static TargetName parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? text : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        String plain = bracketed ? host.substring(1, host.length() - 1) : host;
        if (colon < 0 || plain.isEmpty() || plain.length() > MAX_HOST_CHARS || !isHost(plain, bracketed)) {
            throw new IllegalArgumentException("not a target: " + clipped(text) + "; write host:port or [ipv6]:port");
        }
        return new TargetName(plain.toLowerCase(Locale.ROOT), port(text, text.substring(colon + 1)));
    }

    private static boolean isHost(String host, boolean ipv6) {
        for (int i = 0; i < host.length(); i++) {
            char c = host.charAt(i);
            boolean word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
            if (!(word || (ipv6 ? c == ':' : c == '-' || c == '_'))) {
                return false;
            }
        }
        return true;
    }

    private static int port(String text, String digits) {
        if (digits.matches("[0-9]{1,5}")) {
            int port = Integer.parseInt(digits);
            if (port >= 1 && port <= 65_535) {
                return port;
            }
        }
        throw new IllegalArgumentException("not a port: " + clipped(digits) + " in " + clipped(text) + "; 1 to 65535");
    }

    /** Whether the host is this machine by name or address; decides plaintext or TLS. */
    boolean loopback() {
        return host.equals("localhost") || (host.startsWith("127.") && host.matches("[0-9.]+")) || host.equals("::1");
    }

    static String clipped(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "…";
    }

    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
