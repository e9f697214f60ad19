package dev.caisson.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A process full of clients that hang on a store in all the ways there are, and leave it in all the ways there are. A
 * process of its own because a client and its server need a descriptor each. Answers lines:
 *
 * <pre>
 * open PORT COUNT       opened COUNT     each has what it asked for
 * leave MODE SEED       left COUNT       MODE: close, reset, half (sends its end, waits for the other's), mixed
 * ended                 ended COUNT      once the store has ended all connections
 * </pre>
 */
final class Crowd {
    /** One in so many does not read what it asked for. */
    static final int DEAF_ONE_IN = 100;

    private static final int TIMEOUT_MILLIS = 120_000;
    private static final int SMALL_WINDOW_BYTES = 4096;

    private final List<Socket> sockets = new ArrayList<>();

    private Crowd() {}

    public static void main(String[] args) throws IOException {
        Crowd crowd = new Crowd();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, US_ASCII));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "open" -> {
                    crowd.open(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
                    System.out.println("opened " + words[2]);
                }
                case "leave" ->
                    System.out.println("left " + crowd.leave(words[1], new Random(Long.parseLong(words[2]))));
                case "ended" -> System.out.println("ended " + crowd.ended());
                default -> throw new IOException("not a command: " + line);
            }
        }
    }

    private void open(int port, int count) throws IOException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        for (int i = 0; i < count; i++) {
            Socket socket = new Socket();
            if (isDeaf(i)) {
                socket.setReceiveBufferSize(SMALL_WINDOW_BYTES);
            }
            socket.connect(address, TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            sockets.add(socket);
            socket.getOutputStream().write(wish(i).getBytes(ISO_8859_1));
        }
        for (int i = 0; i < count; i++) {
            String first = firstReply(i);
            byte[] got = sockets.get(i).getInputStream().readNBytes(first.length());
            if (!new String(got, ISO_8859_1).equals(first)) {
                throw new IOException(wish(i) + " was answered by " + new String(got, ISO_8859_1));
            }
        }
    }

    private static boolean isDeaf(int i) {
        return i % DEAF_ONE_IN == DEAF_ONE_IN - 1;
    }

    private static String wish(int i) {
        if (isDeaf(i)) {
            return "SETRANGE large 65535 x\r\n" + "GET large\r\n".repeat(200);
        }
        return switch (i % 9) {
            case 0 -> "PING\r\n";
            case 1 -> "WATCH watched" + i + " other\r\n";
            case 2 -> "GET.WATCH watched" + i % 50 + "\r\n";
            case 3 -> "HELLO 3\r\nOBSERVE HGETALL hash" + i % 50 + "\r\n";
            case 4 -> "SUBSCRIBE channel" + i % 50 + "\r\n";
            case 5 -> "PSUBSCRIBE chan*" + i + "\r\n";
            case 6 -> "PING\r\nBLPOP list" + i % 50 + " other-list 0\r\n";
            case 7 -> "WATCH watched" + i + "\r\nMULTI\r\nSET k" + i % 50 + " v\r\n";
            default -> "PING\r\n*3\r\n$3\r\nSET\r\n$5\r\nhal";
        };
    }

    /** How what comes for {@link #wish} begins. */
    private static String firstReply(int i) {
        if (isDeaf(i)) {
            return ":65536\r\n";
        }
        return switch (i % 9) {
            case 1, 7 -> "+OK\r\n";
            case 2 -> "*3\r\n";
            case 3 -> "%";
            case 4, 5 -> "*3\r\n";
            default -> "+PONG\r\n";
        };
    }

    private int leave(String mode, Random random) throws IOException {
        String[] modes = {"close", "reset", "half"};
        int count = sockets.size();
        for (Socket socket : sockets) {
            String how = mode.equals("mixed") ? modes[random.nextInt(modes.length)] : mode;
            switch (how) {
                case "close" -> socket.close();
                case "reset" -> {
                    socket.setSoLinger(true, 0);
                    socket.close();
                }
                case "half" -> socket.shutdownOutput();
                default -> throw new IOException("not a way to leave: " + how);
            }
        }
        for (Socket socket : sockets) {
            if (!socket.isClosed()) {
                readToTheEnd(socket);
                socket.close();
            }
        }
        sockets.clear();
        return count;
    }

    private int ended() throws IOException {
        int count = sockets.size();
        for (Socket socket : sockets) {
            readToTheEnd(socket);
            socket.close();
        }
        sockets.clear();
        return count;
    }

    private static void readToTheEnd(Socket socket) throws IOException {
        byte[] buffer = new byte[64 << 10];
        try {
            while (socket.getInputStream().read(buffer) >= 0) {
                // whatever it still says
            }
        } catch (java.net.SocketTimeoutException e) {
            throw new IOException("the store does not end " + socket, e);
        } catch (IOException reset) {
            // an end, too
        }
    }
}
