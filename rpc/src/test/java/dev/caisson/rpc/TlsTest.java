package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.ChoiceChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.junit.jupiter.api.Test;

class TlsTest {
    @Test
    void agreesOnHttp2AndChecksTheServersCertificate() throws Exception {
        SSLEngine client = client(trusting("ca.pem").build(), "localhost");
        SSLEngine server = server(serving("server").build());
        handshake(client, server);
        assertThat(client.getApplicationProtocol()).isEqualTo("h2");
        assertThat(server.getApplicationProtocol()).isEqualTo("h2");
    }

    @Test
    void refusesACertificateForAnotherHost() throws Exception {
        SSLEngine client = client(trusting("ca.pem").build(), "localhost");
        SSLEngine server = server(serving("wrong-host").build());
        assertThatThrownBy(() -> handshake(client, server))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("localhost");
    }

    @Test
    void refusesACertificateOfAnUnknownAuthority() throws Exception {
        SSLEngine client = client(trusting("other-ca.pem").build(), "localhost");
        SSLEngine server = server(serving("server").build());
        assertThatThrownBy(() -> handshake(client, server)).isInstanceOf(SSLException.class);
    }

    @Test
    void readsAnEncryptedKey() throws Exception {
        ServerCredentials credentials = TlsServerCredentials.newBuilder()
                .keyManager(
                        TestCertificates.open("server.pem"), TestCertificates.open("server-encrypted.key"), "secret")
                .build();
        handshake(client(trusting("ca.pem").build(), "localhost"), server(credentials));
    }

    @Test
    void presentsTheClientsCertificate() throws Exception {
        ChannelCredentials credentials = trusting("ca.pem")
                .keyManager(TestCertificates.open("client.pem"), TestCertificates.open("client.key"))
                .build();
        SSLEngine server = server(serving("server")
                .trustManager(TestCertificates.open("ca.pem"))
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build());
        handshake(client(credentials, "localhost"), server);
        assertThat(server.getSession().getPeerPrincipal().getName()).isEqualTo("CN=client");
    }

    @Test
    void requiresAClientCertificateOnlyWhereToldTo() throws Exception {
        SSLEngine optional = server(serving("server")
                .trustManager(TestCertificates.open("ca.pem"))
                .clientAuth(TlsServerCredentials.ClientAuth.OPTIONAL)
                .build());
        handshake(client(trusting("ca.pem").build(), "localhost"), optional);
        assertThatThrownBy(() -> optional.getSession().getPeerPrincipal())
                .isInstanceOf(SSLPeerUnverifiedException.class);

        SSLEngine required = server(serving("server")
                .trustManager(TestCertificates.open("ca.pem"))
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build());
        SSLEngine client = client(trusting("ca.pem").build(), "localhost");
        assertThatThrownBy(() -> handshake(client, required)).isInstanceOf(SSLException.class);
    }

    @Test
    void plaintextHasNoContext() {
        assertThat(Tls.forClient(InsecureChannelCredentials.create())).isEqualTo(new Tls.Outcome(null, null, null));
        assertThat(Tls.forServer(InsecureServerCredentials.create())).isEqualTo(new Tls.Outcome(null, null, null));
    }

    @Test
    void keepsTheCallCredentialsOfComposites() {
        CallCredentials call = new NoCallCredentials();
        Tls.Outcome outcome =
                Tls.forClient(CompositeChannelCredentials.create(InsecureChannelCredentials.create(), call));
        assertThat(outcome.error()).isNull();
        assertThat(outcome.callCredentials()).isSameAs(call);
    }

    @Test
    void takesTheFirstChoiceItUnderstands() {
        ChannelCredentials unknown =
                TlsChannelCredentials.newBuilder().requireFakeFeature().build();
        assertThat(Tls.forClient(unknown).error()).contains("FAKE");
        Tls.Outcome outcome =
                Tls.forClient(ChoiceChannelCredentials.create(unknown, InsecureChannelCredentials.create()));
        assertThat(outcome.error()).isNull();
        assertThat(outcome.context()).isNull();
        assertThat(Tls.forClient(ChoiceChannelCredentials.create(unknown)).error())
                .contains("FAKE");
    }

    @Test
    void namesWhatItCannotUse() throws Exception {
        ServerCredentials badKey = TlsServerCredentials.newBuilder()
                .keyManager(TestCertificates.open("server.pem"), TestCertificates.open("server.pem"))
                .build();
        assertThat(Tls.forServer(badKey).error()).contains("server").contains("PKCS#8");
        ServerCredentials wrongPassword = TlsServerCredentials.newBuilder()
                .keyManager(TestCertificates.open("server.pem"), TestCertificates.open("server-encrypted.key"), "no")
                .build();
        assertThat(Tls.forServer(wrongPassword).error()).doesNotContain("secret");
        assertThat(Tls.forClient(new ForeignCredentials()).error()).contains("ForeignCredentials");
    }

    private static TlsChannelCredentials.Builder trusting(String ca) throws Exception {
        return TlsChannelCredentials.newBuilder().trustManager(TestCertificates.open(ca));
    }

    private static TlsServerCredentials.Builder serving(String name) throws Exception {
        return TlsServerCredentials.newBuilder()
                .keyManager(TestCertificates.open(name + ".pem"), TestCertificates.open(name + ".key"));
    }

    private static SSLEngine client(ChannelCredentials credentials, String host) {
        Tls.Outcome outcome = Tls.forClient(credentials);
        assertThat(outcome.error()).isNull();
        return Objects.requireNonNull(outcome.context()).newEngine(ByteBufAllocator.DEFAULT, host, 443);
    }

    private static SSLEngine server(ServerCredentials credentials) {
        Tls.Outcome outcome = Tls.forServer(credentials);
        assertThat(outcome.error()).isNull();
        return Objects.requireNonNull(outcome.context()).newEngine(ByteBufAllocator.DEFAULT);
    }

    private static void handshake(SSLEngine client, SSLEngine server) throws SSLException {
        client.beginHandshake();
        server.beginHandshake();
        ByteBuffer toServer = ByteBuffer.allocate(1 << 17);
        ByteBuffer toClient = ByteBuffer.allocate(1 << 17);
        for (int turn = 0; turn < 100; turn++) {
            step(client, toClient, toServer);
            step(server, toServer, toClient);
            if (done(client) && done(server) && toServer.position() == 0 && toClient.position() == 0) {
                return;
            }
        }
        throw new AssertionError("the handshake does not end");
    }

    private static boolean done(SSLEngine engine) {
        return engine.getHandshakeStatus() == HandshakeStatus.NOT_HANDSHAKING;
    }

    private static void step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
        ByteBuffer application = ByteBuffer.allocate(1 << 17);
        in.flip();
        while (in.hasRemaining()) {
            int before = in.remaining();
            engine.unwrap(in, application);
            runTasks(engine);
            if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP || before == in.remaining()) {
                break;
            }
        }
        in.compact();
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            engine.wrap(ByteBuffer.allocate(0), out);
            runTasks(engine);
        }
    }

    private static void runTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private static final class NoCallCredentials extends CallCredentials {
        @Override
        public void applyRequestMetadata(RequestInfo request, Executor executor, MetadataApplier applier) {
            throw new AssertionError("not called in this test");
        }
    }

    private static final class ForeignCredentials extends ChannelCredentials {
        @Override
        public ChannelCredentials withoutBearerTokens() {
            return this;
        }
    }
}
