package dev.caisson.store.contract;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * How bytes are written in a case file: text as it is, {@code \r \n \t \a \b \\ \"} and {@code \xHH} for the rest. In a
 * request words stand apart by blanks; {@code "a b"} is one word with escapes, {@code 'a b'} one without, as in
 * redis-cli. Two short forms of ours, outside quotes: <code>{1..3 f% v%}</code> stands for {@code f1 v1 f2 v2 f3 v3}
 * (<code>{1..3}</code> for {@code 1 2 3}), <code>{x*65}</code> for one word of 65 times {@code x}.
 */
final class Quoting {
    private Quoting() {}

    /** The words of a request line. */
    static List<byte[]> words(String line) {
        var words = new ArrayList<byte[]>();
        int i = 0;
        while (i < line.length()) {
            char c = line.charAt(i);
            if (c == ' ') {
                i++;
            } else if (c == '{') {
                int end = line.indexOf('}', i);
                expand(line.substring(i + 1, end), words);
                i = end + 1;
            } else if (c == '"' || c == '\'') {
                int end = closing(line, i);
                String inside = line.substring(i + 1, end);
                words.add(c == '"' ? bytes(inside) : inside.getBytes(StandardCharsets.ISO_8859_1));
                i = end + 1;
            } else {
                int end = line.indexOf(' ', i);
                end = end < 0 ? line.length() : end;
                words.add(line.substring(i, end).getBytes(StandardCharsets.ISO_8859_1));
                i = end;
            }
        }
        return words;
    }

    private static int closing(String line, int open) {
        for (int i = open + 1; i < line.length(); i++) {
            if (line.charAt(i) == '\\' && line.charAt(open) == '"') {
                i++;
            } else if (line.charAt(i) == line.charAt(open)) {
                return i;
            }
        }
        throw new IllegalArgumentException("a quote is not closed: " + line);
    }

    private static void expand(String inside, List<byte[]> words) {
        int star = inside.indexOf('*');
        if (star > 0 && !inside.contains("..")) {
            words.add(inside.substring(0, star)
                    .repeat(Integer.parseInt(inside.substring(star + 1)))
                    .getBytes(StandardCharsets.ISO_8859_1));
            return;
        }
        String[] parts = inside.split(" +");
        String[] range = parts[0].split("\\.\\.");
        for (int n = Integer.parseInt(range[0]); n <= Integer.parseInt(range[1]); n++) {
            for (int p = parts.length == 1 ? 0 : 1; p < parts.length; p++) {
                String word = parts.length == 1 ? "%" : parts[p];
                words.add(word.replace("%", Integer.toString(n)).getBytes(StandardCharsets.ISO_8859_1));
            }
        }
    }

    /** The bytes that an escaped text stands for. */
    static byte[] bytes(String escaped) {
        var out = new ByteArrayOutputStream(escaped.length());
        for (int i = 0; i < escaped.length(); i++) {
            char c = escaped.charAt(i);
            if (c != '\\') {
                out.write(c);
                continue;
            }
            char kind = escaped.charAt(++i);
            switch (kind) {
                case 'r' -> out.write('\r');
                case 'n' -> out.write('\n');
                case 't' -> out.write('\t');
                case 'a' -> out.write(7);
                case 'b' -> out.write('\b');
                case 'x' -> {
                    out.write(Integer.parseInt(escaped, i + 1, i + 3, 16));
                    i += 2;
                }
                default -> out.write(kind);
            }
        }
        return out.toByteArray();
    }

    /** The escaped text of bytes, on one line. */
    static String escape(byte[] bytes) {
        var out = new StringBuilder(bytes.length + 16);
        for (byte b : bytes) {
            switch (b) {
                case '\r' -> out.append("\\r");
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (b >= ' ' && b < 127) {
                        out.append((char) b);
                    } else {
                        out.append(String.format("\\x%02x", b & 0xff));
                    }
                }
            }
        }
        return out.toString();
    }
}
