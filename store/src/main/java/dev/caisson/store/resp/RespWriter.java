package dev.caisson.store.resp;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes replies into one growing array, in the protocol that the client has asked for: 2 at first, 3 after
 * {@code HELLO 3}. What only RESP3 has becomes in RESP2 what Redis makes of it: maps and sets are arrays, numbers and
 * verbatim texts bulk strings, booleans 1 and 0, pushes arrays.
 *
 * <p>Text is a byte for each character (latin-1), as {@link Args#text} reads it; what does not fit is written as {@code ?}.
 * Not thread-safe.
 */
public final class RespWriter {
    /* Implementation note. A short header is one 8-byte store: TAILS[n] holds the digits of n, CR and LF from its second
     * byte on and the header's length in its last byte, which is written over by what comes next. */

    /** The first array, bytes. */
    static final int INITIAL_BYTES = 512;

    /** A larger array is given up by {@link #reset}, bytes. */
    static final int KEPT_BYTES = 64 << 10;

    private static final int SHORT_HEADERS = 1000;
    private static final int LONGEST_HEADER = 32;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN)
            .withInvokeExactBehavior();
    private static final long[] TAILS = tails();

    private static final byte[] OK = ascii("+OK\r\n");
    private static final byte[] NIL_2 = ascii("$-1\r\n");
    private static final byte[] NIL_ARRAY_2 = ascii("*-1\r\n");
    private static final byte[] NIL_3 = ascii("_\r\n");
    private static final byte[] TRUE_3 = ascii("#t\r\n");
    private static final byte[] FALSE_3 = ascii("#f\r\n");

    private byte[] array = new byte[INITIAL_BYTES];
    private int length;
    private int protocol = 2;

    /** An empty writer of RESP2. */
    public RespWriter() {}

    /** 2 or 3. */
    public int protocol() {
        return protocol;
    }

    /** Sets the protocol of what is written from now on: 2 or 3. */
    public void protocol(int version) {
        if (version != 2 && version != 3) {
            throw new IllegalArgumentException("RESP has versions 2 and 3, not " + version);
        }
        protocol = version;
    }

    /** The array with what was written, from 0 to {@link #length}; another one after the next write. */
    public byte[] array() {
        return array;
    }

    /** How many bytes were written. */
    public int length() {
        return length;
    }

    /** Forgets what was written, and gives up a large array. */
    public void reset() {
        length = 0;
        if (array.length > KEPT_BYTES) {
            array = new byte[INITIAL_BYTES];
        }
    }

    /** Forgets what was written behind the first {@code newLength} bytes. */
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IndexOutOfBoundsException("cannot cut " + length + " bytes to " + newLength);
        }
        length = newLength;
    }

    /** {@code +OK}. */
    public RespWriter ok() {
        return put(OK);
    }

    /** A simple string; line breaks in it become blanks. */
    public RespWriter simple(String text) {
        return line('+', text);
    }

    /** An error: its whole line, for instance {@code "ERR syntax error"}; line breaks in it become blanks. */
    public RespWriter error(String line) {
        return line('-', line);
    }

    /** An error. */
    public RespWriter error(ErrorReply error) {
        return line('-', error.line());
    }

    public RespWriter integer(long value) {
        return header(':', value);
    }

    /** A bulk string. */
    public RespWriter bulk(byte[] bytes) {
        return bulk(bytes, 0, bytes.length);
    }

    /** A bulk string. */
    public RespWriter bulk(byte[] bytes, int offset, int count) {
        ensure((long) count + LONGEST_HEADER);
        header('$', count);
        System.arraycopy(bytes, offset, array, length, count);
        length += count;
        return end();
    }

    /** A bulk string. */
    public RespWriter bulk(String latin1) {
        int count = latin1.length();
        ensure((long) count + LONGEST_HEADER);
        header('$', count);
        text(latin1);
        return end();
    }

    /** A bulk string with the digits of a number. */
    public RespWriter bulkInteger(long value) {
        ensure(2 * LONGEST_HEADER);
        header('$', Numbers.length(value));
        length = Numbers.write(value, array, length);
        return end();
    }

    /** Nothing: RESP2 {@code $-1}, RESP3 {@code _}. */
    public RespWriter nil() {
        return put(protocol == 2 ? NIL_2 : NIL_3);
    }

    /** No array: RESP2 {@code *-1}, RESP3 {@code _}. */
    public RespWriter nilArray() {
        return put(protocol == 2 ? NIL_ARRAY_2 : NIL_3);
    }

    /** The header of an array of {@code count} replies. */
    public RespWriter array(int count) {
        return header('*', count);
    }

    /** The header of a map of {@code pairs} keys, each followed by its value; RESP2: an array of twice as many. */
    public RespWriter map(int pairs) {
        return protocol == 2 ? header('*', 2L * pairs) : header('%', pairs);
    }

    /** The header of a set of {@code count} replies; RESP2: an array. */
    public RespWriter set(int count) {
        return header(protocol == 2 ? '*' : '~', count);
    }

    /** The header of a push of {@code count} replies; RESP2: an array. */
    public RespWriter push(int count) {
        return header(protocol == 2 ? '*' : '>', count);
    }

    /** A floating-point number as {@link Numbers#format(double)} has it; RESP2: a bulk string. */
    public RespWriter number(double value) {
        byte[] digits = Numbers.format(value);
        if (protocol == 2) {
            return bulk(digits);
        }
        ensure(digits.length + LONGEST_HEADER);
        array[length++] = ',';
        return put(digits).end();
    }

    /** A boolean; RESP2: 1 or 0. */
    public RespWriter bool(boolean value) {
        if (protocol == 2) {
            return header(':', value ? 1 : 0);
        }
        return put(value ? TRUE_3 : FALSE_3);
    }

    /** A text with its format, three characters such as {@code txt}; RESP2: a bulk string of the text. */
    public RespWriter verbatim(String format, String text) {
        if (format.length() != 3) {
            throw new IllegalArgumentException("a verbatim text's format has three characters, not '" + format + "'");
        }
        if (protocol == 2) {
            return bulk(text);
        }
        int count = text.length() + 4;
        ensure((long) count + LONGEST_HEADER);
        header('=', count);
        text(format);
        array[length++] = ':';
        text(text);
        return end();
    }

    /** An integer of any size in decimal digits; RESP2: a bulk string. */
    public RespWriter bigNumber(String digits) {
        return protocol == 2 ? bulk(digits) : line('(', digits);
    }

    /** Bytes that are RESP already. */
    public RespWriter raw(byte[] bytes, int offset, int count) {
        ensure(count);
        System.arraycopy(bytes, offset, array, length, count);
        length += count;
        return this;
    }

    /** A place to insert a header at, once the number of elements is known; good as long as nothing before it is cut. */
    public int mark() {
        return length;
    }

    /** Inserts the header of an array before all that was written since {@link #mark}. */
    public void arrayAt(int mark, int count) {
        headerAt(mark, '*', count);
    }

    /** As {@link #arrayAt}, for a set. */
    public void setAt(int mark, int count) {
        headerAt(mark, protocol == 2 ? '*' : '~', count);
    }

    /** As {@link #arrayAt}, for a map. */
    public void mapAt(int mark, int pairs) {
        if (protocol == 2) {
            headerAt(mark, '*', 2L * pairs);
        } else {
            headerAt(mark, '%', pairs);
        }
    }

    /** As {@link #arrayAt}, for a push. */
    public void pushAt(int mark, int count) {
        headerAt(mark, protocol == 2 ? '*' : '>', count);
    }

    private void headerAt(int mark, char type, long count) {
        if (mark < 0 || mark > length) {
            throw new IndexOutOfBoundsException("mark " + mark + " behind " + length + " bytes written");
        }
        int headerLength = 1 + Numbers.length(count) + 2;
        ensure(headerLength);
        System.arraycopy(array, mark, array, mark + headerLength, length - mark);
        array[mark] = (byte) type;
        int at = Numbers.write(count, array, mark + 1);
        array[at] = '\r';
        array[at + 1] = '\n';
        length += headerLength;
    }

    private RespWriter header(char type, long value) {
        ensure(LONGEST_HEADER);
        if (value >= 0 && value < SHORT_HEADERS) {
            long header = TAILS[(int) value] | type;
            LONG.set(array, length, header);
            length += (int) (header >>> 56);
            return this;
        }
        array[length++] = (byte) type;
        length = Numbers.write(value, array, length);
        return end();
    }

    private RespWriter line(char type, String text) {
        ensure((long) text.length() + LONGEST_HEADER);
        array[length++] = (byte) type;
        int from = length;
        text(text);
        for (int i = from; i < length; i++) {
            if (array[i] == '\r' || array[i] == '\n') {
                array[i] = ' ';
            }
        }
        return end();
    }

    /* Room was made. */
    private void text(String text) {
        byte[] to = array;
        int at = length;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            to[at + i] = (byte) (c <= 0xff ? c : '?');
        }
        length = at + text.length();
    }

    private RespWriter end() {
        ensure(2);
        array[length] = '\r';
        array[length + 1] = '\n';
        length += 2;
        return this;
    }

    private RespWriter put(byte[] bytes) {
        return raw(bytes, 0, bytes.length);
    }

    private void ensure(long free) {
        if (array.length - length < free) {
            grow(free);
        }
    }

    /** A reply past the longest array is a reply no client could take: its command must be limited before. */
    private void grow(long free) {
        long needed = length + free;
        if (needed > Integer.MAX_VALUE - 16) {
            throw new IllegalStateException("replies of " + needed + " bytes do not fit one array");
        }
        array = Arrays.copyOf(array, (int) Math.min(Math.max(needed, 2L * array.length), Integer.MAX_VALUE - 16));
    }

    private static long[] tails() {
        long[] tails = new long[SHORT_HEADERS];
        byte[] bytes = new byte[Long.BYTES];
        for (int n = 0; n < tails.length; n++) {
            Arrays.fill(bytes, (byte) 0);
            int at = Numbers.write(n, bytes, 1);
            bytes[at] = '\r';
            bytes[at + 1] = '\n';
            bytes[Long.BYTES - 1] = (byte) (at + 2);
            tails[n] = (long) LONG.get(bytes, 0);
        }
        return tails;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
