package dev.caisson.store.contract;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One reply as it came: its bytes, and what comparators need of its shape. Reads RESP2 and RESP3 by itself, so that an
 * error of the store's own codec cannot hide here.
 *
 * @param bytes the whole reply, markers and line ends included
 * @param type the first byte: {@code + - : $ * _ , # = ( % ~ >}
 * @param text what a reply without elements says (a bulk string's content; empty for a null)
 * @param elements of an array, set or push; of a map keys and values in turn
 */
record Reply(byte[] bytes, char type, String text, List<Reply> elements) {
    /** Replies of the suite are small; a longer one is an error of the server. */
    private static final int MAX_REPLY_BYTES = 16 * 1024 * 1024;

    /** Reads one reply. */
    static Reply read(InputStream in) throws IOException {
        var out = new ByteArrayOutputStream();
        String line = line(in, out);
        if (line.isEmpty()) {
            throw new IOException("an empty line where a reply begins");
        }
        char type = line.charAt(0);
        String rest = line.substring(1);
        return switch (type) {
            case '+', '-', ':', '_', ',', '#', '(' -> new Reply(out.toByteArray(), type, rest, List.of());
            case '$', '=', '!' -> {
                int length = length(rest);
                if (length < 0) {
                    yield new Reply(out.toByteArray(), type, "", List.of());
                }
                byte[] content = in.readNBytes(length + 2);
                if (content.length < length + 2) {
                    throw new EOFException("the connection ended within a string of " + length + " bytes");
                }
                out.writeBytes(content);
                String text = new String(content, 0, length, StandardCharsets.ISO_8859_1);
                yield new Reply(out.toByteArray(), type, text, List.of());
            }
            case '*', '~', '>', '%' -> {
                int count = length(rest) * (type == '%' ? 2 : 1);
                var elements = new ArrayList<Reply>();
                for (int i = 0; i < count; i++) {
                    Reply element = read(in);
                    elements.add(element);
                    out.writeBytes(element.bytes);
                }
                yield new Reply(out.toByteArray(), type, "", List.copyOf(elements));
            }
            default -> throw new IOException("no reply begins so: " + Quoting.escape(out.toByteArray()));
        };
    }

    private static int length(String digits) throws IOException {
        try {
            int length = Integer.parseInt(digits);
            if (length >= -1 && length <= MAX_REPLY_BYTES) {
                return length;
            }
        } catch (NumberFormatException e) {
            throw new IOException("a length that is no number: " + digits, e);
        }
        throw new IOException("a length out of bounds: " + digits);
    }

    private static String line(InputStream in, ByteArrayOutputStream out) throws IOException {
        var line = new StringBuilder();
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException(
                        line.isEmpty() ? "the connection ended" : "the connection ended within a line: " + line);
            }
            out.write(b);
            if (b == '\n' && !line.isEmpty() && line.charAt(line.length() - 1) == '\r') {
                line.setLength(line.length() - 1);
                return line.toString();
            }
            line.append((char) b);
        }
    }

    boolean error() {
        return type == '-' || type == '!';
    }

    /** As the case files write it. */
    @Override
    public String toString() {
        return Quoting.escape(bytes);
    }
}
