package dev.caisson.store;

import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a store needs to speak TLS: PEM files, read once when it opens.
 *
 * @param certificates the store's certificate, then those that lead to its authority
 * @param key the certificate's private key, PKCS #8, not encrypted
 * @param clientAuthorities who signs the certificates that clients must show; null if they need none
 */
record Tls(Path certificates, Path key, @Nullable Path clientAuthorities) {
    /**
     * TLS 1.3 and 1.2 by the JDK's own provider: nothing native, so nothing to release.
     *
     * @throws IOException that names the files, if they cannot be used
     */
    SslContext context() throws IOException {
        for (Path file : new Path[] {certificates, key, clientAuthorities}) {
            if (file != null && !Files.isReadable(file)) {
                throw new IOException("the store cannot read " + file + ", which it needs for TLS");
            }
        }
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(certificates.toFile(), key.toFile())
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2");
            if (clientAuthorities != null) {
                builder.trustManager(clientAuthorities.toFile()).clientAuth(ClientAuth.REQUIRE);
            }
            return builder.build();
        } catch (IllegalArgumentException | IOException bad) {
            throw new IOException(
                    "the store cannot use the certificate " + certificates + " with the key " + key + ": "
                            + bad.getMessage() + "; both must be PEM, the key PKCS #8 and not encrypted",
                    bad);
        }
    }
}
