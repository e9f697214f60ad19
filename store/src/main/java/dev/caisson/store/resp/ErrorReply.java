package dev.caisson.store.resp;

/**
 * A command's refusal as the client reads it. The message is the whole error line without its {@code -}, in Redis's words:
 * a code in capitals, a blank, a sentence.
 *
 * <p>It is a reply, not a fault: it has no stack trace and takes no suppressed exceptions, so that the constants here can
 * be shared by all threads.
 */
@SuppressWarnings("StaticAssignmentOfThrowable") // no stack trace, nothing can be added: a constant
public final class ErrorReply extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The key holds a value of another type than the command works on. */
    public static final ErrorReply WRONGTYPE =
            new ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value");

    /** The arguments do not fit together. */
    public static final ErrorReply SYNTAX = new ErrorReply("ERR syntax error");

    /** What should be a 64-bit integer is none ({@link Numbers#isInteger}). */
    public static final ErrorReply NOT_INTEGER = new ErrorReply("ERR value is not an integer or out of range");

    /** What should be a number is none ({@link Numbers#parseDouble}). */
    public static final ErrorReply NOT_FLOAT = new ErrorReply("ERR value is not a valid float");

    /** A command that needs the key found none. */
    public static final ErrorReply NO_SUCH_KEY = new ErrorReply("ERR no such key");

    /** An index points past the value's ends. */
    public static final ErrorReply INDEX_OUT_OF_RANGE = new ErrorReply("ERR index out of range");

    /** @param line the whole error line, for instance {@code "ERR no such key"} */
    public ErrorReply(String line) {
        super(line, null, false, false);
    }

    /** The whole error line. */
    public String line() {
        return String.valueOf(getMessage());
    }

    /** The line's first word, for instance {@code WRONGTYPE}. */
    public String code() {
        String line = line();
        int blank = line.indexOf(' ');
        return blank < 0 ? line : line.substring(0, blank);
    }
}
