package dev.caisson.rpc;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A client that speaks HTTP/2 frames and nothing above them, over a blocking socket: for what a real client never does. */
final class RawPeer implements AutoCloseable {
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    private static final int READ_MILLIS = 30_000;

    record Frame(int type, int flags, int stream, byte[] payload) {
        /** The error code of a GOAWAY. */
        int code() {
            return ByteBuffer.wrap(payload).getInt(4);
        }

        String debug() {
            return new String(payload, 8, payload.length - 8, StandardCharsets.UTF_8);
        }
    }

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;

    RawPeer(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(READ_MILLIS);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** Sends the preface and empty SETTINGS. */
    RawPeer greet() throws IOException {
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send(SETTINGS, 0, 0, new byte[0]);
        return this;
    }

    void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.write(payload.length >>> 16);
        frame.write(payload.length >>> 8);
        frame.write(payload.length);
        frame.write(type);
        frame.write(flags);
        frame.writeBytes(ByteBuffer.allocate(4).putInt(stream).array());
        frame.writeBytes(payload);
        out.write(frame.toByteArray());
    }

    void raw(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    /** The next frame, or null at the end of the connection. */
    @Nullable
    Frame read() throws IOException {
        try {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt() & 0x7fffffff;
            byte[] payload = new byte[length];
            in.readFully(payload);
            return new Frame(type, flags, stream, payload);
        } catch (EOFException | SocketException end) {
            return null;
        }
    }

    /** The next frame of {@code type}, or null if the connection ends before one comes. */
    @Nullable
    Frame next(int type) throws IOException {
        for (Frame frame = read(); ; frame = read()) {
            if (frame == null || frame.type() == type) {
                return frame;
            }
        }
    }

    /** Reads until the server closes. */
    void awaitEnd() throws IOException {
        while (read() != null) {
            // frames on the way to the end
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
