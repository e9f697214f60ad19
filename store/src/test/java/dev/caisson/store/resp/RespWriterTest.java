package dev.caisson.store.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RespWriterTest {
    @Test
    void writesTheSameInBothProtocols() {
        assertBoth(RespWriter::ok, "+OK\r\n");
        assertBoth(out -> out.simple("a\r\nb"), "+a  b\r\n");
        assertBoth(out -> out.error("ERR a\nb"), "-ERR a b\r\n");
        assertBoth(out -> out.error(ErrorReply.SYNTAX), "-ERR syntax error\r\n");
        assertBoth(out -> out.bulk(new byte[] {1, 'a', 'b', 2}, 1, 2), "$2\r\nab\r\n");
        assertBoth(out -> out.bulk("é€"), "$2\r\né?\r\n");
        assertBoth(out -> out.bulk(new byte[0]), "$0\r\n\r\n");
        assertBoth(out -> out.bulkInteger(-17), "$3\r\n-17\r\n");
        assertBoth(out -> out.bulkInteger(Long.MIN_VALUE), "$20\r\n-9223372036854775808\r\n");
        assertBoth(out -> out.raw(new byte[] {'x', 'y', 'z'}, 1, 1), "y");
    }

    @Test
    void writesNumbersOfAllLengths() {
        for (long value :
                new long[] {0, 9, 10, 99, 100, 999, 1000, 1001, 123456, -1, -1000, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertBoth(out -> out.integer(value), ":" + value + "\r\n");
        }
        for (int count : new int[] {0, 9, 10, 99, 100, 999, 1000, 1_000_000}) {
            assertBoth(out -> out.array(count), "*" + count + "\r\n");
        }
    }

    @Test
    void writesWhatOnlyResp3HasAsRedisDoes() {
        assertEach(RespWriter::nil, "$-1\r\n", "_\r\n");
        assertEach(RespWriter::nilArray, "*-1\r\n", "_\r\n");
        assertEach(out -> out.map(3), "*6\r\n", "%3\r\n");
        assertEach(out -> out.set(3), "*3\r\n", "~3\r\n");
        assertEach(out -> out.push(3), "*3\r\n", ">3\r\n");
        assertEach(out -> out.number(1.5), "$3\r\n1.5\r\n", ",1.5\r\n");
        assertEach(out -> out.number(Double.NEGATIVE_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
        assertEach(out -> out.bool(true).bool(false), ":1\r\n:0\r\n", "#t\r\n#f\r\n");
        assertEach(out -> out.verbatim("txt", "hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
        assertEach(out -> out.bigNumber("123"), "$3\r\n123\r\n", "(123\r\n");
    }

    @Test
    void insertsHeadersAtMarks() {
        assertEach(
                out -> {
                    out.integer(7);
                    int outer = out.mark();
                    out.integer(1);
                    int inner = out.mark();
                    out.integer(2).integer(3);
                    out.setAt(inner, 2);
                    out.arrayAt(outer, 2);
                    int map = out.mark();
                    out.integer(4).integer(5);
                    out.mapAt(map, 1);
                    out.arrayAt(out.mark(), 0);
                    out.pushAt(out.mark(), 0);
                },
                ":7\r\n*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n*2\r\n:4\r\n:5\r\n*0\r\n*0\r\n",
                ":7\r\n*2\r\n:1\r\n~2\r\n:2\r\n:3\r\n%1\r\n:4\r\n:5\r\n*0\r\n>0\r\n");
    }

    @Test
    void growsCutsAndShrinks() {
        RespWriter out = new RespWriter();
        out.integer(1);
        int length = out.length();
        out.bulk(new byte[RespWriter.KEPT_BYTES * 2]);
        assertThat(out.length()).isGreaterThan(RespWriter.KEPT_BYTES * 2);
        out.truncate(length);
        assertThat(text(out)).isEqualTo(":1\r\n");
        assertThatThrownBy(() -> out.truncate(length + 1)).isInstanceOf(IndexOutOfBoundsException.class);
        out.reset();
        assertThat(out.length()).isZero();
        assertThat(out.array()).hasSizeLessThan(RespWriter.KEPT_BYTES);
    }

    @Test
    void refusesOtherProtocols() {
        assertThatThrownBy(() -> new RespWriter().protocol(4)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new RespWriter().verbatim("text", "")).isInstanceOf(IllegalArgumentException.class);
    }

    private static void assertBoth(Consumer<RespWriter> write, String expected) {
        assertEach(write, expected, expected);
    }

    private static void assertEach(Consumer<RespWriter> write, String resp2, String resp3) {
        RespWriter out = new RespWriter();
        write.accept(out);
        assertThat(text(out)).isEqualTo(resp2);
        out.reset();
        out.protocol(3);
        write.accept(out);
        assertThat(text(out)).isEqualTo(resp3);
    }

    private static String text(RespWriter out) {
        return new String(out.array(), 0, out.length(), ISO_8859_1);
    }
}
