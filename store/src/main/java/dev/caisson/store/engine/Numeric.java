package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;

/** Arguments that must be numbers, where Redis has an error of its own for what is none. */
final class Numeric {
    private Numeric() {}

    /** @throws ErrorReply the one given */
    static long integer(Args args, int i, ErrorReply otherwise) {
        return Numbers.parseInteger(args.bytes(), args.offset(i), args.length(i), otherwise);
    }

    /** An integer between two bounds. @throws ErrorReply the one given */
    static long integer(Args args, int i, long least, long most, ErrorReply otherwise) {
        long value = integer(args, i, otherwise);
        if (value < least || value > most) {
            throw otherwise;
        }
        return value;
    }
}
