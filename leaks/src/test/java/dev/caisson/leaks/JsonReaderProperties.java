package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

class JsonReaderProperties {
    private static final Pattern DOCUMENTED = Pattern.compile("not JSON: .* at character (\\d+)", Pattern.DOTALL);
    private static final int DEEP = 6;
    private static final String DUMP = "{\"threadDump\": {\"processId\": \"1\", \"threadContainers\": ["
            + "{\"container\": \"<root>\", \"parent\": null, \"threads\": ["
            + "{\"tid\": 22, \"name\": \"v\", \"virtual\": true, \"stack\": [\"a.B.c(B.java:582)\", \"a.B.d(B.java)\"]}"
            + "], \"threadCount\": -1.5e3}]}}";

    private interface Reading {
        void run() throws IOException;
    }

    @Property
    void readsWhatIsWritten(@ForAll long seed) throws IOException {
        StringBuilder text = new StringBuilder();
        Object written = write(text, new Random(seed), DEEP);
        assertThat(reader(text.toString()).value()).as(text.toString()).isEqualTo(written);
    }

    @Property
    void refusesDamageAndNothingWorse(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        write(text, random, DEEP);
        damage(text, random);
        endsAsDocumented(text.toString(), () -> reader(text.toString()).value());
    }

    @Property
    void refusesDamagedThreadDumpsAndNothingWorse(@ForAll long seed) throws IOException {
        StringBuilder text = new StringBuilder(DUMP);
        damage(text, new Random(seed));
        JsonReader reader = reader(text.toString());
        endsAsDocumented(text.toString(), () -> VirtualThreads.read(reader, Set.of(), (id, thread) -> {}));
    }

    @Property
    void survivesAnyText(@ForAll String text) throws IOException {
        endsAsDocumented(text, () -> reader(text).value());
    }

    /** A reader of a text that ends, and says so only so often: who asks on and on would never return. */
    private static JsonReader reader(String text) {
        return new JsonReader(new StringReader(text) {
            private int asked;

            @Override
            public int read() throws IOException {
                assertThat(asked++).isLessThan(text.length() + 8);
                return super.read();
            }
        });
    }

    /** It returns, or throws what it says it throws. */
    private static void endsAsDocumented(String text, Reading reading) {
        try {
            reading.run();
        } catch (IOException refused) {
            String message = String.valueOf(refused.getMessage());
            Matcher said = DOCUMENTED.matcher(message);
            assertThat(said.matches() || message.endsWith(" is no object")) // a whole value, but no thread
                    .as(message)
                    .isTrue();
            if (said.matches()) {
                assertThat(Integer.parseInt(said.group(1))).isBetween(0, text.length() + 1);
            }
        }
    }

    private static void damage(StringBuilder text, Random random) {
        String bits = "{}[]\",:\\u0-+.eE \n\u0000tfn٣";
        for (int hits = 1 + random.nextInt(3); hits > 0 && text.length() > 0; hits--) {
            int at = random.nextInt(text.length());
            char bit = bits.charAt(random.nextInt(bits.length()));
            switch (random.nextInt(5)) {
                case 0 -> text.setLength(at);
                case 1 -> text.deleteCharAt(at);
                case 2 -> text.insert(at, bit);
                case 3 -> text.insert(at, String.valueOf(bit).repeat(200));
                default -> text.setCharAt(at, bit);
            }
        }
    }

    /** Writes some value and returns what reading it must give. */
    private static @Nullable Object write(StringBuilder out, Random random, int deep) {
        space(out, random);
        Object value = switch (random.nextInt(deep == 0 ? 5 : 7)) {
            case 0 -> literal("true", true, out);
            case 1 -> literal("false", false, out);
            case 2 -> literal("null", null, out);
            case 3 -> number(out, random);
            case 4 -> string(out, random);
            case 5 -> array(out, random, deep - 1);
            default -> object(out, random, deep - 1);
        };
        space(out, random);
        return value;
    }

    private static @Nullable Object literal(String text, @Nullable Object value, StringBuilder out) {
        out.append(text);
        return value;
    }

    private static Object number(StringBuilder out, Random random) {
        String text = switch (random.nextInt(4)) {
            case 0 -> "0";
            case 1 -> String.valueOf(random.nextLong());
            case 2 -> String.valueOf(random.nextGaussian() * 1e-9);
            default -> "-0." + random.nextInt(1_000) + "e+" + random.nextInt(400);
        };
        out.append(text);
        return text;
    }

    private static String string(StringBuilder out, Random random) {
        StringBuilder value = new StringBuilder();
        out.append('"');
        for (int i = random.nextInt(6); i > 0; i--) {
            char c = (char) random.nextInt(random.nextBoolean() ? 0x80 : 0x10000);
            value.append(c);
            int simple = "\"\\/\b\f\n\r\t".indexOf(c);
            if (simple >= 0) {
                out.append('\\').append("\"\\/bfnrt".charAt(simple));
            } else if (c < ' ' || random.nextInt(4) == 0) {
                out.append(String.format(random.nextBoolean() ? "\\u%04x" : "\\u%04X", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
        return value.toString();
    }

    private static Object array(StringBuilder out, Random random, int deep) {
        List<@Nullable Object> values = new ArrayList<>();
        out.append('[');
        for (int left = random.nextInt(4); left > 0; left--) {
            values.add(write(out, random, deep));
            out.append(left > 1 ? "," : "");
        }
        out.append(values.isEmpty() ? " ]" : "]");
        return values;
    }

    private static Object object(StringBuilder out, Random random, int deep) {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        out.append('{');
        for (int left = random.nextInt(4); left > 0; left--) {
            space(out, random);
            String name = string(out, random);
            space(out, random);
            out.append(':');
            values.put(name, write(out, random, deep));
            out.append(left > 1 ? "," : "");
        }
        out.append('}');
        return values;
    }

    private static void space(StringBuilder out, Random random) {
        while (random.nextInt(3) == 0) {
            out.append(" \t\r\n".charAt(random.nextInt(4)));
        }
    }
}
