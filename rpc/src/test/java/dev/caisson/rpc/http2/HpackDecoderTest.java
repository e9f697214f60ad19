package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("ReferenceEquality") // which object it is, is the point
class HpackDecoderTest {
    private final HpackDecoder decoder = new HpackDecoder(4096, 8192);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "80 | index 0",
                "be | beyond the table",
                "ff8001 | beyond the table",
                "ffffffffff07 | beyond 2^31", // 2^31 - 1 + 127 is past an int
                "ffffffffffff | beyond 2^31",
                "ff8080808080808001 | beyond 2^31",
                "40 | ends inside",
                "4001 | string of 1 bytes",
                "400161 | ends inside",
                "40016105 | string of 5 bytes",
                "400081ff | Huffman", // a whole byte of padding
                "40016184ffffffff | Huffman", // the end-of-string symbol
                "40016181f0 | Huffman", // padding of zeros
                "823f00 | behind a field",
                "3fe21f | was allowed", // 4097
                "7f | ends inside",
            })
    void whatBreaksTheCompressionEndsTheConnection(String hex, String reason) {
        Http2Exception e = fails(hex);
        assertThat(e.code()).isEqualTo(ErrorCode.COMPRESSION_ERROR);
        assertThat(e.streamId()).isZero();
        assertThat(e).hasMessageContaining(reason);
        assertThat(e.getStackTrace()).isEmpty();
    }

    @Test
    void errorsNameWhatWasWrong() {
        assertThat(fails("80")).hasMessage("COMPRESSION_ERROR: header block: index 0 (RFC 7541, 6.1)");
        assertThat(fails("3fe21f")).hasMessageContaining("a table size of 4097 where 4096 was allowed");
    }

    @Test
    void aBlockThatComesAThirdTimeIsTheSameObject() throws Exception {
        byte[] path = "/helloworld.Greeter/SayHello".getBytes(ISO_8859_1);
        ByteBuf wire = Unpooled.buffer();
        new HpackEncoder(4096).encode(wire, Header.PATH, path, false);
        String block = "8386" + ByteBufUtil.hexDump(wire);
        HeaderBlock first = decode(block);
        HeaderBlock second = decode(block);
        HeaderBlock third = decode(block);
        assertThat(second).isNotSameAs(first);
        assertThat(third).isSameAs(second);
        assertThat(third.value(Header.PATH)).isEqualTo(path);
    }

    @Test
    void aCachedBlockIsNotUsedAfterTheTableChanged() throws Exception {
        decode("40016101 31".replace(" ", "")); // a: 1 enters the table
        assertThat(decode("be").toString()).isEqualTo("[a: 1]");
        assertThat(decode("be").toString()).isEqualTo("[a: 1]");
        assertThat(decode("be")).isSameAs(decode("be"));
        decode("4001620132"); // b: 2 is the newest now
        assertThat(decode("be").toString()).isEqualTo("[b: 2]");
        decode("20"); // empties the table
        assertThat(fails("be")).hasMessageContaining("index 62 beyond");
    }

    @Test
    void aCachedBlockOfStaticEntriesOutlivesChangesOfTheTable() throws Exception {
        decode("8386");
        HeaderBlock cached = decode("8386");
        decode("4001610131");
        assertThat(decode("8386")).isSameAs(cached);
    }

    @Test
    void whatNeverComesAgainIsNotKeptButRepeatedStringsAre() throws Exception {
        HeaderBlock one = decode("000378787803616161");
        HeaderBlock two = decode("00037878780361616182");
        HeaderBlock three = decode("00037878780361616183");
        assertThat(two.value(0)).isNotSameAs(one.value(0));
        assertThat(three.value(0)).isSameAs(two.value(0));
        assertThat(three.name(0)).isSameAs(two.name(0));
    }

    @Test
    void theFewStringsOfAConnectionFindRoomBesideEachOther() throws Exception {
        Random random = new Random(42);
        int remembered = 0;
        for (int connection = 0; connection < 200; connection++) {
            HpackDecoder fresh = new HpackDecoder(4096, 8192);
            ByteBuf fields = Unpooled.buffer();
            HpackEncoder encoder = new HpackEncoder(4096);
            for (int i = 0; i < 5; i++) {
                byte[] name = ("name-" + random.nextInt(1_000_000)).getBytes(ISO_8859_1);
                byte[] value = ("value " + random.nextInt(1_000_000)).getBytes(ISO_8859_1);
                encoder.encode(fields, name, value, false);
            }
            HeaderBlock before = HeaderBlock.of();
            for (String end : new String[] {"83", "84", "85", "86"}) { // so that no two blocks are the same
                HeaderBlock block = decode(fresh, end + ByteBufUtil.hexDump(fields));
                for (int i = 1; end.equals("86") && i <= 5; i++) {
                    remembered += block.name(i) == before.name(i) ? 1 : 0;
                    remembered += block.value(i) == before.value(i) ? 1 : 0;
                }
                before = block;
            }
        }
        assertThat(remembered).isGreaterThan(1_980); // of 2,000: five in one set of four are rare
    }

    @Test
    void wellKnownNamesAreTheConstants() throws Exception {
        HeaderBlock block = decode("000b677270632d737461747573" + "0130"); // grpc-status: 0, written out
        assertThat(block.name(0)).isSameAs(Header.GRPC_STATUS);
        assertThat(block.value(Header.GRPC_STATUS)).asString().isEqualTo("0");
        assertThat(decode("84").name(0)).isSameAs(Header.PATH);
    }

    @Test
    void aListBeyondTheLimitIsCutButTheTableStaysRight() throws Exception {
        HpackDecoder small = new HpackDecoder(4096, 100);
        HeaderBlock block = decode(small, "4001610131" + "4001620132" + "4001630133" + "0001640134" + "4001650135");
        assertThat(block.tooLarge()).isTrue();
        assertThat(block.toString()).isEqualTo("[a: 1, b: 2, ...]");
        assertThat(decode(small, "be").toString()).isEqualTo("[e: 5]");
        assertThat(decode(small, "c1").toString()).isEqualTo("[a: 1]");
        assertThat(decode(small, "be").tooLarge()).isFalse();
    }

    @Test
    void aBombOfReferencesIsCutAtTheLimit() throws Exception {
        StringBuilder bomb = new StringBuilder("400161" + "7f8119" + "78".repeat(3328)); // a 3.3 kB value in the table
        bomb.append("be".repeat(4000)); // and 13 MB of references to it
        HeaderBlock block = decode(bomb.toString());
        assertThat(block.tooLarge()).isTrue();
        assertThat(block.size()).isEqualTo(2);
        assertThat(block.listSize()).isGreaterThan(8192);
        assertThat(decode("be").size()).isEqualTo(1);
    }

    @Test
    void aLoweredTableSizeMustBeConfirmedByTheNextBlock() throws Exception {
        decode("82");
        decode("82");
        decode("82"); // cached by now
        decoder.maxTableSize(100);
        assertThat(fails("82")).hasMessageContaining("no table size update after the size was lowered to 100");
        HpackDecoder other = new HpackDecoder(4096, 8192);
        other.maxTableSize(100);
        assertThat(decode(other, "3f4582").size()).isEqualTo(1);
        assertThat(decode(other, "82").size()).isEqualTo(1);
    }

    @Test
    void anEntryLargerThanTheTableEmptiesIt() throws Exception {
        HpackDecoder small = new HpackDecoder(64, 8192);
        decode(small, "4001610131");
        assertThat(decode(small, "be").toString()).isEqualTo("[a: 1]");
        HeaderBlock block = decode(small, "400162" + "7f01" + "32".repeat(128));
        assertThat(block.value(0)).hasSize(128);
        Http2Exception e = catchThrowableOfType(Http2Exception.class, () -> decode(small, "be"));
        assertThat(e.code()).isEqualTo(ErrorCode.COMPRESSION_ERROR);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Upper: x", "sp ace: x", ": x", ":unknown: x", "a\u00e9: x", "connection: close",
                        "transfer-encoding: chunked",
                "upgrade: h2c", "keep-alive: 5", "proxy-connection: x", "te: gzip", "x: a\u0000b", "x: a\nb", "x: a\rb",
                "a:b: x"
            })
    void fieldsThatHttp2ForbidsMakeTheMessageMalformed(String field) throws Exception {
        int colon = field.indexOf(": ");
        byte[] name = field.substring(0, colon).getBytes(ISO_8859_1);
        byte[] value = field.substring(colon + 2).getBytes(ISO_8859_1);
        for (boolean index : new boolean[] {false, true, true}) { // as a literal, an insertion, a reference
            ByteBuf wire = Unpooled.buffer();
            new HpackEncoder(4096).encode(wire, name, value, index);
            HeaderBlock block = decoder.decode(wire, wire.readableBytes());
            assertThat(block.malformed()).isTrue();
            assertThat(block.malformedReason()).contains("RFC 9113, 8.").doesNotContain("\n", "\u00e9");
            assertThat(block.checkRequest()).isEqualTo(block.malformedReason());
        }
        assertThat(HeaderBlock.of(name, value).malformed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"te: trailers", "te: Trailers", "x-bin: \u00ff\u0001", "grpc-message:  two spaces ", "x: "})
    void fieldsThatAreAllowedPass(String field) {
        int colon = field.indexOf(": ");
        HeaderBlock block = HeaderBlock.of(
                field.substring(0, colon).getBytes(ISO_8859_1),
                field.substring(colon + 2).getBytes(ISO_8859_1));
        assertThat(block.malformedReason()).isEmpty();
        assertThat(block.checkTrailers()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "83 86 84            | -",
                "83 86 84 01 01 61   | -", // with :authority
                "83 86               | a request without :scheme or :path",
                "86 84               | a request without :method",
                "83 84               | a request without :scheme",
                "83 86 04 00         | a request with an empty :path",
                "83 86 84 88         | a request with :status",
                "83 83 86 84         | a pseudo-header twice",
                "83 86 84 0f 01 01 61 84 | a pseudo-header after a regular field",
                "02 07 43 4f 4e 4e 45 43 54 01 01 61 | -", // CONNECT
                "02 07 43 4f 4e 4e 45 43 54 84 | CONNECT takes :authority",
            })
    void headsOfRequests(String hex, String problem) throws Exception {
        HeaderBlock block = decode(hex.replace(" ", ""));
        if (problem == null) {
            assertThat(block.checkRequest()).isNull();
        } else {
            assertThat(block.checkRequest()).startsWith(problem);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "88          | -                    | 200",
                "8d          | -                    | 404",
                "08 03 39 39 39 | -                 | 999",
                "08 02 32 30 | a :status that is not | -1",
                "08 03 30 39 39 | a :status that is not | -1",
                "08 03 32 30 61 | a :status that is not | -1",
                "00 01 61 01 62 | a response takes   | -1",
                "88 83       | a response takes      | 200",
            })
    void headsOfResponses(String hex, String problem, int status) throws Exception {
        HeaderBlock block = decode(hex.replace(" ", ""));
        assertThat(block.status()).isEqualTo(status);
        if (problem == null) {
            assertThat(block.checkResponse()).isNull();
            assertThat(block.checkTrailers()).startsWith("trailers with a pseudo-header");
        } else {
            assertThat(block.checkResponse()).startsWith(problem);
        }
    }

    @Test
    void metadataIsAllButThePseudoHeaders() throws Exception {
        HeaderBlock block = decode("838684" + "0001610131" + "0001620132");
        assertThat(block.pseudoCount()).isEqualTo(3);
        assertThat(block.metadata()).hasDimensions(4, 1);
        assertThat(block.metadata()[2]).asString().isEqualTo("b");
        assertThat(block.metadata()).isSameAs(block.metadata());
        block.attachment("kept");
        assertThat(block.attachment()).isEqualTo("kept");
    }

    private HeaderBlock decode(String hex) throws Http2Exception {
        return decode(decoder, hex);
    }

    private static HeaderBlock decode(HpackDecoder decoder, String hex) throws Http2Exception {
        ByteBuf in = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex));
        return decoder.decode(in, in.readableBytes());
    }

    private Http2Exception fails(String hex) {
        return catchThrowableOfType(Http2Exception.class, () -> decode(hex));
    }
}
