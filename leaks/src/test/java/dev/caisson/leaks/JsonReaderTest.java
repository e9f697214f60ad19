package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonReaderTest {
    @Test
    void readsEveryKindOfValue() throws IOException {
        Object value = read(" {\"a\" : [1, -2.5e+3, true, false, null, \"x\"], \"b\": {}, \"c\":[] } ");
        assertThat(value)
                .isEqualTo(Map.of(
                        "a", Arrays.asList("1", "-2.5e+3", true, false, null, "x"),
                        "b", Map.of(),
                        "c", Arrays.asList()));
    }

    @Test
    void readsEscapes() throws IOException {
        assertThat(read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"")).isEqualTo("\"\\/\b\f\n\r\té");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "{", "[1 2]", "\"abc", "\"\\x\"", "\"\\u12g4\"", "tru", "{\"a\" 1}", "{a:1}", "01", "+1"})
    void refusesWhatIsNotJson(String text) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("not JSON: ")
                .hasMessageContaining(" at character ");
    }

    @Test
    void boundsTheDepth() {
        assertThatThrownBy(() -> read("[".repeat(100_000))).hasMessageContaining("nested deeper than 64");
    }

    @Test
    void readsTheDumpOfJdk21WhichMarksNoVirtualThread() throws IOException {
        Map<String, Map<?, ?>> found = new LinkedHashMap<>();
        VirtualThreads.read(
                new JsonReader(new StringReader("{\"threadDump\": {\"processId\": \"1\", \"threadContainers\": ["
                        + "{\"container\": \"<root>\", \"parent\": null, \"owner\": null, \"threads\": ["
                        + "{\"tid\": \"1\", \"name\": \"main\", \"stack\": []},"
                        + "{\"tid\": \"22\", \"name\": \"v\", \"stack\": [\"java.base/java.lang.VirtualThread.park(VirtualThread.java:582)\"]}"
                        + "], \"threadCount\": \"2\"}]}}")),
                Set.of("thread #1"),
                found::put);
        assertThat(found).containsOnlyKeys("virtual thread #22");
    }

    private static @Nullable Object read(String text) throws IOException {
        return new JsonReader(new StringReader(text)).value();
    }
}
