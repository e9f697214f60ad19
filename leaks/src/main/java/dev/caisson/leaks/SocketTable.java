package dev.caisson.leaks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What Linux knows of this process's sockets: from {@code socket:[inode]} to addresses and state (proc(5), net/tcp). */
final class SocketTable {
    private static final List<String> TCP_STATES = List.of(
            "?",
            "ESTABLISHED",
            "SYN_SENT",
            "SYN_RECV",
            "FIN_WAIT1",
            "FIN_WAIT2",
            "TIME_WAIT",
            "CLOSE",
            "CLOSE_WAIT",
            "LAST_ACK",
            "LISTEN",
            "CLOSING");

    private SocketTable() {}

    static Map<String, String> read() {
        Map<String, String> sockets = new HashMap<>();
        for (String table : List.of("tcp", "tcp6", "udp", "udp6", "unix")) {
            try {
                List<String> lines =
                        Files.readAllLines(Path.of("/proc/self/net/" + table), StandardCharsets.ISO_8859_1);
                for (String line : lines.subList(Math.min(1, lines.size()), lines.size())) {
                    add(table, line.trim().split("\\s+"), sockets);
                }
            } catch (IOException | RuntimeException unreadable) {
                // The table is there to say more about a leak; without it the inode has to do.
            }
        }
        return sockets;
    }

    private static void add(String table, String[] column, Map<String, String> sockets) {
        if (table.equals("unix")) {
            if (column.length >= 7) {
                sockets.put(
                        "socket:[" + column[6] + "]",
                        "unix socket " + (column.length > 7 ? column[7] : "without a path"));
            }
        } else if (column.length >= 10) {
            int state = Integer.parseInt(column[3], 16);
            String text = table + " " + address(column[1]);
            if (!column[2].endsWith(":0000")) {
                text += " to " + address(column[2]);
            }
            if (table.startsWith("tcp") && state < TCP_STATES.size()) {
                text += " " + TCP_STATES.get(state);
            }
            sockets.put("socket:[" + column[9] + "]", text);
        }
    }

    /** {@code 0100007F:1F90} is 127.0.0.1:8080: groups of four bytes in the machine's order, taken as little-endian. */
    static String address(String hex) {
        int colon = hex.indexOf(':');
        byte[] bytes = new byte[colon / 2];
        for (int i = 0; i < bytes.length; i++) {
            int at = (i / 4) * 4 + 3 - i % 4;
            bytes[at] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        int port = Integer.parseInt(hex.substring(colon + 1), 16);
        try {
            String host = InetAddress.getByAddress(bytes).getHostAddress();
            return String.format(Locale.ROOT, host.contains(":") ? "[%s]:%d" : "%s:%d", host, port);
        } catch (UnknownHostException e) {
            return hex;
        }
    }
}
