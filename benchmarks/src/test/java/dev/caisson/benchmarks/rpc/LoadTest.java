package dev.caisson.benchmarks.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class LoadTest {
    @Test
    void laterRequestsSayWhatTheFirstSaidButForTheDeadline() throws Exception {
        DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder();
        Http2Headers first = decoder.decodeHeaders(1, Unpooled.wrappedBuffer(HeaderBlocks.first("/a.B/C")));
        assertThat(first.path()).hasToString("/a.B/C");
        assertThat(first.get("te")).hasToString("trailers");
        assertThat(first.get("caller")).hasToString("bench");
        assertThat(first.get("grpc-timeout")).hasToString("30S");
        int stream = 3;
        for (byte[] block : HeaderBlocks.later()) {
            Http2Headers later = decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(block));
            stream += 2;
            assertThat(later.getAndRemove("grpc-timeout").toString()).matches("\\d{8}u");
            assertThat(later).hasSize(first.size() - 1);
            later.forEach(header -> assertThat(first.get(header.getKey()))
                    .hasToString(header.getValue().toString()));
        }
    }

    @Test
    void readsReplyHeadersByTheTableOfTheirConnection() throws Exception {
        ReplyHeaders headers = new ReplyHeaders();
        byte[] status200 = {(byte) 0x88};
        // Literal with indexing "grpc-status: 0" enters the table; then its index says the same.
        byte[] ok = HexFormat.of().parseHex("400b677270632d7374617475730130");
        byte[] okByIndex = {(byte) 0xbe};
        byte[] notFound = HexFormat.of().parseHex("400b677270632d7374617475730135");
        assertThat(headers.read(status200, 0, 1)).isEqualTo(ReplyHeaders.OK_200);
        assertThat(headers.read(ok, 0, ok.length)).isEqualTo(ReplyHeaders.GRPC_OK);
        assertThat(headers.read(okByIndex, 0, 1)).isEqualTo(ReplyHeaders.GRPC_OK);
        assertThat(headers.read(okByIndex, 0, 1)).isEqualTo(ReplyHeaders.GRPC_OK);
        assertThat(headers.read(notFound, 0, notFound.length)).isZero();
        assertThat(headers.read(okByIndex, 0, 1))
                .as("index 62 now names status 5")
                .isZero();
        assertThat(headers.read(status200, 0, 1)).isEqualTo(ReplyHeaders.OK_200);
    }

    @Test
    void percentilesAreWithinABucket() {
        Latencies latencies = new Latencies();
        for (int micros = 1; micros <= 1_000; micros++) {
            latencies.add(micros * 1_000L);
        }
        assertThat((double) latencies.percentile(0.5)).isCloseTo(500_000, within(35_000.0));
        assertThat((double) latencies.percentile(0.99)).isCloseTo(990_000, within(70_000.0));
        latencies.clear();
        assertThat(latencies.percentile(0.5)).isZero();
    }
}
