package dev.caisson.rpc;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The certificates of src/test/resources/tls (made by make.sh there), by file name. */
final class TestCertificates {
    private TestCertificates() {}

    static InputStream open(String name) {
        InputStream in = TestCertificates.class.getResourceAsStream("/tls/" + name);
        if (in == null) {
            throw new IllegalArgumentException("no test certificate " + name);
        }
        return in;
    }

    static byte[] bytes(String name) {
        try (InputStream in = open(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
