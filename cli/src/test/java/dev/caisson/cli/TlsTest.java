package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.leaks.NoLeaks;
import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import java.io.File;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** TLS, mutual TLS, and every way to get it wrong told as what it is. */
@NoLeaks
class TlsTest {
    private static final String CA = file("ca.pem").getPath();

    private static File file(String name) {
        return new File("../rpc/src/test/resources/tls", name);
    }

    private static ServerCredentials certificate(String name) throws IOException {
        return TlsServerCredentials.create(file(name + ".pem"), file(name + ".key"));
    }

    @ParameterizedTest
    @EnumSource(
            value = DemoServer.Kind.class,
            names = {"GRPC_JAVA_V1", "CAISSON"})
    void callsOverTls(DemoServer.Kind kind) throws Exception {
        try (DemoServer server = DemoServer.start(kind, certificate("server"))) {
            Cli trusted = Cli.run("call", server.address(), "demo.Demo/Ask", "--cacert", CA);
            assertThat(trusted.err()).isEmpty();
            assertThat(trusted.exitCode()).isZero();
            assertThat(Cli.run("list", server.address(), "--insecure").exitCode())
                    .isZero();
            assertThat(Cli.run("list", server.address(), "--cacert", CA, "--authority", "foo.test.google.fr")
                            .exitCode())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DemoServer.Kind.class,
            names = {"GRPC_JAVA_V1", "CAISSON"})
    void plaintextToATlsPortIsToldAsSuch(DemoServer.Kind kind) throws Exception {
        try (DemoServer server = DemoServer.start(kind, certificate("server"))) {
            Cli wrong = Cli.run("list", server.address());
            assertThat(wrong.err())
                    .startsWith(
                            "caisson: UNAVAILABLE: " + server.address() + " speaks TLS, and the call was made without")
                    .contains("add --tls");
            assertThat(wrong.exitCode()).isEqualTo(78);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DemoServer.Kind.class,
            names = {"GRPC_JAVA_V1", "CAISSON"})
    void tlsToAPlaintextPortIsToldAsSuch(DemoServer.Kind kind) throws Exception {
        try (DemoServer server = DemoServer.start(kind)) {
            Cli wrong = Cli.run("list", server.address(), "--tls");
            assertThat(wrong.err())
                    .startsWith("caisson: UNAVAILABLE: " + server.address()
                            + " speaks plaintext, and the call was made with TLS")
                    .contains("add --plaintext instead of --tls");
            assertThat(wrong.exitCode()).isEqualTo(78);
        }
    }

    @Test
    void aCertificateNobodyTrustsIsToldAsSuch() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1, certificate("server"))) {
            Cli wrong = Cli.run("list", server.address(), "--tls");
            assertThat(wrong.err())
                    .contains("is signed by nobody that is trusted here")
                    .contains("--cacert FILE");
        }
    }

    @Test
    void aCertificateForAnotherNameIsToldAsSuch() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1, certificate("wrong-host"))) {
            Cli wrong = Cli.run("list", server.address(), "--cacert", CA);
            assertThat(wrong.err()).contains("is not for the name 127.0.0.1").contains("--authority NAME");
        }
    }

    @Test
    void aClientCertificateIsSentAndItsLackToldAsSuch() throws Exception {
        ServerCredentials mutual = TlsServerCredentials.newBuilder()
                .keyManager(file("server.pem"), file("server.key"))
                .trustManager(file("ca.pem"))
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                .build();
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1, mutual)) {
            Cli with = Cli.run(
                    "list",
                    server.address(),
                    "--cacert",
                    CA,
                    "--cert",
                    file("client.pem").getPath(),
                    "--key",
                    file("client.key").getPath());
            assertThat(with.err()).isEmpty();
            assertThat(with.exitCode()).isZero();
            Cli without = Cli.run("list", server.address(), "--cacert", CA);
            assertThat(without.exitCode()).isEqualTo(78);
            assertThat(without.err())
                    .contains("refuses the client's certificate, or the lack of one")
                    .contains("--cert FILE");
        }
    }
}
