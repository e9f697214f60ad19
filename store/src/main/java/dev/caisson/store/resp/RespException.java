package dev.caisson.store.resp;

/**
 * The peer broke the protocol, so nothing more can be read from it: answer with {@code "-ERR " + message} where it is a
 * client, then close. Hostile peers cause it at will, so it carries no stack trace.
 */
public final class RespException extends Exception {
    private static final long serialVersionUID = 1;

    /** @param message in Redis's words where Redis has some, for instance {@code Protocol error: invalid bulk length} */
    public RespException(String message) {
        super(message, null, false, false);
    }
}
