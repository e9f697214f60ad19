package dev.caisson.store.engine;

import java.util.Set;

/**
 * What a command does with a key as far as ACL rules tell reading from writing: whether its data reaches the client, and
 * whether it is changed. By Redis's key specifications: telling that or how long a value is counts as neither.
 */
final class KeyAccess {
    static final int NONE = 0;
    static final int READ = 1;
    static final int WRITE = 2;
    static final int BOTH = READ | WRITE;

    /** They tell no data. */
    private static final Set<String> NO_DATA = Set.of(
            "EXISTS",
            "TYPE",
            "TTL",
            "PTTL",
            "EXPIRETIME",
            "PEXPIRETIME",
            "TOUCH",
            "STRLEN",
            "LLEN",
            "HLEN",
            "SCARD",
            "ZCARD",
            "XLEN",
            "HSTRLEN",
            "HEXISTS",
            "SISMEMBER",
            "SMISMEMBER",
            "WATCH",
            "HTTL",
            "HPTTL",
            "HEXPIRETIME",
            "HPEXPIRETIME",
            "ENCODING",
            "REFCOUNT",
            "IDLETIME",
            "FREQ",
            "USAGE");

    /** They change a key and tell what was in it. */
    private static final Set<String> READ_AND_WRITE = Set.of(
            "GETSET",
            "GETDEL",
            "GETEX",
            "INCR",
            "DECR",
            "INCRBY",
            "DECRBY",
            "INCRBYFLOAT",
            "BITFIELD",
            "SETBIT",
            "LPOP",
            "RPOP",
            "BLPOP",
            "BRPOP",
            "LMPOP",
            "BLMPOP",
            "SPOP",
            "ZPOPMIN",
            "ZPOPMAX",
            "BZPOPMIN",
            "BZPOPMAX",
            "ZMPOP",
            "BZMPOP",
            "HINCRBY",
            "HINCRBYFLOAT");

    /** The first key is emptied into the second. */
    private static final Set<String> MOVES =
            Set.of("RENAME", "RENAMENX", "LMOVE", "BLMOVE", "RPOPLPUSH", "BRPOPLPUSH", "SMOVE");

    private KeyAccess() {}

    /** What the command needs on its key of this number, counted from 0. */
    static int needed(Command command, int key) {
        String name = command.name;
        if (!command.is(Command.WRITE)) {
            return NO_DATA.contains(name) ? NONE : READ;
        }
        if (READ_AND_WRITE.contains(name)) {
            return BOTH;
        }
        if (MOVES.contains(name)) {
            return key == 0 ? BOTH : WRITE;
        }
        if (name.equals("COPY")) {
            return key == 0 ? READ : WRITE;
        }
        if (name.endsWith("STORE") || name.equals("BITOP")) {
            return key == 0 ? WRITE : READ;
        }
        return WRITE;
    }
}
