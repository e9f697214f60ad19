package dev.caisson.gateway;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** HTTP by hand: says exactly the bytes it is told to, and may be rude. */
final class RawHttp implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final StringBuilder unread = new StringBuilder();

    RawHttp(InetSocketAddress address) throws IOException {
        this(address, 0);
    }

    /** With so many bytes at most to send in the socket's own buffer, or as many as it likes where that is 0. */
    RawHttp(InetSocketAddress address, int sendBuffer) throws IOException {
        socket = new Socket();
        if (sendBuffer > 0) {
            socket.setSendBufferSize(sendBuffer);
        }
        socket.setSoTimeout(60_000);
        socket.connect(address, 60_000);
        in = socket.getInputStream();
    }

    void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    void post(URI uri, String body) throws IOException {
        send("POST " + uri.getRawPath() + " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body);
    }

    void chunkedHead(URI uri) throws IOException {
        chunkedHead(uri, "");
    }

    void chunkedHead(URI uri, String more) throws IOException {
        send("POST " + uri.getRawPath() + " HTTP/1.1\r\nHost: " + uri.getAuthority() + "\r\n" + more
                + "Transfer-Encoding: chunked\r\n\r\n");
    }

    void chunk(String text) throws IOException {
        send(Integer.toHexString(text.getBytes(StandardCharsets.UTF_8).length) + "\r\n" + text + "\r\n");
    }

    void lastChunk() throws IOException {
        send("0\r\n\r\n");
    }

    /** The answer's head, in lower case but for the first line. */
    String head() throws IOException {
        String first = rawLine();
        StringBuilder head = new StringBuilder(first).append('\n');
        for (String line = rawLine(); !line.isEmpty(); line = rawLine()) {
            head.append(line.toLowerCase(Locale.ROOT)).append('\n');
        }
        return head.toString();
    }

    /** A line as it comes over the socket. */
    String line() throws IOException {
        return rawLine();
    }

    /** A line of a body that comes in chunks; null at the body's end. */
    @org.jspecify.annotations.Nullable
    String chunkedLine() throws IOException {
        int end;
        while ((end = unread.indexOf("\n")) < 0) {
            int size = Integer.parseInt(rawLine(), 16);
            if (size == 0) {
                return null;
            }
            unread.append(new String(in.readNBytes(size), StandardCharsets.UTF_8));
            rawLine();
        }
        String line = unread.substring(0, end);
        unread.delete(0, end + 1);
        return line;
    }

    /** All there is until the other side closes. */
    String rest() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    private String rawLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("the connection ended after: " + line);
            }
            line.write(b);
        }
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
