package dev.caisson.store.contract;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** A raw socket to the server under test. Closed by whoever opened it. */
final class ContractConnection implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    /** @param patience how long one read may take */
    ContractConnection(int port, Duration patience) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout((int) patience.toMillis());
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** A request as an array of bulk strings. */
    static byte[] request(List<byte[]> words) {
        var request = new ByteArrayOutputStream();
        request.writeBytes(("*" + words.size() + "\r\n").getBytes(StandardCharsets.US_ASCII));
        for (byte[] word : words) {
            request.writeBytes(("$" + word.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
            request.writeBytes(word);
            request.write('\r');
            request.write('\n');
        }
        return request.toByteArray();
    }

    void send(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    Reply read() throws IOException {
        return Reply.read(in);
    }

    /** Sends one request and reads one reply. */
    Reply ask(String request) throws IOException {
        send(request(Quoting.words(request)));
        return read();
    }

    /** Whatever comes until the server ends the connection. */
    byte[] rest() throws IOException {
        return in.readAllBytes();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
