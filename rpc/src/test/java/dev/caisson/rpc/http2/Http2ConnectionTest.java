package dev.caisson.rpc.http2;

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
import static dev.caisson.rpc.http2.Frames.RST_STREAM;
import static dev.caisson.rpc.http2.Frames.SETTINGS;
import static dev.caisson.rpc.http2.Frames.WINDOW_UPDATE;
import static dev.caisson.rpc.http2.Frames.all;
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
import io.netty.buffer.ByteBuf;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What one end of a connection does, frame by frame. */
class Http2ConnectionTest {
    private static final byte[] HELLO = all(PREFACE, settings());
    private static final HeaderWriter OK = (encoder, out) -> out.writeBytes(block(":status: 200"));
    private static final HeaderWriter TRAILERS = (encoder, out) -> out.writeBytes(block("grpc-status: 0"));
    private static final HeaderWriter POST =
            (encoder, out) -> out.writeBytes(block(":method: POST", ":scheme: http", ":path: /a.B/C"));

    @Test
    void aServerAcknowledgesSettingsAndAnswersPing() {
        try (End server = End.server()) {
            server.connection.start();
            assertThat(server.frames()).first().extracting(Frame::type).isEqualTo(SETTINGS);
            server.receive(HELLO, frame(PING, 0, 0, hex("0102030405060708")), frame(PING, ACK, 0, new byte[8]));
            assertThat(server.frames())
                    .containsExactly(new Frame(SETTINGS, ACK, 0, ""), new Frame(PING, ACK, 0, "0102030405060708"));
            assertThat(server.events).containsExactly("pong 0");
        }
    }

    @Test
    void aClientSendsThePrefaceAndSaysThatItTakesNoPush() {
        try (End client = End.client()) {
            client.connection.start();
            Frame settings = Frames.read(client.take(), true).getFirst();
            assertThat(settings.hex()).contains("000200000000");
        }
    }

    @Test
    void oneCallFromHeadersToTrailers() {
        try (End server = opened()) {
            server.receive(request(1, false, "a: b"), data(1, 3, true));
            End.Recorded stream = server.stream(1);
            assertThat(stream.blocks).containsExactly("[:method: POST, :scheme: http, :path: /a.B/C, a: b]");
            assertThat(stream.data.size()).isEqualTo(3);
            assertThat(stream.ended).isTrue();
            stream.sendHeaders(OK, false);
            stream.sendData(server.allocator.buffer().writeBytes(hex("0102")), false);
            stream.sendTrailers(TRAILERS);
            assertThat(server.frames())
                    .extracting(Frame::type, Frame::flags)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(HEADERS, END_HEADERS),
                            org.assertj.core.groups.Tuple.tuple(DATA, 0),
                            org.assertj.core.groups.Tuple.tuple(HEADERS, END_HEADERS | END_STREAM));
            assertThat(stream.closings).isEqualTo(1);
            assertThat(stream.resets).isZero();
            assertThat(server.connection.openStreams()).isZero();
        }
    }

    @Test
    void dataBeyondTheStreamsWindowResetsTheStream() {
        try (End server = opened()) {
            server.returnAtOnce = false;
            server.receive(request(1, false));
            int frames = Http2Options.DEFAULT.streamWindow() / Http2Options.DEFAULT_FRAME_SIZE;
            server.receive(times(frames, data(1, Http2Options.DEFAULT_FRAME_SIZE, false)));
            assertThat(server.frames()).isEmpty();
            server.receive(data(1, 1, false));
            assertThat(server.frames()).singleElement().hasToString("RST_STREAM 1 FLOW_CONTROL_ERROR");
            assertThat(server.stream(1).resets).isEqualTo(1);
            assertThat(server.connection.running()).isTrue();
        }
    }

    @Test
    void dataBeyondTheConnectionsWindowEndsIt() {
        Http2Options small = Http2Options.DEFAULT.withWindows(100_000, 100_000);
        try (End server = new End(true, small)) {
            server.connection.start();
            server.receive(HELLO, request(1, false), request(3, false));
            server.returnAtOnce = false;
            server.receive(times(3, data(1, 16_384, false)), times(3, data(3, 16_384, false)));
            assertThat(server.failure).isNull();
            server.receive(data(1, 16_384, false));
            assertThat(server.failure).isNotNull();
            assertThat(server.failure.code()).isEqualTo(ErrorCode.FLOW_CONTROL_ERROR);
        }
    }

    @Test
    void paddingAndDataNobodyReadsGoBackToTheConnectionsWindow() {
        Http2Options small = Http2Options.DEFAULT.withWindows(65_535, 65_535);
        try (End server = new End(true, small)) {
            server.connection.start();
            server.receive(HELLO, request(1, false));
            byte[] padded = frame(DATA, PADDED, 1, all(new byte[] {(byte) 255}, new byte[255]));
            for (int i = 0; i < 500; i++) { // 128 kB of nothing but padding
                server.receive(padded, request(3 + 2 * i, true)); // and a request, or it would be a flood
            }
            assertThat(server.failure).isNull();
            server.returnAtOnce = false;
            for (int i = 0; i < 20; i++) { // each stream dies with 32 kB unread
                int id = 5001 + 2 * i;
                server.receive(request(id, false), times(2, data(id, 16_384, false)), reset(id, 8));
            }
            assertThat(server.failure).isNull();
            for (int i = 0; i < 20; i++) { // data that was under way when we reset
                int id = 6001 + 2 * i;
                server.receive(request(id, false));
                server.stream(id).reset(ErrorCode.CANCEL, "enough");
                server.receive(times(2, data(id, 16_384, false)));
            }
            assertThat(server.failure).isNull();
        }
    }

    @Test
    void windowsComeBackAsTheReaderReturnsBytes() {
        try (End server = opened()) {
            server.returnAtOnce = false;
            server.receive(request(1, false), times(8, data(1, 16_384, false)));
            assertThat(server.frames()).isEmpty();
            server.stream(1).returnBytes(131_072);
            assertThat(server.frames()).contains(new Frame(WINDOW_UPDATE, 0, 1, "00020000"));
        }
    }

    @Test
    void dataWaitsForTheWindowAndTrailersForTheData() {
        try (End server = opened()) {
            server.receive(settings(setting(4, 10)), request(1, true));
            End.Recorded stream = server.stream(1);
            server.frames();
            stream.sendHeaders(OK, false);
            stream.sendData(server.allocator.buffer().writeZero(25), false);
            stream.sendTrailers(TRAILERS);
            assertThat(stream.queuedBytes()).isEqualTo(15);
            assertThat(lengths(server.frames())).containsExactly(1, 10);
            server.receive(windowUpdate(1, 5));
            assertThat(lengths(server.frames())).containsExactly(5);
            assertThat(stream.closings).isZero();
            server.receive(windowUpdate(1, 100));
            List<Frame> rest = server.frames();
            assertThat(rest).extracting(Frame::type).containsExactly(DATA, HEADERS);
            assertThat(rest.get(1).flags()).isEqualTo(END_HEADERS | END_STREAM);
            assertThat(stream.closings).isEqualTo(1);
        }
    }

    @Test
    void aWindowMadeNegativeBySettingsMustGrowFirst() {
        try (End server = opened()) {
            server.receive(request(1, true));
            End.Recorded stream = server.stream(1);
            stream.sendHeaders(OK, false);
            stream.sendData(server.allocator.buffer().writeZero(1000), false);
            server.receive(settings(setting(4, 500))); // 500 more than allowed are out now
            server.frames();
            stream.sendData(server.allocator.buffer().writeZero(10), true);
            server.receive(windowUpdate(1, 500));
            assertThat(server.frames()).isEmpty();
            server.receive(windowUpdate(1, 3));
            assertThat(lengths(server.frames())).containsExactly(3);
            server.receive(settings(setting(4, 600)));
            assertThat(server.frames()).extracting(Frame::type).contains(DATA);
            assertThat(stream.closings).isEqualTo(1);
        }
    }

    @Test
    void aLargeSenderDoesNotStarveASmallOne() {
        try (End server = opened()) {
            server.receive(request(1, true), request(3, true), windowUpdate(1, 1 << 20), windowUpdate(3, 1 << 20));
            server.writable = false;
            server.stream(1).sendHeaders(OK, false);
            server.stream(3).sendHeaders(OK, false);
            server.stream(1).sendData(server.allocator.buffer().writeZero(60_000), true);
            server.stream(3).sendData(server.allocator.buffer().writeZero(5), true);
            server.frames();
            server.writable = true;
            server.connection.resume();
            assertThat(server.frames()).extracting(Frame::id).startsWith(1, 3);
        }
    }

    @Test
    void aResponseOfAnyLengthWithNothingButWindowUpdatesIsNoFlood() {
        try (End server = opened()) {
            server.receive(request(1, true));
            End.Recorded stream = server.stream(1);
            stream.sendHeaders(OK, false);
            for (int i = 0; i < Http2Options.DEFAULT.maxIdleFrames() + 100; i++) {
                stream.sendData(server.allocator.buffer().writeZero(1000), false);
                server.receive(windowUpdate(1, 1000), windowUpdate(0, 1000));
                server.take();
            }
            assertThat(server.failure).isNull();
        }
    }

    @Test
    void aConnectionThatIsKeptAliveForYearsIsNoFlood() {
        try (End server = opened()) {
            for (int i = 0; i < Http2Options.DEFAULT.maxIdleFrames() + 100; i++) {
                server.nanos.addAndGet(10_000_000_000L);
                server.receive(frame(PING, 0, 0, new byte[8]));
                server.take();
            }
            assertThat(server.failure).isNull();
        }
    }

    @Test
    void resetsNowAndThenAreNoFlood() {
        try (End server = opened()) {
            for (int i = 0; i < 3 * Http2Options.DEFAULT.maxResets(); i++) {
                server.nanos.addAndGet(Http2Options.FLOOD_WINDOW_NANOS / Http2Options.DEFAULT.maxResets() + 1_000_000);
                server.receive(request(2 * i + 1, true), reset(2 * i + 1, 8));
            }
            assertThat(server.failure).isNull();
        }
    }

    @Test
    void aPeerThatDoesNotReadTheAnswersItAsksForIsCutOff() {
        try (End server = opened()) {
            server.unread = Http2Options.DEFAULT.maxReplyBytes() + 1;
            server.receive(frame(PING, 0, 0, new byte[8]));
            assertThat(server.failure).isNotNull();
            assertThat(server.failure.code()).isEqualTo(ErrorCode.ENHANCE_YOUR_CALM);
        }
    }

    @Test
    void aBlockLongerThanAFrameGoesOutInPieces() {
        try (End server = opened()) {
            server.receive(request(1, true));
            server.stream(1)
                    .sendHeaders(
                            (encoder, out) -> {
                                OK.write(encoder, out);
                                out.writeBytes(block("x: " + "\u00ff".repeat(40_000)));
                            },
                            true);
            List<Frame> frames = server.frames();
            assertThat(frames).extracting(Frame::type).containsExactly(HEADERS, CONTINUATION, CONTINUATION);
            assertThat(frames.get(0).flags()).isEqualTo(END_STREAM);
            assertThat(frames.get(1).flags()).isZero();
            assertThat(frames.get(2).flags()).isEqualTo(END_HEADERS);
        }
    }

    @Test
    void aListBeyondTheLimitReachesItsOwnerAndTheConnectionGoesOn() {
        try (End server = opened()) {
            server.receive(request(1, true, "x: " + "y".repeat(Http2Options.DEFAULT.maxHeaderListSize())));
            assertThat(server.stream(1).blocks.getFirst()).endsWith(", ...]");
            server.receive(request(3, true));
            assertThat(server.stream(3).ended).isTrue();
        }
    }

    @Test
    void aStreamNobodyWantsIsRefused() {
        try (End server = opened()) {
            server.refuseStreams = true;
            server.receive(request(1, false), data(1, 10, true));
            assertThat(server.frames()).singleElement().hasToString("RST_STREAM 1 REFUSED_STREAM");
            assertThat(server.connection.openStreams()).isZero();
        }
    }

    @Test
    void whatWasUnderWayWhenWeResetIsIgnored() {
        try (End server = opened()) {
            server.receive(request(1, false));
            server.stream(1).reset(ErrorCode.CANCEL, "the handler is done");
            assertThat(server.frames()).singleElement().hasToString("RST_STREAM 1 CANCEL");
            server.receive(data(1, 100, false), headers(1, true, "a: b"), windowUpdate(1, 5), reset(1, 8));
            assertThat(server.frames()).isEmpty();
            assertThat(server.connection.running()).isTrue();
            assertThat(server.stream(1).resetByPeer).isFalse();
        }
    }

    @Test
    void aServerGoesInOrder() {
        try (End server = opened()) {
            server.receive(request(1, false));
            server.connection.shutdown("maintenance");
            List<Frame> frames = server.frames();
            assertThat(frames.get(0)).hasToString("GOAWAY NO_ERROR last 2147483647 maintenance");
            Frame ping = frames.get(1);
            assertThat(ping.type()).isEqualTo(PING);
            server.receive(request(3, true)); // was under way
            assertThat(server.stream(3).ended).isTrue();
            server.receive(frame(PING, ACK, 0, ping.payload()));
            assertThat(server.frames()).singleElement().hasToString("GOAWAY NO_ERROR last 3 ");
            server.receive(request(5, true)); // comes too late and is ignored, as was announced
            assertThat(server.accepted).doesNotContainKey(5);
            assertThat(server.finished).isZero();
            server.receive(data(1, 0, true));
            server.stream(1).sendHeaders(OK, true);
            assertThat(server.finished).isZero();
            server.stream(3).sendHeaders(OK, true);
            assertThat(server.finished).isEqualTo(1);
        }
    }

    @Test
    void aClientKnowsWhichCallsTheServerNeverTook() {
        try (End client = startedClient()) {
            End.Recorded first = open(client);
            End.Recorded second = open(client);
            client.receive(frame(GOAWAY, 0, 0, all(ints(1, ErrorCode.NO_ERROR), "bye".getBytes(US_ASCII))));
            assertThat(client.events).containsExactly("goaway 1 NO_ERROR bye");
            assertThat(second.resetCode).isEqualTo(ErrorCode.REFUSED_STREAM);
            assertThat(first.resets).isZero();
            assertThat(client.connection.mayOpen()).isFalse();
            assertThat(client.connection.exhausted()).isTrue();
            client.receive(headers(1, true, ":status: 200"));
            assertThat(first.ended).isTrue();
        }
    }

    @Test
    void aClientOpensNoMoreStreamsThanTheServerAllows() {
        try (End client = startedClient()) {
            client.receive(settings(setting(3, 2)));
            End.Recorded first = open(client);
            open(client);
            assertThat(client.connection.mayOpen()).isFalse();
            client.receive(headers(1, true, ":status: 200"));
            first.sendEnd();
            assertThat(client.connection.mayOpen()).isTrue();
            assertThat(client.connection.peerMaxStreams()).isEqualTo(2);
        }
    }

    @Test
    void informationalResponsesAreSkipped() {
        try (End client = startedClient()) {
            End.Recorded stream = open(client);
            client.receive(headers(1, false, ":status: 100"), headers(1, false, ":status: 103", "link: x"));
            assertThat(stream.blocks).isEmpty();
            client.receive(headers(1, true, ":status: 200"));
            assertThat(stream.blocks).containsExactly("[:status: 200]");
        }
    }

    @Test
    void theEndOfTheTransportEndsEveryStreamOnce() {
        try (End server = opened()) {
            server.receive(request(1, false), request(3, true), frame(HEADERS, 0, 5), hex("0000"));
            server.stream(3).sendHeaders(OK, false);
            server.receive(settings(), new byte[0]);
            server.connection.end("the peer hung up");
            server.connection.end("again");
            for (int id : new int[] {1, 3}) {
                assertThat(server.stream(id).closings).isEqualTo(1);
                assertThat(server.stream(id).resets).isEqualTo(1);
            }
            assertThat(server.leaked()).isZero();
            server.stream(1).sendData(server.allocator.buffer().writeZero(10), true);
            server.stream(1).sendTrailers(TRAILERS);
            server.stream(1).returnBytes(10);
            assertThat(server.leaked()).isZero();
        }
    }

    @Test
    void eventsMayEndTheConnectionOrTheStreamFromInside() {
        byte[] input = all(
                request(1, false),
                frame(DATA, PADDED, 1, all(new byte[] {50}, new byte[150])),
                data(1, 20, true),
                request(3, true));
        for (String what : List.of("reset", "end", "fail", "shutdown", "send")) {
            for (boolean onData : new boolean[] {false, true}) {
                for (int piece : new int[] {Integer.MAX_VALUE, 1, 60}) {
                    Mischief mischief = new Mischief(what, onData);
                    try (End server = mischief.end) {
                        server.connection.start();
                        server.receiveInPieces(piece, all(HELLO, input));
                        assertThat(mischief.done)
                                .as("%s %s %s", what, onData, piece)
                                .isTrue();
                        if (what.equals("reset") || what.equals("send")) {
                            assertThat(server.connection.running()).isTrue();
                        }
                    }
                }
            }
        }
    }

    /** A server whose first stream does something to the connection in the middle of an event. */
    private static final class Mischief {
        final String what;
        final boolean onData;
        final End end;
        boolean done;

        Mischief(String what, boolean onData) {
            this.what = what;
            this.onData = onData;
            this.end = new End(true, Http2Options.DEFAULT) {
                @Override
                public @Nullable Http2Stream accept(HeaderBlock headers) {
                    return new Troublemaker();
                }
            };
        }

        private final class Troublemaker extends Http2Stream {
            @Override
            protected void onHeaders(HeaderBlock headers, boolean last) {
                if (!onData) {
                    act();
                }
            }

            @Override
            protected void onData(ByteBuf data, int length, boolean last) {
                if (onData) {
                    act();
                }
            }

            @Override
            protected void onReset(int code, boolean remote, String reason) {
                reset(ErrorCode.CANCEL, "again, from inside");
            }

            private void act() {
                if (done) {
                    return;
                }
                done = true;
                switch (what) {
                    case "reset" -> reset(ErrorCode.CANCEL, "no more");
                    case "end" -> end.connection.end("gone");
                    case "fail" -> end.connection.fail(ErrorCode.INTERNAL_ERROR, "broken");
                    case "shutdown" -> end.connection.shutdown("bye");
                    default -> {
                        sendHeaders(OK, false);
                        sendTrailers(TRAILERS);
                    }
                }
            }
        }
    }

    @Test
    void aReplyFromInsideTheEventThatEndsTheRequestEndsTheStreamInOrder() {
        for (boolean withBody : new boolean[] {false, true}) {
            try (End server = new End(true, Http2Options.DEFAULT) {
                @Override
                public Http2Stream accept(HeaderBlock headers) {
                    return new AnswersAtOnce();
                }
            }) {
                server.connection.start();
                server.receive(HELLO, request(1, !withBody), withBody ? data(1, 5, true) : new byte[0]);
                assertThat(server.frames())
                        .extracting(Frame::type)
                        .endsWith(HEADERS, HEADERS)
                        .doesNotContain(RST_STREAM);
                assertThat(server.connection.openStreams()).isZero();
                server.receive(data(1, 5, true));
                assertThat(server.frames()).singleElement().hasToString("RST_STREAM 1 STREAM_CLOSED");
            }
        }
    }

    private static final class AnswersAtOnce extends Http2Stream {
        @Override
        protected void onHeaders(HeaderBlock headers, boolean last) {
            answerIf(last);
        }

        @Override
        protected void onData(ByteBuf data, int length, boolean last) {
            returnBytes(length);
            answerIf(last);
        }

        @Override
        protected void onReset(int code, boolean remote, String reason) {
            throw new AssertionError("reset: " + reason);
        }

        private void answerIf(boolean last) {
            if (last) {
                assertThat(remoteEnded()).isTrue();
                sendHeaders(OK, false);
                sendTrailers(TRAILERS);
                assertThat(closed()).isTrue();
            }
        }
    }

    @Test
    void codesAreSentAsTheyAre() {
        try (End server = opened()) {
            server.receive(request(1, false), reset(1, 0x77));
            assertThat(server.stream(1).resetCode).isEqualTo(0x77);
            assertThat(server.stream(1).resetByPeer).isTrue();
            server.receive(request(3, false));
            server.stream(3).reset(0x1234, "a code of its own");
            assertThat(server.frames()).singleElement().satisfies(f -> {
                assertThat(f.type()).isEqualTo(RST_STREAM);
                assertThat(f.intAt(0)).isEqualTo(0x1234);
            });
        }
    }

    private static End opened() {
        End server = End.server();
        server.connection.start();
        server.receive(HELLO);
        server.take();
        return server;
    }

    private static End startedClient() {
        End client = End.client();
        client.connection.start();
        client.receive(settings());
        client.take();
        return client;
    }

    private static End.Recorded open(End client) {
        End.Recorded stream = client.newStream();
        client.connection.open(stream, POST, false);
        client.accepted.put(stream.id(), stream);
        return stream;
    }

    private static List<Integer> lengths(List<Frame> frames) {
        return frames.stream().map(f -> f.hex().length() / 2).toList();
    }
}
