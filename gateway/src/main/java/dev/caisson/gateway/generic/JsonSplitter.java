package dev.caisson.gateway.generic;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of UTF-8 into JSON values: one a line, several a line, or one over many lines; white space between them.
 * It finds where a value ends, and leaves what is in it to {@link JsonMessages}. Feed it bytes as they come, and take
 * values until there is none:
 *
 * <pre>{@code
 * splitter.feed(chunk);
 * for (JsonText one; (one = splitter.next()) != null; ) { … }
 * }</pre>
 *
 * Holds at most one unfinished value of at most {@code maxBytes}, and the chunk fed last. Not thread-safe. Nothing to close.
 */
public final class JsonSplitter {
    /* States: BETWEEN -> (first byte of a value) -> NESTED | STRING | BARE -> (its end) -> BETWEEN; end() from any. */
    private enum State {
        BETWEEN,
        NESTED,
        STRING,
        BARE
    }

    private static final int READ_BYTES = 16 << 10;

    private final int maxBytes;
    private byte[] buffer = new byte[256];
    private int start; // of the unfinished value, or of what was not looked at
    private int scan; // next byte to look at
    private int end; // of what was fed

    private State state = State.BETWEEN;
    private int depth;
    private boolean inString;
    private boolean escaped;
    private boolean ended;
    private boolean atStreamStart = true;
    private int line = 1;
    private int column = 1;
    private int valueLine = 1;
    private int valueColumn = 1;

    /**
     * A splitter.
     *
     * @param maxBytes of one value; a longer one is refused by {@link #next()}
     */
    public JsonSplitter(int maxBytes) {
        if (maxBytes < 1) {
            throw new IllegalArgumentException("maxBytes must be positive: " + maxBytes);
        }
        this.maxBytes = maxBytes;
    }

    /** Adds bytes; they are copied. Take the values before feeding more, or the memory held grows with what is fed. */
    public void feed(byte[] bytes, int offset, int length) {
        feed(ByteBuffer.wrap(bytes, offset, length));
    }

    /** Adds what remains in the buffer; it is copied and the buffer's position moved to its limit. */
    public void feed(ByteBuffer bytes) {
        if (ended) {
            throw new IllegalStateException("fed after end()");
        }
        makeRoom(bytes.remaining());
        int length = bytes.remaining();
        bytes.get(buffer, end, length);
        end += length;
    }

    /** Says that nothing more will come: what is unfinished is then the last value. */
    public void end() {
        ended = true;
    }

    /**
     * The next whole value; null if it takes more bytes, or after {@link #end()} there is none.
     *
     * @throws JsonException if a value is longer than {@code maxBytes} or not UTF-8; the stream is then of no more use
     */
    public @Nullable JsonText next() {
        while (scan < end) {
            if (step(buffer[scan])) {
                return cut(scan);
            }
            if (state != State.BETWEEN && scan - start > maxBytes) {
                throw tooLong();
            }
        }
        return ended && state != State.BETWEEN ? cut(end) : null;
    }

    /**
     * The next value of a stream, which is read as far as needed; null at its end.
     *
     * @throws IOException if reading fails
     * @throws JsonException as {@link #next()}
     */
    public @Nullable JsonText next(InputStream in) throws IOException {
        while (true) {
            JsonText next = next();
            if (next != null || ended) {
                return next;
            }
            makeRoom(READ_BYTES);
            int read = in.read(buffer, end, READ_BYTES);
            if (read < 0) {
                end();
            } else {
                end += read;
            }
        }
    }

    /** Looks at one byte; true if the value ends before {@link #scan} as it then stands. */
    private boolean step(byte b) {
        return switch (state) {
            case BETWEEN -> {
                between(b);
                yield false;
            }
            case NESTED -> {
                take(b);
                yield nestedEnds(b);
            }
            case STRING -> {
                take(b);
                yield stringEnds(b);
            }
            case BARE -> {
                boolean over = isSpace(b) || b == '{' || b == '[' || b == '"';
                if (!over) {
                    take(b);
                }
                yield over;
            }
        };
    }

    private void between(byte b) {
        boolean first = atStreamStart;
        atStreamStart = false;
        if (first && b == (byte) 0xEF && startsWithBom()) {
            scan += 3;
            start = scan;
            return;
        }
        if (isSpace(b)) {
            take(b);
            start = scan;
            return;
        }
        start = scan;
        valueLine = line;
        valueColumn = column;
        depth = b == '{' || b == '[' ? 1 : 0;
        inString = false;
        escaped = false;
        state = depth == 1 ? State.NESTED : b == '"' ? State.STRING : State.BARE;
        take(b);
    }

    private boolean startsWithBom() {
        return end - scan >= 3 && buffer[scan + 1] == (byte) 0xBB && buffer[scan + 2] == (byte) 0xBF;
    }

    private boolean nestedEnds(byte b) {
        if (inString) {
            if (stringEnds(b)) {
                inString = false;
            }
            return false;
        }
        switch (b) {
            case '"' -> inString = true;
            case '{', '[' -> depth++;
            case '}', ']' -> depth--;
            default -> {}
        }
        return depth == 0;
    }

    private boolean stringEnds(byte b) {
        if (escaped) {
            escaped = false;
            return false;
        }
        escaped = b == '\\';
        return b == '"';
    }

    private void take(byte b) {
        scan++;
        if (b == '\n') {
            line++;
            column = 1;
        } else if ((b & 0xC0) != 0x80) { // columns count characters, not the bytes that continue one
            column++;
        }
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    private JsonText cut(int to) {
        if (to - start > maxBytes) {
            throw tooLong();
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(buffer, start, to - start))
                    .toString();
            return new JsonText(text, valueLine, valueColumn);
        } catch (CharacterCodingException e) {
            throw new JsonException("the text is not UTF-8", "$", valueLine, valueColumn, null);
        } finally {
            start = to;
            state = State.BETWEEN;
        }
    }

    private JsonException tooLong() {
        return new JsonException(
                "this value is longer than the " + maxBytes + " bytes that are taken",
                "$",
                valueLine,
                valueColumn,
                null);
    }

    private void makeRoom(int more) {
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            scan -= start;
            end -= start;
            start = 0;
        }
        if (end + more > buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.max(end + more, Math.min(buffer.length * 2, maxBytes)));
        }
    }
}
