package dev.caisson.cli;

import dev.caisson.gateway.generic.GenericMethod;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Tells on standard error what happens in a call, for {@code -v}; or says nothing. */
final class Narrator {
    /** Says nothing. */
    static final Narrator SILENT = new Narrator(null, null);

    private final @Nullable Console console;
    private final @Nullable ConnectionOptions connection;
    private volatile long startedNanos;
    private volatile long headersNanos;

    Narrator(@Nullable Console console, @Nullable ConnectionOptions connection) {
        this.console = console;
        this.connection = connection;
    }

    void starts(GenericMethod method) {
        if (console == null || connection == null) {
            return;
        }
        startedNanos = System.nanoTime();
        note("method: "
                + ProtoSource.of(method.descriptor())
                        .lines()
                        .skip(1)
                        .findFirst()
                        .orElse(""));
        metadata("request metadata", connection.metadata());
        if (connection.timeout != null) {
            note("deadline: " + connection.timeout.toMillis() + " ms");
        }
    }

    void headers(Metadata headers) {
        headersNanos = System.nanoTime();
        metadata("response headers", headers);
    }

    void ended(Status status, Metadata trailers, long sent, long received) {
        metadata("trailers", trailers);
        note("status: " + status.getCode() + " (" + status.getCode().value() + ")");
        long now = System.nanoTime();
        String first = headersNanos == 0 ? "" : ", headers after " + millis(headersNanos - startedNanos);
        note("sent " + sent + ", received " + received + first + ", all after " + millis(now - startedNanos));
    }

    private static String millis(long nanos) {
        return String.format(Locale.ROOT, "%.1f ms", Duration.ofNanos(nanos).toNanos() / 1e6);
    }

    private void metadata(String what, Metadata metadata) {
        if (console == null) {
            return;
        }
        Set<String> names = new TreeSet<>(metadata.keys());
        names.removeAll(Set.of("grpc-status", "grpc-message")); // told as the status
        note(what + (names.isEmpty() ? ": none" : ":"));
        for (String name : names) {
            if (name.endsWith("-bin")) {
                Iterable<byte[]> values = metadata.getAll(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER));
                for (byte[] value : values == null ? List.<byte[]>of() : values) {
                    note("  " + name + ": " + Base64.getEncoder().encodeToString(value));
                }
            } else {
                Iterable<String> values = metadata.getAll(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
                for (String value : values == null ? List.<String>of() : values) {
                    note("  " + name + ": " + (name.equals("authorization") ? "(not shown)" : Json.printable(value)));
                }
            }
        }
    }

    private void note(String text) {
        if (console != null) {
            console.note(text);
        }
    }
}
