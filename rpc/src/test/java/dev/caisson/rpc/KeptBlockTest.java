package dev.caisson.rpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.rpc.http2.HpackDecoder;
import dev.caisson.rpc.http2.HpackEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class KeptBlockTest {
    private final HpackEncoder encoder = new HpackEncoder(4096);
    private final HpackDecoder decoder = new HpackDecoder(4096, 1 << 16);
    private final AtomicInteger encodings = new AtomicInteger();
    private final KeptBlock block = new KeptBlock((to, out) -> {
        encodings.incrementAndGet();
        to.encode(out, "name".getBytes(US_ASCII), "value".getBytes(US_ASCII), true);
        to.encode(out, "other".getBytes(US_ASCII), "not indexed".getBytes(US_ASCII), false);
    });

    private String sent() throws Exception {
        ByteBuf out = Unpooled.buffer();
        block.write(encoder, out);
        return decoder.decode(out, out.readableBytes()).toString();
    }

    @Test
    void isEncodedOnlyUntilTheTableKnowsItsFields() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(sent()).isEqualTo("[name: value, other: not indexed]");
        }
        assertThat(encodings).hasValue(2);
    }

    /** Other fields come and push it out, the table grows and shrinks: the other end reads the same. */
    @RepeatedTest(20)
    void isTheSameListWhateverHappensToTheTable(RepetitionInfo repetition) throws Exception {
        long seed = 0xca1550L + repetition.getCurrentRepetition();
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    ByteBuf out = Unpooled.buffer();
                    byte[] name = ("field-" + random.nextInt(100)).getBytes(US_ASCII);
                    encoder.encode(out, name, new byte[random.nextInt(200)], true);
                    decoder.decode(out, out.readableBytes());
                }
                case 1 -> encoder.peerTableSize(random.nextInt(5) * 512L);
                default -> assertThat(sent()).as("seed " + seed).isEqualTo("[name: value, other: not indexed]");
            }
        }
    }
}
