package dev.caisson.store;

import dev.caisson.store.resp.Reply;
import dev.caisson.store.resp.RespDecoder;
import dev.caisson.store.resp.RespException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A plain client on a socket: writes what it is told, reads replies or bytes. For one thread. */
final class Wire implements AutoCloseable {
    private final Socket socket;
    private final RespDecoder decoder = new RespDecoder();
    private final byte[] buffer = new byte[64 << 10];

    Wire(int port) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    Wire(Socket connected) throws IOException {
        socket = connected;
        socket.setSoTimeout(30_000);
        socket.setTcpNoDelay(true);
    }

    static byte[] request(String... args) {
        StringBuilder text = new StringBuilder("*").append(args.length).append("\r\n");
        for (String arg : args) {
            text.append('$').append(arg.length()).append("\r\n").append(arg).append("\r\n");
        }
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    void send(String... args) throws IOException {
        socket.getOutputStream().write(request(args));
    }

    void raw(String bytes) throws IOException {
        socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    Reply call(String... args) throws IOException {
        send(args);
        return read();
    }

    Reply read() throws IOException {
        try {
            for (Reply reply; ; ) {
                if ((reply = decoder.next()) != null) {
                    return reply;
                }
                int count = socket.getInputStream().read(buffer);
                if (count < 0) {
                    throw new EOFException("the store closed the connection");
                }
                decoder.feed(buffer, 0, count);
            }
        } catch (RespException e) {
            throw new IOException(e);
        }
    }

    /** Exactly that many bytes, as text. */
    String bytes(int count) throws IOException {
        return new String(socket.getInputStream().readNBytes(count), StandardCharsets.ISO_8859_1);
    }

    InputStream in() throws IOException {
        return socket.getInputStream();
    }

    Socket socket() {
        return socket;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
