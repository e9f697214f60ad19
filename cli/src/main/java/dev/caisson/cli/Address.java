package dev.caisson.cli;

import java.util.Locale;

/**
 * Where a server is, as a user writes it: {@code host:port}, {@code [::1]:port}, or a gRPC target with a scheme
 * ({@code dns:///host:port}), which is passed on as it is.
 *
 * @param target for the channel
 * @param host empty if the target has a scheme
 * @param port 0 if the target has a scheme
 */
record Address(String target, String host, int port) {
    static Address parse(String text) {
        if (text.contains("://") || text.startsWith("unix:")) {
            if (text.startsWith("http://") || text.startsWith("https://")) {
                throw Failure.usage("a gRPC address has no http in front: "
                        + text.replaceFirst("https?://", "").replaceFirst("/.*", "")
                        + (text.startsWith("https") ? " --tls" : " --plaintext"));
            }
            return scheme(text);
        }
        int colon = text.lastIndexOf(':');
        boolean bareIpv6 = text.indexOf(':') != colon && !text.startsWith("[");
        if (colon < 0 || bareIpv6 || text.endsWith("]")) {
            throw Failure.usage("the address " + text + " has no port; write "
                    + (bareIpv6 ? "[" + text + "]" : text.isEmpty() ? "HOST" : text) + ":50051");
        }
        String host = text.substring(0, colon);
        int port = port(text.substring(colon + 1), text);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isEmpty()) {
            host = "localhost";
        }
        String literal = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return new Address("dns:///" + literal + ":" + port, host, port);
    }

    /** dns:///host:port and the like: host and port are there for diagnosis where they can be read. */
    private static Address scheme(String text) {
        String rest = text.substring(text.lastIndexOf('/') + 1);
        int colon = rest.lastIndexOf(':');
        try {
            return new Address(
                    text, rest.substring(0, Math.max(colon, 0)), Integer.parseInt(rest.substring(colon + 1)));
        } catch (NumberFormatException e) {
            return new Address(text, "", 0);
        }
    }

    private static int port(String digits, String whole) {
        try {
            int port = Integer.parseInt(digits);
            if (port >= 1 && port <= 65_535) {
                return port;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw Failure.usage("the port of " + whole + " is not a number from 1 to 65535");
    }

    /** Whether the name or number means this machine, without asking DNS. */
    boolean loopback() {
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost")
                || name.endsWith(".localhost")
                || name.equals("::1")
                || name.equals("0:0:0:0:0:0:0:1")
                || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");
    }

    @Override
    public String toString() {
        return host.isEmpty() ? target : host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
