package dev.caisson.store.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ContractFileTest {
    private static final List<String> TWO_CASES = """
            # About lists.
            recorded from redis 7.0.15

            case BLPOP: woken by RPUSH
            > BLPOP l 0
            blocked
            b> RPUSH l "a b" c
            b< :2\\r\\n
            2< *2\\r\\n$1\\r\\nl\\r\\n$3\\r\\na b\\r\\n
            3< *2\\r\\n$1\\r\\nl\\r\\n$1\\r\\nx\\r\\n

            case raw bytes
            protocol 2
            >> *1\\r\\n$x\\r\\n
            compare own
            < -ERR no\\r\\n
            closed
            """.lines().toList();

    private final ContractFile file = ContractFile.parse("lists/two.case", TWO_CASES);

    @Test
    void readsConnectionsStatesAndRepliesOfBothProtocols() {
        ContractCase first = file.cases().getFirst();
        assertThat(first.family()).isEqualTo("lists");
        assertThat(first.command()).isEqualTo("BLPOP");
        assertThat(first.subject()).isEqualTo("woken by RPUSH");
        assertThat(first.protocols()).containsExactly(2, 3);
        assertThat(first.steps()).hasSize(5);
        assertThat(first.steps().get(1)).isEqualTo(new Step.Blocked('a', 6));
        var push = (Step.Send) first.steps().get(2);
        assertThat(push.connection()).isEqualTo('b');
        assertThat(new String(push.bytes(), StandardCharsets.US_ASCII))
                .isEqualTo("*4\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n$3\r\na b\r\n$1\r\nc\r\n");
        var popped = (Step.Expect) first.steps().get(4);
        assertThat(popped.bytes(2)).endsWith("a b\\r\\n");
        assertThat(popped.bytes(3)).endsWith("x\\r\\n");
    }

    @Test
    void readsRawBytesAndComparators() {
        ContractCase second = file.cases().get(1);
        assertThat(second.protocols()).containsExactly(2);
        assertThat(((Step.Send) second.steps().getFirst()).bytes())
                .isEqualTo("*1\r\n$x\r\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(second.uses(Comparator.OWN)).isTrue();
        assertThat(file.cases().getFirst().exact()).isTrue();
        assertThat(second.steps().getLast()).isEqualTo(new Step.Closed('a', 17));
    }

    @Test
    void writesItselfBackUnchanged() {
        assertThat(file.with("7.0.15", Map.of())).isEqualTo(TWO_CASES);
    }

    @Test
    void writesNewRepliesOnOneLineWhereTheProtocolsAgree() {
        var popped = (Step.Expect) file.cases().getFirst().steps().get(4);
        List<String> lines = file.with("7.0.16", Map.of(popped, Map.of(2, "+a\\r\\n", 3, "+a\\r\\n")));
        assertThat(lines).contains("recorded from redis 7.0.16", "< +a\\r\\n");
        assertThat(lines).hasSize(TWO_CASES.size() - 1);
    }

    @Test
    void namesTheLineItCannotRead() {
        assertThatThrownBy(() -> ContractFile.parse("x/y.case", List.of("case a", "> PING", "=> PONG")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("x/y.case:3");
    }

    @Test
    void expandsTheShortFormsOfRequests() {
        assertThat(words("HSET k {1..2 f% v%} {x*3} {7..9} \"{1..2}\" 'a\\x'"))
                .containsExactly("HSET", "k", "f1", "v1", "f2", "v2", "xxx", "7", "8", "9", "{1..2}", "a\\x");
        assertThat(words("SET \"\" \"\\x00\\xff\\r\\n\\\"\"")).containsExactly("SET", "", "\0\u00ff\r\n\"");
    }

    private static List<String> words(String line) {
        return Quoting.words(line).stream()
                .map(w -> new String(w, StandardCharsets.ISO_8859_1))
                .toList();
    }

    @Test
    void everyCommittedCaseIsRecordedAndHasItsOwnName() {
        for (ContractFile committed : Recordings.all()) {
            assertThat(committed.version()).as(committed.name()).matches("7\\.(0|4)\\.\\d+");
            var names = new HashSet<String>();
            for (ContractCase contractCase : committed.cases()) {
                assertThat(names.add(contractCase.name()))
                        .as("twice: " + contractCase.place())
                        .isTrue();
                assertThat(contractCase.steps()).as(contractCase.place()).isNotEmpty();
                for (Step.Expect expect : contractCase.expectations()) {
                    for (int protocol : contractCase.protocols()) {
                        assertThat(wholeReply(expect.bytes(protocol)))
                                .as(contractCase.place() + ", line " + expect.line())
                                .isTrue();
                    }
                }
            }
        }
    }

    private static boolean wholeReply(String escaped) {
        try {
            var in = new ByteArrayInputStream(Quoting.bytes(escaped));
            Reply.read(in);
            return in.available() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void thereAreAtLeast1500CasesAndNineOfTenAreExact() {
        var cases = new ArrayList<ContractCase>();
        Recordings.all().forEach(committed -> cases.addAll(committed.cases()));
        long exact = cases.stream().filter(ContractCase::exact).count();
        assertThat(cases).hasSizeGreaterThanOrEqualTo(1500);
        assertThat(exact).isGreaterThanOrEqualTo(cases.size() * 9L / 10);
    }
}
