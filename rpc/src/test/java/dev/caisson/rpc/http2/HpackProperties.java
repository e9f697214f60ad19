package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** HPACK with random lists, random table sizes and random bytes, against itself and against Netty's. */
class HpackProperties {
    private static final int MAX_LIST_BYTES = 1 << 20;

    /** Fields of one block, and what happens before it. */
    record Step(List<Field> fields, int newTableSize, boolean resize) {}

    record Field(String name, String value, boolean index) {}

    @Provide
    Arbitrary<List<Step>> conversations() {
        Arbitrary<String> names = Arbitraries.of(
                ":path",
                ":method",
                ":status",
                "content-type",
                "grpc-timeout",
                "user-agent",
                "cookie",
                "authorization",
                "x-a",
                "x-b",
                "x-c",
                "te",
                "age");
        Arbitrary<String> rareNames =
                Arbitraries.strings().withCharRange('a', 'z').ofMinLength(1).ofMaxLength(40);
        Arbitrary<String> usual = Arbitraries.of("POST", "/helloworld.Greeter/SayHello", "200", "0", "", "trailers");
        Arbitrary<String> any =
                Arbitraries.strings().withCharRange((char) 0, (char) 255).ofMaxLength(300);
        Arbitrary<Field> field = Combinators.combine(
                        Arbitraries.frequencyOf(net.jqwik.api.Tuple.of(9, names), net.jqwik.api.Tuple.of(1, rareNames)),
                        Arbitraries.frequencyOf(net.jqwik.api.Tuple.of(3, usual), net.jqwik.api.Tuple.of(1, any)),
                        Arbitraries.of(true, false))
                .as(Field::new);
        Arbitrary<Integer> sizes = Arbitraries.of(0, 1, 64, 100, 256, 1000, 4096, 65536);
        return Combinators.combine(field.list().ofMaxSize(12), sizes, Arbitraries.of(true, false, false, false))
                .as(Step::new)
                .list()
                .ofMaxSize(30);
    }

    @Property(tries = 300)
    void roundTripThroughChangesOfTheTableSize(@ForAll("conversations") List<Step> steps) throws Exception {
        HpackEncoder encoder = new HpackEncoder(8192);
        HpackDecoder decoder = new HpackDecoder(4096, MAX_LIST_BYTES);
        for (Step step : steps) {
            if (step.resize) {
                // ours is announced, acknowledged by the peer, in force
                decoder.maxTableSize(step.newTableSize);
                encoder.peerTableSize(step.newTableSize);
            }
            ByteBuf wire = Unpooled.buffer();
            encoder.begin(wire);
            for (Field f : step.fields) {
                encoder.encode(wire, bytes(f.name), bytes(f.value), f.index);
            }
            // twice over: the same list, from the tables as they are now and perhaps from the cache
            assertThat(texts(decoder.decode(wire, wire.readableBytes()))).isEqualTo(texts(step.fields));
            for (int again = 0; again < 3; again++) {
                ByteBuf more = Unpooled.buffer();
                for (Field f : step.fields) {
                    encoder.encode(more, bytes(f.name), bytes(f.value), f.index);
                }
                assertThat(texts(decoder.decode(more, more.readableBytes()))).isEqualTo(texts(step.fields));
            }
        }
    }

    @Property(tries = 200)
    void bytesKeptWhileTheVersionHoldsStayGood(@ForAll("conversations") List<Step> steps) throws Exception {
        HpackEncoder encoder = new HpackEncoder(4096);
        HpackDecoder decoder = new HpackDecoder(4096, MAX_LIST_BYTES);
        byte[] kept = null;
        long keptVersion = -1;
        int used = 0;
        List<Field> constant = List.of(
                new Field(":status", "200", true),
                new Field("content-type", "application/grpc", true),
                new Field("x-constant", "of this connection", true));
        for (Step step : steps) {
            ByteBuf wire = Unpooled.buffer();
            for (Field f : step.fields) {
                encoder.encode(wire, bytes(f.name), bytes(f.value), f.index);
            }
            decoder.decode(wire, wire.readableBytes());
            for (int i = 0; i < 3; i++) {
                ByteBuf block = Unpooled.buffer();
                if (kept != null && keptVersion == encoder.version()) {
                    block.writeBytes(kept);
                    used++;
                } else {
                    long before = encoder.version();
                    for (Field f : constant) {
                        encoder.encode(block, bytes(f.name), bytes(f.value), f.index);
                    }
                    if (before == encoder.version()) {
                        kept = ByteBufUtil.getBytes(block);
                        keptVersion = before;
                    }
                }
                assertThat(texts(decoder.decode(block, block.readableBytes()))).isEqualTo(texts(constant));
            }
        }
        assertThat(used).isGreaterThanOrEqualTo(steps.size());
    }

    @Property(tries = 300)
    void nettyReadsWhatWeWrite(@ForAll("conversations") List<Step> steps) throws Exception {
        HpackEncoder encoder = new HpackEncoder(4096);
        DefaultHttp2HeadersDecoder netty = new DefaultHttp2HeadersDecoder(false, MAX_LIST_BYTES);
        for (Step step : steps) {
            if (step.resize) {
                long size = Math.min(step.newTableSize, 4096);
                netty.configuration().maxHeaderTableSize(size);
                encoder.peerTableSize(size);
            }
            ByteBuf wire = Unpooled.buffer();
            encoder.begin(wire);
            for (Field f : step.fields) {
                encoder.encode(wire, bytes(f.name), bytes(f.value), f.index);
            }
            Http2Headers headers = netty.decodeHeaders(1, wire);
            List<String> read = new ArrayList<>();
            for (Map.Entry<CharSequence, CharSequence> e : headers) {
                read.add(e.getKey() + "=" + e.getValue());
            }
            // Netty's headers group fields by name and put pseudo-headers first: compare as bags
            assertThat(read).containsExactlyInAnyOrderElementsOf(texts(step.fields));
        }
    }

    @Property(tries = 300)
    void weReadWhatNettyWrites(@ForAll("conversations") List<Step> steps, @ForAll Random random) throws Exception {
        Http2HeadersEncoder.SensitivityDetector sensitivity =
                (name, value) -> name.toString().hashCode() % 5 == 0;
        DefaultHttp2HeadersEncoder netty = new DefaultHttp2HeadersEncoder(sensitivity, false, 64, random.nextInt(64));
        HpackDecoder decoder = new HpackDecoder(4096, MAX_LIST_BYTES);
        for (Step step : steps) {
            ByteBuf wire = Unpooled.buffer();
            if (step.resize) {
                decoder.maxTableSize(step.newTableSize);
                netty.configuration().maxHeaderTableSize(step.newTableSize);
            }
            Http2Headers headers = new DefaultHttp2Headers(false);
            for (Field f : step.fields) {
                headers.add(f.name, f.value);
            }
            netty.encodeHeaders(1, headers, wire);
            assertThat(texts(decoder.decode(wire, wire.readableBytes())))
                    .containsExactlyInAnyOrderElementsOf(texts(step.fields));
        }
    }

    @Property(tries = 500)
    void theDecoderAgreesWithNettyOnBrokenBlocks(@ForAll("conversations") List<Step> steps, @ForAll Random random)
            throws Exception {
        HpackEncoder encoder = new HpackEncoder(4096);
        HpackDecoder ours = new HpackDecoder(4096, MAX_LIST_BYTES);
        DefaultHttp2HeadersDecoder netty = new DefaultHttp2HeadersDecoder(false, MAX_LIST_BYTES);
        for (Step step : steps) {
            ByteBuf wire = Unpooled.buffer();
            for (Field f : step.fields) {
                encoder.encode(wire, bytes(f.name), bytes(f.value), f.index);
            }
            if (wire.readableBytes() > 0) {
                int at = random.nextInt(wire.readableBytes());
                wire.setByte(at, wire.getByte(at) ^ 1 << random.nextInt(8));
            }
            List<String> expected = null;
            try {
                expected = new ArrayList<>();
                for (Map.Entry<CharSequence, CharSequence> e : netty.decodeHeaders(1, wire.duplicate())) {
                    expected.add(e.getKey() + "=" + e.getValue());
                }
            } catch (io.netty.handler.codec.http2.Http2Exception e) {
                expected = null;
            }
            try {
                List<String> read = texts(ours.decode(wire, wire.readableBytes()));
                assertThat(expected).as("Netty refuses %s", read).isNotNull();
                assertThat(read).containsExactlyInAnyOrderElementsOf(expected);
            } catch (Http2Exception e) {
                assertThat(expected).as("ours says %s", e.getMessage()).isNull();
                return;
            }
        }
    }

    @Property(tries = 2000)
    void randomBytesGiveFieldsOrACompressionErrorAndKeepNoBuffer(@ForAll byte[] bytes, @ForAll byte[] more) {
        UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
        HpackDecoder decoder = new HpackDecoder(4096, 2000);
        for (byte[] block : List.of(bytes, more, bytes, more)) {
            ByteBuf in = allocator.buffer().writeBytes(block).writeByte(0x55);
            try {
                HeaderBlock decoded = decoder.decode(in, block.length);
                long size = 0;
                for (int i = 0; i < decoded.size(); i++) {
                    size += decoded.name(i).length + decoded.value(i).length + 32L;
                }
                assertThat(size).isLessThanOrEqualTo(2000);
                assertThat(decoded.checkTrailers() == null
                                || decoded.checkRequest() == null
                                || decoded.checkResponse() == null)
                        .isEqualTo(isGood(decoded));
            } catch (Http2Exception e) {
                assertThat(e.code()).isEqualTo(ErrorCode.COMPRESSION_ERROR);
                assertThat(e.streamId()).isZero();
            }
            assertThat(in.readableBytes()).isEqualTo(1);
            in.release();
        }
        assertThat(allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory())
                .isZero();
    }

    private static boolean isGood(HeaderBlock block) {
        return !block.malformed()
                && (block.pseudoCount() == 0 || block.checkRequest() == null || block.checkResponse() == null);
    }

    @Property(tries = 1000)
    void huffmanRoundTrips(@ForAll byte[] bytes) {
        byte[] encoded = new byte[Huffman.encodedLength(bytes)];
        assertThat(Huffman.encode(bytes, encoded)).isEqualTo(encoded.length);
        byte[] decoded = new byte[Huffman.maxDecodedLength(encoded.length)];
        int length = Huffman.decode(encoded, 0, encoded.length, decoded);
        assertThat(java.util.Arrays.copyOf(decoded, length)).isEqualTo(bytes);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static List<String> texts(HeaderBlock block) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < block.size(); i++) {
            texts.add(Header.text(block.name(i)) + "=" + Header.text(block.value(i)));
        }
        return texts;
    }

    private static List<String> texts(List<Field> fields) {
        return fields.stream().map(f -> f.name + "=" + f.value).toList();
    }
}
