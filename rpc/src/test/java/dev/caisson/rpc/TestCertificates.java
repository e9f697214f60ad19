package dev.caisson.rpc;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The certificates of src/test/resources/tls (made by make.sh there), by file name. */
final class TestCertificates {
    private TestCertificates() {}

    /** A stream over bytes in memory: gRPC's builders read their streams but do not close them. */
    static InputStream open(String name) {
        return new ByteArrayInputStream(bytes(name));
    }

    static byte[] bytes(String name) {
        try (InputStream in = TestCertificates.class.getResourceAsStream("/tls/" + name)) {
            if (in == null) {
                throw new IllegalArgumentException("no test certificate " + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
