package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import dev.caisson.gateway.generic.test.Kinds;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** The JSON mapping against protobuf's own, over random messages and random damage. jqwik prints the seed. */
class JsonMessagesProperties {
    private static final TypeRegistry REGISTRY =
            TypeRegistry.newBuilder().add(Kinds.getDescriptor()).build();
    private static final ServiceCatalog TYPES =
            DescriptorCatalog.of(List.of(Kinds.getDescriptor().getFile().toProto()), "the test", CatalogLimits.DEFAULT);
    private static final Descriptor TYPE = Kinds.getDescriptor();

    private final JsonMessages json = JsonMessages.of(TYPES);

    @Property(tries = 500)
    void writesWhatProtobufReads(@ForAll long seed) throws Exception {
        DynamicMessage message = randomMessage(TYPE, new Random(seed), 3);
        for (JsonMessages form : List.of(json, json.pretty(), json.withDefaults())) {
            DynamicMessage.Builder read = DynamicMessage.newBuilder(TYPE);
            JsonFormat.parser().usingTypeRegistry(REGISTRY).merge(form.print(message), read);
            assertThat(read.build()).isEqualTo(message);
        }
    }

    @Property(tries = 500)
    void readsWhatProtobufWrites(@ForAll long seed) throws Exception {
        DynamicMessage message = randomMessage(TYPE, new Random(seed), 3);
        JsonFormat.Printer printer = JsonFormat.printer().usingTypeRegistry(REGISTRY);
        assertThat(json.parse(printer.print(message), TYPE)).isEqualTo(message);
        assertThat(json.parse(printer.preservingProtoFieldNames().print(message), TYPE))
                .isEqualTo(message);
    }

    @Property(tries = 500)
    void readsWhatItWrites(@ForAll long seed) {
        DynamicMessage message = randomMessage(TYPE, new Random(seed), 4);
        assertThat(json.parse(json.print(message), TYPE)).isEqualTo(message);
        assertThat(json.parse(json.pretty().print(message), TYPE)).isEqualTo(message);
    }

    /** Whatever is damaged: taken or refused with a place inside the text, never anything else; and protobuf agrees. */
    @Property(tries = 3_000)
    void damagedTextIsRefusedWithAPlaceOrMeansWhatProtobufTakesItFor(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(json.print(randomMessage(TYPE, random, 2)));
        for (int i = random.nextInt(4); i >= 0; i--) {
            damage(text, random);
        }
        DynamicMessage ours;
        try {
            ours = json.parse(text.toString(), TYPE);
        } catch (JsonException e) {
            assertThat(e.line())
                    .isBetween(1, 1 + (int) text.chars().filter(c -> c == '\n').count());
            assertThat(e.column()).isBetween(1, text.length() + 1);
            assertThat(e.path()).startsWith("$");
            return;
        }
        if (text.indexOf("@value") >= 0) {
            return; // an extension of ours
        }
        DynamicMessage.Builder theirs = DynamicMessage.newBuilder(TYPE);
        JsonFormat.parser().usingTypeRegistry(REGISTRY).merge(text.toString(), theirs);
        assertThat(ours).isEqualTo(theirs.build());
    }

    @Property(tries = 1_000)
    void randomBytesAsAMessageCanBeWritten(@ForAll byte[] bytes) {
        DynamicMessage message;
        try {
            message = DynamicMessage.parseFrom(TYPE, bytes);
        } catch (InvalidProtocolBufferException e) {
            return;
        }
        assertThat(json.print(message)).startsWith("{").endsWith("}");
    }

    private static void damage(StringBuilder text, Random random) {
        String pieces = "{}[]\":,0123456789-+.eEtrufalsn\\ u@_\n\u0000é";
        int at = random.nextInt(text.length() + 1);
        switch (random.nextInt(3)) {
            case 0 -> text.insert(at, pieces.charAt(random.nextInt(pieces.length())));
            case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(3)));
            default -> {
                if (at < text.length()) {
                    text.setCharAt(at, pieces.charAt(random.nextInt(pieces.length())));
                }
            }
        }
    }

    static DynamicMessage randomMessage(Descriptor type, Random random, int depth) {
        DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
        switch (WellKnownTypes.formOf(type)) {
            case ANY -> {
                if (random.nextBoolean() && depth > 0) {
                    DynamicMessage content = randomMessage(
                            random.nextBoolean() ? Kinds.getDescriptor() : com.google.protobuf.Value.getDescriptor(),
                            random,
                            depth - 1);
                    builder.setField(
                            type.findFieldByNumber(1),
                            "type.googleapis.com/"
                                    + content.getDescriptorForType().getFullName());
                    builder.setField(type.findFieldByNumber(2), content.toByteString());
                }
            }
            case TIMESTAMP -> {
                builder.setField(type.findFieldByNumber(1), random.nextLong(-62_135_596_800L, 253_402_300_800L));
                builder.setField(type.findFieldByNumber(2), nanos(random));
            }
            case DURATION -> {
                long seconds = random.nextLong(-315_576_000_000L, 315_576_000_000L);
                builder.setField(type.findFieldByNumber(1), seconds);
                builder.setField(type.findFieldByNumber(2), seconds < 0 ? -nanos(random) : nanos(random));
            }
            case FIELD_MASK -> {
                for (int i = random.nextInt(3); i > 0; i--) {
                    builder.addRepeatedField(
                            type.findFieldByNumber(1),
                            List.of("a", "a_b.c_d", "some_field").get(i));
                }
            }
            case VALUE -> {
                FieldDescriptor kind = type.findFieldByNumber(1 + random.nextInt(depth > 0 ? 6 : 4));
                builder.setField(
                        kind, kind.getNumber() == 2 ? random.nextInt(1_000) / 8.0 : randomValue(kind, random, depth));
            }
            default -> randomFields(builder, type, random, depth);
        }
        return builder.build();
    }

    private static int nanos(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt(1_000) * 1_000_000;
            case 2 -> random.nextInt(1_000_000) * 1_000;
            default -> random.nextInt(1_000_000_000);
        };
    }

    private static void randomFields(DynamicMessage.Builder builder, Descriptor type, Random random, int depth) {
        for (FieldDescriptor field : type.getFields()) {
            boolean nested = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
            if ((random.nextInt(4) > 0 && type.getFields().size() > 3) || (nested && depth <= 0)) {
                continue;
            }
            if (field.isMapField()) {
                randomEntries(builder, field, random, depth);
            } else if (field.isRepeated()) {
                for (int i = random.nextInt(4); i > 0; i--) {
                    builder.addRepeatedField(field, randomValue(field, random, depth - 1));
                }
            } else {
                builder.setField(field, randomValue(field, random, depth - 1));
            }
        }
    }

    private static void randomEntries(DynamicMessage.Builder builder, FieldDescriptor field, Random random, int depth) {
        FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
        FieldDescriptor value = field.getMessageType().findFieldByNumber(2);
        builder.addRepeatedField(
                field,
                DynamicMessage.newBuilder(field.getMessageType())
                        .setField(key, randomValue(key, random, 0))
                        .setField(value, randomValue(value, random, depth - 1))
                        .build());
    }

    private static Object randomValue(FieldDescriptor field, Random random, int depth) {
        return switch (field.getJavaType()) {
            case INT -> random.nextBoolean() ? random.nextInt() : random.nextInt(100);
            case LONG -> random.nextBoolean() ? random.nextLong() : random.nextInt(100);
            case FLOAT ->
                List.of(0.5f, Float.NaN, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, 3.0f, random.nextFloat())
                        .get(random.nextInt(6));
            case DOUBLE ->
                List.of(0.5, Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, 3.0, random.nextDouble())
                        .get(random.nextInt(6));
            case BOOLEAN -> random.nextBoolean();
            case STRING ->
                List.of("", "a", "\"\\\n\t\u0001", "é😀", "</script>", "\u2028\u0085")
                        .get(random.nextInt(6));
            case BYTE_STRING -> {
                byte[] bytes = new byte[random.nextInt(5)];
                random.nextBytes(bytes);
                yield ByteString.copyFrom(bytes);
            }
            case ENUM -> {
                List<EnumValueDescriptor> values = field.getEnumType().getValues();
                yield values.get(random.nextInt(values.size()));
            }
            case MESSAGE -> randomMessage(field.getMessageType(), random, depth - 1);
        };
    }
}
