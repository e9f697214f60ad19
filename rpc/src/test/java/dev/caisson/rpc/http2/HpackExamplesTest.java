package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The examples of RFC 7541, appendix C. */
class HpackExamplesTest {
    private static final List<List<String>> REQUESTS = List.of(
            List.of(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"),
            List.of(
                    ":method: GET",
                    ":scheme: http",
                    ":path: /",
                    ":authority: www.example.com",
                    "cache-control: no-cache"),
            List.of(
                    ":method: GET",
                    ":scheme: https",
                    ":path: /index.html",
                    ":authority: www.example.com",
                    "custom-key: custom-value"));

    private static final List<List<String>> RESPONSES = List.of(
            List.of(
                    ":status: 302",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:21 GMT",
                    "location: https://www.example.com"),
            List.of(
                    ":status: 307",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:21 GMT",
                    "location: https://www.example.com"),
            List.of(
                    ":status: 200",
                    "cache-control: private",
                    "date: Mon, 21 Oct 2013 20:13:22 GMT",
                    "location: https://www.example.com",
                    "content-encoding: gzip",
                    "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"));

    @Test
    void c1IntegersOfAnyPrefix() throws Exception {
        // 1337 with a 5-bit prefix (C.1.2), as a table size update; 10 (C.1.1) likewise
        HpackDecoder decoder = new HpackDecoder(1337, 4096);
        assertThat(decode(decoder, "3f9a0a")).isEmpty();
        assertThat(decode(decoder, "2a")).isEmpty();
        ByteBuf out = Unpooled.buffer();
        HpackEncoder encoder = new HpackEncoder(1337);
        encoder.begin(out);
        assertThat(ByteBufUtil.hexDump(out)).isEqualTo("3f9a0a");
    }

    @Test
    void c2LiteralsOfEachKind() throws Exception {
        assertThat(decode(newDecoder(4096), "400a637573746f6d2d6b65790d637573746f6d2d686561646572"))
                .containsExactly("custom-key: custom-header");
        assertThat(decode(newDecoder(4096), "040c2f73616d706c652f70617468")).containsExactly(":path: /sample/path");
        assertThat(decode(newDecoder(4096), "100870617373776f726406736563726574"))
                .containsExactly("password: secret");
        assertThat(decode(newDecoder(4096), "82")).containsExactly(":method: GET");
    }

    @Test
    void c3RequestsWithoutHuffman() throws Exception {
        decodeInTurn(
                4096,
                REQUESTS,
                "828684410f7777772e6578616d706c652e636f6d",
                "828684be58086e6f2d6361636865",
                "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565");
    }

    @Test
    void c4RequestsWithHuffmanBothWays() throws Exception {
        String[] blocks = {
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"
        };
        decodeInTurn(4096, REQUESTS, blocks);
        HpackEncoder encoder = new HpackEncoder(4096);
        for (int i = 0; i < blocks.length; i++) {
            assertThat(encode(encoder, REQUESTS.get(i))).isEqualTo(blocks[i]);
        }
    }

    @Test
    void c5ResponsesWithoutHuffmanAndWithEviction() throws Exception {
        decodeInTurn(
                256,
                RESPONSES,
                "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e17687474"
                        + "70733a2f2f7777772e6578616d706c652e636f6d",
                "4803333037c1c0bf",
                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a"
                        + "4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31");
    }

    @Test
    void c6ResponsesWithHuffmanAndEvictionBothWays() throws Exception {
        String[] blocks = {
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae"
                    + "43d3",
            "4883640effc1c0bf",
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af"
                    + "27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"
        };
        decodeInTurn(256, RESPONSES, blocks);
        HpackEncoder encoder = new HpackEncoder(256);
        encoder.begin(Unpooled.buffer()); // the size is agreed on in the example
        assertThat(encode(encoder, RESPONSES.get(0))).isEqualTo(blocks[0]);
        // "307" is as long in Huffman code as without; the example codes it all the same, ours only what gets shorter.
        assertThat(encode(encoder, RESPONSES.get(1))).isEqualTo("4803333037c1c0bf");
        // The third block of the example indexes a cookie; ours never does (section 7.1.3), so it ends otherwise.
        String beforeCookie = blocks[2].substring(0, blocks[2].indexOf("77ad94e7"));
        assertThat(encode(encoder, RESPONSES.get(2))).startsWith(beforeCookie + "1f28ad94e7");
    }

    private static void decodeInTurn(int tableSize, List<List<String>> lists, String... blocks) throws Exception {
        HpackDecoder decoder = newDecoder(tableSize);
        for (int i = 0; i < blocks.length; i++) {
            assertThat(decode(decoder, blocks[i])).isEqualTo(lists.get(i));
        }
    }

    private static HpackDecoder newDecoder(int tableSize) {
        return new HpackDecoder(tableSize, 4096);
    }

    private static List<String> decode(HpackDecoder decoder, String hex) throws Http2Exception {
        ByteBuf in = Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex));
        HeaderBlock block = decoder.decode(in, in.readableBytes());
        assertThat(in.readableBytes()).isZero();
        List<String> fields = new ArrayList<>();
        for (int i = 0; i < block.size(); i++) {
            fields.add(Header.text(block.name(i)) + ": " + Header.text(block.value(i)));
        }
        return fields;
    }

    private static String encode(HpackEncoder encoder, List<String> fields) {
        ByteBuf out = Unpooled.buffer();
        for (String field : fields) {
            int colon = field.indexOf(": ", 1);
            encoder.encode(
                    out,
                    field.substring(0, colon).getBytes(ISO_8859_1),
                    field.substring(colon + 2).getBytes(ISO_8859_1),
                    true);
        }
        return ByteBufUtil.hexDump(out);
    }
}
