package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** Raw HTTP/2 frames for tests, right or wrong: written without the code under test, but for HPACK. */
final class Frames {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 0x1;
    static final int ACK = 0x1;
    static final int END_HEADERS = 0x4;
    static final int PADDED = 0x8;
    static final int WITH_PRIORITY = 0x20;

    static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);

    /** One frame read back. */
    record Frame(int type, int flags, int id, String hex) {
        byte[] payload() {
            return ByteBufUtil.decodeHexDump(hex);
        }

        int intAt(int offset) {
            return Unpooled.wrappedBuffer(payload()).getInt(offset);
        }

        @Override
        public String toString() {
            String shown = hex.length() > 80 ? hex.substring(0, 80) + "..." : hex;
            return switch (type) {
                case RST_STREAM -> "RST_STREAM " + id + " " + ErrorCode.name(intAt(0));
                case GOAWAY ->
                    "GOAWAY " + ErrorCode.name(intAt(4)) + " last " + intAt(0) + " "
                            + new String(payload(), 8, payload().length - 8, ISO_8859_1);
                default -> "type " + type + " flags " + flags + " stream " + id + " [" + shown + "]";
            };
        }
    }

    private Frames() {}

    static byte[] frame(int type, int flags, int id, byte... payload) {
        return announced(payload.length, type, flags, id, payload);
    }

    /** A frame whose header announces another length than follows. */
    static byte[] announced(int length, int type, int flags, int id, byte... payload) {
        ByteBuf b = Unpooled.buffer(9 + payload.length);
        b.writeMedium(length).writeByte(type).writeByte(flags).writeInt(id).writeBytes(payload);
        return b.array();
    }

    static byte[] hex(String hex) {
        return ByteBufUtil.decodeHexDump(hex.replace(" ", ""));
    }

    static byte[] ints(int... values) {
        ByteBuf b = Unpooled.buffer(4 * values.length);
        for (int value : values) {
            b.writeInt(value);
        }
        return b.array();
    }

    static byte[] setting(int id, long value) {
        ByteBuf b = Unpooled.buffer(6);
        b.writeShort(id).writeInt((int) value);
        return b.array();
    }

    static byte[] settings(byte[]... settings) {
        return frame(SETTINGS, 0, 0, all(settings));
    }

    static byte[] reset(int id, int code) {
        return frame(RST_STREAM, 0, id, ints(code));
    }

    static byte[] windowUpdate(int id, int bytes) {
        return frame(WINDOW_UPDATE, 0, id, ints(bytes));
    }

    static byte[] data(int id, int length, boolean end) {
        return frame(DATA, end ? END_STREAM : 0, id, new byte[length]);
    }

    /** HEADERS with these fields, none of them indexed. */
    static byte[] headers(int id, boolean end, String... fields) {
        return frame(HEADERS, END_HEADERS | (end ? END_STREAM : 0), id, block(fields));
    }

    static byte[] block(String... fields) {
        ByteBuf out = Unpooled.buffer();
        HpackEncoder encoder = new HpackEncoder(4096);
        for (String field : fields) {
            int colon = field.indexOf(": ", 1);
            encoder.encode(
                    out,
                    field.substring(0, colon).getBytes(ISO_8859_1),
                    field.substring(colon + 2).getBytes(ISO_8859_1),
                    false);
        }
        return ByteBufUtil.getBytes(out);
    }

    static byte[] request(int id, boolean end, String... more) {
        List<String> fields = new ArrayList<>(List.of(":method: POST", ":scheme: http", ":path: /a.B/C"));
        fields.addAll(List.of(more));
        return headers(id, end, fields.toArray(String[]::new));
    }

    static byte[] all(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    static byte[] times(int n, byte[] part) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < n; i++) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** Reads back what a connection wrote; fails on anything that is not whole frames. */
    static List<Frame> read(byte[] bytes, boolean withPreface) {
        ByteBuf in = Unpooled.wrappedBuffer(bytes);
        if (withPreface) {
            byte[] preface = new byte[PREFACE.length];
            in.readBytes(preface);
            if (!java.util.Arrays.equals(preface, PREFACE)) {
                throw new AssertionError("no preface: " + ByteBufUtil.hexDump(preface));
            }
        }
        List<Frame> frames = new ArrayList<>();
        while (in.isReadable()) {
            int length = in.readMedium() & 0xffffff;
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int id = in.readInt();
            if (id < 0 || length > in.readableBytes()) {
                throw new AssertionError("not a whole frame: type " + type + " length " + length + " id " + id);
            }
            frames.add(new Frame(type, flags, id, ByteBufUtil.hexDump(in.readSlice(length))));
        }
        return frames;
    }
}
