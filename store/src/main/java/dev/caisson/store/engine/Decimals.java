package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;

/** Decimal numbers of INCRBYFLOAT and HINCRBYFLOAT: 17 digits after the point at most, never in exponent form. */
final class Decimals {
    private static final int DIGITS = 17;

    private Decimals() {}

    /**
     * A number as Redis reads it.
     *
     * @throws ErrorReply if it is none, or infinite
     */
    static BigDecimal parse(byte[] bytes, int offset, int length) {
        double near = Numbers.parseDouble(bytes, offset, length);
        if (Double.isInfinite(near)) {
            throw infinite();
        }
        try {
            return new BigDecimal(new String(bytes, offset, length, StandardCharsets.ISO_8859_1));
        } catch (NumberFormatException hexadecimal) {
            return new BigDecimal(near);
        }
    }

    /**
     * The shortest text of the number.
     *
     * @throws ErrorReply if it is past the range of doubles
     */
    static byte[] format(BigDecimal number) {
        if (Double.isInfinite(number.doubleValue())) {
            throw infinite();
        }
        BigDecimal rounded = number.setScale(DIGITS, RoundingMode.HALF_EVEN);
        String text = rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static ErrorReply infinite() {
        return new ErrorReply("ERR increment would produce NaN or Infinity");
    }
}
