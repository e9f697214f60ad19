package dev.caisson.store.resp;

import org.jspecify.annotations.Nullable;

/**
 * Reads the requests of one connection: RESP arrays of bulk strings, and inline commands with Redis's quoting. Bytes come
 * in pieces of any size; what comes out, and which error ends it, does not depend on where they were split.
 *
 * <pre>{@code
 * byte[] room = reader.buffer(8192);
 * reader.filled(socket.read(room, reader.position(), reader.room()));
 * while (reader.next()) {
 *     execute(reader.args());
 * }
 * }</pre>
 *
 * <ul>
 *   <li>{@link #args} is good until the next call of {@link #next}; {@link #buffer} may move its bytes but keeps it valid.
 *   <li>Memory follows the bytes that arrive: at most twice as many for the buffer, and 16 bytes for each argument.
 *   <li>Empty requests ({@code *0}, an empty line) are skipped, as Redis does; so are the two bytes behind a bulk string,
 *       whatever they are.
 *   <li>After a {@link RespException} every further {@link #next} throws it again.
 * </ul>
 *
 * Not thread-safe.
 */
public final class RespReader {
    /* Implementation note. A request begins at in.start; `at` is where parsing goes on, `scanned` up to where the line that
     * begins at `at` is known not to end, so that a line that comes byte by byte is searched once.
     *
     *   BETWEEN (missing = 0) --"*n"--> ARGUMENTS (missing = n, bulk < 0) --"$m"--> (bulk = m) --m + 2 bytes--> missing - 1
     *         └─ inline line ──────────────────────────────────────────────────────> handed out (missing = 0)
     *
     * What was handed out is released, by moving in.start, when the next request is asked for. */

    /** Bulks of at least this length make the buffer grow to what they need instead of past it, bytes. */
    static final int BIG_BULK_BYTES = 32 << 10;

    /** The most arguments of a request before authentication, as in Redis. */
    static final int UNAUTHENTICATED_ARGUMENTS = 10;

    /** The longest argument before authentication, as in Redis; bytes. */
    static final int UNAUTHENTICATED_BULK_BYTES = 16384;

    private static final long INCOMPLETE = Long.MIN_VALUE;
    private static final long INVALID = Long.MIN_VALUE + 1;
    private static final int NONE = -1;

    /** So many digits never overflow an int. */
    private static final int SHORT_DIGITS = 9;

    private final Input in = new Input();
    private final Args args = new Args();
    private RespLimits limits;
    private boolean authenticated = true;

    private int at;
    private int scanned;
    private int missing;
    private int bulk = NONE;
    private @Nullable RespException failure;

    /** With Redis's limits. */
    public RespReader() {
        this(RespLimits.REDIS);
    }

    public RespReader(RespLimits limits) {
        this.limits = limits;
    }

    /** From the next length read on, these limits hold. */
    public void limits(RespLimits newLimits) {
        limits = newLimits;
    }

    /** False while the client must authenticate first: then requests must be short. True at first. */
    public void authenticated(boolean yes) {
        authenticated = yes;
    }

    /**
     * The array to write the next bytes to, from {@link #position} on, with at least {@code minFree} bytes of room; then say
     * {@link #filled}. Good until the next call of any method here.
     */
    public byte[] buffer(int minFree) {
        int expected = bulk >= BIG_BULK_BYTES ? at - in.start + bulk + 2 : 0;
        byte[] before = in.bytes;
        moved(in.free(minFree, expected), before);
        return in.bytes;
    }

    /** Where in {@link #buffer}'s array the next bytes go. */
    public int position() {
        return in.end;
    }

    /** How many bytes fit in {@link #buffer}'s array from {@link #position} on. */
    public int room() {
        return in.bytes.length - in.end;
    }

    /** So many bytes were written to {@link #buffer}'s array at {@link #position}. */
    public void filled(int count) {
        in.filled(count);
    }

    /** Copies bytes in; the same as {@link #buffer} and {@link #filled}. */
    public void feed(byte[] bytes, int offset, int length) {
        byte[] room = buffer(length);
        System.arraycopy(bytes, offset, room, in.end, length);
        in.filled(length);
    }

    /** How many bytes have arrived and belong to no request that was handed out and is done with. */
    public int held() {
        return in.end - in.start;
    }

    /** The heap that the buffer and the table of arguments take, bytes. */
    public long memory() {
        return in.bytes.length + args.memory();
    }

    /** Gives up all memory that holds nothing, for a connection that has become idle. The arguments handed out are gone. */
    public void trim() {
        release();
        byte[] before = in.bytes;
        moved(in.trim(), before);
    }

    /** The request that {@link #next} found. */
    public Args args() {
        return args;
    }

    /**
     * Goes on to the next request.
     *
     * @return true if it is there as a whole; false if more bytes are needed
     * @throws RespException the client broke the protocol or a limit
     */
    public boolean next() throws RespException {
        if (failure != null) {
            throw failure;
        }
        release();
        while (at < in.end) {
            if (missing == 0) {
                if (in.bytes[at] != '*') {
                    if (!inline()) {
                        break;
                    }
                    if (args.count() > 0) {
                        return true;
                    }
                    in.start = at;
                    continue;
                }
                if (!header()) {
                    break;
                }
                if (missing == 0) {
                    in.start = at;
                    continue;
                }
            }
            if (bulks()) {
                return true;
            }
            break;
        }
        if (in.start == in.end) {
            in.emptied();
            at = 0;
            scanned = 0;
        } else if (held() > limits.maxQueryBytes()) {
            throw fail("Protocol error: request longer than client-query-buffer-limit");
        }
        return false;
    }

    /** The request handed out last is done with. */
    private void release() {
        if (missing == 0) {
            in.start = at;
            args.reset(in.bytes);
        }
    }

    /** Reads the line {@code *n}; false if it is not there as a whole. */
    private boolean header() throws RespException {
        long count = number("Protocol error: too big mbulk count string");
        if (count == INCOMPLETE) {
            return false;
        }
        if (count == INVALID || count > limits.maxArguments()) {
            throw fail("Protocol error: invalid multibulk length");
        }
        if (count > UNAUTHENTICATED_ARGUMENTS && !authenticated) {
            throw fail("Protocol error: unauthenticated multibulk length");
        }
        missing = (int) Math.max(count, 0);
        return true;
    }

    /** Reads arguments until none is missing; false if bytes are. */
    private boolean bulks() throws RespException {
        while (true) {
            if (bulk == NONE && !bulkHeader()) {
                return false;
            }
            int length = bulk;
            if (in.end - at < length + 2) {
                return false;
            }
            args.append(at, length);
            at += length + 2;
            scanned = at;
            bulk = NONE;
            if (--missing == 0) {
                return true;
            }
        }
    }

    /** Reads the line {@code $n}; false if it is not there as a whole. */
    private boolean bulkHeader() throws RespException {
        if (at >= in.end) {
            return false;
        }
        if (in.bytes[at] != '$') {
            if (lineEnd("Protocol error: too big bulk count string") < 0) {
                return false;
            }
            throw fail("Protocol error: expected '$', got '" + (char) (in.bytes[at] & 0xff) + "'");
        }
        long length = number("Protocol error: too big bulk count string");
        if (length == INCOMPLETE) {
            return false;
        }
        if (length < 0 || length > limits.maxBulkBytes()) {
            throw fail("Protocol error: invalid bulk length");
        }
        if (length > UNAUTHENTICATED_BULK_BYTES && !authenticated) {
            throw fail("Protocol error: unauthenticated bulk length");
        }
        bulk = (int) length;
        return true;
    }

    /** The number of the line at {@code at}, behind its first byte; moves behind the line. */
    private long number(String tooBig) throws RespException {
        byte[] bytes = in.bytes;
        int first = at + 1;
        int limit = Math.min(in.end, first + SHORT_DIGITS);
        int i = first;
        int value = 0;
        while (i < limit) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            value = 10 * value + digit;
            i++;
        }
        if (i > first && i + 1 < in.end && bytes[i] == '\r' && (bytes[first] != '0' || i == first + 1)) {
            at = i + 2;
            scanned = at;
            return value;
        }
        return unusualNumber(tooBig);
    }

    private long unusualNumber(String tooBig) throws RespException {
        int lineEnd = lineEnd(tooBig);
        if (lineEnd < 0) {
            return INCOMPLETE;
        }
        int first = at + 1;
        if (!Numbers.isInteger(in.bytes, first, lineEnd - first)) {
            return INVALID;
        }
        long value = Numbers.parseInteger(in.bytes, first, lineEnd - first);
        at = lineEnd + 2;
        scanned = at;
        return Math.max(value, -1);
    }

    /** The carriage return of the line at {@code at}, or less than 0 if that or the byte behind it is not there yet. */
    private int lineEnd(String tooBig) throws RespException {
        int found = find((byte) '\r', tooBig);
        return found < 0 || found + 1 >= in.end ? NONE : found;
    }

    private int find(byte wanted, String tooBig) throws RespException {
        byte[] bytes = in.bytes;
        int longest = Math.addExact(at, limits.maxInlineBytes());
        int limit = Math.min(in.end, longest + 1);
        int i = Math.max(scanned, at);
        while (i < limit && bytes[i] != wanted) {
            i++;
        }
        scanned = i;
        if (i < limit) {
            return i;
        }
        if (i > longest) {
            throw fail(tooBig);
        }
        return NONE;
    }

    /** Reads an inline request in place; false if its line is not there as a whole. */
    private boolean inline() throws RespException {
        int newline = find((byte) '\n', "Protocol error: too big inline request");
        if (newline < 0) {
            return false;
        }
        int end = newline > at && in.bytes[newline - 1] == '\r' ? newline - 1 : newline;
        int i = at;
        while (true) {
            while (i < end && isBlank(in.bytes[i])) {
                i++;
            }
            if (i == end) {
                break;
            }
            i = word(i, end);
        }
        at = newline + 1;
        scanned = at;
        return true;
    }

    /** Takes one word of an inline request, unescaped in place; answers where it ends. */
    private int word(int from, int end) throws RespException {
        byte[] bytes = in.bytes;
        int to = from;
        int i = from;
        while (i < end && !endsWord(bytes[i])) {
            byte c = bytes[i++];
            if (c != '"' && c != '\'') {
                bytes[to++] = c;
                continue;
            }
            while (true) {
                if (i == end) {
                    throw unbalanced();
                }
                byte quoted = bytes[i++];
                if (quoted == c) {
                    if (i < end && !isBlank(bytes[i])) {
                        throw unbalanced();
                    }
                    args.append(from, to - from);
                    return i;
                }
                if (quoted == '\\' && i < end) {
                    if (c == '"') {
                        if (bytes[i] == 'x' && i + 2 < end && hex(bytes[i + 1]) >= 0 && hex(bytes[i + 2]) >= 0) {
                            quoted = (byte) (hex(bytes[i + 1]) << 4 | hex(bytes[i + 2]));
                            i += 3;
                        } else {
                            quoted = escaped(bytes[i++]);
                        }
                    } else if (bytes[i] == '\'') {
                        quoted = '\'';
                        i++;
                    }
                }
                bytes[to++] = quoted;
            }
        }
        args.append(from, to - from);
        return i;
    }

    private static byte escaped(byte c) {
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'a' -> 7;
            default -> c;
        };
    }

    private static boolean isBlank(byte c) {
        return c == ' ' || c >= '\t' && c <= '\r';
    }

    /** Not every blank ends a word that has begun. */
    private static boolean endsWord(byte c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }

    private static int hex(byte c) {
        return Character.digit(c, 16);
    }

    private void moved(int back, byte[] before) {
        at -= back;
        scanned -= back;
        if (back != 0 || in.bytes != before) {
            args.move(in.bytes, back);
        }
    }

    private RespException unbalanced() {
        return fail("Protocol error: unbalanced quotes in request");
    }

    private RespException fail(String message) {
        RespException exception = new RespException(message);
        failure = exception;
        return exception;
    }
}
