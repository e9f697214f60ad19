package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.caisson.gateway.generic.test.Colour;
import dev.caisson.gateway.generic.test.Item;
import dev.caisson.gateway.generic.test.Kinds;
import dev.caisson.gateway.generic.test.Old;
import dev.caisson.gateway.generic.test.OldOuterClass;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonMessagesTest {
    private static final ServiceCatalog TYPES = DescriptorCatalog.of(
            List.of(
                    Kinds.getDescriptor().getFile().toProto(),
                    OldOuterClass.getDescriptor().toProto()),
            "the test",
            CatalogLimits.DEFAULT);
    private final JsonMessages json = JsonMessages.of(TYPES);

    private static Kinds kinds(Message message) throws Exception {
        return Kinds.parseFrom(message.toByteString());
    }

    private JsonException refused(String text) {
        try {
            Message message = json.parse(text, Kinds.getDescriptor());
            throw new AssertionError("taken: " + message);
        } catch (JsonException e) {
            return e;
        }
    }

    @Test
    void readsScalarsInTheFormsTheMappingAllows() throws Exception {
        Kinds read = kinds(json.parse("""
                {"anInt32": -5, "a_sint32": "6", "aUint32": 4294967295, "anInt64": "-9223372036854775808",
                 "aUint64": 18446744073709551615, "aFixed64": 1.0, "aSfixed32": 1e2, "aDouble": "NaN", "aFloat": -1.5,
                 "aBool": true, "aString": "\\u00e9\\ud83d\\ude00\\n", "someBytes": "-_8", "colour": "COLOUR_RED",
                 "otherName": "x", "maybe": 0}
                """, Kinds.getDescriptor()));
        assertThat(read.getAnInt32()).isEqualTo(-5);
        assertThat(read.getASint32()).isEqualTo(6);
        assertThat(read.getAUint32()).isEqualTo(-1);
        assertThat(read.getAnInt64()).isEqualTo(Long.MIN_VALUE);
        assertThat(read.getAUint64()).isEqualTo(-1L);
        assertThat(read.getAFixed64()).isEqualTo(1);
        assertThat(read.getASfixed32()).isEqualTo(100);
        assertThat(read.getADouble()).isNaN();
        assertThat(read.getAFloat()).isEqualTo(-1.5f);
        assertThat(read.getABool()).isTrue();
        assertThat(read.getAString()).isEqualTo("é😀\n");
        assertThat(read.getSomeBytes()).isEqualTo(ByteString.copyFrom(new byte[] {(byte) 0xfb, (byte) 0xff}));
        assertThat(read.getColour()).isEqualTo(Colour.COLOUR_RED);
        assertThat(read.getRenamed()).isEqualTo("x");
        assertThat(read.hasMaybe()).isTrue();
    }

    @Test
    void readsAnEnumNumberItDoesNotKnow() throws Exception {
        assertThat(kinds(json.parse("{\"colour\": 77}", Kinds.getDescriptor())).getColourValue())
                .isEqualTo(77);
        assertThat(json.print(Kinds.newBuilder().setColourValue(77).build())).isEqualTo("{\"colour\":77}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"items\": [{\"name\": \"a\"}, {\"name\": 3}]}|$.items[1].name|1|36|a string is needed, not the number 3",
                "{\"itms\": []}|$.itms|1|2|has no field \"itms\"; did you mean \"items\"?",
                "{\"item\": {\"priceCents\": 1.5}}|$.item.priceCents|1|25|a whole number is needed (int64), not the number 1.5",
                "{\"anInt32\": 2147483648}|$.anInt32|1|13|out of range for int32 (-2147483648 to 2147483647)",
                "{\"aUint32\": -1}|$.aUint32|1|13|out of range for uint32 (0 to 4294967295)",
                "{\"aDouble\": 1e999}|$.aDouble|1|13|out of range for double",
                "{\"aFloat\": 1e39}|$.aFloat|1|12|out of range for float",
                "{\"aDouble\": \"1f\"}|$.aDouble|1|13|a number is needed (double), not the string \"1f\"",
                "{\"aBool\": \"true\"}|$.aBool|1|11|true or false is needed (bool)",
                "{\"someBytes\": \"?\"}|$.someBytes|1|15|base64 is needed (bytes)",
                "{\"colour\": \"COLOUR_REED\"}|$.colour|1|12|has no value \"COLOUR_REED\"; did you mean \"COLOUR_RED\"?",
                "{\"colour\": true}|$.colour|1|12|a name of dev.caisson.test.Colour is needed, not true",
                "{\"item\": 3}|$.item|1|10|an object is needed (dev.caisson.test.Item), not the number 3",
                "{\"ints\": 3}|$.ints|1|10|an array is needed (repeated int32), not the number 3",
                "{\"ints\": [1, null]}|$.ints[1]|1|14|int32 is needed, not null",
                "{\"counts\": []}|$.counts|1|12|an object is needed (map<string, int32>), not an array",
                "{\"counts\": {\"a b\": \"x\"}}|$.counts[\"a b\"]|1|20|a whole number is needed (int32)",
                "{\"byNumber\": {\"x\": {}}}|$.byNumber.x|1|15|a whole number is needed (int64), not the string \"x\"",
                "{\"byTruth\": {\"yes\": \"\"}}|$.byTruth.yes|1|14|this map's keys are \"true\" and \"false\"",
                "{\"byNumber\": {\"1\": {}, \"01\": {}}}|$.byNumber[\"01\"]|1|24|this key was given before",
                "{\"text\": \"a\", \"number\": 1}|$.number|1|15|only one of the oneof choice can be set, and text was before",
                "{\"anInt32\": 1, \"an_int32\": 1}|$.an_int32|1|16|this field was given before",
                "{\"at\": \"yesterday\"}|$.at|1|8|a timestamp like",
                "{\"at\": \"2026-02-30T00:00:00Z\"}|$.at|1|8|a timestamp like",
                "{\"at\": \"0000-12-31T23:59:59Z\"}|$.at|1|8|a timestamp like",
                "{\"took\": \"5\"}|$.took|1|10|a duration like \"1.5s\" is needed",
                "{\"took\": \"315576000001s\"}|$.took|1|10|a duration like",
                "{\"mask\": \"a_b\"}|$.mask|1|10|lowerCamelCase",
                "{\"any\": {\"x\": 1}}|$.any|1|9|needs \"@type\"",
                "{\"any\": {\"@type\": \"Item\"}}|$.any[\"@type\"]|1|19|a type is named \"type.googleapis.com/package.Type\"",
                "{\"any\": {\"@type\": \"a/dev.caisson.test.Nope\"}}|$.any[\"@type\"]|1|19|there is no message type dev.caisson.test.Nope",
                "{\"any\": {\"@type\": \"a/dev.caisson.test.Item\", \"nam\": 1}}|$.any.nam|1|46|did you mean \"name\"?",
                "{\"any\": {\"@type\": \"a/google.protobuf.Duration\", \"value\": 1}}|$.any.value|1|58|a duration like",
                "{\"struct\": {\"a\": 1e999}}|$.struct.a|1|18|out of range for double",
                "{\"aString\": \"\\ud800\"}|$.aString|1|13|half of a surrogate pair",
                "[]|$|1|1|an object is needed (dev.caisson.test.Kinds), not an array",
            })
    void saysWhereAndWhatIsWrong(String text, String path, int line, int column, String problem) {
        JsonException e = refused(text);
        assertThat(e).hasMessageContaining(problem);
        assertThat(e.path()).isEqualTo(path);
        assertThat(e.line()).isEqualTo(line);
        assertThat(e.column()).isEqualTo(column);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\": 1,}|1|9|a comma stands before the closing }",
                "{'a': 1}|1|2|single quotes",
                "{\"a\": 'x'}|1|7|single quotes",
                "{a: 1}|1|2|this one in none",
                "{\"a\": 01}|1|7|no leading zero",
                "{\"a\": .5}|1|7|a value is needed, not .",
                "{\"a\": 1.}|1|9|a digit is needed here, not }",
                "{\"a\": [1,]}|1|10|a comma stands before the closing ]",
                "{\"a\": tru}|1|7|a value is needed, not tru",
                "{\"a\": \"x}|1|7|no closing quote",
                "{\"a\": \"\\x\"}|1|8|is no escape of JSON",
                "{\"a\": \"\\u12G4\"}|1|8|four hexadecimal digits",
                "{\"a\"|1|5|a colon is needed after a name, not the end of the text",
                "{\"a\": 1} x|1|10|something follows the end of the value: x",
                "// x|1|1|no comments",
                "{\"a\": NaN}|1|7|a value is needed, not NaN",
                "{\"a\": 1 \"b\": 2}|1|9|a comma or } is needed",
            })
    void refusesWhatIsNotJsonAndSaysWhere(String text, int line, int column, String problem) {
        JsonException e = refused(text);
        assertThat(e).hasMessageContaining(problem);
        assertThat(List.of(e.line(), e.column())).isEqualTo(List.of(line, column));
    }

    @Test
    void countsLinesAndColumnsFromWhereTheStreamBegan() {
        JsonException e = (JsonException)
                catching(() -> json.parse(new JsonText("{\n  \"nope\": 1}", 10, 5), Kinds.getDescriptor()));
        assertThat(List.of(e.line(), e.column())).isEqualTo(List.of(11, 3));
        e = (JsonException) catching(() -> json.parse(new JsonText("{\"nope\": 1}", 10, 5), Kinds.getDescriptor()));
        assertThat(List.of(e.line(), e.column())).isEqualTo(List.of(10, 6));
        assertThat(e).hasMessageStartingWith("line 10, column 6, $.nope: ");
    }

    private static Throwable catching(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            return e;
        }
        throw new AssertionError("nothing was thrown");
    }

    @Test
    void refusesEmptyTextAndDeepNesting() {
        assertThat(refused(" ")).hasMessageContaining("nothing there");
        String deep = "{\"item\":".repeat(2) + "{\"parts\":[".repeat(60) + "]}".repeat(60) + "}}";
        assertThat(refused(deep)).hasMessageContaining("nested deeper than 100 levels");
        assertThat(refused("[".repeat(1_000_000))).hasMessageContaining("nested deeper than 100 levels");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e999999999", "-1e999999999", "0.1e-999999999", "1e2147483647", "1e99999999999999999999"})
    void aHugeExponentCostsNothing(String number) {
        assertThat(refused("{\"aUint64\": " + number + "}").path()).isEqualTo("$.aUint64");
    }

    @Test
    void writesAndReadsWellKnownTypes() throws Exception {
        Kinds message = Kinds.newBuilder()
                .setAt(Timestamp.newBuilder().setSeconds(1).setNanos(500_000))
                .setTook(Duration.newBuilder().setSeconds(-1).setNanos(-10))
                .setAny(Any.pack(Item.newBuilder().setName("a").build()))
                .addAnys(Any.pack(Duration.newBuilder().setSeconds(3).build()))
                .build();
        String text = json.print(message);
        assertThat(text)
                .isEqualTo("{\"any\":{\"@type\":\"type.googleapis.com/dev.caisson.test.Item\",\"name\":\"a\"},"
                        + "\"at\":\"1970-01-01T00:00:01.000500Z\",\"took\":\"-1.000000010s\","
                        + "\"anys\":[{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"3s\"}]}");
        assertThat(kinds(json.parse(text, Kinds.getDescriptor()))).isEqualTo(message);
    }

    @Test
    void writesAnAnyOfUnknownOrBrokenTypeAsBytesAndReadsItBack() throws Exception {
        Any unknown = Any.newBuilder()
                .setTypeUrl("x/some.Unknown")
                .setValue(ByteString.copyFromUtf8("abc"))
                .build();
        Any broken = Any.newBuilder()
                .setTypeUrl("x/dev.caisson.test.Item")
                .setValue(ByteString.copyFromUtf8("\u0001\u0001\u0001"))
                .build();
        Kinds message = Kinds.newBuilder().setAny(unknown).addAnys(broken).build();
        String text = json.print(message);
        assertThat(text).contains("{\"@type\":\"x/some.Unknown\",\"@value\":\"YWJj\"}");
        assertThat(kinds(json.parse(text, Kinds.getDescriptor()))).isEqualTo(message);
    }

    @Test
    void anAnyInsideAnAnyWithoutEndIsWrittenWithoutOverflow() {
        Any any = Any.getDefaultInstance();
        for (int i = 0; i < 5_000; i++) {
            any = Any.pack(any);
        }
        assertThat(json.print(Kinds.newBuilder().setAny(any).build())).contains("@value");
    }

    @Test
    void writesByItsFieldsWhatHasNoFormOfItsOwn() {
        Kinds message = Kinds.newBuilder()
                .setAt(Timestamp.newBuilder().setSeconds(Long.MAX_VALUE))
                .setTook(Duration.newBuilder().setSeconds(1).setNanos(-1))
                .build();
        assertThat(json.print(message))
                .isEqualTo("{\"at\":{\"seconds\":\"9223372036854775807\"},\"took\":{\"seconds\":\"1\",\"nanos\":-1}}");
    }

    @Test
    void escapesWhatCouldSteerATerminal() {
        Message message =
                Kinds.newBuilder().setAString("\u001b[2J\u009b\u007f\u2028\"\\").build();
        assertThat(json.print(message)).isEqualTo("{\"aString\":\"\\u001b[2J\\u009b\\u007f\\u2028\\\"\\\\\"}");
    }

    @Test
    void writesPrettyAndWithDefaults() {
        Item item = Item.newBuilder().setName("a").addParts(Item.newBuilder()).build();
        assertThat(json.pretty().print(item)).isEqualTo("""
                {
                  "name": "a",
                  "parts": [
                    {}
                  ]
                }""");
        assertThat(json.withDefaults().print(Item.getDefaultInstance()))
                .isEqualTo("{\"name\":\"\",\"priceCents\":\"0\",\"parts\":[]}");
    }

    @Test
    void skipsUnknownFieldsWhenAsked() throws Exception {
        Message message = json.ignoringUnknownFields()
                .parse("{\"nope\": [1, {}], \"item\": {\"no\": 1, \"name\": \"a\"}}", Kinds.getDescriptor());
        assertThat(kinds(message).getItem().getName()).isEqualTo("a");
    }

    @Test
    void readsAndWritesWhatOnlyProto2Has() {
        var old = Objects.requireNonNull(TYPES.messageType("dev.caisson.test.Old"));
        String text =
                "{\"id\":\"a\",\"closed\":\"TWO\",\"box\":{\"width\":3},\"[dev.caisson.test.note]\":\"n\",\"[dev.caisson.test.more]\":[{\"id\":\"b\"}]}";
        DynamicMessage message = json.parse(text, old);
        assertThat(json.print(message)).isEqualTo(text);
        assertThatThrownBy(() -> json.parse("{\"id\": \"a\", \"inner\": {}}", old))
                .isInstanceOf(JsonException.class)
                .hasMessageContaining("$.inner: the required field \"id\" of dev.caisson.test.Old is missing");
        assertThatThrownBy(() -> json.parse("{\"id\": \"a\", \"closed\": 3}", old))
                .hasMessageContaining("has no value of number 3");
        assertThatThrownBy(() -> json.parse("{\"id\": \"a\", \"[dev.caisson.test.nope]\": 3}", old))
                .hasMessageContaining("has no field \"[dev.caisson.test.nope]\"");
        assertThat(Old.getDescriptor().getFullName()).isEqualTo(old.getFullName());
    }
}
