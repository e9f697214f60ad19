package dev.caisson.store.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RespReaderTest {
    @Test
    void readsPipelinedRequests() throws RespException {
        assertThat(read("*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"))
                .containsExactly(List.of("PING"), List.of("SET", "k", ""));
    }

    @Test
    void skipsEmptyRequestsAsRedisDoes() throws RespException {
        assertThat(read("*0\r\n*-1\r\n*-100\r\n\r\n\n  \t \r\n*1\r\n$4\r\nPING\r\n"))
                .containsExactly(List.of("PING"));
    }

    @Test
    void takesAnyTwoBytesBehindABulk() throws RespException {
        assertThat(read("*2\r\n$4\r\nECHOxy$1\r\nazz")).containsExactly(List.of("ECHO", "a"));
    }

    @Test
    void answersNothingUntilARequestIsWhole() throws RespException {
        byte[] request = latin1("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n");
        RespReader reader = new RespReader();
        for (int i = 0; i < request.length - 1; i++) {
            reader.feed(request, i, 1);
            assertThat(reader.next()).as("after byte %s", i).isFalse();
        }
        reader.feed(request, request.length - 1, 1);
        assertThat(reader.next()).isTrue();
        assertThat(texts(reader.args())).containsExactly("ECHO", "hello");
        assertThat(reader.next()).isFalse();
        assertThat(reader.held()).isZero();
    }

    @Test
    void keepsArgumentsValidWhileMoreBytesCome() throws RespException {
        RespReader reader = new RespReader();
        feed(reader, "PING\r\n*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n");
        assertThat(reader.next()).isTrue();
        assertThat(reader.next()).isTrue();
        feed(reader, "x".repeat(5000) + "\r\n");
        assertThat(texts(reader.args())).containsExactly("ECHO", "hello");
        assertThat(reader.next()).isTrue();
        assertThat(reader.args().length(0)).isEqualTo(5000);
    }

    static Stream<Arguments> inlineRequests() {
        return Stream.of(
                Arguments.of("SET k v", List.of("SET", "k", "v")),
                Arguments.of("  SET \t k   v  ", List.of("SET", "k", "v")),
                Arguments.of("SET k \"a b\"", List.of("SET", "k", "a b")),
                Arguments.of("SET k 'a b'", List.of("SET", "k", "a b")),
                Arguments.of("SET k \"\" ''", List.of("SET", "k", "", "")),
                Arguments.of("SET k \"\\x41\\x7A\\n\\q\\\"\\\\\"", List.of("SET", "k", "Az\nq\"\\")),
                Arguments.of("SET k \"\\x4g\"", List.of("SET", "k", "x4g")),
                Arguments.of("SET k \"\\b\\a\\t\\r\"", List.of("SET", "k", "\b\007\t\r")),
                Arguments.of("SET k 'it\\'s \\n'", List.of("SET", "k", "it's \\n")),
                Arguments.of("SET k a\"b c\" d", List.of("SET", "k", "ab c", "d")));
    }

    // Redis's sdssplitargs
    @ParameterizedTest
    @MethodSource("inlineRequests")
    void splitsInlineRequestsAsRedisDoes(String line, List<String> arguments) throws RespException {
        assertThat(read(line + "\r\n")).containsExactly(arguments);
        assertThat(read(line + "\n")).containsExactly(arguments);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET \"k", "GET 'k", "GET \"k\"x", "GET 'k'x", "GET \"k\\", "\"", "GET \"a\"\"b\""})
    void refusesUnbalancedQuotes(String line) {
        assertFails(line + "\r\n", "Protocol error: unbalanced quotes in request");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*3000000000|Protocol error: invalid multibulk length",
                "*1048577|Protocol error: invalid multibulk length",
                "*x|Protocol error: invalid multibulk length",
                "*|Protocol error: invalid multibulk length",
                "*01|Protocol error: invalid multibulk length",
                "*99999999999999999999|Protocol error: invalid multibulk length",
                "*1~$x|Protocol error: invalid bulk length",
                "*1~$-1|Protocol error: invalid bulk length",
                "*1~$|Protocol error: invalid bulk length",
                "*1~$01|Protocol error: invalid bulk length",
                "*1~$536870913|Protocol error: invalid bulk length",
                "*1~$9223372036854775807|Protocol error: invalid bulk length",
                "*1~$-9223372036854775808|Protocol error: invalid bulk length",
                "*1~PING|Protocol error: expected '$', got 'P'",
                "*2~$4~ECHO~:1|Protocol error: expected '$', got ':'"
            })
    void refusesInRedisWords(String lines, String message) {
        assertFails(lines.replace("~", "\r\n") + "\r\n", message);
    }

    @Test
    void refusesLinesThatDoNotEnd() {
        assertFails("*" + "1".repeat(65536), "Protocol error: too big mbulk count string");
        assertFails("*1\r\n$" + "1".repeat(65536), "Protocol error: too big bulk count string");
        assertFails("a".repeat(65537), "Protocol error: too big inline request");
        assertFails("a".repeat(65537) + "\r\n", "Protocol error: too big inline request");
    }

    @Test
    void takesTheLongestLine() throws RespException {
        assertThat(read("a".repeat(65536) + "\n")).hasSize(1);
    }

    @Test
    void limitsRequestsBeforeAuthentication() throws RespException {
        RespReader reader = new RespReader();
        reader.authenticated(false);
        feed(reader, "*10\r\n" + "$1\r\na\r\n".repeat(10) + "*1\r\n$16384\r\n" + "a".repeat(16384) + "\r\n");
        assertThat(reader.next()).isTrue();
        assertThat(reader.next()).isTrue();
        feed(reader, "*11\r\n");
        assertThatThrownBy(reader::next).hasMessage("Protocol error: unauthenticated multibulk length");

        RespReader other = new RespReader();
        other.authenticated(false);
        feed(other, "*1\r\n$16385\r\n");
        assertThatThrownBy(other::next).hasMessage("Protocol error: unauthenticated bulk length");
    }

    @Test
    void failsForEverAfterAnError() {
        RespReader reader = new RespReader();
        feed(reader, "*x\r\nPING\r\n");
        assertThatThrownBy(reader::next).isInstanceOf(RespException.class);
        feed(reader, "PING\r\n");
        assertThatThrownBy(reader::next).hasMessage("Protocol error: invalid multibulk length");
    }

    @Test
    void refusesARequestPastTheQueryBufferLimit() throws RespException {
        RespReader reader = new RespReader(RespLimits.REDIS.withMaxQueryBytes(1000));
        feed(reader, "*2\r\n$4\r\nECHO\r\n$900\r\n" + "a".repeat(900) + "\r\n");
        assertThat(reader.next()).isTrue();
        feed(reader, "*3\r\n$4\r\nECHO\r\n$900\r\n" + "a".repeat(900) + "\r\n$200\r\n" + "a".repeat(100));
        assertThatThrownBy(reader::next).hasMessageContaining("client-query-buffer-limit");
    }

    @Test
    void takesMemoryAsBytesArriveAndNotAsDeclared() throws RespException {
        RespReader reader = new RespReader();
        feed(reader, "*1000000\r\n$500000000\r\nabc");
        assertThat(reader.next()).isFalse();
        assertThat(reader.memory()).isLessThan(4096);
    }

    @Test
    void growsABigBulkToItsLengthAndNoFurther() throws RespException {
        int length = 3_000_000;
        RespReader reader = new RespReader();
        feed(reader, "*2\r\n$4\r\nECHO\r\n$" + length + "\r\n");
        byte[] piece = new byte[10_000];
        for (int arrived = 0; arrived < length; arrived += piece.length) {
            assertThat(reader.next()).isFalse();
            reader.feed(piece, 0, piece.length);
            assertThat(reader.memory()).isLessThan(Math.min(2L * arrived, length) + 2L * piece.length + 4096);
        }
        feed(reader, "\r\n");
        assertThat(reader.next()).isTrue();
        assertThat(reader.args().length(1)).isEqualTo(length);
    }

    @Test
    void givesUpALargeBufferWhenItIsNotNeededAnyMore() throws RespException {
        RespReader reader = new RespReader();
        feed(reader, "*1\r\n$1000000\r\n" + "a".repeat(1_000_000) + "\r\n");
        assertThat(reader.next()).isTrue();
        assertThat(reader.next()).isFalse();
        assertThat(reader.memory()).isGreaterThan(1_000_000);
        for (int i = 0; i < Input.QUIET_TURNS; i++) {
            feed(reader, "PING\r\n");
            assertThat(reader.next()).isTrue();
            assertThat(reader.next()).isFalse();
        }
        assertThat(reader.memory()).isLessThan(Input.KEPT_BYTES);
    }

    @Test
    void trimKeepsWhatIsNotWholeYet() throws RespException {
        RespReader reader = new RespReader();
        feed(reader, "PING\r\n*2\r\n$4\r\nECHO\r\n$5\r\nhel");
        assertThat(reader.next()).isTrue();
        assertThat(reader.next()).isFalse();
        reader.trim();
        assertThat(reader.held()).isEqualTo(21);
        feed(reader, "lo\r\n");
        assertThat(reader.next()).isTrue();
        assertThat(texts(reader.args())).containsExactly("ECHO", "hello");
        assertThat(reader.next()).isFalse();
        reader.trim();
        assertThat(reader.memory()).isLessThan(100);
    }

    @Test
    void letsInputBeReadStraightIntoItsBuffer() throws RespException {
        RespReader reader = new RespReader();
        byte[] request = latin1("*1\r\n$4\r\nPING\r\n");
        byte[] room = reader.buffer(request.length);
        assertThat(reader.room()).isGreaterThanOrEqualTo(request.length);
        System.arraycopy(request, 0, room, reader.position(), request.length);
        reader.filled(request.length);
        assertThat(reader.next()).isTrue();
        assertThat(reader.args().is(0, "PING")).isTrue();
    }

    @Test
    void recognisesHttp() throws RespException {
        RespReader reader = new RespReader();
        feed(reader, "post / HTTP/1.1\r\nHost: a\r\n");
        assertThat(reader.next()).isTrue();
        assertThat(reader.args().is(0, "POST")).isTrue();
        assertThat(reader.next()).isTrue();
        assertThat(reader.args().is(0, "HOST:")).isTrue();
    }

    private static void assertFails(String bytes, String message) {
        assertThatThrownBy(() -> read(bytes)).isInstanceOf(RespException.class).hasMessage(message);
    }

    /** All requests of these bytes; the same whether they come at once or one by one. */
    private static List<List<String>> read(String bytes) throws RespException {
        List<List<String>> whole = new ArrayList<>();
        RespReader atOnce = new RespReader();
        feed(atOnce, bytes);
        while (atOnce.next()) {
            whole.add(texts(atOnce.args()));
        }
        List<List<String>> pieces = new ArrayList<>();
        RespReader oneByOne = new RespReader();
        byte[] all = latin1(bytes);
        for (int i = 0; i < all.length; i++) {
            oneByOne.feed(all, i, 1);
            while (oneByOne.next()) {
                pieces.add(texts(oneByOne.args()));
            }
        }
        assertThat(pieces).isEqualTo(whole);
        return whole;
    }

    private static List<String> texts(Args args) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < args.count(); i++) {
            texts.add(args.text(i));
        }
        return texts;
    }

    private static void feed(RespReader reader, String bytes) {
        reader.feed(latin1(bytes), 0, bytes.length());
    }

    private static byte[] latin1(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
