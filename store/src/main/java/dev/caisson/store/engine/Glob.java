package dev.caisson.store.engine;

/** Patterns of KEYS, SCAN and PSUBSCRIBE: {@code *}, {@code ?}, {@code [a-z]}, {@code [^a]}, {@code \} takes the next as it is. */
public final class Glob {
    private Glob() {}

    public static boolean matches(byte[] pattern, byte[] text) {
        return matches(pattern, text, 0, text.length);
    }

    /**
     * Whether the pattern matches the text. Takes time proportional to the product of their lengths at worst: a star never
     * goes back further than the last star.
     */
    public static boolean matches(byte[] pattern, byte[] text, int offset, int length) {
        int p = 0;
        int t = offset;
        int end = offset + length;
        int star = -1;
        int mark = 0;
        while (true) {
            if (p < pattern.length && pattern[p] == '*') {
                star = ++p;
                mark = t;
                continue;
            }
            if (t == end) {
                return p == pattern.length;
            }
            int next = p < pattern.length ? one(pattern, p, text[t]) : -1;
            if (next >= 0) {
                p = next;
                t++;
            } else if (star >= 0) {
                p = star;
                t = ++mark;
            } else {
                return false;
            }
        }
    }

    /** The position after the element at {@code p} if it matches the byte, else -1. */
    private static int one(byte[] pattern, int p, byte b) {
        switch (pattern[p]) {
            case '?':
                return p + 1;
            case '[':
                return set(pattern, p + 1, b);
            case '\\':
                if (p + 1 < pattern.length) {
                    return pattern[p + 1] == b ? p + 2 : -1;
                }
                return b == '\\' ? p + 1 : -1;
            default:
                return pattern[p] == b ? p + 1 : -1;
        }
    }

    private static int set(byte[] pattern, int from, byte b) {
        int p = from;
        boolean not = p < pattern.length && pattern[p] == '^';
        if (not) {
            p++;
        }
        boolean in = false;
        int c = b & 0xff;
        while (p < pattern.length && pattern[p] != ']') {
            if (pattern[p] == '\\' && p + 1 < pattern.length) {
                in |= pattern[++p] == b;
                p++;
            } else if (p + 2 < pattern.length && pattern[p + 1] == '-') {
                int low = pattern[p] & 0xff;
                int high = pattern[p + 2] & 0xff;
                in |= c >= Math.min(low, high) && c <= Math.max(low, high);
                p += 3;
            } else {
                in |= pattern[p++] == b;
            }
        }
        int after = p < pattern.length ? p + 1 : p; // a set that does not end ends with the pattern
        return in != not ? after : -1;
    }
}
