package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** BITFIELD: integers of 1 to 64 bits at any bit of a string. */
final class BitFields {
    private enum Kind {
        GET,
        SET,
        INCRBY
    }

    private enum Overflow {
        WRAP,
        SAT,
        FAIL
    }

    /** One step: what to do with the integer of {@code bits} bits at {@code offset}. */
    private record Step(Kind kind, boolean signed, int bits, long offset, long value, Overflow overflow) {
        /** What becomes of {@code base + by}; null if that does not fit and the step then fails. */
        @Nullable
        Long fit(long base, long by) {
            return signed ? fitSigned(base, by) : fitUnsigned(base, by);
        }

        private @Nullable Long fitSigned(long base, long by) {
            long most = Long.MAX_VALUE >>> (64 - bits);
            long least = -most - 1;
            long sum = base + by;
            boolean wraps = ((base ^ sum) & (by ^ sum)) < 0; // past 64 bits
            boolean over = wraps ? by > 0 : sum > most;
            boolean under = wraps ? by < 0 : sum < least;
            if (!over && !under) {
                return sum;
            }
            return switch (overflow) {
                case WRAP -> sum << (64 - bits) >> (64 - bits);
                case SAT -> over ? most : least;
                case FAIL -> null;
            };
        }

        private @Nullable Long fitUnsigned(long base, long by) {
            long most = -1L >>> (64 - bits); // 63 bits at most
            boolean over = Long.compareUnsigned(base, most) > 0 || (by > 0 && by > most - base);
            boolean under = !over && by < 0 && by < -base;
            if (!over && !under) {
                return base + by;
            }
            return switch (overflow) {
                case WRAP -> base + by & most;
                case SAT -> over ? most : 0;
                case FAIL -> null;
            };
        }

        long endByte() {
            return (offset + bits - 1 >>> 3) + 1;
        }
    }

    private final Call c;
    private final List<Step> steps;

    private BitFields(Call c, List<Step> steps) {
        this.c = c;
        this.steps = steps;
    }

    static BitFields read(Call c, boolean readOnly) {
        Args a = c.args;
        List<Step> steps = new ArrayList<>();
        Overflow overflow = Overflow.WRAP;
        for (int i = 2; i < c.count(); ) {
            int left = c.count() - i - 1;
            if (a.is(i, "OVERFLOW") && left >= 1) {
                overflow = overflow(a, i + 1);
                i += 2;
                continue;
            }
            Kind kind = a.is(i, "GET") && left >= 2
                    ? Kind.GET
                    : a.is(i, "SET") && left >= 3 ? Kind.SET : a.is(i, "INCRBY") && left >= 3 ? Kind.INCRBY : null;
            if (kind == null) {
                throw ErrorReply.SYNTAX;
            }
            boolean signed = signed(a, i + 1);
            int bits = bits(a, i + 1);
            long offset = BitCommands.offset(a, i + 2, bits);
            if (kind != Kind.GET && readOnly) {
                throw new ErrorReply("ERR BITFIELD_RO only supports the GET subcommand");
            }
            steps.add(new Step(kind, signed, bits, offset, kind == Kind.GET ? 0 : a.integer(i + 3), overflow));
            i += kind == Kind.GET ? 3 : 4;
        }
        return new BitFields(c, steps);
    }

    private static Overflow overflow(Args args, int arg) {
        for (Overflow each : Overflow.values()) {
            if (args.is(arg, each.name())) {
                return each;
            }
        }
        throw new ErrorReply("ERR Invalid OVERFLOW type specified");
    }

    private static boolean signed(Args args, int arg) {
        String type = args.text(arg);
        if (type.startsWith("i")) {
            return true;
        }
        if (type.startsWith("u")) {
            return false;
        }
        throw wrongType();
    }

    private static int bits(Args args, int arg) {
        String type = args.text(arg);
        String digits = type.substring(1);
        if (digits.isEmpty() || digits.length() > 2 || !digits.chars().allMatch(ch -> ch >= '0' && ch <= '9')) {
            throw wrongType();
        }
        int bits = Integer.parseInt(digits);
        if (bits < 1 || bits > (type.startsWith("i") ? 64 : 63)) {
            throw wrongType();
        }
        return bits;
    }

    private static ErrorReply wrongType() {
        return new ErrorReply("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but"
                + " i64 is.");
    }

    void run() {
        byte[] old = c.string(1);
        long size = 0;
        for (Step step : steps) {
            size = Math.max(size, step.kind == Kind.GET ? 0 : step.endByte());
        }
        c.out.array(steps.size());
        if (size == 0) {
            steps.forEach(step -> c.out.integer(get(old, step)));
            return;
        }
        byte[] entry = BitCommands.written(c, old, size);
        boolean changed = old == null || entry.length != old.length;
        for (Step step : steps) {
            changed |= run(entry, step);
        }
        if (changed) {
            c.putString(1, entry);
            c.changed(1, "setbit", Event.STRING);
        }
    }

    /** Takes one step and answers it; returns whether it wrote. */
    private boolean run(byte[] entry, Step step) {
        long former = get(entry, step);
        if (step.kind == Kind.GET) {
            c.out.integer(former);
            return false;
        }
        Long value = step.kind == Kind.SET ? step.fit(step.value, 0) : step.fit(former, step.value);
        if (value == null) {
            c.out.nil();
            return false;
        }
        set(entry, step, value);
        c.out.integer(step.kind == Kind.SET ? former : value);
        return true;
    }

    private static long get(byte @Nullable [] entry, Step step) {
        long value = 0;
        for (int i = 0; i < step.bits; i++) {
            value = value << 1 | BitCommands.bit(entry, step.offset + i);
        }
        return step.signed ? value << (64 - step.bits) >> (64 - step.bits) : value;
    }

    private static void set(byte[] entry, Step step, long value) {
        int from = StringEntry.valueOffset(entry);
        for (int i = 0; i < step.bits; i++) {
            long offset = step.offset + i;
            int at = from + (int) (offset >>> 3);
            int mask = 0x80 >>> (offset & 7);
            boolean on = (value >>> (step.bits - 1 - i) & 1) != 0;
            entry[at] = (byte) (on ? entry[at] | mask : entry[at] & ~mask);
        }
    }
}
