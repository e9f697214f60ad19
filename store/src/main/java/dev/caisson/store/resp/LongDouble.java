package dev.caisson.store.resp;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A number as C's {@code long double} holds it on x86: 64 significant bits. Redis computes {@code INCRBYFLOAT} and
 * {@code HINCRBYFLOAT} with it, so the same digits come out here: each operand and the sum are rounded to the nearest such
 * number, ties to even.
 */
public final class LongDouble {
    /* Implementation note. Every finite long double is a decimal number of finite length, so a BigDecimal holds it. */

    private static final int SIGNIFICANT_BITS = 64;

    /** The largest exponent: numbers are less than 2 to this power. */
    private static final int MAX_EXPONENT = 16384;

    /** The smallest step between numbers is 2 to the minus this. */
    private static final int SMALLEST_STEP = 16445;

    /** Decimal exponents beyond these are certainly too large or too small. */
    private static final int MAX_DECIMAL_EXPONENT = 4940;

    private static final int MIN_DECIMAL_EXPONENT = -4970;

    /** Longer exponents in a text are taken for that large. */
    private static final int MAX_EXPONENT_DIGITS = 8;

    /** Digits behind the point that Redis writes at most. */
    private static final int FRACTION_DIGITS = 17;

    private static final LongDouble INFINITY = new LongDouble(BigDecimal.ONE, true);
    private static final LongDouble MINUS_INFINITY = new LongDouble(BigDecimal.ONE.negate(), true);

    private final BigDecimal value;
    private final boolean infinite;

    private LongDouble(BigDecimal value, boolean infinite) {
        this.value = value;
        this.infinite = infinite;
    }

    /**
     * The number that these bytes are, in the syntax of {@link Numbers#parseDouble(byte[], int, int)}.
     *
     * @throws ErrorReply {@link ErrorReply#NOT_FLOAT} if they are none
     */
    public static LongDouble parse(byte[] bytes, int offset, int length) {
        return parse(bytes, offset, length, ErrorReply.NOT_FLOAT);
    }

    /**
     * As {@link #parse(byte[], int, int)}.
     *
     * @throws ErrorReply the one given, if these bytes are no number
     */
    public static LongDouble parse(byte[] bytes, int offset, int length, ErrorReply otherwise) {
        FloatSyntax syntax = FloatSyntax.of(bytes, offset, length);
        if (syntax == FloatSyntax.NONE) {
            throw otherwise;
        }
        if (syntax == FloatSyntax.INFINITY) {
            return bytes[offset] == '-' ? MINUS_INFINITY : INFINITY;
        }
        if (!syntax.hasDigits(bytes, offset, length)) {
            return new LongDouble(BigDecimal.ZERO, false);
        }
        String text = new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
        BigDecimal exact = syntax == FloatSyntax.DECIMAL ? decimal(text) : hexadecimal(text);
        if (exact == null) {
            throw otherwise;
        }
        LongDouble rounded = round(exact);
        if (rounded.infinite || rounded.value.signum() == 0) {
            throw otherwise;
        }
        return rounded;
    }

    /** The number that is an integer. */
    public static LongDouble of(long value) {
        return new LongDouble(BigDecimal.valueOf(value), false);
    }

    /** The sum, rounded. */
    public LongDouble plus(LongDouble other) {
        if (infinite || other.infinite) {
            return infinite ? this : other;
        }
        return round(value.add(other.value));
    }

    /** Whether this is no finite number; a sum with an infinity, or one too large. */
    public boolean infinite() {
        return infinite;
    }

    /** The number without exponent, at most 17 digits behind the point, no zeros at the end; {@code inf}, {@code -inf}. */
    public byte[] format() {
        if (infinite) {
            return (value.signum() < 0 ? "-inf" : "inf").getBytes(StandardCharsets.US_ASCII);
        }
        BigDecimal shown = value.setScale(FRACTION_DIGITS, RoundingMode.HALF_EVEN);
        String text = shown.signum() == 0 ? "0" : shown.stripTrailingZeros().toPlainString();
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public String toString() {
        return new String(format(), StandardCharsets.US_ASCII);
    }

    private static @Nullable BigDecimal decimal(String text) {
        int e = Math.max(text.indexOf('e'), text.indexOf('E'));
        BigDecimal digits = new BigDecimal(e < 0 ? text : text.substring(0, e));
        long exponent = e < 0 ? 0 : exponent(text, e + 1);
        long leading = (long) digits.precision() - digits.scale() + exponent;
        if (leading > MAX_DECIMAL_EXPONENT || leading < MIN_DECIMAL_EXPONENT) {
            return null;
        }
        return digits.scaleByPowerOfTen((int) exponent);
    }

    private static @Nullable BigDecimal hexadecimal(String text) {
        boolean negative = text.charAt(0) == '-';
        int from = text.indexOf('0') + 2;
        int p = Math.max(text.indexOf('p'), text.indexOf('P'));
        String digits = text.substring(from, p < 0 ? text.length() : p);
        long exponent = p < 0 ? 0 : exponent(text, p + 1);
        int point = digits.indexOf('.');
        if (point >= 0) {
            exponent -= 4L * (digits.length() - point - 1);
            digits = digits.substring(0, point) + digits.substring(point + 1);
        }
        BigInteger significand = new BigInteger(digits, 16);
        long leading = significand.bitLength() + exponent;
        if (leading > MAX_EXPONENT || leading < -SMALLEST_STEP - 1) {
            return null;
        }
        BigDecimal magnitude = exponent >= 0
                ? new BigDecimal(significand.shiftLeft((int) exponent))
                : binary(significand, (int) -exponent);
        return negative ? magnitude.negate() : magnitude;
    }

    private static long exponent(String text, int from) {
        boolean negative = text.charAt(from) == '-';
        int first = negative || text.charAt(from) == '+' ? from + 1 : from;
        while (first < text.length() - 1 && text.charAt(first) == '0') {
            first++;
        }
        int digits = Math.min(text.length() - first, MAX_EXPONENT_DIGITS);
        int exponent = Integer.parseInt(text, first, first + digits, 10);
        return negative ? -exponent : exponent;
    }

    private static LongDouble round(BigDecimal exact) {
        if (exact.signum() == 0) {
            return new LongDouble(BigDecimal.ZERO, false);
        }
        BigInteger numerator = exact.unscaledValue().abs();
        BigInteger denominator = BigInteger.ONE;
        if (exact.scale() > 0) {
            denominator = BigInteger.TEN.pow(exact.scale());
        } else {
            numerator = numerator.multiply(BigInteger.TEN.pow(-exact.scale()));
        }
        // the significand is the quotient after a shift that leaves 64 bits before the point, or fewer for the smallest
        int shift = SIGNIFICANT_BITS - (numerator.bitLength() - denominator.bitLength());
        BigInteger significand = nearest(numerator, denominator, Math.min(shift, SMALLEST_STEP));
        if (significand.bitLength() > SIGNIFICANT_BITS) {
            shift--;
            significand = nearest(numerator, denominator, Math.min(shift, SMALLEST_STEP));
        }
        shift = Math.min(shift, SMALLEST_STEP);
        if (significand.bitLength() - shift > MAX_EXPONENT) {
            return exact.signum() < 0 ? MINUS_INFINITY : INFINITY;
        }
        BigDecimal magnitude = shift <= 0 ? new BigDecimal(significand.shiftLeft(-shift)) : binary(significand, shift);
        return new LongDouble(exact.signum() < 0 ? magnitude.negate() : magnitude, false);
    }

    /** numerator * 2^shift / denominator, rounded half to even. */
    private static BigInteger nearest(BigInteger numerator, BigInteger denominator, int shift) {
        BigInteger top = shift > 0 ? numerator.shiftLeft(shift) : numerator;
        BigInteger bottom = shift < 0 ? denominator.shiftLeft(-shift) : denominator;
        BigInteger[] parts = top.divideAndRemainder(bottom);
        int half = parts[1].shiftLeft(1).compareTo(bottom);
        boolean up = half > 0 || half == 0 && parts[0].testBit(0);
        return up ? parts[0].add(BigInteger.ONE) : parts[0];
    }

    /** significand / 2^bits, exactly. */
    private static BigDecimal binary(BigInteger significand, int bits) {
        int zeros = Math.min(Math.max(significand.getLowestSetBit(), 0), bits);
        int rest = bits - zeros;
        return new BigDecimal(
                significand.shiftRight(zeros).multiply(BigInteger.valueOf(5).pow(rest)), rest);
    }
}
