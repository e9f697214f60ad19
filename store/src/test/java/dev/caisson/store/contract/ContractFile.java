package dev.caisson.store.contract;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A file of cases: reads them, and writes them back with other replies. The format is described in README.md of the
 * contract folder.
 *
 * @param name relative to the contract folder, such as {@code strings/set.case}
 * @param version the Redis that its replies come from, such as {@code 7.0.15}
 */
record ContractFile(String name, String version, List<ContractCase> cases, List<String> lines) {
    private static final String HEADER = "recorded from redis ";
    private static final Pattern EXCHANGE = Pattern.compile("([b-z]?)(>>|>|([23]?)<)(?: (.*))?");
    private static final Pattern STATE = Pattern.compile("(?:([b-z]) )?(blocked|closed)");

    /** All files below a contract folder, by name. */
    static List<ContractFile> readAll(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            var files = new ArrayList<ContractFile>();
            for (Path path :
                    paths.filter(p -> p.toString().endsWith(".case")).sorted().toList()) {
                String name = folder.relativize(path).toString().replace('\\', '/');
                files.add(parse(name, Files.readAllLines(path, StandardCharsets.UTF_8)));
            }
            return files;
        }
    }

    static ContractFile parse(String name, List<String> lines) {
        return new Parser(name, lines).parse();
    }

    /** Whether a server of this version can have recorded the file: the same or a newer minor version. */
    boolean within(String serverVersion) {
        return minor(version) <= minor(serverVersion);
    }

    /** Whether a server of this version is the one to record the file from. */
    boolean recordedFrom(String serverVersion) {
        return minor(version) == minor(serverVersion);
    }

    private static int minor(String version) {
        String[] parts = version.split("\\.");
        return Integer.parseInt(parts[0]) * 1000 + Integer.parseInt(parts[1]);
    }

    /** The file's lines with these replies, by expectation and then protocol; expectations not named keep theirs. */
    List<String> with(String recordedVersion, Map<Step.Expect, Map<Integer, String>> replies) {
        var expectations = new java.util.TreeMap<Integer, Step.Expect>();
        cases.forEach(c -> c.expectations().forEach(e -> expectations.put(e.line(), e)));
        var result = new ArrayList<String>();
        for (int i = 1; i <= lines.size(); i++) {
            Step.Expect expect = expectations.get(i);
            if (lines.get(i - 1).startsWith(HEADER)) {
                result.add(HEADER + recordedVersion);
            } else if (expect == null) {
                result.add(lines.get(i - 1));
            } else {
                Map<Integer, String> by = replies.getOrDefault(expect, Map.of());
                String resp2 = by.getOrDefault(2, expect.resp2());
                String resp3 = by.getOrDefault(3, expect.resp3());
                String letter = expect.connection() == 'a' ? "" : String.valueOf(expect.connection());
                if (resp2.isEmpty() || resp3.isEmpty() || resp2.equals(resp3)) {
                    result.add(letter + "< " + (resp2.isEmpty() ? resp3 : resp2));
                } else {
                    result.add(letter + "2< " + resp2);
                    result.add(letter + "3< " + resp3);
                }
                i += expect.lines() - 1;
            }
        }
        return result;
    }

    private static final class Parser {
        private final String name;
        private final List<String> lines;
        private final List<ContractCase> cases = new ArrayList<>();

        private String version = "";
        private String caseName = "";
        private int caseLine;
        private List<Integer> protocols = List.of(2, 3);
        private List<Step> steps = new ArrayList<>();
        private Comparator comparator = Comparator.EXACT;
        private List<String> arguments = List.of();
        private boolean until;

        Parser(String name, List<String> lines) {
            this.name = name;
            this.lines = lines;
        }

        ContractFile parse() {
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                try {
                    i += line(line, i);
                } catch (RuntimeException e) {
                    throw new IllegalArgumentException(name + ":" + (i + 1) + ": cannot read: " + line, e);
                }
            }
            endCase();
            return new ContractFile(name, version, List.copyOf(cases), List.copyOf(lines));
        }

        /** Reads the line at {@code index}; returns how many lines more than one were used. */
        private int line(String line, int index) {
            if (line.startsWith(HEADER)) {
                version = line.substring(HEADER.length());
                return 0;
            }
            if (line.startsWith("case ")) {
                endCase();
                caseName = line.substring("case ".length());
                caseLine = index + 1;
                return 0;
            }
            if (line.startsWith("protocol ")) {
                protocols = List.of(Integer.parseInt(line.substring("protocol ".length())));
                return 0;
            }
            if (line.startsWith("compare ")) {
                List<String> words = List.of(line.substring("compare ".length()).split(" "));
                comparator = Comparator.of(words.getFirst());
                arguments = words.subList(1, words.size());
                return 0;
            }
            if (line.equals("until")) {
                until = true;
                return 0;
            }
            Matcher state = STATE.matcher(line);
            if (state.matches()) {
                char connection = connection(state.group(1));
                steps.add(
                        state.group(2).equals("blocked")
                                ? new Step.Blocked(connection, index + 1)
                                : new Step.Closed(connection, index + 1));
                return 0;
            }
            Matcher exchange = EXCHANGE.matcher(line);
            if (!exchange.matches()) {
                throw new IllegalArgumentException("no line of a case begins so");
            }
            return exchange(exchange, index);
        }

        private int exchange(Matcher exchange, int index) {
            char connection = connection(exchange.group(1));
            String text = exchange.group(4) == null ? "" : exchange.group(4);
            if (exchange.group(2).equals(">>")) {
                steps.add(new Step.Send(connection, index + 1, Quoting.bytes(text), List.of(), false));
                return 0;
            }
            if (exchange.group(2).equals(">")) {
                List<byte[]> words = Quoting.words(text);
                steps.add(new Step.Send(connection, index + 1, ContractConnection.request(words), words, until));
                until = false;
                return 0;
            }
            String resp2 = text;
            String resp3 = text;
            int lines = 1;
            if (exchange.group(3).equals("2")) {
                Matcher other = EXCHANGE.matcher(this.lines.get(index + 1));
                if (!other.matches() || !other.group(2).equals("3<") || connection(other.group(1)) != connection) {
                    throw new IllegalArgumentException("a line 2< is followed by its 3<");
                }
                resp3 = other.group(4);
                lines = 2;
            } else if (!exchange.group(3).isEmpty()) {
                throw new IllegalArgumentException("a line 3< follows its 2<");
            }
            steps.add(new Step.Expect(connection, index + 1, lines, comparator, arguments, resp2, resp3));
            comparator = Comparator.EXACT;
            arguments = List.of();
            return lines - 1;
        }

        private static char connection(String letter) {
            return letter == null || letter.isEmpty() ? 'a' : letter.charAt(0);
        }

        private void endCase() {
            if (!caseName.isEmpty()) {
                String family = name.substring(0, Math.max(0, name.indexOf('/')));
                cases.add(new ContractCase(family, name, caseLine, caseName, protocols, List.copyOf(steps)));
            } else if (!steps.isEmpty()) {
                throw new IllegalArgumentException(name + ": a request stands before the first case");
            }
            protocols = List.of(2, 3);
            steps = new ArrayList<>();
            comparator = Comparator.EXACT;
            until = false;
        }
    }
}
