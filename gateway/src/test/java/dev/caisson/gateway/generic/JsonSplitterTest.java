package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonSplitterTest {
    private static List<JsonText> split(String text) throws Exception {
        JsonSplitter splitter = new JsonSplitter(1_000);
        ByteArrayInputStream in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        List<JsonText> all = new ArrayList<>();
        for (JsonText one = splitter.next(in); one != null; one = splitter.next(in)) {
            all.add(one);
        }
        return all;
    }

    private static List<String> texts(String text) throws Exception {
        return split(text).stream().map(JsonText::text).toList();
    }

    @Test
    void cutsOneAMessageALine() throws Exception {
        assertThat(texts("{\"a\":1}\n{\"b\":2}\r\n\n{}")).containsExactly("{\"a\":1}", "{\"b\":2}", "{}");
    }

    @Test
    void cutsSeveralALineAndOneOverManyLines() throws Exception {
        assertThat(texts("{}{}[1] {\n \"a\": {\n}\n}")).containsExactly("{}", "{}", "[1]", "{\n \"a\": {\n}\n}");
    }

    @Test
    void bracketsAndQuotesInsideStringsCutNothing() throws Exception {
        assertThat(texts("{\"}\\\"{\": \"]\\\\\"}\"x\\\"}\" 1"))
                .containsExactly("{\"}\\\"{\": \"]\\\\\"}", "\"x\\\"}\"", "1");
    }

    @Test
    void cutsBareValues() throws Exception {
        assertThat(texts("1 2\ntrue null{}\"a\"3")).containsExactly("1", "2", "true", "null", "{}", "\"a\"", "3");
    }

    @Test
    void saysWhereEachBegan() throws Exception {
        List<JsonText> all = split("\n é{}  {\n}\t1");
        assertThat(all.stream().map(t -> t.line() + ":" + t.column())).containsExactly("2:2", "2:3", "2:7", "3:3");
    }

    @Test
    void givesAnUnfinishedValueAtTheEndSoThatTheReaderCanComplain() throws Exception {
        assertThat(texts("{\"a\": ")).containsExactly("{\"a\": ");
        assertThat(texts("} x")).containsExactly("}", "x");
    }

    @Test
    void anEmptyStreamHasNone() throws Exception {
        assertThat(split("")).isEmpty();
        assertThat(split(" \n\t")).isEmpty();
    }

    @Test
    void skipsAByteOrderMark() throws Exception {
        assertThat(texts("\ufeff{}")).containsExactly("{}");
    }

    @Test
    void refusesAValueThatIsTooLongWithoutHoldingIt() {
        JsonSplitter splitter = new JsonSplitter(10);
        byte[] part = "\"aaaaaaaa".getBytes(StandardCharsets.UTF_8);
        splitter.feed(part, 0, part.length);
        assertThat(splitter.next()).isNull();
        splitter.feed(part, 1, 8);
        assertThatThrownBy(splitter::next)
                .isInstanceOf(JsonException.class)
                .hasMessageContaining("longer than the 10 bytes");
        JsonSplitter whole = new JsonSplitter(10);
        byte[] list = "[123456789]".getBytes(StandardCharsets.UTF_8);
        whole.feed(list, 0, list.length);
        assertThatThrownBy(whole::next).isInstanceOf(JsonException.class);
        assertThatThrownBy(() -> split("\n\"" + "x".repeat(2_000))).hasMessageStartingWith("line 2, column 1");
    }

    @Test
    void refusesWhatIsNotUtf8() {
        JsonSplitter splitter = new JsonSplitter(10);
        splitter.feed(new byte[] {'"', (byte) 0xff, '"'}, 0, 3);
        assertThatThrownBy(splitter::next).hasMessageContaining("not UTF-8");
    }

    @Test
    void refusesToBeFedAfterTheEnd() {
        JsonSplitter splitter = new JsonSplitter(10);
        splitter.end();
        assertThatThrownBy(() -> splitter.feed(new byte[1], 0, 1)).isInstanceOf(IllegalStateException.class);
        assertThat(splitter.next()).isNull();
    }
}
