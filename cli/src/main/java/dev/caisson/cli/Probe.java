package dev.caisson.cli;

import io.grpc.Status;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a port after a connection failed, to say why in words: nobody there, TLS against plaintext or the other way
 * round, a certificate that is not trusted. One or two short connections of its own, closed before it returns; sends
 * nothing but a TLS hello or an HTTP/2 preface.
 */
final class Probe {
    private static final int TIMEOUT_MILLIS = 2_000;
    private static final int SETTINGS_FRAME = 4; // RFC 9113, 6.5

    /** What is wrong, and what to do. */
    record Finding(String problem, String next) {}

    private Probe() {}

    /** Null where nothing was found out beyond the status. */
    static @Nullable Finding look(Address address, boolean usedTls, ConnectionOptions options, Status status) {
        if (address.port() == 0 || address.host().isEmpty()) {
            return null;
        }
        InetSocketAddress socketAddress;
        try {
            socketAddress = new InetSocketAddress(InetAddress.getByName(address.host()), address.port());
        } catch (UnknownHostException e) {
            return new Finding("there is no host " + address.host(), "check the name, or give the address as numbers");
        }
        try {
            return usedTls ? lookWithTls(address, socketAddress, options, status) : lookWithout(address, socketAddress);
        } catch (ConnectException e) {
            return new Finding(
                    "nothing listens at " + address + " (connection refused)",
                    "start the server there, or check host and port");
        } catch (SocketTimeoutException | NoRouteToHostException e) {
            return new Finding(
                    address + " does not answer", "check the address, and whether a firewall stands between");
        } catch (IOException | GeneralSecurityException e) {
            return null;
        }
    }

    private static @Nullable Finding lookWithout(Address address, InetSocketAddress at)
            throws IOException, GeneralSecurityException {
        if (speaksTls(at, address.host())) {
            return new Finding(
                    address + " speaks TLS, and the call was made without",
                    address.loopback()
                            ? "add --tls (plaintext is the default for loopback addresses), with --cacert FILE for a"
                                    + " certificate of your own, or --insecure"
                            : "leave out --plaintext");
        }
        return speaksHttp2(at)
                ? null
                : new Finding(address + " does not speak HTTP/2, which gRPC needs", "check the port");
    }

    private static @Nullable Finding lookWithTls(
            Address address, InetSocketAddress at, ConnectionOptions options, Status status)
            throws IOException, GeneralSecurityException {
        if (speaksTls(at, address.host())) {
            return certificate(address, options, status);
        }
        return speaksHttp2(at)
                ? new Finding(
                        address + " speaks plaintext, and the call was made with TLS",
                        "add --plaintext" + (options.tls ? " instead of --tls" : ""))
                : new Finding(address + " speaks neither TLS nor HTTP/2", "check the port");
    }

    /** The port speaks TLS and the call did too: what remains are certificates. */
    private static @Nullable Finding certificate(Address address, ConnectionOptions options, Status status) {
        StringBuilder all = new StringBuilder();
        Throwable cause = status.getCause();
        for (int i = 0; cause != null && i < 20; i++, cause = cause.getCause()) {
            all.append(cause).append('\n');
        }
        String text = (status.getDescription() + "\n" + all).toLowerCase(Locale.ROOT);
        if (text.contains("pkix") || text.contains("unable to find valid certification path")) {
            return new Finding(
                    "the certificate of " + address + " is signed by nobody that is trusted here",
                    "add --cacert FILE with the certificate to trust, or --insecure for a test");
        }
        if (text.contains("subject alternative") || text.contains("no name matching")) {
            String name = options.authority != null ? options.authority : address.host();
            return new Finding(
                    "the certificate of " + address + " is not for the name " + name,
                    "add --authority NAME with a name it is for, or --insecure for a test");
        }
        if (text.contains("expired") || text.contains("notafter")) {
            return new Finding("the certificate of " + address + " has expired", "renew it, or --insecure for a test");
        }
        if (text.contains("certificate_required")
                || text.contains("bad_certificate")
                || options.cert == null && text.contains("handshake_failure")) {
            return new Finding(
                    address + " refuses the client's certificate, or the lack of one",
                    "add --cert FILE and --key FILE of a client that it trusts");
        }
        return null;
    }

    /** Whether a TLS hello is answered by TLS: a finished handshake, or an alert. */
    private static boolean speaksTls(InetSocketAddress at, String host) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new ConnectionOptions.TrustAnything()}, new SecureRandom());
        try (Socket plain = new Socket()) {
            plain.connect(at, TIMEOUT_MILLIS);
            plain.setSoTimeout(TIMEOUT_MILLIS);
            try (SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket(plain, host, at.getPort(), true)) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setApplicationProtocols(new String[] {"h2"});
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                return true;
            } catch (IOException e) {
                String message = String.valueOf(e.getMessage());
                return message.contains("alert") && !message.contains("plaintext");
            }
        }
    }

    /** Whether an HTTP/2 preface is answered by a SETTINGS frame (RFC 9113, 3.4). */
    private static boolean speaksHttp2(InetSocketAddress at) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(at, TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(new byte[] {0, 0, 0, SETTINGS_FRAME, 0, 0, 0, 0, 0});
            socket.getOutputStream().flush();
            byte[] head = socket.getInputStream().readNBytes(9);
            return head.length == 9 && head[3] == SETTINGS_FRAME;
        } catch (ConnectException e) {
            throw e;
        } catch (IOException e) {
            return false;
        }
    }
}
