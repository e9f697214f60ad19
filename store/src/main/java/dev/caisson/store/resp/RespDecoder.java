package dev.caisson.store.resp;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads replies of either protocol version into {@link Reply} trees. Bytes come in pieces of any size.
 *
 * <ul>
 *   <li>Attributes ({@code |}) are read and dropped. Streamed types ({@code ?} for a length) are refused: no Redis sends
 *       them.
 *   <li>A push is told from a reply between replies only; inside of one it is an element, as Redis sends the confirmation
 *       of UNSUBSCRIBE in the reply to EXEC.
 *   <li>Bulk strings, elements, lines and nesting are bounded by {@link RespLimits}; memory follows the bytes that arrive.
 *   <li>After a {@link RespException} every further {@link #next} throws it again.
 * </ul>
 *
 * Not thread-safe.
 */
public final class RespDecoder {
    /* Implementation note. Aggregates that are not complete are a stack of frames, so a reply that comes in pieces is read
     * once. An element is read when its line, and for a bulk string its body, is there as a whole. */

    private static final int NONE = -1;

    private final Input in = new Input();
    private final RespLimits limits;
    private final ArrayDeque<Frame> frames = new ArrayDeque<>();
    private int scanned;
    private int bulk = NONE;
    private byte bulkType;
    private @Nullable RespException failure;

    /** With Redis's limits. */
    public RespDecoder() {
        this(RespLimits.REDIS);
    }

    public RespDecoder(RespLimits limits) {
        this.limits = limits;
    }

    /** Adds bytes that have arrived. */
    public void feed(byte[] bytes, int offset, int length) {
        int expected = bulk >= RespReader.BIG_BULK_BYTES ? bulk + 2 : 0;
        scanned -= in.free(length, expected);
        System.arraycopy(bytes, offset, in.bytes, in.end, length);
        in.filled(length);
    }

    /** The heap that the buffer takes, bytes; what is read of an incomplete reply comes on top. */
    public long memory() {
        return in.bytes.length;
    }

    /**
     * The next reply, or null if more bytes are needed.
     *
     * @throws RespException the peer broke the protocol or a limit
     */
    public @Nullable Reply next() throws RespException {
        if (failure != null) {
            throw failure;
        }
        while (true) {
            Reply element = element();
            if (element == null) {
                if (in.start == in.end) {
                    in.emptied();
                    scanned = 0;
                }
                return null;
            }
            Reply whole = place(element);
            if (whole != null) {
                return whole;
            }
        }
    }

    /** Puts an element where it belongs; answers the reply that it completes, if any. */
    private @Nullable Reply place(Reply element) {
        Reply rest = element;
        while (true) {
            Frame frame = frames.peek();
            if (frame == null) {
                return rest;
            }
            frame.elements.add(rest);
            if (frame.elements.size() < frame.size) {
                return null;
            }
            frames.pop();
            if (frame.type == '|') {
                return null;
            }
            rest = aggregate(frame.type, frame.elements);
        }
    }

    /** The next element that is no unfinished aggregate, or null if it is not there as a whole. */
    private @Nullable Reply element() throws RespException {
        while (true) {
            if (bulk != NONE) {
                return body();
            }
            int lineEnd = lineEnd();
            if (lineEnd < 0) {
                return null;
            }
            byte type = in.bytes[in.start];
            int first = in.start + 1;
            int length = lineEnd - first;
            if (length < 0) {
                throw fail("empty line where a reply should begin");
            }
            Reply element = switch (type) {
                case '+' -> new Reply.Simple(text(first, length));
                case '-' -> new Reply.ErrorLine(text(first, length));
                case ':' -> new Reply.Int(integer(first, length));
                case ',' -> new Reply.DoubleReply(number(first, length));
                case '#' -> bool(first, length);
                case '(' -> new Reply.BigNumber(bigNumber(first, length));
                case '_' -> nil(length);
                case '$', '=', '!' -> bulkHeader(type, first, length);
                case '*', '%', '~', '>', '|' -> aggregateHeader(type, first, length);
                default -> throw fail("unknown type of reply '" + (char) (type & 0xff) + "'");
            };
            in.start = lineEnd + 2;
            scanned = in.start;
            if (element != null) {
                return element;
            }
        }
    }

    private @Nullable Reply bulkHeader(byte type, int first, int length) throws RespException {
        long size = integer(first, length);
        if (size == NONE && type == '$') {
            return Reply.NIL;
        }
        if (size < 0 || size > limits.maxBulkBytes() || type == '=' && size < 4) {
            throw fail("invalid bulk length " + size);
        }
        bulk = (int) size;
        bulkType = type;
        return null;
    }

    private @Nullable Reply body() throws RespException {
        int length = bulk;
        int first = in.start;
        int behind = first + length;
        if (in.end - first < length + 2) {
            return null;
        }
        if (in.bytes[behind] != '\r' || in.bytes[behind + 1] != '\n') {
            throw fail("no line end behind a bulk string of " + length + " bytes");
        }
        Reply element = switch (bulkType) {
            case '!' -> new Reply.ErrorLine(text(first, length));
            case '=' -> {
                if (in.bytes[first + 3] != ':') {
                    throw fail("a verbatim text without format");
                }
                yield new Reply.Verbatim(text(first, 3), text(first + 4, length - 4));
            }
            default -> new Reply.Bulk(Arrays.copyOfRange(in.bytes, first, behind));
        };
        in.start = behind + 2;
        scanned = in.start;
        bulk = NONE;
        return element;
    }

    private @Nullable Reply aggregateHeader(byte type, int first, int length) throws RespException {
        long size = integer(first, length);
        if (size == NONE && type == '*') {
            return Reply.NIL;
        }
        if (size < 0 || size > limits.maxArguments()) {
            throw fail("invalid aggregate length " + size);
        }
        int elements = type == '%' || type == '|' ? Math.multiplyExact(2, (int) size) : (int) size;
        if (elements == 0) {
            return type == '|' ? null : aggregate(type, List.of());
        }
        if (frames.size() == limits.maxDepth()) {
            throw fail("replies nested deeper than " + limits.maxDepth());
        }
        frames.push(new Frame(type, elements, new ArrayList<>()));
        return null;
    }

    private static Reply aggregate(byte type, List<Reply> elements) {
        return switch (type) {
            case '%' -> {
                List<Reply.Pair> pairs = new ArrayList<>(elements.size() / 2);
                for (int i = 0; i < elements.size(); i += 2) {
                    pairs.add(new Reply.Pair(elements.get(i), elements.get(i + 1)));
                }
                yield new Reply.MapReply(pairs);
            }
            case '~' -> new Reply.SetReply(elements);
            case '>' -> new Reply.Push(elements);
            default -> new Reply.Array(elements);
        };
    }

    private Reply nil(int length) throws RespException {
        if (length != 0) {
            throw fail("a null with content");
        }
        return Reply.NIL;
    }

    private Reply bool(int first, int length) throws RespException {
        if (length != 1 || in.bytes[first] != 't' && in.bytes[first] != 'f') {
            throw fail("invalid boolean '" + text(first, length) + "'");
        }
        return new Reply.Bool(in.bytes[first] == 't');
    }

    private long integer(int first, int length) throws RespException {
        boolean plus = length > 1 && in.bytes[first] == '+' && in.bytes[first + 1] != '-';
        int from = plus ? first + 1 : first;
        int count = plus ? length - 1 : length;
        if (!Numbers.isInteger(in.bytes, from, count)) {
            throw fail("invalid integer '" + text(first, length) + "'");
        }
        return Numbers.parseInteger(in.bytes, from, count);
    }

    private double number(int first, int length) throws RespException {
        String text = text(first, length);
        if (text.equals("nan") || text.equals("-nan")) {
            return Double.NaN;
        }
        try {
            return Numbers.parseDouble(in.bytes, first, length);
        } catch (ErrorReply e) {
            throw fail("invalid number '" + text + "'");
        }
    }

    private BigInteger bigNumber(int first, int length) throws RespException {
        String text = text(first, length);
        int digits = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        for (int i = digits; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                throw fail("invalid big number '" + text + "'");
            }
        }
        if (digits == text.length()) {
            throw fail("invalid big number '" + text + "'");
        }
        return new BigInteger(text);
    }

    /** The carriage return of the line at {@code in.start}, or less than 0 if it or its newline is not there yet. */
    private int lineEnd() throws RespException {
        byte[] bytes = in.bytes;
        int longest = Math.addExact(in.start, limits.maxInlineBytes());
        int limit = Math.min(in.end, longest + 1);
        int i = Math.max(scanned, in.start);
        while (i < limit && bytes[i] != '\r') {
            i++;
        }
        scanned = i;
        if (i == limit) {
            if (i > longest) {
                throw fail("a line longer than " + limits.maxInlineBytes() + " bytes");
            }
            return NONE;
        }
        if (i + 1 == in.end) {
            return NONE;
        }
        if (bytes[i + 1] != '\n') {
            throw fail("a carriage return inside a line");
        }
        return i;
    }

    private String text(int first, int length) {
        return new String(in.bytes, first, length, StandardCharsets.ISO_8859_1);
    }

    private RespException fail(String message) {
        RespException exception = new RespException("Protocol error: " + message);
        failure = exception;
        return exception;
    }

    /** An aggregate that waits for elements. */
    private record Frame(byte type, int size, List<Reply> elements) {}
}
