package dev.caisson.store.resp;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * One reply, as a tree. Simple texts have a character for each byte (latin-1), as {@link RespWriter} writes them. Equal
 * replies have equal content; lists cannot be changed, byte arrays must not be.
 */
public sealed interface Reply {
    /** Nothing: RESP3's null, and RESP2's null bulk string and null array. */
    Reply NIL = new Nil();

    /** See {@link #NIL}. */
    record Nil() implements Reply {}

    /** A simple string, for instance {@code OK}. */
    record Simple(String text) implements Reply {}

    /** An error: its whole line. */
    record ErrorLine(String line) implements Reply {
        /** The line's first word, for instance {@code WRONGTYPE}. */
        public String code() {
            int blank = line.indexOf(' ');
            return blank < 0 ? line : line.substring(0, blank);
        }
    }

    record Int(long value) implements Reply {}

    /** A bulk string. */
    record Bulk(byte[] bytes) implements Reply {
        /** As UTF-8. */
        public String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Bulk bulk && Arrays.equals(bytes, bulk.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }

        @Override
        public String toString() {
            return "Bulk[" + text() + "]";
        }
    }

    record Array(List<Reply> elements) implements Reply {
        public Array {
            elements = List.copyOf(elements);
        }
    }

    /** A map in the order sent; a key may come twice. */
    record MapReply(List<Pair> pairs) implements Reply {
        public MapReply {
            pairs = List.copyOf(pairs);
        }
    }

    /** A key of a map, and its value. */
    record Pair(Reply key, Reply value) {}

    /** A set in the order sent; an element may come twice. */
    record SetReply(List<Reply> elements) implements Reply {
        public SetReply {
            elements = List.copyOf(elements);
        }
    }

    /** What was sent without having been asked for. */
    record Push(List<Reply> elements) implements Reply {
        public Push {
            elements = List.copyOf(elements);
        }
    }

    /** A floating-point number; infinities and not-a-number too. */
    record DoubleReply(double value) implements Reply {}

    record Bool(boolean value) implements Reply {}

    /** An integer of any size. */
    record BigNumber(BigInteger value) implements Reply {}

    /**
     * A text and what it is written in.
     *
     * @param format three characters, for instance {@code txt} or {@code mkd}
     */
    record Verbatim(String format, String text) implements Reply {}
}
