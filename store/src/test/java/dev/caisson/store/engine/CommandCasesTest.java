package dev.caisson.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Commands and the bytes Redis answers, from files beside this class. A line {@code == name} begins a case on an empty
 * store; {@code >} is a command, words quoted as in a shell; {@code 2} its reply in RESP2, {@code 3} in RESP3 where that
 * differs, {@code " | "} standing for CR LF. They were recorded from Redis 7.0.15, but for lines after {@code # 7.4}, where
 * that version differs. After each command no key may be empty and the memory must add up; the
 * log of a whole case, applied to another store, must give the same content.
 */
class CommandCasesTest {
    private record Step(List<String> command, String resp2, String resp3) {}

    private record Case(String name, List<Step> steps) {}

    @TestFactory
    Stream<DynamicTest> hashes() throws IOException {
        return tests("hashes.txt");
    }

    @TestFactory
    Stream<DynamicTest> fieldsThatExpire() throws IOException {
        return tests("hash-expiry.txt");
    }

    @TestFactory
    Stream<DynamicTest> sets() throws IOException {
        return tests("sets.txt");
    }

    @TestFactory
    Stream<DynamicTest> lists() throws IOException {
        return tests("lists.txt");
    }

    @TestFactory
    Stream<DynamicTest> sortedSets() throws IOException {
        return tests("sorted-sets.txt");
    }

    @TestFactory
    Stream<DynamicTest> streams() throws IOException {
        return tests("streams.txt");
    }

    @TestFactory
    Stream<DynamicTest> bits() throws IOException {
        return tests("bits.txt");
    }

    private static Stream<DynamicTest> tests(String file) throws IOException {
        List<Case> cases = read(file);
        assertThat(cases).isNotEmpty();
        return cases.stream()
                .map(each -> DynamicTest.dynamicTest(each.name, () -> {
                    run(each, 2);
                    run(each, 3);
                }));
    }

    private static void run(Case each, int protocol) {
        TestEngine engine = new TestEngine(protocol);
        TestEngine replica = new TestEngine(2);
        List<List<String>> log = new ArrayList<>();
        for (Step step : each.steps) {
            String reply = engine.run(step.command.toArray(new String[0]));
            assertThat(shown(reply))
                    .as("RESP%d reply to %s", protocol, step.command)
                    .isEqualTo(protocol == 2 ? step.resp2 : step.resp3);
            assertThat(engine.emptyKeys())
                    .as("empty keys after %s", step.command)
                    .isZero();
            assertThat(engine.uncounted())
                    .as("bytes not counted after %s", step.command)
                    .isZero();
            log.addAll(engine.effectParts());
        }
        log.forEach(replica::replay);
        assertThat(replica.digest()).as("content after the log %s", log).isEqualTo(engine.digest());
    }

    private static String shown(String reply) {
        StringBuilder shown = new StringBuilder();
        String text = reply.endsWith("\r\n") ? reply.substring(0, reply.length() - 2) : reply;
        for (char ch : text.replace("\\", "\\\\").replace("\r\n", " | ").toCharArray()) {
            shown.append(ch >= 32 && ch < 127 ? String.valueOf(ch) : String.format("\\x%02x", (int) ch));
        }
        return shown.toString();
    }

    private static List<Case> read(String file) throws IOException {
        List<Case> cases = new ArrayList<>();
        try (InputStream in = CommandCasesTest.class.getResourceAsStream(file)) {
            List<Step> steps = new ArrayList<>();
            for (String line : new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).split("\n")) {
                if (line.startsWith("== ")) {
                    steps = new ArrayList<>();
                    cases.add(new Case(line.substring(3), steps));
                } else if (line.startsWith("> ")) {
                    steps.add(new Step(words(line.substring(2)), "", ""));
                } else if (line.startsWith("2 ")) {
                    Step step = steps.removeLast();
                    steps.add(new Step(step.command, line.substring(2), line.substring(2)));
                } else if (line.startsWith("3 ")) {
                    Step step = steps.removeLast();
                    steps.add(new Step(step.command, step.resp2, line.substring(2)));
                }
            }
        }
        return cases;
    }

    /** Words separated by blanks; quotes group, \xNN is a byte. */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean open = false;
        boolean any = false;
        for (int i = 0; i < line.length(); i++) {
            char ch = line.charAt(i);
            if (ch == '"') {
                open = !open;
                any = true;
            } else if (ch == ' ' && !open) {
                if (any) {
                    words.add(word.toString());
                }
                word.setLength(0);
                any = false;
            } else if (ch == '\\' && line.startsWith("x", i + 1)) {
                word.append((char) Integer.parseInt(line.substring(i + 2, i + 4), 16));
                i += 3;
                any = true;
            } else {
                word.append(ch);
                any = true;
            }
        }
        if (any) {
            words.add(word.toString());
        }
        return words;
    }
}
