package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.caisson.rpc.http2.Header;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HpackDecoder;
import dev.caisson.rpc.http2.HpackEncoder;
import dev.caisson.rpc.http2.Http2Exception;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Decoding the header block of a gRPC request as nghttp2 sends it (no field enters the dynamic table), beside Netty's
 * decoder. {@code main} takes JMH's arguments and prints the ratios of what was measured in the same run.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xmx512m", "-XX:+UseSerialGC"})
@State(Scope.Thread)
public class HpackBench {
    private static final int BLOCKS =
            1 << 10; // far more than either cache holds, few enough to stay in the processor's
    private static final int MAX_LIST_BYTES = 8192;

    /** What is different from block to block: nothing, a deadline header, or a path nobody asked for before. */
    @Param({"nothing", "timeout", "path"})
    public String varies = "nothing";

    private final HpackDecoder ours = new HpackDecoder(4096, MAX_LIST_BYTES);
    private final DefaultHttp2HeadersDecoder netty = new DefaultHttp2HeadersDecoder(false, MAX_LIST_BYTES);
    private ByteBuf[] blocks = {};
    private int next;

    @Benchmark
    public HeaderBlock caisson() throws Http2Exception {
        ByteBuf block = nextBlock();
        return ours.decode(block, block.readableBytes());
    }

    @Benchmark
    public Http2Headers netty() throws io.netty.handler.codec.http2.Http2Exception {
        return netty.decodeHeaders(1, nextBlock());
    }

    private ByteBuf nextBlock() {
        if (blocks.length == 0) {
            blocks = encode(varies);
        }
        ByteBuf block = blocks[next++ & (blocks.length - 1)];
        block.readerIndex(0);
        return block;
    }

    private static ByteBuf[] encode(String varies) {
        ByteBuf[] blocks = new ByteBuf[varies.equals("nothing") ? 1 : BLOCKS];
        HpackEncoder encoder = new HpackEncoder(4096);
        for (int i = 0; i < blocks.length; i++) {
            ByteBuf out = Unpooled.directBuffer(128);
            String path = "/helloworld.Greeter/SayHello" + (varies.equals("path") ? i : "");
            String timeout = varies.equals("timeout") ? 9_900_000 + i + "u" : "10S";
            encoder.encode(out, Header.METHOD, bytes("POST"), false);
            encoder.encode(out, Header.SCHEME, bytes("http"), false);
            encoder.encode(out, Header.PATH, bytes(path), false);
            encoder.encode(out, Header.AUTHORITY, bytes("127.0.0.1:50051"), false);
            encoder.encode(out, Header.CONTENT_TYPE, bytes("application/grpc"), false);
            encoder.encode(out, Header.TE, bytes("trailers"), false);
            encoder.encode(out, Header.GRPC_TIMEOUT, bytes(timeout), false);
            encoder.encode(out, Header.USER_AGENT, bytes("h2load nghttp2/1.52.0"), false);
            blocks[i] = out;
        }
        return blocks;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    /** Runs the benchmarks of this class. */
    public static void main(String[] args) throws Exception {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .parent(new CommandLineOptions(args))
                        .include(HpackBench.class.getName())
                        .build())
                .run();
        Map<String, Double> nanos = new TreeMap<>();
        for (RunResult result : results) {
            nanos.put(
                    result.getParams().getParam("varies") + " "
                            + result.getPrimaryResult().getLabel(),
                    result.getPrimaryResult().getScore());
        }
        for (String varies : new String[] {"nothing", "timeout", "path"}) {
            Double caisson = nanos.get(varies + " caisson");
            Double netty = nanos.get(varies + " netty");
            if (caisson != null && netty != null) {
                System.out.printf(
                        "%-8s varies: caisson %6.1f ns, netty %6.1f ns, ratio %.2f%n",
                        varies, caisson, netty, caisson / netty);
            }
        }
    }
}
