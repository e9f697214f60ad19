package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Times of expiry as commands give them, turned into milliseconds since 1970. */
final class Expiries {
    private static final List<String> OPTIONS = List.of("EX", "PX", "EXAT", "PXAT");

    private Expiries() {}

    /**
     * The time that argument {@code arg} means.
     *
     * @param seconds whether it is in seconds, else milliseconds
     * @param relative whether it counts from now
     * @param positive whether zero and less are refused
     * @throws dev.caisson.store.resp.ErrorReply if it is no integer or out of range
     */
    static long at(Call c, int arg, boolean seconds, boolean relative, boolean positive) {
        long given = c.args.integer(arg);
        String command = c.command.fullName();
        if (positive && given <= 0) {
            throw Errors.invalidExpire(command);
        }
        long millis = given;
        if (seconds) {
            if (given > Long.MAX_VALUE / 1000 || given < Long.MIN_VALUE / 1000) {
                throw Errors.invalidExpire(command);
            }
            millis = given * 1000;
        }
        if (relative) {
            if (millis > Long.MAX_VALUE - c.now()) {
                throw Errors.invalidExpire(command);
            }
            millis += c.now();
        }
        return millis;
    }

    /** The time given by EX, PX, EXAT or PXAT at {@code arg}, whose number follows; -1 if it is none of them. */
    static long option(Call c, int arg) {
        Args args = c.args;
        if (arg + 1 >= args.count()) {
            return -1;
        }
        if (args.is(arg, "EX")) {
            return at(c, arg + 1, true, true, true);
        }
        if (args.is(arg, "PX")) {
            return at(c, arg + 1, false, true, true);
        }
        if (args.is(arg, "EXAT")) {
            return at(c, arg + 1, true, false, true);
        }
        return args.is(arg, "PXAT") ? at(c, arg + 1, false, false, true) : -1;
    }

    /** Whether the argument is EX, PX, EXAT or PXAT; if there was one before, at {@code before}, the same one. */
    static boolean isOption(Args args, int arg, int before) {
        for (String option : OPTIONS) {
            if (args.is(arg, option)) {
                return before < 0 || args.is(before, option);
            }
        }
        return false;
    }

    static byte[] bytes(String latin1) {
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }
}
