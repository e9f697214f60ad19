package dev.caisson.store.contract;

import java.util.List;

/** One line of a case: something that happens on one of its connections ({@code a} is the one without a letter). */
sealed interface Step {
    char connection();

    int line();

    /**
     * Bytes sent.
     *
     * @param words the request's words; empty where raw bytes are sent
     * @param until whether the request is sent again until its reply is the expected one
     */
    record Send(char connection, int line, byte[] bytes, List<byte[]> words, boolean until) implements Step {}

    /**
     * A reply or push that comes next.
     *
     * @param resp2 the escaped bytes recorded in RESP2; empty if not recorded yet or not played there
     * @param resp3 likewise in RESP3
     * @param lines how many lines of the file it takes
     */
    record Expect(
            char connection,
            int line,
            int lines,
            Comparator comparator,
            List<String> arguments,
            String resp2,
            String resp3)
            implements Step {
        String bytes(int protocol) {
            return protocol == 2 ? resp2 : resp3;
        }
    }

    /** The server says that the connection waits in a blocking command. */
    record Blocked(char connection, int line) implements Step {}

    /** The server closes the connection, with nothing more to read. */
    record Closed(char connection, int line) implements Step {}
}
