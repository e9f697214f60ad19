package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.leaks.NoLeaks;
import dev.caisson.scope.Scope;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What an application sends, and its peer does not take, is bounded, and costs no other call anything. */
@NoLeaks
class OutboundBoundsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int CALL = 100_000;
    private static final int TOTAL = 250_000;
    private static final String MESSAGE = "x".repeat(10_000);
    private static final int FRAMED = MESSAGE.length() + MessageFramer.PREFIX;

    private final Scope scope = Scope.open("test");

    @AfterEach
    void close() {
        scope.close();
    }

    // ---- a server whose client does not read

    enum Where {
        VIRTUAL_THREAD,
        EVENT_LOOP
    }

    private enum Asks {
        ALL,
        UP_TO_ITS_LIMIT,
        WHAT_IS_READY,
        A_MESSAGE
    }

    /** Sends as its request says, and keeps what it is told. */
    private static final class Sender {
        final AtomicInteger sent = new AtomicInteger();
        final AtomicInteger cancelled = new AtomicInteger();
        final AtomicInteger completed = new AtomicInteger();
        final AtomicInteger running = new AtomicInteger();

        ServerCall.Listener<String> start(ServerCall<String, String> call, Metadata headers) {
            call.request(1);
            running.incrementAndGet();
            return new ServerCall.Listener<>() {
                private Asks asks = Asks.A_MESSAGE;

                @Override
                public void onMessage(String message) {
                    asks = Asks.valueOf(message);
                    call.sendHeaders(new Metadata());
                    if (asks == Asks.ALL) {
                        send(call, 10 * TOTAL);
                    } else if (asks == Asks.UP_TO_ITS_LIMIT) {
                        send(call, CALL);
                    } else if (asks == Asks.A_MESSAGE) {
                        call.sendMessage(MESSAGE);
                        call.close(Status.OK, new Metadata());
                    } else {
                        onReady();
                    }
                }

                @Override
                public void onReady() {
                    while (asks == Asks.WHAT_IS_READY && call.isReady()) {
                        call.sendMessage(MESSAGE);
                        sent.incrementAndGet();
                    }
                }

                @Override
                public void onCancel() {
                    cancelled.incrementAndGet();
                    running.decrementAndGet();
                }

                @Override
                public void onComplete() {
                    completed.incrementAndGet();
                    running.decrementAndGet();
                }
            };
        }

        private void send(ServerCall<String, String> call, int bytes) {
            for (int left = bytes; left > 0 && !call.isCancelled(); left -= FRAMED) {
                call.sendMessage(MESSAGE);
                sent.incrementAndGet();
            }
        }
    }

    private final Sender sender = new Sender();

    private CaissonServer server(Where where) throws Exception {
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(ServerServiceDefinition.builder("test.Echo")
                        .addMethod(Echo.SERVER, sender::start)
                        .build())
                .maxUnsentBytes(CALL, TOTAL);
        if (where == Where.EVENT_LOOP) {
            builder.directExecutor();
        }
        return scope.own(builder.build().start());
    }

    private static Unsent unsent(CaissonServer server) {
        return server.connections().iterator().next().unsent();
    }

    /** Without a window for streams, with one for the connection. */
    private static RawPeer reader(CaissonServer server) throws Exception {
        RawPeer peer = new RawPeer(server.getPort()).greet(RawPeer.setting(4, 0));
        peer.send(RawPeer.WINDOW_UPDATE, 0, 0, RawPeer.ints(1 << 30));
        return peer;
    }

    private static void openWindow(RawPeer peer, int stream) throws Exception {
        peer.send(RawPeer.WINDOW_UPDATE, 0, stream, RawPeer.ints(1 << 30));
    }

    private static RawPeer.Frame trailers(RawPeer peer, int stream) throws Exception {
        while (true) {
            RawPeer.Frame frame = peer.require(RawPeer.HEADERS);
            if (frame.stream() == stream && frame.ends()) {
                return frame;
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCallThatSendsBlindlyEndsAtItsLimitAndTheOthersGoOn(Where where) throws Exception {
        CaissonServer server = server(where);
        try (RawPeer peer = reader(server)) {
            peer.request(1, "/test.Echo/Server", "ALL");
            RawPeer.Frame end = trailers(peer, 1); // although no window lets a message through
            assertThat(end.header("grpc-status")).isEqualTo("8");
            assertThat(end.header("grpc-message"))
                    .contains("of this call")
                    .contains("no more may than " + CALL)
                    .contains("maxUnsentBytes");
            await().atMost(PATIENCE).until(() -> sender.cancelled.get() == 1);
            assertThat(sender.completed).hasValue(0);
            assertThat(sender.sent).as("the refused one included").hasValue(CALL / FRAMED + 2);
            assertThat(unsent(server).counted()).isZero();

            peer.request(3, "/test.Echo/Server", "A_MESSAGE");
            openWindow(peer, 3);
            assertThat(trailers(peer, 3).header("grpc-status")).isEqualTo("0");
        }
    }

    @ParameterizedTest
    @EnumSource
    void theLimitOfAConnectionSparesTheCallsThatHeedReadiness(Where where) throws Exception {
        CaissonServer server = server(where);
        try (RawPeer peer = reader(server)) {
            peer.request(1, "/test.Echo/Server", "WHAT_IS_READY");
            for (int stream = 3; stream <= 7; stream += 2) {
                peer.request(stream, "/test.Echo/Server", "UP_TO_ITS_LIMIT");
            }
            long each = (CALL / FRAMED + 1) * (long) FRAMED - Unsent.FREE_BYTES;
            await().atMost(PATIENCE).until(() -> unsent(server).counted() >= 3 * each);
            peer.request(9, "/test.Echo/Server", "ALL");
            RawPeer.Frame end = trailers(peer, 9);
            assertThat(end.header("grpc-status")).isEqualTo("8");
            assertThat(end.header("grpc-message")).contains("of the connection").contains("no more may than " + TOTAL);
            await().atMost(PATIENCE).until(() -> sender.cancelled.get() == 1);

            int before = sender.sent.get();
            openWindow(peer, 1);
            await().atMost(PATIENCE).until(() -> sender.sent.get() > before + 10);
            for (int stream = 1; stream <= 7; stream += 2) {
                peer.send(RawPeer.RST_STREAM, 0, stream, RawPeer.ints(8));
            }
            await().atMost(PATIENCE).until(() -> sender.running.get() == 0);
            assertThat(unsent(server).counted()).isZero();
        }
    }

    @Test
    void whatACallHasBegunToSendIsSentWhole() throws Exception {
        CaissonServer server = server(Where.VIRTUAL_THREAD);
        try (RawPeer peer = reader(server)) {
            peer.request(1, "/test.Echo/Server", "WHAT_IS_READY");
            peer.send(RawPeer.WINDOW_UPDATE, 0, 1, RawPeer.ints(FRAMED / 2));
            assertThat(peer.require(RawPeer.DATA).payload()).hasSize(FRAMED / 2);
            peer.request(3, "/test.Echo/Server", "ALL");
            peer.send(RawPeer.WINDOW_UPDATE, 0, 3, RawPeer.ints(FRAMED / 2));
            int received = peer.require(RawPeer.DATA).payload().length;
            await().atMost(PATIENCE).until(() -> sender.cancelled.get() == 1);
            openWindow(peer, 3);
            for (RawPeer.Frame frame = peer.read(); ; frame = peer.read()) {
                assertThat(frame).isNotNull();
                if (frame.stream() == 3 && frame.type() == RawPeer.DATA) {
                    received += frame.payload().length;
                } else if (frame.stream() == 3 && frame.type() == RawPeer.HEADERS) {
                    assertThat(frame.header("grpc-status")).isEqualTo("8");
                    break;
                }
            }
            assertThat(received).as("a whole number of messages").isEqualTo(FRAMED);
        }
    }

    // ---- a channel whose server does not read

    private static final class Ending extends ClientCall.Listener<String> {
        final CompletableFuture<Status> status = new CompletableFuture<>();

        @Override
        public void onClose(Status ended, Metadata trailers) {
            status.complete(ended);
        }

        Status await() throws Exception {
            return status.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private CaissonChannel channel(ServerSocket listener) {
        return CaissonChannelBuilder.forAddress("127.0.0.1", listener.getLocalPort())
                .usePlaintext()
                .maxUnsentBytes(CALL, TOTAL)
                .scope(scope)
                .build();
    }

    private static ServerSocket listener() throws Exception {
        return new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    }

    private static ClientCall<String, String> started(CaissonChannel channel, Ending ending) {
        ClientCall<String, String> call = channel.newCall(Echo.CLIENT, CallOptions.DEFAULT.withExecutor(Runnable::run));
        call.start(ending, new Metadata());
        call.request(1);
        return call;
    }

    /** How many messages the call took before it ended. */
    private static int sendBlindly(ClientCall<String, String> call, Ending ending) {
        int sent = 0;
        while (sent < 10 * TOTAL / FRAMED && !ending.status.isDone()) {
            call.sendMessage(MESSAGE);
            sent++;
        }
        return sent;
    }

    @Test
    void requestsThatNobodyReadsEndTheirCallAndNoOther() throws Exception {
        try (ServerSocket listener = listener()) {
            CaissonChannel channel = channel(listener);
            Ending patient = new Ending();
            ClientCall<String, String> other = started(channel, patient);
            try (RawPeer peer = RawPeer.accept(listener, RawPeer.setting(4, 0))) {
                int first = peer.require(RawPeer.HEADERS).stream();
                Ending ending = new Ending();
                ClientCall<String, String> blind = started(channel, ending);
                int second = peer.require(RawPeer.HEADERS).stream();
                await().atMost(PATIENCE).until(blind::isReady);
                assertThat(sendBlindly(blind, ending)).isEqualTo(CALL / FRAMED + 2);
                assertThat(ending.await().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
                assertThat(ending.await().getDescription())
                        .contains("of this call")
                        .contains("no more may than " + CALL)
                        .contains("maxUnsentBytes");
                RawPeer.Frame reset = peer.require(RawPeer.RST_STREAM);
                assertThat(reset.stream()).isEqualTo(second);
                assertThat(channel.core().unsent.counted()).isZero();

                other.sendMessage(MESSAGE);
                other.halfClose();
                openWindow(peer, first);
                assertThat(peer.require(RawPeer.DATA).payload()).hasSize(FRAMED);
                peer.answer(first, "read");
                assertThat(patient.await().isOk()).isTrue();
            }
        }
    }

    @Test
    void requestsThatWaitForAConnectionAreBoundedToo() throws Exception {
        try (ServerSocket listener = listener()) {
            CaissonChannel channel = channel(listener);
            Stream.generate(Ending::new).limit(2 * TOTAL / CALL).forEach(ending -> {
                sendBlindly(started(channel, ending), ending);
                assertThat(ending.status).isCompleted();
            });
            assertThat(channel.core().unsent.counted()).isZero();
        }
    }

    @Test
    void theLimitOfAChannelSparesCallsOfOneMessage() throws Exception {
        try (ServerSocket listener = listener()) {
            CaissonChannel channel = channel(listener);
            Ending[] under = new Ending[3];
            for (int i = 0; i < under.length; i++) {
                under[i] = new Ending();
                ClientCall<String, String> call = started(channel, under[i]);
                for (int sent = 0; sent < CALL; sent += FRAMED) {
                    call.sendMessage(MESSAGE);
                }
            }
            Ending over = new Ending();
            ClientCall<String, String> call = started(channel, over);
            assertThat(channel.core().unsent.counted()).isBetween((long) TOTAL - CALL, (long) TOTAL);
            assertThat(sendBlindly(call, over)).isLessThan(CALL / FRAMED + 2);
            assertThat(over.await().getDescription()).contains("of the channel").contains("no more may than " + TOTAL);
            Ending single = new Ending();
            ClientCall<String, String> one = started(channel, single);
            one.sendMessage("x".repeat(2 * TOTAL));
            one.halfClose();
            assertThat(single.status).isNotCompleted();
            assertThat(under).noneMatch(each -> each.status.isDone());
        }
    }

    @Test
    void limitsBelowOneByteAreRefused() {
        assertThatThrownBy(() -> CaissonChannelBuilder.forTarget("x:1").maxUnsentBytes(0, 1))
                .hasMessageContaining("maxUnsentBytes");
        assertThatThrownBy(() -> CaissonServerBuilder.forPort(0).maxUnsentBytes(1, 0))
                .hasMessageContaining("maxUnsentBytes");
    }
}
