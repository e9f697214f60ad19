package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import org.jspecify.annotations.Nullable;

/** SETBIT, BITCOUNT and their kin: strings as rows of bits, the highest of each byte first. BITFIELD is in {@link BitFields}. */
final class BitCommands {
    private BitCommands() {}

    static void register(CommandTable.Builder t) {
        bits(t, "SETBIT", 4, "2.2.0", "O(1)", "Sets or clears the bit at offset of the string value.")
                .key(1)
                .write()
                .denyOom()
                .run(BitCommands::setbit);
        bits(t, "GETBIT", 3, "2.2.0", "O(1)", "Returns a bit value by offset.")
                .key(1)
                .read()
                .fast()
                .watchable()
                .run(BitCommands::getbit);
        bits(t, "BITCOUNT", -2, "2.6.0", "O(N)", "Counts the number of set bits (population counting) in a string.")
                .key(1)
                .read()
                .watchable()
                .run(BitCommands::bitcount);
        bits(t, "BITPOS", -3, "2.8.7", "O(N)", "Finds the first set (1) or clear (0) bit in a string.")
                .key(1)
                .read()
                .watchable()
                .run(BitCommands::bitpos);
        bits(t, "BITOP", -4, "2.6.0", "O(N)", "Performs bitwise operations on multiple strings, and stores the result.")
                .keys(2, -1, 1)
                .write()
                .denyOom()
                .run(BitCommands::bitop);
        bits(t, "BITFIELD", -2, "3.2.0", "O(1)", "Performs arbitrary bitfield integer operations on strings.")
                .key(1)
                .write()
                .denyOom()
                .run(c -> BitFields.read(c, false).run());
        bits(
                        t,
                        "BITFIELD_RO",
                        -2,
                        "6.0.0",
                        "O(1)",
                        "Performs arbitrary read-only bitfield integer operations on strings.")
                .key(1)
                .read()
                .fast()
                .run(c -> BitFields.read(c, true).run());
    }

    private static Command.Builder bits(
            CommandTable.Builder t, String name, int arity, String since, String complexity, String summary) {
        return t.add(name).arity(arity).category("bitmap").docs("bitmap", since, complexity, summary);
    }

    /**
     * The offset of a bit at {@code arg}; with {@code #}, where {@code width} allows it, counted in fields of that width.
     *
     * @param width bits of a field; 0 where {@code #} is not understood
     */
    static long offset(Args args, int arg, int width) {
        ErrorReply wrong = new ErrorReply("ERR bit offset is not an integer or out of range");
        boolean counted = width > 0 && args.length(arg) > 0 && args.bytes()[args.offset(arg)] == '#';
        int skip = counted ? 1 : 0;
        long offset = Numbers.parseInteger(args.bytes(), args.offset(arg) + skip, args.length(arg) - skip, wrong);
        if (offset < 0 || offset > StringCommands.MAX_BYTES * 8) {
            throw wrong;
        }
        offset *= counted ? width : 1;
        if (offset >>> 3 >= StringCommands.MAX_BYTES) {
            throw wrong;
        }
        return offset;
    }

    /** A new entry for the key at argument 1 with the old value, and zero bytes up to {@code bytes} if it is shorter. */
    static byte[] written(Call c, byte @Nullable [] old, long bytes) {
        int length = old == null ? 0 : StringEntry.valueLength(old);
        int size = (int) Math.max(length, bytes);
        byte[] entry = StringCommands.grown(c, 1, old, size);
        if (old != null) {
            System.arraycopy(old, old.length - length, entry, entry.length - size, length);
        }
        return entry;
    }

    private static void setbit(Call c) {
        long offset = offset(c.args, 2, 0);
        ErrorReply noBit = new ErrorReply("ERR bit is not an integer or out of range");
        long bit = Numbers.parseInteger(c.args.bytes(), c.args.offset(3), c.args.length(3), noBit);
        if (bit != 0 && bit != 1) {
            throw noBit;
        }
        byte[] old = c.string(1);
        int former = bit(old, offset);
        if (former != bit || old == null || StringEntry.valueLength(old) <= offset >>> 3) {
            byte[] entry = written(c, old, (offset >>> 3) + 1);
            int at = StringEntry.valueOffset(entry) + (int) (offset >>> 3);
            int mask = 0x80 >>> (offset & 7);
            entry[at] = (byte) (bit == 1 ? entry[at] | mask : entry[at] & ~mask);
            c.putString(1, entry);
            c.changed(1, "setbit", Event.STRING);
        }
        c.out.integer(former);
    }

    /** One bit of a value; 0 beyond its end. */
    static int bit(byte @Nullable [] entry, long offset) {
        if (entry == null || offset >>> 3 >= StringEntry.valueLength(entry)) {
            return 0;
        }
        return entry[StringEntry.valueOffset(entry) + (int) (offset >>> 3)] >>> (7 - (offset & 7)) & 1;
    }

    private static void getbit(Call c) {
        long offset = offset(c.args, 2, 0);
        c.out.integer(bit(c.string(1), offset));
    }

    /** The arguments that BITCOUNT and BITPOS share: a range of bytes or of bits. */
    private record Span(long start, long end, boolean inBits, boolean hasEnd) {
        /**
         * Reads them from {@code arg} on.
         *
         * @param endOptional whether the start may stand alone
         */
        static Span read(Call c, int arg, boolean endOptional) {
            int given = c.count() - arg;
            if (given == 0) {
                return new Span(0, -1, false, false);
            }
            if (given > 3 || (given == 1 && !endOptional)) {
                throw ErrorReply.SYNTAX;
            }
            long start = c.args.integer(arg);
            boolean bits = given == 3 && c.args.is(arg + 2, "BIT");
            if (given == 3 && !bits && !c.args.is(arg + 2, "BYTE")) {
                throw ErrorReply.SYNTAX;
            }
            return new Span(start, given > 1 ? c.args.integer(arg + 1) : -1, bits, given > 1);
        }

        /** The first bit, of a value with so many bytes. */
        long firstBit(long bytes) {
            long total = inBits ? bytes * 8 : bytes;
            long first = Math.max(0, start < 0 ? start + total : start);
            return inBits ? first : first > bytes ? bytes * 8 : first * 8;
        }

        /** The bit after the last. */
        long endBit(long bytes) {
            long total = inBits ? bytes * 8 : bytes;
            long last = Math.min(total - 1, Math.max(0, end < 0 ? end + total : end));
            return inBits ? last + 1 : (last + 1) * 8;
        }

        boolean isBackward() {
            return start < 0 && end < 0 && start > end;
        }
    }

    private static void bitcount(Call c) {
        Span span = Span.read(c, 2, false);
        byte[] entry = c.string(1);
        int bytes = entry == null ? 0 : StringEntry.valueLength(entry);
        long at = span.firstBit(bytes);
        long end = bytes == 0 || span.isBackward() ? 0 : span.endBit(bytes);
        long count = 0;
        for (; at < end && (at & 7) != 0; at++) {
            count += bit(entry, at);
        }
        if (entry != null) {
            int from = StringEntry.valueOffset(entry);
            for (; at + 8 <= end; at += 8) {
                count += Integer.bitCount(entry[from + (int) (at >>> 3)] & 0xff);
            }
        }
        for (; at < end; at++) {
            count += bit(entry, at);
        }
        c.out.integer(count);
    }

    private static void bitpos(Call c) {
        long bit = c.args.integer(2);
        if (bit != 0 && bit != 1) {
            throw new ErrorReply("ERR The bit argument must be 1 or 0.");
        }
        Span span = Span.read(c, 3, true);
        byte[] entry = c.string(1);
        if (entry == null) {
            c.out.integer(bit == 1 ? -1 : 0);
            return;
        }
        int bytes = StringEntry.valueLength(entry);
        long end = bytes == 0 ? 0 : span.endBit(bytes);
        long at = span.firstBit(bytes);
        if (at >= end) {
            c.out.integer(-1);
            return;
        }
        int from = StringEntry.valueOffset(entry);
        byte none = (byte) (bit == 1 ? 0 : 0xff);
        while (at < end && bit(entry, at) != bit) {
            boolean whole = (at & 7) == 0 && entry[from + (int) (at >>> 3)] == none;
            at += whole ? 8 : 1;
        }
        if (at < end) {
            c.out.integer(at);
        } else {
            c.out.integer(bit == 0 && !span.hasEnd ? 8L * bytes : -1);
        }
    }

    private enum Operation {
        AND,
        OR,
        XOR,
        NOT;

        int of(int a, int b) {
            return switch (this) {
                case AND -> a & b;
                case OR -> a | b;
                case XOR -> a ^ b;
                case NOT -> ~a;
            };
        }
    }

    private static void bitop(Call c) {
        Operation operation = null;
        for (Operation each : Operation.values()) {
            operation = c.args.is(1, each.name()) ? each : operation;
        }
        if (operation == null) {
            throw ErrorReply.SYNTAX;
        }
        if (operation == Operation.NOT && c.count() != 4) {
            throw new ErrorReply("ERR BITOP NOT must be called with a single source key.");
        }
        byte[][] sources = new byte[c.count() - 3][];
        int longest = 0;
        for (int i = 0; i < sources.length; i++) {
            byte[] source = c.string(3 + i);
            sources[i] = source;
            longest = Math.max(longest, source == null ? 0 : StringEntry.valueLength(source));
        }
        c.work((long) longest * sources.length / Long.BYTES);
        if (longest == 0) {
            c.remove(2);
            c.out.integer(0);
            return;
        }
        byte[] result = StringCommands.grown(c, 2, null, longest);
        int from = result.length - longest;
        for (int i = 0; i < longest; i++) {
            int value = octet(sources[0], i);
            for (int k = 1; k < sources.length; k++) {
                value = operation.of(value, octet(sources[k], i));
            }
            result[from + i] = (byte) (operation == Operation.NOT ? ~value : value);
        }
        c.putString(2, result);
        c.changed(2, "set", Event.STRING);
        c.out.integer(longest);
    }

    private static int octet(byte @Nullable [] entry, int index) {
        return entry == null || index >= StringEntry.valueLength(entry)
                ? 0
                : entry[StringEntry.valueOffset(entry) + index];
    }
}
