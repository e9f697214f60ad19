package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;

/** Errors that name their command, in Redis's words; those that do not are constants of {@link ErrorReply}. */
public final class Errors {
    public static final String OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
    public static final String NO_AUTH = "NOAUTH Authentication required.";

    private Errors() {}

    public static ErrorReply arity(String command) {
        return new ErrorReply("ERR wrong number of arguments for '" + command + "' command");
    }

    /** Too many arguments, where Redis's handler and not its table counts them. */
    static ErrorReply subcommandArity(Call c) {
        Command container = c.command.parent;
        return new ErrorReply("ERR unknown subcommand or wrong number of arguments for '" + c.args.text(1) + "'. Try "
                + (container == null ? c.command.name : container.name) + " HELP.");
    }

    public static ErrorReply invalidExpire(String command) {
        return new ErrorReply("ERR invalid expire time in '" + command + "' command");
    }
}
