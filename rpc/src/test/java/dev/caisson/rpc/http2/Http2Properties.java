package dev.caisson.rpc.http2;

import static dev.caisson.rpc.http2.Frames.GOAWAY;
import static dev.caisson.rpc.http2.Frames.PREFACE;
import static dev.caisson.rpc.http2.Frames.RST_STREAM;
import static dev.caisson.rpc.http2.Frames.WINDOW_UPDATE;
import static dev.caisson.rpc.http2.Frames.all;
import static dev.caisson.rpc.http2.Frames.frame;
import static dev.caisson.rpc.http2.Frames.hex;
import static dev.caisson.rpc.http2.Frames.ints;
import static dev.caisson.rpc.http2.Frames.request;
import static dev.caisson.rpc.http2.Frames.setting;
import static dev.caisson.rpc.http2.Frames.settings;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.rpc.http2.Frames.Frame;
import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/** Two connections that talk to each other, and one that hears nonsense. jqwik prints the seed of what fails. */
class Http2Properties {
    // ---- two ends that keep the rules

    /** What one side sent on a stream, to be compared with what the other heard. */
    private static final class Sent {
        final List<String> blocks = new ArrayList<>();
        final ByteArrayOutputStream data = new ByteArrayOutputStream();
        boolean ended;
    }

    private static final class Talk implements AutoCloseable {
        final Random random;
        final End client;
        final End server;
        final Map<Integer, Sent> byClient = new LinkedHashMap<>();
        final Map<Integer, Sent> byServer = new LinkedHashMap<>();
        final Map<Integer, End.Recorded> clientStreams = new LinkedHashMap<>();

        Talk(Random random) {
            this.random = random;
            client = new End(false, options());
            server = new End(true, options());
            client.returnAtOnce = random.nextBoolean();
            server.returnAtOnce = random.nextBoolean();
            client.connection.start();
            server.connection.start();
        }

        private Http2Options options() {
            return Http2Options.DEFAULT
                    .withMaxConcurrentStreams(1 + random.nextInt(20))
                    .withWindows(65_535 + random.nextInt(100_000), 65_535 + random.nextInt(200_000));
        }

        /** Moves what each wrote to the other, in pieces of any size; true if there was something. */
        boolean pump() {
            byte[] toServer = client.take();
            byte[] toClient = server.take();
            server.receiveInPieces(1 + random.nextInt(5000), toServer);
            client.receiveInPieces(1 + random.nextInt(5000), toClient);
            return toServer.length + toClient.length > 0;
        }

        void step() {
            switch (random.nextInt(12)) {
                case 0, 1 -> open();
                case 2, 3, 4 -> say(client, clientStreams, byClient, false);
                case 5, 6, 7 -> say(server, server.accepted, byServer, true);
                case 8 -> returnSome(client, clientStreams);
                case 9 -> returnSome(server, server.accepted);
                case 10 -> {
                    End end = random.nextBoolean() ? client : server;
                    end.writable = random.nextBoolean();
                    end.connection.resume();
                }
                default -> pump();
            }
        }

        private void open() {
            if (!client.connection.mayOpen()) {
                return;
            }
            End.Recorded stream = client.newStream();
            Sent sent = new Sent();
            String path = "/s/" + random.nextInt(5);
            sent.blocks.add("[:method: POST, :scheme: http, :path: " + path + "]");
            sent.ended = random.nextInt(4) == 0;
            client.connection.open(
                    stream,
                    (encoder, out) -> {
                        encoder.encode(out, Header.METHOD, bytes("POST"), true);
                        encoder.encode(out, Header.SCHEME, bytes("http"), true);
                        encoder.encode(out, Header.PATH, bytes(path), path.endsWith("1"));
                    },
                    sent.ended);
            clientStreams.put(stream.id(), stream);
            byClient.put(stream.id(), sent);
        }

        private void say(End end, Map<Integer, End.Recorded> streams, Map<Integer, Sent> log, boolean server) {
            End.Recorded stream = any(streams);
            if (stream == null || stream.closed() || stream.localEnded()) {
                return;
            }
            Sent sent = log.computeIfAbsent(stream.id(), id -> new Sent());
            if (server && sent.blocks.isEmpty()) {
                sent.blocks.add("[:status: 200]");
                sent.ended = random.nextInt(10) == 0;
                stream.sendHeaders(
                        (encoder, out) -> encoder.encode(out, Header.STATUS, bytes("200"), true), sent.ended);
                return;
            }
            switch (random.nextInt(8)) {
                case 0 -> {
                    String value = "t".repeat(random.nextInt(60) * random.nextInt(60));
                    sent.blocks.add("[x-trailer: " + value + "]");
                    sent.ended = true;
                    stream.sendTrailers((encoder, out) ->
                            encoder.encode(out, bytes("x-trailer"), bytes(value), value.length() < 100));
                }
                case 1 -> {
                    sent.ended = true;
                    stream.sendEnd();
                }
                case 2 -> {
                    if (random.nextInt(6) == 0) {
                        stream.reset(ErrorCode.CANCEL, "at random");
                    }
                }
                default -> {
                    byte[] data = new byte[random.nextInt(2) == 0 ? random.nextInt(100) : random.nextInt(50_000)];
                    random.nextBytes(data);
                    sent.data.writeBytes(data);
                    sent.ended = random.nextInt(6) == 0;
                    ByteBuf room = sent.ended ? null : stream.beginData(data.length);
                    if (room != null) {
                        room.writeBytes(data);
                    } else {
                        stream.sendData(end.allocator.buffer().writeBytes(data), sent.ended);
                    }
                }
            }
        }

        private void returnSome(End end, Map<Integer, End.Recorded> streams) {
            End.Recorded stream = any(streams);
            if (stream != null && stream.taken > 0 && !end.returnAtOnce) {
                int some = 1 + random.nextInt(stream.taken);
                stream.taken -= some;
                stream.returnBytes(some);
            }
        }

        private End.@Nullable Recorded any(Map<Integer, End.Recorded> streams) {
            if (streams.isEmpty()) {
                return null;
            }
            List<End.Recorded> all = List.copyOf(streams.values());
            int recent = Math.min(all.size(), 10);
            return all.get(all.size() - 1 - random.nextInt(recent));
        }

        /** Lets all that was said arrive. */
        void settle() {
            for (End end : List.of(client, server)) {
                end.writable = true;
                end.returnAtOnce = true;
                end.connection.resume();
            }
            boolean moved = true;
            for (int rounds = 0; moved; rounds++) {
                assertThat(rounds).as("rounds until nothing moves").isLessThan(10_000);
                for (Map<Integer, End.Recorded> streams : List.of(clientStreams, server.accepted)) {
                    for (End.Recorded stream : streams.values()) {
                        stream.returnBytes(stream.taken);
                        stream.taken = 0;
                    }
                }
                moved = pump();
            }
        }

        @Override
        public void close() {
            client.close();
            server.close();
        }
    }

    @Property(tries = 200)
    void whatOneEndSaysTheOtherHears(@ForAll Random random) {
        try (Talk talk = new Talk(random)) {
            int steps = random.nextInt(400);
            for (int i = 0; i < steps; i++) {
                talk.step();
            }
            talk.settle();
            assertThat(talk.client.failure).isNull();
            assertThat(talk.server.failure).isNull();
            for (Map.Entry<Integer, End.Recorded> e : talk.clientStreams.entrySet()) {
                int id = e.getKey();
                End.Recorded atClient = e.getValue();
                End.Recorded atServer = talk.server.accepted.get(id);
                if (atServer == null) {
                    assertThat(atClient.resets)
                            .as("stream %s, refused or reset before it arrived", id)
                            .isEqualTo(1);
                    continue;
                }
                boolean reset = atClient.resets + atServer.resets > 0;
                heard(talk.byClient.getOrDefault(id, new Sent()), atServer, reset);
                heard(talk.byServer.getOrDefault(id, new Sent()), atClient, reset);
                assertThat(atClient.closings).isEqualTo(atClient.closed() ? 1 : 0);
                assertThat(atServer.closings).isEqualTo(atServer.closed() ? 1 : 0);
                assertThat(atClient.closed()).isEqualTo(atServer.closed());
                if (!reset) {
                    assertThat(atClient.closed()).isEqualTo(atClient.ended && atServer.ended);
                }
            }
            long open = talk.clientStreams.values().stream()
                    .filter(s -> !s.closed())
                    .count();
            assertThat(talk.client.connection.openStreams()).isEqualTo((int) open);
            assertThat(talk.server.connection.openStreams()).isEqualTo((int) open);
        }
    }

    private static void heard(Sent sent, End.Recorded stream, boolean reset) {
        byte[] all = sent.data.toByteArray();
        byte[] data = stream.data.toByteArray();
        if (reset) { // then a beginning of it
            assertThat(data.length).isLessThanOrEqualTo(all.length);
            assertThat(Arrays.equals(data, Arrays.copyOf(all, data.length))).isTrue();
            assertThat(stream.blocks).isEqualTo(sent.blocks.subList(0, stream.blocks.size()));
        } else {
            assertThat(Arrays.equals(data, all)).isTrue();
            assertThat(stream.blocks).isEqualTo(sent.blocks);
            assertThat(stream.ended).isEqualTo(sent.ended);
        }
    }

    @Property(tries = 100)
    void afterShutdownEveryStreamEndsAndBothSidesKnow(@ForAll Random random) {
        try (Talk talk = new Talk(random)) {
            int steps = random.nextInt(200);
            for (int i = 0; i < steps; i++) {
                talk.step();
            }
            talk.pump();
            talk.server.connection.shutdown("maintenance");
            for (int i = 0; i < steps / 2; i++) {
                talk.step();
            }
            talk.settle();
            assertThat(talk.client.connection.mayOpen()).isFalse();
            for (End.Recorded stream : talk.clientStreams.values()) {
                stream.sendEnd();
            }
            talk.settle();
            for (End.Recorded stream : talk.server.accepted.values()) {
                stream.sendHeaders((encoder, out) -> encoder.encode(out, Header.STATUS, bytes("200"), true), true);
                stream.sendEnd();
            }
            talk.settle();
            assertThat(talk.server.connection.openStreams()).isZero();
            assertThat(talk.server.finished).isEqualTo(1);
            assertThat(talk.client.connection.openStreams()).isZero();
            talk.clientStreams.values().forEach(s -> assertThat(s.closings).isEqualTo(1));
        }
    }

    // ---- one end that hears nonsense

    @Property(tries = 1000)
    void randomBytesNeverThrowAndKeepNothing(@ForAll Random random) {
        byte[] noise = new byte[random.nextInt(2000)];
        random.nextBytes(noise);
        boolean toServer = random.nextBoolean();
        byte[] hello = random.nextInt(4) == 0 ? new byte[0] : toServer ? all(PREFACE, settings()) : settings();
        hears(toServer, random, all(hello, noise));
    }

    @Property(tries = 1000)
    void randomFramesNeverThrowAndKeepNothing(@ForAll Random random) {
        List<byte[]> parts = new ArrayList<>();
        boolean toServer = random.nextBoolean();
        if (toServer) {
            parts.add(PREFACE);
        }
        parts.add(settings());
        int frames = random.nextInt(60);
        for (int i = 0; i < frames; i++) {
            parts.add(anyFrame(random));
        }
        hears(toServer, random, all(parts.toArray(byte[][]::new)));
    }

    @Property(tries = 200)
    void brokenConversationsNeverThrowAndKeepNothing(@ForAll Random random) {
        byte[] toServer;
        byte[] toClient;
        try (Talk talk = new Talk(random)) { // what two ends really said
            ByteArrayOutputStream client = new ByteArrayOutputStream();
            ByteArrayOutputStream server = new ByteArrayOutputStream();
            for (int i = 0; i < 60; i++) {
                talk.open();
                talk.say(talk.client, talk.clientStreams, talk.byClient, false);
                talk.say(talk.server, talk.server.accepted, talk.byServer, true);
                byte[] fromClient = talk.client.take();
                client.writeBytes(fromClient);
                talk.server.receive(fromClient);
                byte[] fromServer = talk.server.take();
                server.writeBytes(fromServer);
                talk.client.receive(fromServer);
            }
            toServer = client.toByteArray();
            toClient = server.toByteArray();
        }
        hears(true, random, mutated(toServer, random));
        hears(false, random, mutated(toClient, random));
    }

    private static byte[] anyFrame(Random random) {
        int id = random.nextInt(3) == 0 ? random.nextInt(4) : 1 + 2 * random.nextInt(8);
        return switch (random.nextInt(12)) {
            case 0, 1 -> request(id, random.nextBoolean());
            case 2 -> Frames.headers(id, random.nextBoolean(), ":status: 200", "a: b");
            case 3 -> Frames.headers(id, random.nextBoolean(), "a: b");
            case 4, 5 -> Frames.data(id, random.nextInt(3000), random.nextBoolean());
            case 6 -> frame(RST_STREAM, 0, id, ints(random.nextInt(16)));
            case 7 -> Frames.windowUpdate(id, random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(100_000));
            case 8 ->
                settings(setting(random.nextInt(8), random.nextBoolean() ? random.nextInt(70_000) : random.nextInt()));
            case 9 -> frame(GOAWAY, 0, 0, ints(random.nextInt(10), 0));
            default -> {
                byte[] payload = new byte[random.nextInt(20)];
                random.nextBytes(payload);
                yield frame(random.nextInt(11), random.nextInt(256), id, payload);
            }
        };
    }

    private static byte[] mutated(byte[] original, Random random) {
        byte[] bytes = original.clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes && bytes.length > 100; i++) {
            int at = random.nextInt(bytes.length - 50);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> { // cut out
                    int n = random.nextInt(40);
                    byte[] rest = Arrays.copyOfRange(bytes, at + n, bytes.length);
                    bytes = all(Arrays.copyOf(bytes, at), rest);
                }
                default -> // say twice
                    bytes = all(
                            Arrays.copyOf(bytes, at + 40),
                            Arrays.copyOfRange(bytes, at, at + 40),
                            Arrays.copyOfRange(bytes, at + 40, bytes.length));
            }
        }
        return bytes;
    }

    /** Feeds it in pieces, and again whole: the same answers, whole frames, one GOAWAY at the end if any, no leak. */
    private static void hears(boolean isServer, Random random, byte[] bytes) {
        List<String> whole = answers(isServer, bytes, Integer.MAX_VALUE);
        assertThat(answers(isServer, bytes, 1 + random.nextInt(50))).isEqualTo(whole);
    }

    private static List<String> answers(boolean isServer, byte[] bytes, int piece) {
        try (End end = new End(isServer, Http2Options.DEFAULT)) {
            end.connection.start();
            if (!isServer) {
                for (int i = 0; i < 8; i++) {
                    End.Recorded stream = end.newStream();
                    end.connection.open(stream, (encoder, out) -> out.writeBytes(hex("838684")), i % 2 == 0);
                }
            }
            end.receiveInPieces(piece, bytes);
            List<Frame> frames = Frames.read(end.take(), !isServer);
            if (end.failure != null) {
                Frame last = frames.getLast();
                assertThat(last.type()).isEqualTo(GOAWAY);
                assertThat(last.intAt(4)).isEqualTo(end.failure.code());
                assertThat(end.failures).isEqualTo(1);
                assertThat(end.connection.openStreams()).isZero();
                assertThat(end.leaked()).isZero();
            }
            assertThat(frames).filteredOn(f -> f.type() == GOAWAY).hasSizeLessThanOrEqualTo(1);
            end.accepted.values().forEach(s -> assertThat(s.closings).isEqualTo(s.closed() ? 1 : 0));
            // how often a window is given back depends on the pieces the data came in
            return frames.stream()
                    .filter(f -> f.type() != WINDOW_UPDATE)
                    .map(Frame::toString)
                    .toList();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }
}
