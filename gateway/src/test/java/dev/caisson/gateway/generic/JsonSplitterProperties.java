package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Value;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Cutting a stream into values, in chunks of any size. jqwik prints the seed. */
class JsonSplitterProperties {
    private static final int MAX_BYTES = 100_000;

    @Property(tries = 500)
    void whatWasJoinedIsCutAtTheSamePlaces(@ForAll long seed) {
        Random random = new Random(seed);
        JsonMessages json = JsonMessages.of(TypeSource.WELL_KNOWN);
        List<String> values = new ArrayList<>();
        StringBuilder stream = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            var message = JsonMessagesProperties.randomMessage(Value.getDescriptor(), random, 4);
            values.add((random.nextBoolean() ? json : json.pretty()).print(message));
            stream.append(values.getLast())
                    .append(List.of("\n", " ", "\r\n", "\n\n").get(random.nextInt(4)));
        }
        byte[] bytes = stream.toString().getBytes(StandardCharsets.UTF_8);
        List<JsonText> cut = inChunks(bytes, random);
        assertThat(cut.stream().map(JsonText::text)).containsExactlyElementsOf(values);
    }

    @Property(tries = 2_000)
    void anyBytesAreCutAlikeHoweverTheyArrive(@ForAll byte[] bytes, @ForAll long seed) {
        assertThat(outcome(bytes, new Random(seed))).isEqualTo(outcome(bytes, new Random(seed + 1)));
    }

    @Property(tries = 2_000)
    void nothingButWhiteSpaceIsLost(@ForAll long seed) {
        Random random = new Random(seed);
        String pieces = "{}[]\"\\:,1a \n\t";
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(40); i > 0; i--) {
            text.append(pieces.charAt(random.nextInt(pieces.length())));
        }
        StringBuilder joined = new StringBuilder();
        inChunks(text.toString().getBytes(StandardCharsets.UTF_8), random).forEach(t -> joined.append(t.text()));
        assertThat(joined.toString().replaceAll("\\s", ""))
                .isEqualTo(text.toString().replaceAll("\\s", ""));
    }

    private static String outcome(byte[] bytes, Random random) {
        try {
            return inChunks(bytes, random).toString();
        } catch (JsonException e) {
            return e.problem() + e.line() + e.column();
        }
    }

    private static List<JsonText> inChunks(byte[] bytes, Random random) {
        JsonSplitter splitter = new JsonSplitter(MAX_BYTES);
        List<JsonText> all = new ArrayList<>();
        int at = 0;
        while (at < bytes.length) {
            int length = Math.min(bytes.length - at, 1 + random.nextInt(20));
            splitter.feed(bytes, at, length);
            at += length;
            drain(splitter, all);
        }
        splitter.end();
        drain(splitter, all);
        return all;
    }

    private static void drain(JsonSplitter splitter, List<JsonText> into) {
        for (JsonText one = splitter.next(); one != null; one = splitter.next()) {
            into.add(one);
        }
    }
}
