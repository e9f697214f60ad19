package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import dev.caisson.leaks.NoLeaks;
import dev.caisson.rpc.http2.ErrorCode;
import dev.caisson.scope.Scope;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a server may do to a channel's connections and streams, frame by frame, and what becomes of the calls. */
@NoLeaks
class ChannelPeersIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration KEEP_ALIVE = Duration.ofMillis(100);

    private final Scope scope = Scope.open("test");
    private final ServerSocket listener;

    ChannelPeersIT() throws Exception {
        listener = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    }

    @AfterEach
    void close() throws Exception {
        scope.close();
        listener.close();
    }

    private CaissonChannel channel(UnaryOperator<CaissonChannelBuilder> with) {
        return with.apply(CaissonChannelBuilder.forAddress("127.0.0.1", listener.getLocalPort())
                        .usePlaintext()
                        .scope(scope))
                .build();
    }

    private static ListenableFuture<String> call(ManagedChannel channel, String message) {
        return ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, CallOptions.DEFAULT), message);
    }

    private static String result(ListenableFuture<String> call) throws Exception {
        return call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static Status failure(ListenableFuture<String> call) throws Exception {
        try {
            throw new AssertionError("the call succeeded: " + result(call));
        } catch (ExecutionException e) {
            return Status.fromThrowable(e.getCause());
        }
    }

    private static void reset(RawPeer peer, int stream, int code) throws Exception {
        peer.send(RawPeer.RST_STREAM, 0, stream, RawPeer.ints(code));
    }

    private static void goAway(RawPeer peer, int last, int code, String debug) throws Exception {
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        payload.writeBytes(RawPeer.ints(last, code));
        payload.writeBytes(debug.getBytes(StandardCharsets.US_ASCII));
        peer.send(RawPeer.GOAWAY, 0, 0, payload.toByteArray());
    }

    // ---- GOAWAY

    @Test
    void goAwayLetsTheCallsBelowFinishAndSendsThoseAboveElsewhere() throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> below = call(channel, "below");
        try (RawPeer first = RawPeer.accept(listener)) {
            assertThat(first.require(RawPeer.HEADERS).stream()).isEqualTo(1);
            ListenableFuture<String> above = call(channel, "above");
            assertThat(first.require(RawPeer.HEADERS).stream()).isEqualTo(3);
            goAway(first, 1, ErrorCode.NO_ERROR, "");
            try (RawPeer second = RawPeer.accept(listener)) {
                assertThat(second.require(RawPeer.HEADERS).header(":path")).isEqualTo("/test.Echo/Unary");
                assertThat(second.require(RawPeer.DATA).payload()).isEqualTo(RawPeer.message("above"));
                second.answer(1, "again");
                assertThat(result(above)).isEqualTo("again");
                ListenableFuture<String> later = call(channel, "later");
                second.answer(second.require(RawPeer.HEADERS).stream(), "new");
                assertThat(result(later)).isEqualTo("new");
                assertThat(below.isDone()).isFalse();
                first.answer(1, "old");
                assertThat(result(below)).isEqualTo("old");
                first.awaitEnd(); // with its last call, the channel closes it
            }
        }
    }

    @Test
    void aCallThatGoesAwayTwiceFails() throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> unlucky = call(channel, "x");
        for (int i = 0; i < 2; i++) {
            try (RawPeer peer = RawPeer.accept(listener)) {
                peer.require(RawPeer.HEADERS);
                goAway(peer, 0, ErrorCode.INTERNAL_ERROR, "Out of order");
                peer.awaitEnd();
            }
        }
        Status status = failure(unlucky);
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("went away").contains("INTERNAL_ERROR");
    }

    @Test
    void callsThatWaitForAStreamLeaveWithGoAway() throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> waits = call(channel, "x");
        try (RawPeer first = RawPeer.accept(listener, RawPeer.setting(3, 0))) {
            await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.READY);
            goAway(first, 0, ErrorCode.NO_ERROR, "");
            try (RawPeer second = RawPeer.accept(listener)) {
                second.answer(second.require(RawPeer.HEADERS).stream(), "there");
                assertThat(result(waits)).isEqualTo("there");
            }
        }
    }

    @Test
    void aLostConnectionFailsItsCallsAndTheNextOneConnects() throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> lost = call(channel, "x");
        try (RawPeer first = RawPeer.accept(listener)) {
            first.require(RawPeer.HEADERS);
        }
        Status status = failure(lost);
        assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(status.getDescription()).contains("connection to").contains("lost");
        ListenableFuture<String> next = call(channel, "y");
        try (RawPeer second = RawPeer.accept(listener)) {
            second.answer(second.require(RawPeer.HEADERS).stream(), "z");
            assertThat(result(next)).isEqualTo("z");
        }
    }

    // ---- RST_STREAM

    @ParameterizedTest
    @CsvSource({
        "0x0, INTERNAL, NO_ERROR",
        "0x1, INTERNAL, PROTOCOL_ERROR",
        "0x2, INTERNAL, INTERNAL_ERROR",
        "0x3, INTERNAL, FLOW_CONTROL_ERROR",
        "0x4, INTERNAL, SETTINGS_TIMEOUT",
        "0x5, INTERNAL, STREAM_CLOSED",
        "0x6, INTERNAL, FRAME_SIZE_ERROR",
        "0x8, CANCELLED, CANCEL",
        "0x9, INTERNAL, COMPRESSION_ERROR",
        "0xa, INTERNAL, CONNECT_ERROR",
        "0xb, RESOURCE_EXHAUSTED, bandwidth",
        "0xc, PERMISSION_DENIED, not secure enough",
        "0xd, INTERNAL, HTTP_1_1_REQUIRED",
        "0x7777, INTERNAL, 0x7777"
    })
    void aResetHasTheStatusThatGrpcGivesItsCode(String code, Status.Code expected, String told) throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> call = call(channel, "x");
        try (RawPeer peer = RawPeer.accept(listener)) {
            reset(peer, peer.require(RawPeer.HEADERS).stream(), Integer.decode(code));
            Status status = failure(call);
            assertThat(status.getCode()).isEqualTo(expected);
            assertThat(status.getDescription()).contains(told);
            ListenableFuture<String> next = call(channel, "y");
            peer.answer(peer.require(RawPeer.HEADERS).stream(), "the connection goes on");
            assertThat(result(next)).isEqualTo("the connection goes on");
        }
    }

    /** What becomes of a call with a message of 100 bytes that is refused so many times, and answered if it comes again. */
    private String refused(UnaryOperator<CaissonChannelBuilder> with, int times) throws Exception {
        CaissonChannel channel = channel(with);
        ListenableFuture<String> call = call(channel, "x".repeat(100));
        try (RawPeer peer = RawPeer.accept(listener)) {
            for (int i = 0; i < times; i++) {
                reset(peer, peer.require(RawPeer.DATA).stream(), ErrorCode.REFUSED_STREAM);
            }
            var _ = scope.fork("server", () -> {
                for (RawPeer.Frame f = peer.next(RawPeer.DATA); f != null; f = peer.next(RawPeer.DATA)) {
                    peer.answer(f.stream(), "answered");
                }
            });
            assertThat(result(call(channel, "another"))).isEqualTo("answered");
            try {
                return result(call);
            } catch (ExecutionException e) {
                return Status.fromThrowable(e.getCause()).getCode().name();
            }
        }
    }

    @Test
    void aRefusedCallIsSentAgainOnce() throws Exception {
        assertThat(refused(b -> b, 1)).isEqualTo("answered");
        assertThat(refused(b -> b, 2)).isEqualTo("UNAVAILABLE");
    }

    @Test
    void onlyWhatWasKeptIsSentAgain() throws Exception {
        assertThat(refused(b -> b.perRpcBufferLimit(105), 1)).isEqualTo("answered");
        assertThat(refused(b -> b.perRpcBufferLimit(104), 1)).isEqualTo("UNAVAILABLE");
    }

    @Test
    void nothingIsSentAgainWithoutRetry() throws Exception {
        assertThat(refused(b -> b.disableRetry(), 1)).isEqualTo("UNAVAILABLE");
        assertThat(refused(b -> b.disableRetry().enableRetry(), 1)).isEqualTo("answered");
    }

    @Test
    void aCallWhoseAnswerHasBegunIsNotSentAgain() throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> call = call(channel, "x");
        try (RawPeer peer = RawPeer.accept(listener)) {
            int stream = peer.require(RawPeer.HEADERS).stream();
            peer.headers(stream, false, ":status: 200", "content-type: application/grpc");
            reset(peer, stream, ErrorCode.REFUSED_STREAM);
            assertThat(failure(call).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        }
    }

    // ---- keep-alive

    private static CaissonChannelBuilder keepAlive(CaissonChannelBuilder builder) {
        return builder.minKeepAlive(Duration.ofMillis(1)).keepAliveTime(KEEP_ALIVE.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Test
    void aSilentPeerIsPingedForAsLongAsItAnswers() throws Exception {
        CaissonChannel channel = channel(b -> keepAlive(b).keepAliveTimeout(1, TimeUnit.HOURS));
        ListenableFuture<String> call = call(channel, "x");
        try (RawPeer peer = RawPeer.accept(listener)) {
            int stream = peer.require(RawPeer.HEADERS).stream();
            for (int i = 0; i < 3; i++) {
                peer.send(
                        RawPeer.PING, RawPeer.ACK, 0, peer.require(RawPeer.PING).payload());
            }
            peer.answer(stream, "alive");
            assertThat(result(call)).isEqualTo("alive");
        }
    }

    @Test
    void aPeerThatDoesNotAnswerThePingIsGivenUp() throws Exception {
        CaissonChannel channel = channel(b -> keepAlive(b).keepAliveTimeout(200, TimeUnit.MILLISECONDS));
        ListenableFuture<String> call = call(channel, "x");
        try (RawPeer dead = RawPeer.accept(listener)) {
            dead.require(RawPeer.PING);
            Status status = failure(call);
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).startsWith("Keepalive failed").contains("within 200 ms");
            dead.awaitEnd();
            ListenableFuture<String> next = call(channel, "y");
            try (RawPeer other = RawPeer.accept(listener)) {
                other.answer(other.require(RawPeer.HEADERS).stream(), "reconnected");
                assertThat(result(next)).isEqualTo("reconnected");
            }
        }
    }

    @Test
    void aConnectionWithoutCallsIsPingedOnlyOnRequest() throws Exception {
        CaissonChannel asked = channel(b -> keepAlive(b).keepAliveWithoutCalls(true));
        CaissonChannel notAsked = channel(ChannelPeersIT::keepAlive);
        var _ = notAsked.getState(true);
        try (RawPeer quiet = RawPeer.accept(listener)) {
            await().atMost(PATIENCE).until(() -> notAsked.getState(false) == ConnectivityState.READY);
            var _ = asked.getState(true);
            try (RawPeer pinged = RawPeer.accept(listener)) {
                for (int i = 0; i < 5; i++) {
                    pinged.send(
                            RawPeer.PING,
                            RawPeer.ACK,
                            0,
                            pinged.require(RawPeer.PING).payload());
                }
            }
            ListenableFuture<String> call = call(notAsked, "x");
            List<Integer> before = new ArrayList<>();
            RawPeer.Frame frame = quiet.read();
            for (; frame != null && frame.type() != RawPeer.HEADERS; frame = quiet.read()) {
                before.add(frame.type());
            }
            assertThat(frame).isNotNull();
            assertThat(before).doesNotContain(RawPeer.PING);
            quiet.require(RawPeer.PING); // now there is a call
            quiet.answer(1, "x");
            assertThat(result(call)).isEqualTo("x");
        }
    }

    @Test
    void tooManyPingsDoublesTheKeepAliveTime() throws Exception {
        CaissonChannel channel = channel(ChannelPeersIT::keepAlive);
        String[] debug = {"something else", "too_many_pings", "too_many_pings"};
        long[] times = {1, 2, 4};
        for (int i = 0; i < debug.length; i++) {
            var _ = channel.getState(true);
            try (RawPeer peer = RawPeer.accept(listener)) {
                await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.READY);
                goAway(peer, Integer.MAX_VALUE, ErrorCode.ENHANCE_YOUR_CALM, debug[i]);
                peer.awaitEnd();
            }
            assertThat(channel.core().keepAliveNanos()).isEqualTo(times[i] * KEEP_ALIVE.toNanos());
        }
    }

    // ---- limits

    @Test
    void callsThatWaitForAStreamAreBounded() throws Exception {
        CaissonChannel channel = channel(b -> b.directExecutor());
        try (RawPeer peer = connected(channel, RawPeer.setting(3, 0))) {
            List<ListenableFuture<String>> waiting = new ArrayList<>();
            for (int i = 0; i < ClientConnection.MAX_WAITING_CALLS; i++) {
                waiting.add(call(channel, "x"));
            }
            Status status = failure(call(channel, "one too many"));
            assertThat(status.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(status.getDescription()).contains("65536 calls wait").contains("no more streams");
            assertThat(waiting).noneMatch(ListenableFuture::isDone);
            waiting.getFirst().cancel(true);
            ListenableFuture<String> fits = call(channel, "there is room again");
            peer.send(RawPeer.SETTINGS, 0, 0, RawPeer.setting(3, 1));
            peer.answer(peer.require(RawPeer.HEADERS).stream(), "first come");
            assertThat(result(waiting.get(1))).isEqualTo("first come");
            assertThat(fits.isDone() ? failure(fits) : null).isNull();
        }
    }

    @Test
    void aCallThatEndsWhileItWaitsForAStreamLeavesTheLine() throws Exception {
        CaissonChannel channel = channel(b -> b);
        try (RawPeer peer = connected(channel, RawPeer.setting(3, 0))) {
            ListenableFuture<String> cancelled = call(channel, "x");
            CallOptions hasty = CallOptions.DEFAULT.withDeadlineAfter(100, TimeUnit.MILLISECONDS);
            ListenableFuture<String> expired = ClientCalls.futureUnaryCall(channel.newCall(Echo.UNARY, hasty), "y");
            assertThat(failure(expired).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            cancelled.cancel(true);
            channel.shutdown(); // ends when nobody stands in line
            peer.awaitEnd();
            assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    private RawPeer connected(CaissonChannel channel, byte[]... settings) throws Exception {
        var _ = channel.getState(true);
        RawPeer peer = RawPeer.accept(listener, settings);
        await().atMost(PATIENCE).until(() -> channel.getState(false) == ConnectivityState.READY);
        return peer;
    }

    @Test
    void badBytesEndTheirConnectionAndItsCalls() throws Exception {
        CaissonChannel channel = channel(b -> b);
        ListenableFuture<String> call = call(channel, "x");
        try (RawPeer peer = RawPeer.accept(listener)) {
            peer.require(RawPeer.HEADERS);
            peer.send(RawPeer.DATA, 0, 0, new byte[1]);
            Status status = failure(call);
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("DATA on stream 0");
            assertThat(peer.require(RawPeer.GOAWAY).code()).isEqualTo(ErrorCode.PROTOCOL_ERROR);
            peer.awaitEnd();
        }
    }
}
