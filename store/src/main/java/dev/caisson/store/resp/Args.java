package dev.caisson.store.resp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The arguments of one request, the command's name first: slices of one array. A reader fills the same instance again and
 * again and moves its bytes, so nobody keeps one past the call it was handed to; {@link #detach} makes a copy to keep.
 * Not thread-safe.
 */
public final class Args {
    /* Implementation note. Argument i is bounds[2i] .. bounds[2i] + bounds[2i + 1]. The array grows as arguments arrive, not
     * as a request declares them. */

    /** Room for more arguments than this is given up with the next request. */
    static final int KEPT_ARGUMENTS = 1024;

    private static final int INITIAL_ARGUMENTS = 8;

    private byte[] bytes;
    private int[] bounds;
    private int count;

    /** No arguments; a reader or a batch points it at some. */
    public Args() {
        bytes = Input.NOTHING;
        bounds = new int[2 * INITIAL_ARGUMENTS];
    }

    /** These arguments, copied. */
    public static Args of(byte[]... arguments) {
        int length = 0;
        for (byte[] argument : arguments) {
            length = Math.addExact(length, argument.length);
        }
        Args args = new Args();
        args.reset(new byte[length]);
        int at = 0;
        for (byte[] argument : arguments) {
            System.arraycopy(argument, 0, args.bytes, at, argument.length);
            args.add(at, argument.length);
            at += argument.length;
        }
        return args;
    }

    /** These arguments, a byte for each character. */
    public static Args of(String... latin1) {
        byte[][] arguments = new byte[latin1.length][];
        for (int i = 0; i < latin1.length; i++) {
            arguments[i] = latin1[i].getBytes(StandardCharsets.ISO_8859_1);
        }
        return of(arguments);
    }

    /** How many there are, with the command's name. */
    public int count() {
        return count;
    }

    /** The array that all arguments lie in; read only. */
    public byte[] bytes() {
        return bytes;
    }

    /** Where argument {@code i} begins in {@link #bytes}. */
    public int offset(int i) {
        return bounds[2 * checked(i)];
    }

    /** The length of argument {@code i}, bytes. */
    public int length(int i) {
        return bounds[2 * checked(i) + 1];
    }

    /** A copy of argument {@code i}. */
    public byte[] copy(int i) {
        int offset = offset(i);
        return Arrays.copyOfRange(bytes, offset, offset + length(i));
    }

    /** Argument {@code i} with a character for each byte. */
    public String text(int i) {
        return new String(bytes, offset(i), length(i), StandardCharsets.ISO_8859_1);
    }

    /** Whether argument {@code i} is this word in any mixture of upper and lower case. */
    public boolean is(int i, String upperCaseAscii) {
        int length = upperCaseAscii.length();
        if (length(i) != length) {
            return false;
        }
        int offset = offset(i);
        for (int j = 0; j < length; j++) {
            int c = bytes[offset + j];
            if (c >= 'a' && c <= 'z') {
                c -= 'a' - 'A';
            }
            if (c != upperCaseAscii.charAt(j)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Argument {@code i} as a 64-bit integer in Redis's strict syntax.
     *
     * @throws ErrorReply {@link ErrorReply#NOT_INTEGER}
     */
    public long integer(int i) {
        return Numbers.parseInteger(bytes, offset(i), length(i));
    }

    /**
     * Argument {@code i} as a number in Redis's strict syntax.
     *
     * @throws ErrorReply {@link ErrorReply#NOT_FLOAT}
     */
    public double number(int i) {
        return Numbers.parseDouble(bytes, offset(i), length(i));
    }

    /** The same arguments in an array of their own, with no byte between them. */
    public Args detach() {
        int length = 0;
        for (int i = 0; i < count; i++) {
            length += bounds[2 * i + 1];
        }
        Args copy = new Args();
        copy.bytes = new byte[length];
        copy.bounds = new int[2 * count];
        int at = 0;
        for (int i = 0; i < count; i++) {
            System.arraycopy(bytes, bounds[2 * i], copy.bytes, at, bounds[2 * i + 1]);
            copy.add(at, bounds[2 * i + 1]);
            at += bounds[2 * i + 1];
        }
        return copy;
    }

    /** The arguments from this one on, in the same array: good as long as these are. */
    public Args from(int first) {
        Args rest = new Args();
        rest.bytes = bytes;
        for (int i = first; i < count; i++) {
            rest.append(bounds[2 * i], bounds[2 * i + 1]);
        }
        return rest;
    }

    /** Forgets all arguments; those to come lie in this array. */
    public void reset(byte[] newBytes) {
        bytes = newBytes;
        if (count > KEPT_ARGUMENTS) {
            bounds = new int[2 * INITIAL_ARGUMENTS];
        }
        count = 0;
    }

    /** Appends an argument that lies in {@link #bytes}. */
    public void add(int offset, int length) {
        if ((offset | length) < 0 || offset > bytes.length - length) {
            throw new IndexOutOfBoundsException(
                    "an argument at " + offset + " of " + length + " bytes lies outside an array of " + bytes.length);
        }
        append(offset, length);
    }

    /** As {@link #add} of an argument whose bytes may have yet to arrive in {@code bytes}. */
    void append(int offset, int length) {
        int at = 2 * count;
        if (at == bounds.length) {
            bounds = Arrays.copyOf(bounds, Math.max(2 * INITIAL_ARGUMENTS, 2 * at));
        }
        bounds[at] = offset;
        bounds[at + 1] = length;
        count++;
    }

    /** The arguments lie in another array now, each {@code back} bytes nearer to its start. */
    void move(byte[] newBytes, int back) {
        bytes = newBytes;
        if (back != 0) {
            for (int i = 0; i < count; i++) {
                bounds[2 * i] -= back;
            }
        }
    }

    /** The heap that the table of arguments takes, bytes; {@link #bytes} is its owner's. */
    long memory() {
        return (long) Integer.BYTES * bounds.length;
    }

    private int checked(int i) {
        if (i >= count) {
            throw new IndexOutOfBoundsException("argument " + i + " of " + count);
        }
        return i;
    }

    /** The arguments as text, for logs and tests. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : " ").append(text(i));
        }
        return text.toString();
    }
}
