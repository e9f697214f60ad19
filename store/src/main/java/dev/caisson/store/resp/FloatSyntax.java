package dev.caisson.store.resp;

/** What kind of floating-point number a text is, in the syntax of C's {@code strtod}, all of the text taken. */
enum FloatSyntax {
    NONE,
    INFINITY,
    DECIMAL,
    HEXADECIMAL;

    static FloatSyntax of(byte[] bytes, int offset, int length) {
        if (length == 0 || length > Numbers.LONGEST_FLOAT_BYTES) {
            return NONE;
        }
        int end = offset + length;
        int i = bytes[offset] == '-' || bytes[offset] == '+' ? offset + 1 : offset;
        if (isWord(bytes, i, end, "inf") || isWord(bytes, i, end, "infinity")) {
            return INFINITY;
        }
        boolean hexadecimal = end - i > 2 && bytes[i] == '0' && lower(bytes[i + 1]) == 'x';
        int radix = hexadecimal ? 16 : 10;
        int from = hexadecimal ? i + 2 : i;
        int whole = digits(bytes, from, end, radix);
        int behind = whole;
        int count = whole - from;
        if (behind < end && bytes[behind] == '.') {
            int fraction = digits(bytes, behind + 1, end, radix);
            count += fraction - (behind + 1);
            behind = fraction;
        }
        if (count == 0) {
            return NONE;
        }
        if (behind < end && lower(bytes[behind]) == (hexadecimal ? 'p' : 'e')) {
            int first = behind + 1;
            if (first < end && (bytes[first] == '-' || bytes[first] == '+')) {
                first++;
            }
            behind = digits(bytes, first, end, 10);
            if (behind == first) {
                return NONE;
            }
        }
        if (behind < end) {
            return NONE;
        }
        return hexadecimal ? HEXADECIMAL : DECIMAL;
    }

    /** Whether a number of this syntax has a digit other than 0 before its exponent: it is not zero. */
    boolean hasDigits(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            int c = lower(bytes[i]);
            if (c == (this == HEXADECIMAL ? 'p' : 'e')) {
                return false;
            }
            if (c >= '1' && c <= '9' || c >= 'a' && c <= 'f') {
                return true;
            }
        }
        return false;
    }

    private static int digits(byte[] bytes, int from, int end, int radix) {
        int i = from;
        while (i < end && Character.digit(bytes[i], radix) >= 0) {
            i++;
        }
        return i;
    }

    private static boolean isWord(byte[] bytes, int from, int end, String word) {
        if (end - from != word.length()) {
            return false;
        }
        for (int i = 0; i < word.length(); i++) {
            if (lower(bytes[from + i]) != word.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    static int lower(byte c) {
        return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    }
}
