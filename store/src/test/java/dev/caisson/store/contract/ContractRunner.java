package dev.caisson.store.contract;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Plays cases against a server by raw sockets. Before each the server is emptied over a connection of the runner's own;
 * each case has connections of its own, and at their end nothing but the answer to QUIT may come. Not thread-safe.
 */
final class ContractRunner implements AutoCloseable {
    /** More turns of one cursor walk mean that the walk does not end. */
    private static final int MAX_CURSOR_TURNS = 10_000;

    private final int port;
    private final Duration patience;
    private final ContractConnection control;

    ContractRunner(int port, Duration patience) throws IOException {
        this.port = port;
        this.patience = patience;
        control = new ContractConnection(port, patience);
    }

    /** What the server does not do as recorded. */
    record Failure(ContractCase contractCase, int protocol, int line, String what) {
        @Override
        public String toString() {
            return contractCase.place() + " (RESP" + protocol + ")\n    line " + line + ": " + what;
        }
    }

    /** Sees each reply where the case expects one; returns what is wrong with it. */
    interface Witness {
        Optional<String> sees(Step.Expect expect, Reply actual);
    }

    /** Plays a case in one protocol and holds the replies against the recorded ones. */
    Optional<Failure> play(ContractCase contractCase, int protocol) {
        return play(contractCase, protocol, (expect, actual) -> {
            try {
                Reply expected = Reply.read(new ByteArrayInputStream(Quoting.bytes(expect.bytes(protocol))));
                return expect.comparator().same(expected, actual, expect.arguments())
                        ? Optional.empty()
                        : Optional.of("expected " + expected + "\n             came " + actual);
            } catch (IOException e) {
                throw new UncheckedIOException(contractCase.place() + ": not recorded", e);
            }
        });
    }

    Optional<Failure> play(ContractCase contractCase, int protocol, Witness witness) {
        try {
            Reply flushed = control.ask("FLUSHALL");
            if (flushed.error()) {
                return Optional.of(new Failure(contractCase, protocol, contractCase.line(), "FLUSHALL: " + flushed));
            }
        } catch (IOException e) {
            return Optional.of(new Failure(contractCase, protocol, contractCase.line(), "FLUSHALL: " + e));
        }
        try (var play = new Play(contractCase, protocol, witness)) {
            return play.run();
        } catch (IOException e) {
            return Optional.of(new Failure(contractCase, protocol, contractCase.line(), "at its end: " + e));
        }
    }

    @Override
    public void close() throws IOException {
        control.close();
    }

    /** One case in one protocol. */
    private final class Play implements AutoCloseable {
        private final ContractCase contractCase;
        private final int protocol;
        private final Witness witness;
        private final Map<Character, ContractConnection> connections = new TreeMap<>();
        private final Map<Character, List<byte[]>> lastWords = new TreeMap<>();
        private final TreeSet<Character> blocked = new TreeSet<>();

        Play(ContractCase contractCase, int protocol, Witness witness) {
            this.contractCase = contractCase;
            this.protocol = protocol;
            this.witness = witness;
        }

        Optional<Failure> run() {
            List<Step> steps = contractCase.steps();
            for (int i = 0; i < steps.size(); i++) {
                Step step = steps.get(i);
                try {
                    if (step instanceof Step.Send send && send.until()) {
                        repeat(send, (Step.Expect) steps.get(++i));
                        continue;
                    }
                    Optional<String> wrong = step(step);
                    if (wrong.isPresent()) {
                        return failure(step.line(), wrong.get());
                    }
                } catch (IOException e) {
                    return failure(step.line(), e.toString());
                }
            }
            return Optional.empty();
        }

        private Optional<Failure> failure(int line, String what) {
            connections.values().forEach(Play::closeQuietly);
            connections.clear();
            return Optional.of(new Failure(contractCase, protocol, line, what));
        }

        private Optional<String> step(Step step) throws IOException {
            ContractConnection connection = connection(step.connection());
            switch (step) {
                case Step.Send send -> {
                    connection.send(send.bytes());
                    lastWords.put(send.connection(), send.words());
                }
                case Step.Expect expect -> {
                    Reply reply = connection.read();
                    blocked.remove(expect.connection());
                    if (expect.comparator() == Comparator.CURSOR_WALK_YIELDS_SET && !reply.error()) {
                        reply = walk(connection, expect, reply);
                    }
                    return witness.sees(expect, reply);
                }
                case Step.Blocked waiting -> {
                    blocked.add(waiting.connection());
                    awaitBlocked();
                }
                case Step.Closed closed -> {
                    byte[] rest = connection.rest();
                    connections.remove(closed.connection()).close();
                    if (rest.length > 0) {
                        return Optional.of("more came before the end: " + Quoting.escape(rest));
                    }
                }
            }
            return Optional.empty();
        }

        private ContractConnection connection(char letter) throws IOException {
            ContractConnection open = connections.get(letter);
            if (open != null) {
                return open;
            }
            var connection = new ContractConnection(port, patience);
            connections.put(letter, connection);
            if (protocol == 3) {
                Reply hello = connection.ask("HELLO 3");
                if (hello.type() != '%') {
                    throw new IOException("HELLO 3 was answered by " + hello);
                }
            }
            return connection;
        }

        /** Sends the request until its reply is as expected. */
        private void repeat(Step.Send send, Step.Expect expect) throws IOException {
            ContractConnection connection = connection(send.connection());
            long deadline = System.nanoTime() + patience.toNanos();
            while (true) {
                connection.send(send.bytes());
                Reply reply = connection.read();
                if (reply.toString().equals(expect.bytes(protocol))) {
                    return;
                }
                if (System.nanoTime() > deadline) {
                    throw new IOException("the reply stays " + reply + " and never becomes " + expect.bytes(protocol));
                }
            }
        }

        /** Waits until the server counts as many blocked clients as the case has blocked connections. */
        private void awaitBlocked() throws IOException {
            long deadline = System.nanoTime() + patience.toNanos();
            String line = "blocked_clients:" + blocked.size() + "\r\n";
            while (!control.ask("INFO clients").text().contains(line)) {
                if (System.nanoTime() > deadline) {
                    throw new IOException("the server never says " + line.strip());
                }
            }
        }

        /** Follows the cursor from the first reply to its end; the result is an array of what was found, sorted. */
        private Reply walk(ContractConnection connection, Step.Expect expect, Reply first) throws IOException {
            List<byte[]> words = new ArrayList<>(lastWords.getOrDefault(expect.connection(), List.of()));
            String command = new String(words.getFirst(), StandardCharsets.ISO_8859_1);
            int cursorWord = command.equalsIgnoreCase("SCAN") ? 1 : 2;
            boolean pairs = !expect.arguments().isEmpty();
            var found = new TreeMap<String, List<Reply>>();
            Reply reply = first;
            for (int turn = 0; turn < MAX_CURSOR_TURNS; turn++) {
                if (reply.elements().size() != 2) {
                    return reply;
                }
                List<Reply> page = reply.elements().getLast().elements();
                for (int i = 0; i < page.size(); i += pairs ? 2 : 1) {
                    List<Reply> element = page.subList(i, pairs ? i + 2 : i + 1);
                    found.put(element.toString(), element);
                }
                String cursor = reply.elements().getFirst().text();
                if (cursor.equals("0")) {
                    return array(found.values());
                }
                words.set(cursorWord, cursor.getBytes(StandardCharsets.ISO_8859_1));
                connection.send(ContractConnection.request(words));
                reply = connection.read();
            }
            throw new IOException("the cursor never came back to 0");
        }

        private static Reply array(Collection<List<Reply>> groups) throws IOException {
            var out = new StringBuilder();
            int count = 0;
            for (List<Reply> group : groups) {
                for (Reply element : group) {
                    out.append(element);
                    count++;
                }
            }
            return Reply.read(new ByteArrayInputStream(Quoting.bytes("*" + count + "\\r\\n" + out)));
        }

        /** Ends the connections; a reply that the case does not expect comes to light here. */
        @Override
        public void close() throws IOException {
            boolean silent = contractCase.uses(Comparator.OWN)
                    || contractCase.steps().stream().anyMatch(Play::turnsRepliesOff);
            try {
                for (var entry : connections.entrySet()) {
                    if (silent || blocked.contains(entry.getKey())) {
                        continue;
                    }
                    entry.getValue().send(ContractConnection.request(Quoting.words("QUIT")));
                    String rest = Quoting.escape(entry.getValue().rest());
                    if (!rest.equals("+OK\\r\\n")) {
                        throw new IOException("connection " + entry.getKey() + " got more than expected: " + rest);
                    }
                }
            } finally {
                connections.values().forEach(Play::closeQuietly);
            }
        }

        private static boolean turnsRepliesOff(Step step) {
            return step instanceof Step.Send send
                    && send.words().size() > 2
                    && new String(send.words().get(1), StandardCharsets.ISO_8859_1).equalsIgnoreCase("REPLY");
        }

        private static void closeQuietly(ContractConnection connection) {
            try {
                connection.close();
            } catch (IOException e) {
                throw new UncheckedIOException("a socket cannot be closed", e);
            }
        }
    }
}
