package dev.caisson.cli;

import dev.caisson.scope.Scope;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How to reach a server; the options that list, describe and call share. */
final class ConnectionOptions {
    @Option(names = "--tls", order = 20, description = "Use TLS, even to a loopback address.")
    boolean tls;

    @Option(
            names = "--plaintext",
            order = 21,
            description = "Use no TLS. This is the default for loopback addresses only.")
    boolean plaintext;

    @Option(
            names = "--cacert",
            order = 22,
            paramLabel = "FILE",
            description = "PEM certificates to trust instead of the JDK's.")
    @Nullable
    Path cacert;

    @Option(
            names = "--cert",
            order = 23,
            paramLabel = "FILE",
            description = "PEM certificate of the client, for mutual TLS.")
    @Nullable
    Path cert;

    @Option(names = "--key", order = 24, paramLabel = "FILE", description = "PEM private key of the client (PKCS#8).")
    @Nullable
    Path key;

    @Option(
            names = "--authority",
            order = 25,
            paramLabel = "NAME",
            description = "The :authority to send, and the name the server's certificate must have.")
    @Nullable
    String authority;

    @Option(names = "--insecure", order = 26, description = "Trust any certificate. For tests only.")
    boolean insecure;

    @Option(
            names = {"-H", "--header"},
            order = 10,
            paramLabel = "'NAME: VALUE'",
            description = "Metadata to send, as often as you like. The value of a NAME that ends in -bin is base64.")
    List<String> headers = new ArrayList<>();

    @Option(
            names = "--timeout",
            order = 11,
            paramLabel = "TIME",
            converter = Time.class,
            description = "Deadline of the call, such as 5s, 500ms, 2m. Also bounds the look-up (10s if not given).")
    @Nullable
    Duration timeout;

    @Option(
            names = "--max-msg-size",
            order = 12,
            paramLabel = "SIZE",
            converter = Size.class,
            defaultValue = "4M",
            description = "Largest message taken, sent or received: bytes, or 64K, 4M, 1G. Default: ${DEFAULT-VALUE}.")
    int maxMessageBytes;

    /** Refuses combinations that contradict each other, before anything is opened. */
    void check(Address address) {
        boolean tlsOption = tls || cacert != null || cert != null || key != null || insecure;
        if (plaintext && tlsOption) {
            throw Failure.usage("--plaintext cannot go with --tls, --cacert, --cert, --key or --insecure");
        }
        if ((cert == null) != (key == null)) {
            throw Failure.usage("--cert and --key go together: " + (cert == null ? "--cert" : "--key") + " is missing");
        }
        if (insecure && cacert != null) {
            throw Failure.usage("--insecure trusts any certificate: leave out --cacert, or --insecure");
        }
        metadata();
    }

    /** TLS unless the address is loopback; an option that only TLS has means TLS there too. */
    boolean usesTls(Address address) {
        boolean tlsOption = tls || cacert != null || cert != null || insecure;
        return tlsOption || (!plaintext && !address.loopback());
    }

    /** A channel owned by the scope, with the metadata of {@code -H} on every call. */
    ManagedChannel open(Scope scope, Address address) throws IOException {
        ChannelCredentials credentials = usesTls(address) ? tlsCredentials() : InsecureChannelCredentials.create();
        ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(address.target(), credentials)
                .maxInboundMessageSize(maxMessageBytes)
                .userAgent("caisson-cli");
        if (authority != null) {
            builder.overrideAuthority(authority);
        }
        return scope.own("channel to " + address, builder.build(), (channel, deadline) -> {
            channel.shutdownNow();
            channel.awaitTermination(5, TimeUnit.SECONDS);
        });
    }

    private ChannelCredentials tlsCredentials() throws IOException {
        TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder();
        if (insecure) {
            builder.trustManager(new TrustAnything());
        } else if (cacert != null) {
            builder.trustManager(readable(cacert, "--cacert").toFile());
        }
        if (cert != null && key != null) {
            builder.keyManager(
                    readable(cert, "--cert").toFile(), readable(key, "--key").toFile());
        }
        return builder.build();
    }

    private static Path readable(Path file, String option) {
        if (!Files.isReadable(file)) {
            throw Failure.usage(option + " names " + file + ", which cannot be read");
        }
        return file;
    }

    /** The metadata of {@code -H}. */
    Metadata metadata() {
        Metadata metadata = new Metadata();
        for (String header : headers) {
            int colon = header.indexOf(':', 1);
            if (colon < 0) {
                throw Failure.usage("-H needs 'NAME: VALUE', not '" + header + "'");
            }
            put(
                    metadata,
                    header.substring(0, colon).strip(),
                    header.substring(colon + 1).strip());
        }
        return metadata;
    }

    private static void put(Metadata metadata, String name, String value) {
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.startsWith(":") || lower.startsWith("grpc-") || lower.equals("te") || lower.equals("content-type")) {
            throw Failure.usage("-H cannot set " + name + ": gRPC sets it itself");
        }
        try {
            if (lower.endsWith("-bin")) {
                byte[] bytes =
                        Base64.getDecoder().decode(value.replace('-', '+').replace('_', '/'));
                metadata.put(Metadata.Key.of(lower, Metadata.BINARY_BYTE_MARSHALLER), bytes);
            } else if (!value.chars().allMatch(c -> c >= 0x20 && c <= 0x7e)) {
                throw Failure.usage(
                        "-H " + name + ": the value has characters beyond ASCII; a name that ends in -bin takes"
                                + " any bytes as base64");
            } else {
                metadata.put(Metadata.Key.of(lower, Metadata.ASCII_STRING_MARSHALLER), value);
            }
        } catch (IllegalArgumentException e) {
            throw Failure.usage(
                    "-H " + name + ": " + (lower.endsWith("-bin") ? "the value is not base64: " : "") + e.getMessage());
        }
    }

    /** {@code 5s}, {@code 500ms}, {@code 2m}; a bare number is seconds. */
    static final class Time implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            Matcher parts =
                    Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(us|ms|s|m|h)?").matcher(text);
            if (!parts.matches()) {
                throw new TypeConversionException("'" + text + "' is no time: write 5s, 500ms or 2m");
            }
            String unit = parts.group(2) == null ? "s" : parts.group(2);
            double nanos = Double.parseDouble(parts.group(1))
                    * switch (unit) {
                        case "us" -> 1e3;
                        case "ms" -> 1e6;
                        case "m" -> 60e9;
                        case "h" -> 3600e9;
                        default -> 1e9;
                    };
            if (nanos < 1 || nanos > 1e18) {
                throw new TypeConversionException("'" + text + "' is not between 1 ns and 30 years");
            }
            return Duration.ofNanos((long) nanos);
        }
    }

    /** {@code 4194304}, {@code 64K}, {@code 4M}, {@code 1G}. */
    static final class Size implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            Matcher parts = Pattern.compile("(\\d{1,10})([kKmMgG]?)(?:i?[bB])?").matcher(text);
            if (!parts.matches()) {
                throw new TypeConversionException("'" + text + "' is no size: write bytes, or 64K, 4M, 1G");
            }
            int shift = parts.group(2).isEmpty()
                    ? 0
                    : 10 + 10 * "kmg".indexOf(parts.group(2).toLowerCase(Locale.ROOT));
            long bytes = Long.parseLong(parts.group(1)) << shift;
            if (bytes < 1 || bytes > 1L << 30) {
                throw new TypeConversionException("'" + text + "' is not between 1 byte and 1G");
            }
            return (int) bytes;
        }
    }

    /** {@code --insecure}: an extended manager, so that the JDK checks no host name behind its back. */
    static final class TrustAnything extends X509ExtendedTrustManager implements TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
