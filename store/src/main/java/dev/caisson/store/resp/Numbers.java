package dev.caisson.store.resp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Numbers as Redis reads and writes them. Reading is strict: no blanks, no leading zeros or {@code +} in integers, nothing
 * behind a number. Also Redis's checksum, which labels watches.
 */
public final class Numbers {
    /** The longest text that is tried as a floating-point number, bytes; as Redis for its long doubles. */
    public static final int LONGEST_FLOAT_BYTES = 5 * 1024 - 1;

    private static final byte[] LONG_MAX = ascii("9223372036854775807");
    private static final byte[] LONG_MIN = ascii("-9223372036854775808");
    private static final int LONG_DIGITS = 19;

    private static final byte[] INFINITY = ascii("inf");
    private static final byte[] MINUS_INFINITY = ascii("-inf");
    private static final byte[] NAN = ascii("nan");
    private static final byte[] MINUS_ZERO = ascii("-0");

    /** Up to here every integer is a double, and Redis writes it as an integer. */
    private static final double LARGEST_PLAIN_INTEGER = 0x1p62;

    /** The Jones polynomial, bits reversed. */
    private static final long CRC64_POLYNOMIAL = 0x95ac9329ac4bc9b5L;

    private static final long[] CRC64 = crc64Table();

    /** "00" to "99". */
    private static final byte[] PAIRS = pairs();

    private Numbers() {}

    // integers

    /** Whether this is a 64-bit integer in the one way Redis writes it: {@code 0}, {@code 17}, {@code -3}. */
    public static boolean isInteger(byte[] bytes, int offset, int length) {
        if (length == 0) {
            return false;
        }
        boolean negative = bytes[offset] == '-';
        int first = negative ? offset + 1 : offset;
        int digits = length - (first - offset);
        if (digits == 0 || digits > LONG_DIGITS) {
            return false;
        }
        if (bytes[first] == '0') {
            return length == 1;
        }
        int end = offset + length;
        for (int i = first; i < end; i++) {
            if (bytes[i] < '0' || bytes[i] > '9') {
                return false;
            }
        }
        if (digits < LONG_DIGITS) {
            return true;
        }
        byte[] limit = negative ? LONG_MIN : LONG_MAX;
        return Arrays.compare(bytes, offset, end, limit, 0, limit.length) <= 0;
    }

    /**
     * The integer that these bytes are.
     *
     * @throws ErrorReply {@link ErrorReply#NOT_INTEGER} if they are none
     */
    public static long parseInteger(byte[] bytes, int offset, int length) {
        return parseInteger(bytes, offset, length, ErrorReply.NOT_INTEGER);
    }

    /**
     * The integer that these bytes are.
     *
     * @throws ErrorReply the one given, if they are none
     */
    public static long parseInteger(byte[] bytes, int offset, int length, ErrorReply otherwise) {
        if (!isInteger(bytes, offset, length)) {
            throw otherwise;
        }
        boolean negative = bytes[offset] == '-';
        long value = 0;
        for (int i = negative ? offset + 1 : offset; i < offset + length; i++) {
            value = 10 * value - (bytes[i] - '0'); // negative, because there is one more of those
        }
        return negative ? value : -value;
    }

    /** An integer's digits. */
    public static byte[] format(long value) {
        byte[] digits = new byte[length(value)];
        write(value, digits, 0);
        return digits;
    }

    /** How many bytes {@link #write} takes. */
    public static int length(long value) {
        if (value < 0) {
            return value == Long.MIN_VALUE ? LONG_MIN.length : 1 + length(-value);
        }
        int length = 1;
        for (long power = 10; value >= power; power *= 10) {
            length++;
            if (length == LONG_DIGITS) {
                break;
            }
        }
        return length;
    }

    /** Writes an integer's digits; answers the index behind them. */
    public static int write(long value, byte[] to, int at) {
        int end = at + length(value);
        long rest = value;
        int i = end;
        // division rounds to zero, so a negative number's digits come out negative
        while (rest >= 100 || rest <= -100) {
            int pair = 2 * Math.abs((int) (rest % 100));
            rest /= 100;
            to[--i] = PAIRS[pair + 1];
            to[--i] = PAIRS[pair];
        }
        int pair = Math.abs((int) rest);
        to[--i] = PAIRS[2 * pair + 1];
        if (pair >= 10) {
            to[--i] = PAIRS[2 * pair];
        }
        if (value < 0) {
            to[--i] = '-';
        }
        return end;
    }

    // floating point

    /**
     * The number that these bytes are, in the syntax of C's {@code strtod} that Redis uses: decimal and hexadecimal, with or
     * without exponent, and infinities ({@code inf}, {@code +Infinity}), in any case. Not a number is none, nor is what
     * overflows a double or vanishes in it, nor a text longer than {@link #LONGEST_FLOAT_BYTES}.
     *
     * @throws ErrorReply {@link ErrorReply#NOT_FLOAT} if they are none
     */
    public static double parseDouble(byte[] bytes, int offset, int length) {
        return parseDouble(bytes, offset, length, ErrorReply.NOT_FLOAT);
    }

    /**
     * As {@link #parseDouble(byte[], int, int)}.
     *
     * @throws ErrorReply the one given, if these bytes are no number
     */
    public static double parseDouble(byte[] bytes, int offset, int length, ErrorReply otherwise) {
        if (length < LONG_DIGITS && isInteger(bytes, offset, length)) {
            return parseInteger(bytes, offset, length);
        }
        FloatSyntax syntax = FloatSyntax.of(bytes, offset, length);
        if (syntax == FloatSyntax.NONE) {
            throw otherwise;
        }
        if (syntax == FloatSyntax.INFINITY) {
            return bytes[offset] == '-' ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        String text = new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
        if (syntax == FloatSyntax.HEXADECIMAL && text.indexOf('p') < 0 && text.indexOf('P') < 0) {
            text += "p0"; // which Java demands and C does not
        }
        double value = Double.parseDouble(text);
        if (Double.isInfinite(value) || value == 0 && syntax.hasDigits(bytes, offset, length)) {
            throw otherwise;
        }
        return value;
    }

    /**
     * A double as Redis 7.4 writes it: integers up to 2^62 without a point, else the shortest decimal digits that read back
     * as the same number, with an exponent ({@code 1e+21}, {@code 1.5e-7}) where Redis's has one. Where Redis's algorithm
     * misses the shortest digits, which it does for one number in a thousand, this does not.
     */
    public static byte[] format(double value) {
        if (value == Math.rint(value) && Math.abs(value) <= LARGEST_PLAIN_INTEGER) {
            return value == 0 && 1 / value < 0 ? MINUS_ZERO.clone() : format((long) value);
        }
        if (Double.isNaN(value)) {
            return NAN.clone();
        }
        if (Double.isInfinite(value)) {
            return (value < 0 ? MINUS_INFINITY : INFINITY).clone();
        }
        double magnitude = Math.abs(value);
        String text = Double.toString(value);
        if (magnitude >= 1e-3 && magnitude < 1e4) {
            return ascii(text); // there both agree
        }
        return Shortest.of(text, value).write();
    }

    // checksum

    /** Redis's CRC64 of these bytes; {@code e9c6d914c4b8d9ca} for {@code 123456789}. */
    public static long crc64(byte[] bytes) {
        return crc64(0, bytes, 0, bytes.length);
    }

    /** Redis's CRC64 of what {@code crc} is of (0: nothing), followed by these bytes. */
    public static long crc64(long crc, byte[] bytes, int offset, int length) {
        long rest = crc;
        for (int i = offset; i < offset + length; i++) {
            rest = CRC64[(int) (rest ^ bytes[i]) & 0xff] ^ rest >>> 8;
        }
        return rest;
    }

    private static long[] crc64Table() {
        long[] table = new long[256];
        for (int i = 0; i < table.length; i++) {
            long rest = i;
            for (int bit = 0; bit < 8; bit++) {
                rest = (rest & 1) == 0 ? rest >>> 1 : rest >>> 1 ^ CRC64_POLYNOMIAL;
            }
            table[i] = rest;
        }
        return table;
    }

    private static byte[] pairs() {
        byte[] pairs = new byte[200];
        for (int i = 0; i < 100; i++) {
            pairs[2 * i] = (byte) ('0' + i / 10);
            pairs[2 * i + 1] = (byte) ('0' + i % 10);
        }
        return pairs;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A finite number as digits and a power of ten: {@code digits * 10^power}. */
    private record Shortest(boolean negative, String digits, int power) {
        /** @param text what Java writes: also the shortest digits, but at least two, and in another layout */
        static Shortest of(String text, double value) {
            boolean negative = text.charAt(0) == '-';
            int first = negative ? 1 : 0;
            int e = text.indexOf('E');
            int power = e < 0 ? 0 : Integer.parseInt(text, e + 1, text.length(), 10);
            String number = text.substring(first, e < 0 ? text.length() : e);
            int point = number.indexOf('.');
            power -= number.length() - point - 1;
            String digits = number.substring(0, point) + number.substring(point + 1);
            int from = 0;
            while (digits.charAt(from) == '0') {
                from++;
            }
            int to = digits.length();
            while (digits.charAt(to - 1) == '0') {
                to--;
                power++;
            }
            digits = digits.substring(from, to);
            if (digits.length() == 2 && Math.abs(value) < Double.MIN_NORMAL) {
                // the few smallest numbers have a shorter form than Java's two digits
                long rounded = Math.round(Integer.parseInt(digits) / 10.0);
                if (Double.parseDouble(rounded + "E" + (power + 1)) == Math.abs(value)) {
                    return new Shortest(
                            negative,
                            rounded == 10 ? "1" : Long.toString(rounded),
                            rounded == 10 ? power + 2 : power + 1);
                }
            }
            return new Shortest(negative, digits, power);
        }

        /** The layout of Redis 7.4: plain with few zeros to fill in, else scientific. */
        byte[] write() {
            StringBuilder out = new StringBuilder(32).append(negative ? "-" : "");
            int count = digits.length();
            int exponent = power + count - 1;
            if (power >= 0 && Math.abs(exponent) < count + 7) {
                out.append(digits).repeat('0', power);
            } else if (power < 0 && (power > -7 || Math.abs(exponent) < 4)) {
                int point = count + power;
                if (point <= 0) {
                    out.append("0.").repeat('0', -point).append(digits);
                } else {
                    out.append(digits, 0, point).append('.').append(digits, point, count);
                }
            } else {
                out.append(digits.charAt(0));
                if (count > 1) {
                    out.append('.').append(digits, 1, count);
                }
                out.append('e').append(exponent < 0 ? '-' : '+').append(Math.abs(exponent));
            }
            return ascii(out.toString());
        }
    }
}
