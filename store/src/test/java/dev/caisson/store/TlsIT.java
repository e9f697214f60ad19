package dev.caisson.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.resp.Reply;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URISyntaxException;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** TLS on the port. */
class TlsIT {
    @Test
    void speaksTls() throws Exception {
        try (Store store = Store.open(options());
                Wire wire = connect(store, trusting(null))) {
            assertThat(wire.call("HELLO", "3")).isInstanceOf(Reply.MapReply.class);
            String large = "x".repeat(3_000_000);
            assertThat(wire.call("SET", "k", large)).isEqualTo(new Reply.Simple("OK"));
            assertThat(wire.call("GET", "k")).isEqualTo(new Reply.Bulk(large.getBytes(ISO_8859_1)));
            for (int i = 0; i < 200; i++) {
                wire.send("INCR", "n");
            }
            for (int i = 1; i <= 200; i++) {
                assertThat(wire.read()).isEqualTo(new Reply.Int(i));
            }
            wire.call("SUBSCRIBE", "c");
            assertThat(wire.call("PUBLISH", "c", "m")).isEqualTo(new Reply.Int(1));
            assertThat(wire.read()).isInstanceOf(Reply.Push.class);
            assertThat(wire.call("QUIT")).isEqualTo(new Reply.Simple("OK"));
        }
    }

    @Test
    void whoSpeaksPlainIsClosed() throws Exception {
        try (Store store = Store.open(options());
                Wire plain = new Wire(store.port());
                Wire secure = connect(store, trusting(null))) {
            plain.raw("PING\r\n");
            assertThatThrownBy(() -> {
                        while (plain.in().read() >= 0) {
                            // the alert that says why
                        }
                        throw new IOException("closed");
                    })
                    .isInstanceOf(IOException.class);
            assertThat(secure.call("PING")).isEqualTo(new Reply.Simple("PONG"));
            await().until(() -> store.connections() == 1);
        }
    }

    @Test
    void clientsMustShowACertificateWhereThatIsAskedFor() throws Exception {
        StoreOptions options =
                StoreOptions.defaults().port(0).loops(2).tls(file("server.pem"), file("server.key"), file("ca.pem"));
        try (Store store = Store.open(options)) {
            try (Wire known = connect(store, trusting("client"))) {
                assertThat(known.call("PING")).isEqualTo(new Reply.Simple("PONG"));
            }
            for (String name : new String[] {null, "stranger"}) {
                assertThatThrownBy(() -> {
                            try (Wire unknown = connect(store, trusting(name))) {
                                unknown.call("PING");
                            }
                        })
                        .isInstanceOf(IOException.class);
            }
            await().until(() -> store.connections() == 0);
        }
    }

    @Test
    void filesThatCannotBeUsedAreNamed() {
        StoreOptions options = StoreOptions.defaults().port(0);
        assertThatThrownBy(() -> Store.open(options.tls(Path.of("no-such.pem"), file("server.key"))))
                .isInstanceOf(IOException.class)
                .hasMessage("the store cannot read no-such.pem, which it needs for TLS");
        assertThatThrownBy(() -> Store.open(options.tls(file("server.pem"), file("server.pem"))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("server.pem with the key");
    }

    private static StoreOptions options() throws URISyntaxException {
        return StoreOptions.defaults().port(0).loops(2).tls(file("server.pem"), file("server.key"));
    }

    private static Path file(String name) throws URISyntaxException {
        var resource = TlsIT.class.getResource("/tls/" + name);
        assertThat(resource).as(name).isNotNull();
        return Path.of(resource.toURI());
    }

    /** @param name of the certificate that the client shows; null for none */
    private static SSLContext trusting(@Nullable String name) throws Exception {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .trustManager(file("ca.pem").toFile());
        if (name != null) {
            builder.keyManager(file(name + ".pem").toFile(), file(name + ".key").toFile());
        }
        return ((JdkSslContext) builder.build()).context();
    }

    private static Wire connect(Store store, SSLContext context) throws IOException {
        return new Wire(context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), store.port()));
    }
}
