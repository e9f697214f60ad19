package dev.caisson.benchmarks.store;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A plain connection that fills stores and asks simple questions. For one thread. */
final class RedisConnection implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 60_000;
    private static final int KEYS_AT_ONCE = 1_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    RedisConnection(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
        out = new BufferedOutputStream(socket.getOutputStream(), 1 << 16);
    }

    /** Sends a command and returns its reply, a line or a bulk string. */
    String call(String... args) throws IOException {
        write(args);
        out.flush();
        return read();
    }

    /** Sets that many keys of 16 bytes, each with its own value and a time to live. */
    void fill(int keys, int valueBytes) throws IOException {
        String format = "%0" + valueBytes + "d";
        for (int from = 0; from < keys; from += KEYS_AT_ONCE) {
            int to = Math.min(keys, from + KEYS_AT_ONCE);
            for (int i = from; i < to; i++) {
                write("SET", String.format("key:%012d", i), String.format(format, i), "EX", "1000000");
            }
            out.flush();
            for (int i = from; i < to; i++) {
                String reply = read();
                if (!reply.equals("OK")) {
                    throw new IOException("SET answered " + reply);
                }
            }
        }
    }

    private void write(String... args) throws IOException {
        StringBuilder text = new StringBuilder("*").append(args.length).append("\r\n");
        for (String arg : args) {
            text.append('$').append(arg.length()).append("\r\n").append(arg).append("\r\n");
        }
        out.write(text.toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    private String read() throws IOException {
        String line = line();
        if (line.startsWith("-")) {
            throw new IOException("the server says " + line);
        }
        if (!line.startsWith("$")) {
            return line.substring(1);
        }
        byte[] bulk = in.readNBytes(Integer.parseInt(line.substring(1)) + 2);
        return new String(bulk, 0, bulk.length - 2, StandardCharsets.ISO_8859_1);
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c; (c = in.read()) != '\n'; ) {
            if (c < 0) {
                throw new EOFException("the server closed the connection");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
