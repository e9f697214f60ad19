package dev.caisson.tests.interop;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.internal.testing.TestUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Plaintext, or TLS with a certificate on both sides (those that grpc-java's own tests ship in grpc-testing). */
enum Transport {
    PLAINTEXT {
        @Override
        ServerCredentials serverCredentials() {
            return InsecureServerCredentials.create();
        }

        @Override
        ChannelCredentials channelCredentials() {
            return InsecureChannelCredentials.create();
        }
    },

    TLS {
        @Override
        ServerCredentials serverCredentials() {
            try (InputStream chain = certificate("server1.pem");
                    InputStream key = certificate("server1.key");
                    InputStream trusted = certificate("ca.pem")) {
                return TlsServerCredentials.newBuilder()
                        .keyManager(chain, key)
                        .trustManager(trusted)
                        .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        ChannelCredentials channelCredentials() {
            try (InputStream chain = certificate("client.pem");
                    InputStream key = certificate("client.key");
                    InputStream trusted = certificate("ca.pem")) {
                return TlsChannelCredentials.newBuilder()
                        .keyManager(chain, key)
                        .trustManager(trusted)
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    /** A name that the test server's certificate is good for. */
    static final String AUTHORITY = TestUtils.TEST_SERVER_HOST;

    abstract ServerCredentials serverCredentials();

    abstract ChannelCredentials channelCredentials();

    private static InputStream certificate(String file) {
        InputStream in = TestUtils.class.getResourceAsStream("/certs/" + file);
        if (in == null) {
            throw new IllegalStateException("grpc-testing has no /certs/" + file);
        }
        return in;
    }
}
