package dev.caisson.rpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HpackDecoder;
import dev.caisson.rpc.http2.HpackEncoder;
import dev.caisson.rpc.http2.Http2Exception;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection that speaks HTTP/2 frames and nothing above them, over a blocking socket: for what a real client or
 * server never does. It answers no SETTINGS, no PING and no window by itself.
 */
final class RawPeer implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int END_STREAM = 0x1;
    static final int ACK = 0x1;
    private static final int END_HEADERS = 0x4;
    private static final int READ_MILLIS = 30_000;
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);

    /** {@code headers} is null but for HEADERS. */
    record Frame(
            int type,
            int flags,
            int stream,
            byte[] payload,
            @Nullable HeaderBlock headers) {
        /** The error code of a GOAWAY. */
        int code() {
            return ByteBuffer.wrap(payload).getInt(4);
        }

        String debug() {
            return new String(payload, 8, payload.length - 8, UTF_8);
        }

        boolean ends() {
            return (flags & END_STREAM) != 0;
        }

        /** The value of a header; empty if there is none. */
        String header(String name) {
            for (int i = 0; headers != null && i < headers.size(); i++) {
                if (new String(headers.name(i), US_ASCII).equals(name)) {
                    return new String(headers.value(i), UTF_8);
                }
            }
            return "";
        }
    }

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private final HpackDecoder decoder = new HpackDecoder(4096, 64 * 1024);
    private final HpackEncoder encoder = new HpackEncoder(4096);

    /** A client of the server on {@code port}. */
    RawPeer(int port) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    private RawPeer(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(READ_MILLIS);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** The server of the next client to connect; waits for it, reads its preface and sends SETTINGS. */
    static RawPeer accept(ServerSocket listener, byte[]... settings) throws IOException {
        listener.setSoTimeout(READ_MILLIS);
        RawPeer peer = new RawPeer(listener.accept());
        if (!Arrays.equals(peer.in.readNBytes(PREFACE.length), PREFACE)) {
            throw new IOException("not a preface");
        }
        peer.send(SETTINGS, 0, 0, join(settings));
        return peer;
    }

    /** Sends the preface and SETTINGS. */
    RawPeer greet(byte[]... settings) throws IOException {
        out.write(PREFACE);
        send(SETTINGS, 0, 0, join(settings));
        return this;
    }

    /** One entry of SETTINGS (RFC 9113 section 6.5.1). */
    static byte[] setting(int id, int value) {
        return ByteBuffer.allocate(6).putShort((short) id).putInt(value).array();
    }

    static byte[] ints(int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
        for (int value : values) {
            bytes.putInt(value);
        }
        return bytes.array();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.write(payload.length >>> 16);
        frame.write(payload.length >>> 8);
        frame.write(payload.length);
        frame.write(type);
        frame.write(flags);
        frame.writeBytes(ints(stream));
        frame.writeBytes(payload);
        out.write(frame.toByteArray());
    }

    /** HEADERS with fields of the form {@code name: value}. */
    void headers(int stream, boolean end, String... fields) throws IOException {
        ByteBuf block = Unpooled.buffer();
        for (String field : fields) {
            int colon = field.indexOf(": ", 1);
            encoder.encode(
                    block,
                    field.substring(0, colon).getBytes(US_ASCII),
                    field.substring(colon + 2).getBytes(UTF_8),
                    false);
        }
        send(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, ByteBufUtil.getBytes(block));
    }

    /** A whole gRPC call with one message. */
    void request(int stream, String path, String message) throws IOException {
        headers(
                stream,
                false,
                ":method: POST",
                ":scheme: http",
                ":path: " + path,
                "content-type: application/grpc",
                "te: trailers");
        send(DATA, END_STREAM, stream, message(message));
    }

    /** A whole gRPC answer with one message and status OK. */
    void answer(int stream, String message) throws IOException {
        headers(stream, false, ":status: 200", "content-type: application/grpc");
        send(DATA, 0, stream, message(message));
        headers(stream, true, "grpc-status: 0");
    }

    /** A length-prefixed message, not compressed. */
    static byte[] message(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return ByteBuffer.allocate(5 + bytes.length)
                .put((byte) 0)
                .putInt(bytes.length)
                .put(bytes)
                .array();
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
            return new Frame(type, flags, stream, payload, type == HEADERS ? decode(payload) : null);
        } catch (EOFException | SocketException end) {
            return null;
        }
    }

    private HeaderBlock decode(byte[] payload) throws IOException {
        try {
            return decoder.decode(Unpooled.wrappedBuffer(payload), payload.length);
        } catch (Http2Exception e) {
            throw new IOException(e);
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

    /** The next frame of {@code type}, which must come. */
    Frame require(int type) throws IOException {
        Frame frame = next(type);
        if (frame == null) {
            throw new IOException("the connection ended before a frame of type " + type);
        }
        return frame;
    }

    /** Reads until the other side closes. */
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
