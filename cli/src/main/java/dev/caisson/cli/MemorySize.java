package dev.caisson.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** An amount of memory as Redis writes it: {@code 100mb} is 100 * 2^20 bytes, {@code 100m} 100 million, {@code 100} 100. */
record MemorySize(long bytes) {
    private static final Pattern TEXT = Pattern.compile("([0-9]{1,18})(b|k|kb|m|mb|g|gb|)");

    static MemorySize parse(String text) {
        Matcher parts = TEXT.matcher(text.toLowerCase(Locale.ROOT));
        if (!parts.matches()) {
            throw new IllegalArgumentException("not an amount of memory: " + text + "; for instance 512mb, 2gb or 0");
        }
        long unit = switch (parts.group(2)) {
            case "k" -> 1_000L;
            case "kb" -> 1L << 10;
            case "m" -> 1_000_000L;
            case "mb" -> 1L << 20;
            case "g" -> 1_000_000_000L;
            case "gb" -> 1L << 30;
            default -> 1L;
        };
        try {
            return new MemorySize(Math.multiplyExact(Long.parseLong(parts.group(1)), unit));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("more memory than there is: " + text, e);
        }
    }

    /** For people: three digits and a unit of 2^10. */
    @Override
    public String toString() {
        if (bytes < 1 << 10) {
            return bytes + " B";
        }
        int power = Math.min(3, (63 - Long.numberOfLeadingZeros(bytes)) / 10);
        double value = bytes / (double) (1L << 10 * power);
        return String.format(Locale.ROOT, value < 10 ? "%.1f %cB" : "%.0f %cB", value, " KMG".charAt(power));
    }

    /** For picocli. */
    static final class Converter implements ITypeConverter<MemorySize> {
        @Override
        public MemorySize convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }
}
