package dev.caisson.gateway.generic;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Timestamps (RFC 3339) and durations ({@code 1.5s}) as JSON has them.
 *
 * @param seconds since 1970-01-01T00:00:00Z, or of the duration
 * @param nanos on top; of a negative duration zero or negative, else zero or positive
 */
record TimeText(long seconds, int nanos) {
    /** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the limits of google.protobuf.Timestamp. */
    private static final long LEAST_SECOND = -62_135_596_800L;

    private static final long GREATEST_SECOND = 253_402_300_799L;
    /** About 10,000 years, the limit of google.protobuf.Duration. */
    private static final long GREATEST_DURATION_SECONDS = 315_576_000_000L;

    private static final Pattern RFC_3339 =
            Pattern.compile("\\d{4}-\\d{2}-\\d{2}[Tt]\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?([Zz]|[+-]\\d{2}:\\d{2})");
    private static final Pattern DURATION = Pattern.compile("(-)?(\\d{1,12})(?:\\.(\\d{1,9}))?s");

    /** Null if it is none, or out of range. */
    static @Nullable TimeText timestamp(String text) {
        if (text.length() > 64 || !RFC_3339.matcher(text).matches()) {
            return null;
        }
        try {
            OffsetDateTime time = OffsetDateTime.parse(text.toUpperCase(Locale.ROOT));
            return inRange(time.toEpochSecond()) ? new TimeText(time.toEpochSecond(), time.getNano()) : null;
        } catch (DateTimeException e) {
            return null;
        }
    }

    private static boolean inRange(long second) {
        return second >= LEAST_SECOND && second <= GREATEST_SECOND;
    }

    /** Null if it is none, or out of range. */
    static @Nullable TimeText duration(String text) {
        Matcher parts = DURATION.matcher(text);
        if (text.length() > 64 || !parts.matches()) {
            return null;
        }
        long seconds = Long.parseLong(parts.group(2));
        String fraction = parts.group(3);
        int nanos = fraction == null ? 0 : Integer.parseInt((fraction + "000000000").substring(0, 9));
        if (seconds > GREATEST_DURATION_SECONDS || (seconds == GREATEST_DURATION_SECONDS && nanos > 0)) {
            return null;
        }
        return parts.group(1) == null ? new TimeText(seconds, nanos) : new TimeText(-seconds, -nanos);
    }

    /** As RFC 3339 with 0, 3, 6 or 9 digits of fraction; null if it has no such form. */
    @Nullable
    String toTimestamp() {
        if (!inRange(seconds) || nanos < 0 || nanos > 999_999_999) {
            return null;
        }
        String whole = Instant.ofEpochSecond(seconds).toString();
        return whole.substring(0, whole.length() - 1) + fraction(nanos) + "Z";
    }

    /** As seconds with 0, 3, 6 or 9 digits of fraction; null if it has no such form. */
    @Nullable
    String toDuration() {
        boolean signsDiffer = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
        if (signsDiffer
                || seconds < -GREATEST_DURATION_SECONDS
                || seconds > GREATEST_DURATION_SECONDS
                || nanos < -999_999_999
                || nanos > 999_999_999) {
            return null;
        }
        String sign = seconds < 0 || nanos < 0 ? "-" : "";
        return sign + Math.abs(seconds) + fraction(Math.abs(nanos)) + "s";
    }

    private static String fraction(int nanos) {
        if (nanos == 0) {
            return "";
        }
        String digits = String.format("%09d", nanos);
        int keep = nanos % 1_000_000 == 0 ? 3 : nanos % 1_000 == 0 ? 6 : 9;
        return "." + digits.substring(0, keep);
    }
}
