package dev.caisson.store.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RespDecoderTest {
    // the examples of the RESP3 specification
    static Stream<Arguments> examples() {
        return Stream.of(
                Arguments.of("$11\r\nhello world\r\n", bulk("hello world")),
                Arguments.of("$0\r\n\r\n", bulk("")),
                Arguments.of("+hello world\r\n", new Reply.Simple("hello world")),
                Arguments.of(
                        "-ERR this is the error description\r\n",
                        new Reply.ErrorLine("ERR this is the error description")),
                Arguments.of(":1234\r\n", new Reply.Int(1234)),
                Arguments.of(":+7\r\n", new Reply.Int(7)),
                Arguments.of("_\r\n", Reply.NIL),
                Arguments.of("$-1\r\n", Reply.NIL),
                Arguments.of("*-1\r\n", Reply.NIL),
                Arguments.of(",1.23\r\n", new Reply.DoubleReply(1.23)),
                Arguments.of(",10\r\n", new Reply.DoubleReply(10)),
                Arguments.of(",inf\r\n", new Reply.DoubleReply(Double.POSITIVE_INFINITY)),
                Arguments.of(",-inf\r\n", new Reply.DoubleReply(Double.NEGATIVE_INFINITY)),
                Arguments.of(",nan\r\n", new Reply.DoubleReply(Double.NaN)),
                Arguments.of("#t\r\n", new Reply.Bool(true)),
                Arguments.of("#f\r\n", new Reply.Bool(false)),
                Arguments.of("!21\r\nSYNTAX invalid syntax\r\n", new Reply.ErrorLine("SYNTAX invalid syntax")),
                Arguments.of("=15\r\ntxt:Some string\r\n", new Reply.Verbatim("txt", "Some string")),
                Arguments.of(
                        "(3492890328409238509324850943850943825024385\r\n",
                        new Reply.BigNumber(new BigInteger("3492890328409238509324850943850943825024385"))),
                Arguments.of(
                        "*3\r\n:1\r\n:2\r\n:3\r\n",
                        new Reply.Array(List.of(new Reply.Int(1), new Reply.Int(2), new Reply.Int(3)))),
                Arguments.of(
                        "*2\r\n*3\r\n:1\r\n$5\r\nhello\r\n:2\r\n#f\r\n",
                        new Reply.Array(List.of(
                                new Reply.Array(List.of(new Reply.Int(1), bulk("hello"), new Reply.Int(2))),
                                new Reply.Bool(false)))),
                Arguments.of("*0\r\n", new Reply.Array(List.of())),
                Arguments.of("%0\r\n", new Reply.MapReply(List.of())),
                Arguments.of(
                        "%2\r\n+first\r\n:1\r\n+second\r\n:2\r\n",
                        new Reply.MapReply(List.of(
                                new Reply.Pair(new Reply.Simple("first"), new Reply.Int(1)),
                                new Reply.Pair(new Reply.Simple("second"), new Reply.Int(2))))),
                Arguments.of(
                        "~5\r\n+orange\r\n+apple\r\n#t\r\n:100\r\n:999\r\n",
                        new Reply.SetReply(List.of(
                                new Reply.Simple("orange"),
                                new Reply.Simple("apple"),
                                new Reply.Bool(true),
                                new Reply.Int(100),
                                new Reply.Int(999)))),
                Arguments.of(
                        "|1\r\n+key-popularity\r\n%2\r\n$1\r\na\r\n,0.1923\r\n$1\r\nb\r\n,0.0012\r\n*2\r\n:2039123\r\n:9543892\r\n",
                        new Reply.Array(List.of(new Reply.Int(2039123), new Reply.Int(9543892)))),
                Arguments.of(
                        "*3\r\n:1\r\n:2\r\n|1\r\n+ttl\r\n:3600\r\n:3\r\n",
                        new Reply.Array(List.of(new Reply.Int(1), new Reply.Int(2), new Reply.Int(3)))),
                Arguments.of("|0\r\n:1\r\n", new Reply.Int(1)),
                Arguments.of("*1\r\n>1\r\n:1\r\n", new Reply.Array(List.of(new Reply.Push(List.of(new Reply.Int(1)))))),
                Arguments.of(
                        ">3\r\n+message\r\n+somechannel\r\n+this is the message\r\n",
                        new Reply.Push(List.of(
                                new Reply.Simple("message"),
                                new Reply.Simple("somechannel"),
                                new Reply.Simple("this is the message")))));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void readsWhatTheSpecificationShows(String bytes, Reply expected) throws RespException {
        RespDecoder decoder = new RespDecoder();
        for (int i = 0; i < bytes.length() - 1; i++) {
            decoder.feed(bytes.getBytes(ISO_8859_1), i, 1);
            assertThat(decoder.next()).as("after byte %s", i).isNull();
        }
        feed(decoder, bytes.substring(bytes.length() - 1) + ":42\r\n");
        assertThat(decoder.next()).isEqualTo(expected);
        assertThat(decoder.next()).isEqualTo(new Reply.Int(42));
        assertThat(decoder.next()).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "hello\r\n",
                ":\r\n",
                ":x\r\n",
                ":9223372036854775808\r\n",
                ":+-1\r\n",
                ",x\r\n",
                ",\r\n",
                "#x\r\n",
                "#\r\n",
                "_x\r\n",
                "(\r\n",
                "(-\r\n",
                "(1x\r\n",
                "$x\r\n",
                "$-2\r\n",
                "$?\r\n",
                "$3\r\nabcde",
                "=3\r\ntxt\r\n",
                "=5\r\ntxt.x\r\n",
                "=-1\r\n",
                "!-1\r\n",
                "*-2\r\n",
                "*?\r\n",
                "%-1\r\n",
                "~-1\r\n",
                "*9999999999\r\n",
                "+a\rb\r\n"
            })
    void refusesWhatIsNoReply(String bytes) {
        RespDecoder decoder = new RespDecoder();
        feed(decoder, bytes);
        assertThatThrownBy(decoder::next).isInstanceOf(RespException.class).hasMessageStartingWith("Protocol error: ");
        feed(decoder, ":1\r\n");
        assertThatThrownBy(decoder::next).isInstanceOf(RespException.class);
    }

    @Test
    void boundsDepthLengthsAndLines() throws RespException {
        RespLimits limits = new RespLimits(100, 10, 50, 1000, 3);
        RespDecoder deep = new RespDecoder(limits);
        feed(deep, "*1\r\n*1\r\n*1\r\n:1\r\n");
        assertThat(deep.next()).isInstanceOf(Reply.Array.class);
        feed(deep, "*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n");
        assertThatThrownBy(deep::next).hasMessageContaining("deeper than 3");

        assertFails(limits, "$101\r\n", "invalid bulk length 101");
        assertFails(limits, "*11\r\n", "invalid aggregate length 11");
        assertFails(limits, "+" + "a".repeat(50), "line longer than 50 bytes");
        assertFails(limits, "+" + "a".repeat(50) + "\r\n", "line longer than 50 bytes");
    }

    @Test
    void takesMemoryAsBytesArrive() throws RespException {
        RespDecoder decoder = new RespDecoder();
        feed(decoder, "*1000000\r\n$500000000\r\nabc");
        assertThat(decoder.next()).isNull();
        assertThat(decoder.memory()).isLessThan(4096);
    }

    private static void assertFails(RespLimits limits, String bytes, String message) {
        RespDecoder decoder = new RespDecoder(limits);
        feed(decoder, bytes);
        assertThatThrownBy(decoder::next).isInstanceOf(RespException.class).hasMessageContaining(message);
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(ISO_8859_1));
    }

    private static void feed(RespDecoder decoder, String bytes) {
        decoder.feed(bytes.getBytes(ISO_8859_1), 0, bytes.length());
    }
}
