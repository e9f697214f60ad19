package dev.caisson.rpc.http2;

import static dev.caisson.rpc.http2.ErrorCode.COMPRESSION_ERROR;
import static dev.caisson.rpc.http2.ErrorCode.ENHANCE_YOUR_CALM;
import static dev.caisson.rpc.http2.ErrorCode.FLOW_CONTROL_ERROR;
import static dev.caisson.rpc.http2.ErrorCode.FRAME_SIZE_ERROR;
import static dev.caisson.rpc.http2.ErrorCode.PROTOCOL_ERROR;
import static dev.caisson.rpc.http2.ErrorCode.REFUSED_STREAM;
import static dev.caisson.rpc.http2.ErrorCode.STREAM_CLOSED;
import static dev.caisson.rpc.http2.Frames.ACK;
import static dev.caisson.rpc.http2.Frames.CONTINUATION;
import static dev.caisson.rpc.http2.Frames.DATA;
import static dev.caisson.rpc.http2.Frames.END_HEADERS;
import static dev.caisson.rpc.http2.Frames.END_STREAM;
import static dev.caisson.rpc.http2.Frames.GOAWAY;
import static dev.caisson.rpc.http2.Frames.HEADERS;
import static dev.caisson.rpc.http2.Frames.PADDED;
import static dev.caisson.rpc.http2.Frames.PING;
import static dev.caisson.rpc.http2.Frames.PREFACE;
import static dev.caisson.rpc.http2.Frames.PRIORITY;
import static dev.caisson.rpc.http2.Frames.PUSH_PROMISE;
import static dev.caisson.rpc.http2.Frames.RST_STREAM;
import static dev.caisson.rpc.http2.Frames.SETTINGS;
import static dev.caisson.rpc.http2.Frames.WINDOW_UPDATE;
import static dev.caisson.rpc.http2.Frames.WITH_PRIORITY;
import static dev.caisson.rpc.http2.Frames.all;
import static dev.caisson.rpc.http2.Frames.announced;
import static dev.caisson.rpc.http2.Frames.block;
import static dev.caisson.rpc.http2.Frames.data;
import static dev.caisson.rpc.http2.Frames.frame;
import static dev.caisson.rpc.http2.Frames.headers;
import static dev.caisson.rpc.http2.Frames.hex;
import static dev.caisson.rpc.http2.Frames.ints;
import static dev.caisson.rpc.http2.Frames.request;
import static dev.caisson.rpc.http2.Frames.reset;
import static dev.caisson.rpc.http2.Frames.setting;
import static dev.caisson.rpc.http2.Frames.settings;
import static dev.caisson.rpc.http2.Frames.times;
import static dev.caisson.rpc.http2.Frames.windowUpdate;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.rpc.http2.Frames.Frame;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * RFC 9113, section by section: what breaks a rule, and the error it must give, of the connection or of the stream alone.
 * Each case runs whole and byte by byte.
 */
class Http2RulesTest {
    private static final byte[] HELLO = all(PREFACE, settings());
    private static final int MAX_FRAME = Http2Options.DEFAULT_FRAME_SIZE;

    private static Arguments server(String name, int code, byte[]... parts) {
        return Arguments.of(Named.of(name, all(parts)), code);
    }

    private static Arguments stream(String name, int id, int code, byte[]... parts) {
        return Arguments.of(Named.of(name, all(parts)), id, code);
    }

    // ---- connection errors of a server

    static Stream<Arguments> connectionErrors() {
        return Stream.of(
                server("3.4 another preface", PROTOCOL_ERROR, "GET / HTTP/1.1\r\n\r\n".getBytes(US_ASCII)),
                server(
                        "3.4 a preface wrong at its end",
                        PROTOCOL_ERROR,
                        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r".getBytes(US_ASCII)),
                server("3.4 PING before SETTINGS", PROTOCOL_ERROR, PREFACE, frame(PING, 0, 0, new byte[8])),
                server("3.4 SETTINGS acknowledged first", PROTOCOL_ERROR, PREFACE, frame(SETTINGS, ACK, 0)),
                server("3.4 HEADERS before SETTINGS", PROTOCOL_ERROR, PREFACE, request(1, true)),
                server(
                        "4.2 HEADERS larger than allowed",
                        FRAME_SIZE_ERROR,
                        HELLO,
                        announced(MAX_FRAME + 1, HEADERS, END_HEADERS, 1)),
                server(
                        "4.2 an unknown frame larger than allowed",
                        FRAME_SIZE_ERROR,
                        HELLO,
                        announced(1 << 23, 99, 0, 1)),
                server("4.3 a broken block", COMPRESSION_ERROR, HELLO, frame(HEADERS, END_HEADERS, 1, hex("80"))),
                server(
                        "4.3 a broken block behind CONTINUATION",
                        COMPRESSION_ERROR,
                        HELLO,
                        frame(HEADERS, 0, 1, hex("8386")),
                        frame(CONTINUATION, END_HEADERS, 1, hex("40"))),
                server(
                        "4.3 a broken block in trailers of a closed stream",
                        COMPRESSION_ERROR,
                        HELLO,
                        request(1, false),
                        reset(1, 8),
                        frame(HEADERS, END_HEADERS | END_STREAM, 1, hex("80"))),
                server("5.1 DATA on an idle stream", PROTOCOL_ERROR, HELLO, data(1, 1, false)),
                server("5.1 RST_STREAM on an idle stream", PROTOCOL_ERROR, HELLO, reset(1, 8)),
                server("5.1 WINDOW_UPDATE on an idle stream", PROTOCOL_ERROR, HELLO, windowUpdate(1, 100)),
                server(
                        "5.1 CONTINUATION on an idle stream",
                        PROTOCOL_ERROR,
                        HELLO,
                        frame(CONTINUATION, 4, 1, hex("83"))),
                server("5.1 DATA on an idle stream of ours", PROTOCOL_ERROR, HELLO, data(2, 1, false)),
                server("5.1.1 an even stream", PROTOCOL_ERROR, HELLO, request(2, true)),
                server("5.1.1 a lower number, never used", PROTOCOL_ERROR, HELLO, request(5, true), request(3, true)),
                server(
                        "5.5 an unknown frame inside a header block",
                        PROTOCOL_ERROR,
                        HELLO,
                        frame(HEADERS, 0, 1, block(":method: POST")),
                        frame(99, 0, 1)),
                server("6.1 DATA on stream 0", PROTOCOL_ERROR, HELLO, data(0, 1, false)),
                server(
                        "6.1 padding as long as the frame",
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false),
                        frame(DATA, PADDED, 1, hex("06 0000000000"))),
                server("6.1 padded and empty", FRAME_SIZE_ERROR, HELLO, request(1, false), frame(DATA, PADDED, 1)),
                server("6.2 HEADERS on stream 0", PROTOCOL_ERROR, HELLO, request(0, true)),
                server(
                        "6.2 padding longer than what is left",
                        PROTOCOL_ERROR,
                        HELLO,
                        frame(HEADERS, END_HEADERS | PADDED, 1, hex("04 838684"))),
                server("6.2 padded and empty", FRAME_SIZE_ERROR, HELLO, frame(HEADERS, END_HEADERS | PADDED, 1)),
                server(
                        "6.2 no room for the priority",
                        FRAME_SIZE_ERROR,
                        HELLO,
                        frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, hex("838684"))),
                server("6.3 PRIORITY on stream 0", PROTOCOL_ERROR, HELLO, frame(PRIORITY, 0, 0, new byte[5])),
                server("6.4 RST_STREAM on stream 0", PROTOCOL_ERROR, HELLO, reset(0, 8)),
                server(
                        "6.4 RST_STREAM of 3 bytes",
                        FRAME_SIZE_ERROR,
                        HELLO,
                        request(1, false),
                        frame(RST_STREAM, 0, 1, new byte[3])),
                server("6.5 SETTINGS on a stream", PROTOCOL_ERROR, HELLO, frame(SETTINGS, 0, 1)),
                server("6.5 SETTINGS of 5 bytes", FRAME_SIZE_ERROR, HELLO, frame(SETTINGS, 0, 0, new byte[5])),
                server(
                        "6.5 an acknowledgement that says more",
                        FRAME_SIZE_ERROR,
                        HELLO,
                        frame(SETTINGS, ACK, 0, new byte[6])),
                server("6.5.2 ENABLE_PUSH of 2", PROTOCOL_ERROR, HELLO, settings(setting(2, 2))),
                server("6.5.2 INITIAL_WINDOW_SIZE of 2^31", FLOW_CONTROL_ERROR, HELLO, settings(setting(4, 1L << 31))),
                server("6.5.2 MAX_FRAME_SIZE of 16383", PROTOCOL_ERROR, HELLO, settings(setting(5, 16383))),
                server("6.5.2 MAX_FRAME_SIZE of 2^24", PROTOCOL_ERROR, HELLO, settings(setting(5, 1 << 24))),
                server(
                        "6.6 PUSH_PROMISE",
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false),
                        frame(PUSH_PROMISE, 4, 1, ints(2))),
                server("6.7 PING on a stream", PROTOCOL_ERROR, HELLO, frame(PING, 0, 1, new byte[8])),
                server("6.7 PING of 7 bytes", FRAME_SIZE_ERROR, HELLO, frame(PING, 0, 0, new byte[7])),
                server("6.8 GOAWAY on a stream", PROTOCOL_ERROR, HELLO, frame(GOAWAY, 0, 1, new byte[8])),
                server("6.8 GOAWAY of 7 bytes", FRAME_SIZE_ERROR, HELLO, frame(GOAWAY, 0, 0, new byte[7])),
                server("6.9 WINDOW_UPDATE by 0", PROTOCOL_ERROR, HELLO, windowUpdate(0, 0)),
                server(
                        "6.9 WINDOW_UPDATE of 3 bytes",
                        FRAME_SIZE_ERROR,
                        HELLO,
                        frame(WINDOW_UPDATE, 0, 0, new byte[3])),
                server(
                        "6.9.1 a connection window past 2^31 - 1",
                        FLOW_CONTROL_ERROR,
                        HELLO,
                        windowUpdate(0, Integer.MAX_VALUE)),
                server(
                        "6.9.2 SETTINGS that push a stream's window past 2^31 - 1",
                        FLOW_CONTROL_ERROR,
                        HELLO,
                        request(1, false),
                        windowUpdate(1, 1 << 30),
                        settings(setting(4, Integer.MAX_VALUE))),
                server(
                        "6.10 CONTINUATION of nothing",
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false),
                        frame(CONTINUATION, 4, 1)),
                server(
                        "6.10 CONTINUATION of another stream",
                        PROTOCOL_ERROR,
                        HELLO,
                        frame(HEADERS, 0, 1, hex("8386")),
                        frame(CONTINUATION, 4, 3, hex("84"))),
                server(
                        "6.10 DATA inside a header block",
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false),
                        frame(HEADERS, END_STREAM, 1, hex("")),
                        data(1, 1, false)),
                server(
                        "6.10 HEADERS inside a header block",
                        PROTOCOL_ERROR,
                        HELLO,
                        frame(HEADERS, 0, 1),
                        request(3, true)),
                server(
                        "10.5 a header block in frames without end",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        frame(HEADERS, 0, 1),
                        times(Http2Options.MAX_CONTINUATIONS + 1, frame(CONTINUATION, 0, 1))),
                server(
                        "10.5 a header block in large frames without end",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        frame(HEADERS, 0, 1),
                        times(5, frame(CONTINUATION, 0, 1, new byte[MAX_FRAME]))),
                server(
                        "10.5 streams opened and reset",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        rapidReset(Http2Options.DEFAULT.maxResets() + 1)),
                server("10.5 SETTINGS", ENHANCE_YOUR_CALM, HELLO, times(tooManyIdleFrames(), settings())),
                server(
                        "10.5 PING",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        times(tooManyIdleFrames(), frame(PING, 0, 0, new byte[8]))),
                server(
                        "10.5 empty DATA",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        request(1, false),
                        times(tooManyIdleFrames(), data(1, 0, false))),
                server(
                        "10.5 DATA of padding alone",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        request(1, false),
                        times(tooManyIdleFrames(), frame(DATA, PADDED, 1, hex("00")))),
                server(
                        "10.5 PRIORITY",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        times(tooManyIdleFrames(), frame(PRIORITY, 0, 1, new byte[5]))),
                server("10.5 unknown frames", ENHANCE_YOUR_CALM, HELLO, times(tooManyIdleFrames(), frame(77, 0, 0))),
                server(
                        "10.5 WINDOW_UPDATE nobody needs",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        request(1, false),
                        times(tooManyIdleFrames(), windowUpdate(1, 1))),
                server(
                        "10.5 streams that make the server reset them (CVE-2025-8671)",
                        ENHANCE_YOUR_CALM,
                        HELLO,
                        madeYouReset(Http2Options.DEFAULT.maxResets() + 1)));
    }

    private static int tooManyIdleFrames() {
        return Http2Options.DEFAULT.maxIdleFrames() + 1;
    }

    private static byte[] rapidReset(int n) {
        byte[][] parts = new byte[2 * n][];
        for (int i = 0; i < n; i++) {
            parts[2 * i] = request(2 * i + 1, true);
            parts[2 * i + 1] = reset(2 * i + 1, ErrorCode.CANCEL);
        }
        return all(parts);
    }

    private static byte[] madeYouReset(int n) {
        byte[][] parts = new byte[2 * n][];
        for (int i = 0; i < n; i++) {
            parts[2 * i] = request(2 * i + 1, true);
            parts[2 * i + 1] = windowUpdate(2 * i + 1, 0);
        }
        return all(parts);
    }

    @ParameterizedTest
    @MethodSource("connectionErrors")
    void endsTheConnection(byte[] bytes, int code) {
        for (int piece : new int[] {Integer.MAX_VALUE, 1, 7}) {
            try (End server = End.server()) {
                server.connection.start();
                server.receiveInPieces(piece, bytes);
                List<Frame> frames = server.frames();
                Frame last = frames.getLast();
                assertThat(last.type()).as("last of %s", frames).isEqualTo(GOAWAY);
                assertThat(ErrorCode.name(last.intAt(4))).as("%s", last).isEqualTo(ErrorCode.name(code));
                assertThat(frames).filteredOn(f -> f.type() == GOAWAY).hasSize(1);
                assertThat(server.failure).isNotNull();
                assertThat(server.failure.streamId()).isZero();
                assertThat(server.failures).isEqualTo(1);
                assertThat(server.connection.running()).isFalse();
                assertThat(server.connection.openStreams()).isZero();
                server.accepted.values().forEach(s -> assertThat(s.closings).isEqualTo(1));
                server.receive(frame(PING, 0, 0, new byte[8]));
                assertThat(server.frames()).isEmpty();
                assertThat(server.leaked()).isZero();
            }
        }
    }

    // ---- stream errors of a server

    static Stream<Arguments> streamErrors() {
        byte[] open = all(HELLO, request(1, false));
        byte[] halfClosed = all(HELLO, request(1, true));
        return Stream.of(
                stream("5.1 DATA after END_STREAM", 1, STREAM_CLOSED, halfClosed, data(1, 1, false)),
                stream("5.1 HEADERS after END_STREAM", 1, STREAM_CLOSED, halfClosed, headers(1, true, "a: b")),
                stream("5.1 DATA after RST_STREAM", 1, STREAM_CLOSED, open, reset(1, 8), data(1, 1, false)),
                stream("5.1 HEADERS after RST_STREAM", 1, STREAM_CLOSED, open, reset(1, 8), headers(1, true, "a: b")),
                stream(
                        "5.1.2 one stream more than allowed",
                        2 * Http2Options.DEFAULT.maxConcurrentStreams() + 1,
                        REFUSED_STREAM,
                        HELLO,
                        openStreams(Http2Options.DEFAULT.maxConcurrentStreams() + 1)),
                stream("6.3 PRIORITY of 4 bytes", 1, FRAME_SIZE_ERROR, open, frame(PRIORITY, 0, 1, new byte[4])),
                stream("6.9 WINDOW_UPDATE by 0", 1, PROTOCOL_ERROR, open, windowUpdate(1, 0)),
                stream("6.9.1 a window past 2^31 - 1", 1, FLOW_CONTROL_ERROR, open, windowUpdate(1, Integer.MAX_VALUE)),
                stream("8.1 trailers that do not end", 1, PROTOCOL_ERROR, open, headers(1, false, "a: b")),
                stream("8.1 trailers with a pseudo-header", 1, PROTOCOL_ERROR, open, headers(1, true, ":path: /")),
                stream(
                        "8.1.1 less DATA than content-length",
                        1,
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false, "content-length: 5"),
                        data(1, 4, true)),
                stream(
                        "8.1.1 more DATA than content-length",
                        1,
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false, "content-length: 5"),
                        data(1, 3, false),
                        data(1, 3, false)),
                stream(
                        "8.1.1 content-length, then trailers",
                        1,
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, false, "content-length: 5"),
                        headers(1, true, "a: b")),
                stream(
                        "8.1.1 content-length and no DATA",
                        1,
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, true, "content-length: 5")),
                stream("8.1.1 no number", 1, PROTOCOL_ERROR, HELLO, request(1, false, "content-length: 1a")),
                stream("8.2.1 upper case", 1, PROTOCOL_ERROR, HELLO, request(1, true, "Upper: x")),
                stream("8.2.1 a value with a line feed", 1, PROTOCOL_ERROR, HELLO, request(1, true, "a: b\nc: d")),
                stream("8.2.2 connection", 1, PROTOCOL_ERROR, HELLO, request(1, true, "connection: close")),
                stream("8.2.2 te", 1, PROTOCOL_ERROR, HELLO, request(1, true, "te: gzip")),
                stream("8.3 an unknown pseudo-header", 1, PROTOCOL_ERROR, HELLO, request(1, true, ":x: y")),
                stream(
                        "8.3 a pseudo-header behind others",
                        1,
                        PROTOCOL_ERROR,
                        HELLO,
                        request(1, true, "a: b", ":authority: x")),
                stream("8.3 a pseudo-header twice", 1, PROTOCOL_ERROR, HELLO, request(1, true, ":path: /")),
                stream("8.3 a pseudo-header of responses", 1, PROTOCOL_ERROR, HELLO, request(1, true, ":status: 200")),
                stream("8.3.1 no :method", 1, PROTOCOL_ERROR, HELLO, headers(1, true, ":scheme: http", ":path: /")),
                stream("8.3.1 no :scheme", 1, PROTOCOL_ERROR, HELLO, headers(1, true, ":method: GET", ":path: /")),
                stream("8.3.1 no :path", 1, PROTOCOL_ERROR, HELLO, headers(1, true, ":method: GET", ":scheme: http")),
                stream(
                        "8.3.1 an empty :path",
                        1,
                        PROTOCOL_ERROR,
                        HELLO,
                        headers(1, true, ":method: GET", ":scheme: http", ":path: ")));
    }

    private static byte[] openStreams(int n) {
        byte[][] parts = new byte[n][];
        for (int i = 0; i < n; i++) {
            parts[i] = request(2 * i + 1, false);
        }
        return all(parts);
    }

    @ParameterizedTest
    @MethodSource("streamErrors")
    void endsTheStreamAlone(byte[] bytes, int id, int code) {
        for (int piece : new int[] {Integer.MAX_VALUE, 1}) {
            try (End server = End.server()) {
                server.connection.start();
                server.receiveInPieces(piece, bytes);
                List<Frame> frames = server.frames();
                assertThat(frames).filteredOn(f -> f.type() == GOAWAY).isEmpty();
                assertThat(frames)
                        .filteredOn(f -> f.type() == RST_STREAM)
                        .singleElement()
                        .satisfies(f -> {
                            assertThat(f.id()).isEqualTo(id);
                            assertThat(ErrorCode.name(f.intAt(0))).isEqualTo(ErrorCode.name(code));
                        });
                assertThat(server.failure).isNull();
                assertThat(server.connection.running()).isTrue();
                // and the connection goes on, its compression too
                int next = id + 2;
                if (server.connection.openStreams() < Http2Options.DEFAULT.maxConcurrentStreams()) {
                    server.receive(request(next, true));
                    assertThat(server.stream(next).ended).isTrue();
                }
            }
        }
    }

    // ---- what is no error

    static Stream<Arguments> allowed() {
        byte[] open = all(HELLO, request(1, false));
        return Stream.of(
                Arguments.of(
                        Named.of("5.1 PRIORITY on an idle stream", all(HELLO, frame(PRIORITY, 0, 3, new byte[5])))),
                Arguments.of(Named.of(
                        "5.1 PRIORITY on a closed stream", all(open, reset(1, 8), frame(PRIORITY, 0, 1, new byte[5])))),
                Arguments.of(
                        Named.of("5.1 WINDOW_UPDATE on a closed stream", all(open, reset(1, 8), windowUpdate(1, 1)))),
                Arguments.of(Named.of("5.1 RST_STREAM on a closed stream", all(open, reset(1, 8), reset(1, 8)))),
                Arguments.of(Named.of(
                        "5.1 WINDOW_UPDATE after END_STREAM", all(HELLO, request(1, true), windowUpdate(1, 1)))),
                Arguments.of(Named.of("5.5 an unknown frame", all(open, frame(99, 0xff, 1, new byte[100])))),
                Arguments.of(Named.of(
                        "5.5 an unknown flag",
                        all(HELLO, frame(HEADERS, 0xff & ~(PADDED | WITH_PRIORITY), 1, hex("838684"))))),
                Arguments.of(Named.of("4.1 the reserved bit", all(HELLO, frame(PING, ACK, 0x80000000, new byte[8])))),
                Arguments.of(Named.of("6.1 empty DATA that ends", all(open, data(1, 0, true)))),
                Arguments.of(
                        Named.of("6.1 padding", all(open, frame(DATA, PADDED | END_STREAM, 1, hex("03 6162 000000"))))),
                Arguments.of(Named.of(
                        "6.2 padding and priority",
                        all(
                                HELLO,
                                frame(
                                        HEADERS,
                                        END_HEADERS | PADDED | WITH_PRIORITY,
                                        1,
                                        hex("02 0000000310 838684 0000"))))),
                Arguments.of(Named.of(
                        "6.2 a header block in pieces",
                        all(
                                HELLO,
                                frame(HEADERS, 0, 1, hex("83")),
                                frame(CONTINUATION, 0, 1),
                                frame(CONTINUATION, END_HEADERS, 1, hex("8684"))))),
                Arguments.of(Named.of("6.4 an unknown error code", all(open, reset(1, 0x12345678)))),
                Arguments.of(Named.of(
                        "6.5 unknown settings", all(HELLO, settings(setting(0x99, 7), setting(4, 1 << 20))))),
                Arguments.of(Named.of(
                        "6.5 the last of equal settings counts",
                        all(HELLO, settings(setting(4, 1), setting(4, 65535))))),
                Arguments.of(Named.of(
                        "6.8 GOAWAY with a text",
                        all(HELLO, frame(GOAWAY, 0, 0, all(ints(0, 0), "bye".getBytes(US_ASCII)))))),
                Arguments.of(Named.of(
                        "8.1.1 DATA as announced",
                        all(HELLO, request(1, false, "content-length: 5"), data(1, 2, false), data(1, 3, true)))),
                Arguments.of(Named.of("8.1 trailers", all(open, data(1, 2, false), headers(1, true, "a: b")))),
                Arguments.of(Named.of("8.2.2 te: trailers", all(HELLO, request(1, true, "te: trailers")))));
    }

    @ParameterizedTest
    @MethodSource("allowed")
    void isNoError(byte[] bytes) {
        for (int piece : new int[] {Integer.MAX_VALUE, 1}) {
            try (End server = End.server()) {
                server.connection.start();
                server.receiveInPieces(piece, bytes);
                assertThat(server.frames()).extracting(Frame::type).doesNotContain(GOAWAY, RST_STREAM);
                assertThat(server.connection.running()).isTrue();
                server.receive(request(21, true));
                assertThat(server.stream(21).ended).isTrue();
            }
        }
    }

    // ---- a client

    static Stream<Arguments> clientConnectionErrors() {
        return Stream.of(
                server("3.4 PING before SETTINGS", PROTOCOL_ERROR, frame(PING, 0, 0, new byte[8])),
                server("3.4 HTTP/1.1", FRAME_SIZE_ERROR, "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(US_ASCII)),
                server(
                        "5.1 HEADERS on a stream of the server's",
                        PROTOCOL_ERROR,
                        settings(),
                        headers(2, true, ":status: 200")),
                server("5.1 HEADERS on an idle stream", PROTOCOL_ERROR, settings(), headers(3, true, ":status: 200")),
                server("5.1 DATA on an idle stream", PROTOCOL_ERROR, settings(), data(3, 1, false)),
                server("6.5.2 a server that would push", PROTOCOL_ERROR, settings(setting(2, 1))),
                server("6.6 PUSH_PROMISE", PROTOCOL_ERROR, settings(), frame(PUSH_PROMISE, 4, 1, ints(2))));
    }

    @ParameterizedTest
    @MethodSource("clientConnectionErrors")
    void endsTheConnectionOfAClient(byte[] bytes, int code) {
        try (End client = End.client()) {
            client.connection.start();
            End.Recorded stream = client.newStream();
            client.connection.open(stream, (encoder, out) -> out.writeBytes(block(":method: GET")), false);
            client.receive(bytes);
            Frame last = Frames.read(client.take(), true).getLast();
            assertThat(last.type()).isEqualTo(GOAWAY);
            assertThat(ErrorCode.name(last.intAt(4))).isEqualTo(ErrorCode.name(code));
            assertThat(stream.closings).isEqualTo(1);
            assertThat(stream.resets).isEqualTo(1);
        }
    }

    static Stream<Arguments> clientStreamErrors() {
        return Stream.of(
                server("8.1 DATA before HEADERS", PROTOCOL_ERROR, data(1, 1, false)),
                server("8.1 informational and the end", PROTOCOL_ERROR, headers(1, true, ":status: 103")),
                server("8.3.2 no :status", PROTOCOL_ERROR, headers(1, false, "a: b")),
                server("8.3.2 :path", PROTOCOL_ERROR, headers(1, false, ":status: 200", ":path: /")),
                server("8.3.2 no number", PROTOCOL_ERROR, headers(1, false, ":status: ok")),
                server(
                        "8.1 trailers with :status",
                        PROTOCOL_ERROR,
                        headers(1, false, ":status: 200"),
                        headers(1, true, ":status: 200")),
                server(
                        "8.1 headers in the middle",
                        PROTOCOL_ERROR,
                        headers(1, false, ":status: 200"),
                        headers(1, false, "a: b")),
                server(
                        "5.1 DATA after END_STREAM",
                        STREAM_CLOSED,
                        headers(1, true, ":status: 200"),
                        data(1, 1, false)));
    }

    @ParameterizedTest
    @MethodSource("clientStreamErrors")
    void endsTheStreamOfAClient(byte[] bytes, int code) {
        try (End client = End.client()) {
            client.connection.start();
            End.Recorded stream = client.newStream();
            client.connection.open(stream, (encoder, out) -> out.writeBytes(block(":method: GET")), false);
            client.receive(settings(), bytes);
            Frame last = Frames.read(client.take(), true).getLast();
            assertThat(last.type()).isEqualTo(RST_STREAM);
            assertThat(ErrorCode.name(last.intAt(0))).isEqualTo(ErrorCode.name(code));
            assertThat(client.connection.running()).isTrue();
            assertThat(client.connection.openStreams()).isZero();
        }
    }
}
