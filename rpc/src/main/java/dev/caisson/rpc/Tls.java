package dev.caisson.rpc;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.ChoiceChannelCredentials;
import io.grpc.ChoiceServerCredentials;
import io.grpc.CompositeCallCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509KeyManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Turns io.grpc credentials into Netty TLS contexts of the JDK provider, with ALPN for HTTP/2 (RFC 7540 section 3.3).
 *
 * <p>A context is immutable, may be shared between threads and connections, and needs no closing.
 */
final class Tls {
    /** The ALPN identifier of HTTP/2 over TLS (RFC 9113 section 3.2). */
    static final String H2 = "h2";

    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    /* TLS 1.3 suites, then those of TLS 1.2 that RFC 9113 appendix A does not prohibit. */
    private static final List<String> CIPHERS = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private static final ApplicationProtocolConfig ALPN = new ApplicationProtocolConfig(
            Protocol.ALPN, SelectorFailureBehavior.NO_ADVERTISE, SelectedListenerFailureBehavior.ACCEPT, H2);

    private Tls() {}

    /**
     * What credentials came to: a context, or none for plaintext, or an error.
     *
     * @param context the TLS context; null for plaintext or an error
     * @param callCredentials credentials for every call of the channel; null for a server or if there are none
     * @param error why the credentials cannot be used, naming what was not understood; null if they can
     */
    record Outcome(
            @Nullable SslContext context,
            @Nullable CallCredentials callCredentials,
            @Nullable String error) {
        private static final Outcome PLAINTEXT = new Outcome(null, null, null);

        private static Outcome failed(String error) {
            return new Outcome(null, null, error);
        }

        private Outcome with(CallCredentials more) {
            if (error != null) {
                return this;
            }
            return new Outcome(
                    context,
                    callCredentials == null ? more : new CompositeCallCredentials(callCredentials, more),
                    null);
        }
    }

    /**
     * The TLS context for a channel. Verifies the server's certificate against the given roots (the JDK's if none) and
     * its name against the authority.
     */
    static Outcome forClient(ChannelCredentials credentials) {
        return switch (credentials) {
            case InsecureChannelCredentials insecure -> Outcome.PLAINTEXT;
            case TlsChannelCredentials tls -> {
                Set<TlsChannelCredentials.Feature> unknown = tls.incomprehensible(
                        EnumSet.of(TlsChannelCredentials.Feature.MTLS, TlsChannelCredentials.Feature.CUSTOM_MANAGERS));
                yield unknown.isEmpty()
                        ? build("channel", () -> clientContext(tls))
                        : Outcome.failed("TLS features of the channel credentials not supported: " + unknown);
            }
            case CompositeChannelCredentials composite ->
                forClient(composite.getChannelCredentials()).with(composite.getCallCredentials());
            case ChoiceChannelCredentials choice -> firstUsable(choice.getCredentialsList(), Tls::forClient);
            default ->
                Outcome.failed("channel credentials not supported: "
                        + credentials.getClass().getName()
                        + "; use TlsChannelCredentials or InsecureChannelCredentials");
        };
    }

    /** The TLS context for a server. Client certificates are asked for, or required, as the credentials say. */
    static Outcome forServer(ServerCredentials credentials) {
        return switch (credentials) {
            case InsecureServerCredentials insecure -> Outcome.PLAINTEXT;
            case TlsServerCredentials tls -> {
                Set<TlsServerCredentials.Feature> unknown = tls.incomprehensible(
                        EnumSet.of(TlsServerCredentials.Feature.MTLS, TlsServerCredentials.Feature.CUSTOM_MANAGERS));
                yield unknown.isEmpty()
                        ? build("server", () -> serverContext(tls))
                        : Outcome.failed("TLS features of the server credentials not supported: " + unknown);
            }
            case ChoiceServerCredentials choice -> firstUsable(choice.getCredentialsList(), Tls::forServer);
            default ->
                Outcome.failed("server credentials not supported: "
                        + credentials.getClass().getName()
                        + "; use TlsServerCredentials or InsecureServerCredentials");
        };
    }

    /** The default TLS context of a channel: the JDK's roots, no client certificate. */
    static Outcome forClient() {
        return forClient(TlsChannelCredentials.create());
    }

    @FunctionalInterface
    private interface ContextFactory {
        SslContext make() throws Exception;
    }

    private static <C> Outcome firstUsable(List<C> choices, Function<C, Outcome> reader) {
        List<String> errors = new ArrayList<>();
        for (C choice : choices) {
            Outcome outcome = reader.apply(choice);
            if (outcome.error() == null) {
                return outcome;
            }
            errors.add(outcome.error());
        }
        return Outcome.failed("none of the credentials to choose from can be used: " + errors);
    }

    private static Outcome build(String side, ContextFactory factory) {
        try {
            return new Outcome(factory.make(), null, null);
        } catch (Exception | LinkageError e) {
            return Outcome.failed("TLS credentials of the " + side + " cannot be used: " + reason(e)
                    + " (certificates and keys must be PEM, the key PKCS#8)");
        }
    }

    /** The message of the deepest cause that has one. */
    private static String reason(Throwable e) {
        String message = e.toString();
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause.getMessage() != null) {
                message = cause.getMessage();
            }
        }
        return message;
    }

    private static SslContext clientContext(TlsChannelCredentials tls) throws Exception {
        SslContextBuilder builder = common(SslContextBuilder.forClient());
        KeyManager keyManager = firstKeyManager(tls.getKeyManagers());
        if (keyManager != null) {
            builder.keyManager(keyManager);
        } else if (tls.getPrivateKey() != null) {
            try (InputStream chain = new ByteArrayInputStream(required(tls.getCertificateChain(), "chain"));
                    InputStream key = new ByteArrayInputStream(tls.getPrivateKey())) {
                builder.keyManager(chain, key, tls.getPrivateKeyPassword());
            }
        }
        TrustManager trustManager = firstTrustManager(tls.getTrustManagers());
        if (trustManager != null) {
            builder.trustManager(trustManager);
        } else if (tls.getRootCertificates() != null) {
            try (InputStream roots = new ByteArrayInputStream(tls.getRootCertificates())) {
                builder.trustManager(roots);
            }
        }
        return builder.endpointIdentificationAlgorithm("HTTPS").build();
    }

    private static SslContext serverContext(TlsServerCredentials tls) throws Exception {
        KeyManager keyManager = firstKeyManager(tls.getKeyManagers());
        SslContextBuilder builder;
        if (keyManager != null) {
            builder = SslContextBuilder.forServer(keyManager);
        } else {
            try (InputStream chain = new ByteArrayInputStream(required(tls.getCertificateChain(), "chain"));
                    InputStream key = new ByteArrayInputStream(required(tls.getPrivateKey(), "private key"))) {
                builder = SslContextBuilder.forServer(chain, key, tls.getPrivateKeyPassword());
            }
        }
        common(builder);
        TrustManager trustManager = firstTrustManager(tls.getTrustManagers());
        if (trustManager != null) {
            builder.trustManager(trustManager);
        } else if (tls.getRootCertificates() != null) {
            try (InputStream roots = new ByteArrayInputStream(tls.getRootCertificates())) {
                builder.trustManager(roots);
            }
        }
        builder.clientAuth(
                switch (tls.getClientAuth()) {
                    case NONE -> ClientAuth.NONE;
                    case OPTIONAL -> ClientAuth.OPTIONAL;
                    case REQUIRE -> ClientAuth.REQUIRE;
                });
        return builder.build();
    }

    private static SslContextBuilder common(SslContextBuilder builder) {
        return builder.sslProvider(SslProvider.JDK)
                .protocols(PROTOCOLS)
                .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                .applicationProtocolConfig(ALPN);
    }

    private static byte[] required(byte @Nullable [] bytes, String what) {
        if (bytes == null) {
            throw new IllegalArgumentException("the credentials hold neither key managers nor a certificate " + what);
        }
        return bytes;
    }

    /* javax.net.ssl.SSLContext.init takes the first manager of each kind and ignores the rest; so do we. */
    private static @Nullable KeyManager firstKeyManager(@Nullable List<KeyManager> managers) {
        if (managers == null) {
            return null;
        }
        return managers.stream()
                .filter(X509KeyManager.class::isInstance)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("no X509KeyManager among the key managers " + managers));
    }

    private static @Nullable TrustManager firstTrustManager(@Nullable List<TrustManager> managers) {
        if (managers == null) {
            return null;
        }
        return managers.stream()
                .filter(X509TrustManager.class::isInstance)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("no X509TrustManager among the trust managers " + managers));
    }
}
