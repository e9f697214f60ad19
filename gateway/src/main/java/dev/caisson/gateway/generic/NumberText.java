package dev.caisson.gateway.generic;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * Numbers of JSON as protobuf's types: {@code 1.0} and {@code 1e3} are whole, strings may hold numbers. Bounded: a text
 * like {@code 1e999999999} costs nothing.
 */
final class NumberText {
    static final int MAX_LENGTH_CHARS = 400;

    static final Range INT32 = new Range(BigInteger.valueOf(Integer.MIN_VALUE), BigInteger.valueOf(Integer.MAX_VALUE));
    static final Range UINT32 =
            new Range(BigInteger.ZERO, BigInteger.ONE.shiftLeft(32).subtract(BigInteger.ONE));
    static final Range INT64 = new Range(BigInteger.valueOf(Long.MIN_VALUE), BigInteger.valueOf(Long.MAX_VALUE));
    static final Range UINT64 =
            new Range(BigInteger.ZERO, BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE));

    /** From least to greatest, both included. */
    record Range(BigInteger least, BigInteger greatest) {
        @Override
        public String toString() {
            return least + " to " + greatest;
        }
    }

    private NumberText() {}

    /**
     * A whole number; unsigned ones beyond the sign as protobuf has them in Java, negative.
     *
     * @throws ArithmeticException if it is out of range
     * @throws NumberFormatException if it is not a whole number
     */
    static long integer(String text, Range range) {
        BigDecimal number = new BigDecimal(checked(text));
        if (number.signum() == 0) {
            return 0;
        }
        if ((long) number.precision() - number.scale() > 20) {
            throw new ArithmeticException("more than 20 digits");
        }
        if (number.scale() > 0) {
            number = number.stripTrailingZeros();
        }
        if (number.scale() > 0) {
            throw new NumberFormatException("not whole");
        }
        BigInteger whole = number.toBigIntegerExact();
        if (whole.compareTo(range.least()) < 0 || whole.compareTo(range.greatest()) > 0) {
            throw new ArithmeticException("out of range");
        }
        return whole.longValue();
    }

    /**
     * A floating number.
     *
     * @param single whether it must fit a float
     * @param quoted whether it stood in quotes, where NaN and Infinity are allowed
     */
    static double floating(String text, boolean single, boolean quoted) {
        if (quoted) {
            switch (text) {
                case "NaN":
                    return Double.NaN;
                case "Infinity":
                    return Double.POSITIVE_INFINITY;
                case "-Infinity":
                    return Double.NEGATIVE_INFINITY;
                default:
                    break;
            }
        }
        double value = Double.parseDouble(checked(text));
        if (Double.isInfinite(value) || (single && Float.isInfinite((float) value))) {
            throw new ArithmeticException("out of range");
        }
        return value;
    }

    /** Only what JSON calls a number: Java's parsers take more ("1f", " 1", "0x1p3"). */
    private static String checked(String text) {
        if (text.isEmpty() || text.length() > MAX_LENGTH_CHARS) {
            throw new NumberFormatException("not a number, or too long");
        }
        for (int i = 0; i < text.length(); i++) {
            if ("0123456789+-.eE".indexOf(text.charAt(i)) < 0) {
                throw new NumberFormatException("not a number");
            }
        }
        return text;
    }
}
