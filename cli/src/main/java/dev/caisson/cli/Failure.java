package dev.caisson.cli;

import dev.caisson.gateway.generic.CallError;
import dev.caisson.gateway.generic.CatalogException;
import dev.caisson.gateway.generic.JsonException;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/**
 * How a command failed: its exit code, what to tell a person, what to tell a program.
 *
 * <pre>
 * exit  1      none of the others
 *       2      used wrongly: option, name, address, JSON that does not fit
 *      64 + n  gRPC status n
 *     130      Ctrl-C
 *     141      the reader of the output went away
 * </pre>
 */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    static final int OTHER = 1;
    static final int USAGE = 2;
    static final int STATUS = 64;
    static final int INTERRUPTED = 130;
    static final int BROKEN_PIPE = 141;

    private final int exitCode;
    private final transient CallError error;
    private final @Nullable String next;

    private Failure(int exitCode, CallError error, @Nullable String next, @Nullable Throwable cause) {
        super(error.message(), cause);
        this.exitCode = exitCode;
        this.error = error;
        this.next = next;
    }

    /** The user asked for what cannot be. */
    static Failure usage(String message) {
        return new Failure(USAGE, CallError.of(Status.INVALID_ARGUMENT.withDescription(message)), null, null);
    }

    /** A call ended with a status other than OK. */
    static Failure status(CallError error, @Nullable String next) {
        return new Failure(STATUS + error.code(), error, next, null);
    }

    /** As {@link #status(CallError, String)} for a failure before there was a call. */
    static Failure status(Status status, @Nullable String next) {
        return status(CallError.of(status), next);
    }

    /** Ctrl-C. */
    static Failure interrupted() {
        return new Failure(INTERRUPTED, CallError.of(Status.CANCELLED.withDescription("interrupted")), null, null);
    }

    /** What any exception out of a command means. */
    static Failure of(Throwable e) {
        return switch (e) {
            case Failure failure -> failure;
            case Console.BrokenPipe broken -> new Failure(BROKEN_PIPE, CallError.of(Status.CANCELLED), null, broken);
            case JsonException json ->
                new Failure(
                        USAGE,
                        CallError.of(Status.INVALID_ARGUMENT.withDescription(
                                "the request does not fit: " + json.getMessage())),
                        null,
                        json);
            case CatalogException catalog -> ofCatalog(catalog);
            case NoSuchFileException missing -> usage("there is no file " + missing.getFile());
            case AccessDeniedException denied -> usage("the file " + denied.getFile() + " may not be read");
            case IOException io -> usage(io.getMessage() == null ? io.toString() : io.getMessage());
            case InterruptedException interrupted -> interrupted();
            default ->
                new Failure(
                        OTHER,
                        CallError.of(Status.INTERNAL.withDescription("this should not happen: " + e)),
                        "run it again with CAISSON_TRACE=1 to see where, and tell us",
                        e);
        };
    }

    private static Failure ofCatalog(CatalogException e) {
        CallError error = CallError.of(e.status());
        return switch (e.code()) {
            case UNKNOWN_NAME -> new Failure(USAGE, error, null, e);
            case NO_REFLECTION ->
                new Failure(
                        STATUS + Status.Code.UNIMPLEMENTED.value(),
                        error,
                        "give its files: --proto x.proto, or --descriptor-set x.pb",
                        e);
            case CALL_FAILED -> new Failure(STATUS + error.code(), error, null, e);
            case BAD_DESCRIPTORS, TOO_LARGE -> new Failure(OTHER, error, null, e);
        };
    }

    int exitCode() {
        return exitCode;
    }

    CallError error() {
        return error;
    }

    /** Writes it to standard error, as text or as one line of JSON; answers the exit code. */
    int tell(Console console, boolean json) {
        if (exitCode == BROKEN_PIPE || exitCode == INTERRUPTED) {
            return exitCode;
        }
        if (json) {
            console.errorLine(error.toJson());
            return exitCode;
        }
        boolean fromCall = exitCode >= STATUS;
        String message = error.message().isEmpty() ? "(the server gives no message)" : error.message();
        console.error(fromCall ? error.status() + ": " + message : message);
        for (String detail : error.details()) {
            console.errorDetail(detail);
        }
        if (next != null) {
            console.errorDetail(next);
        }
        if (exitCode == OTHER && getCause() != null && System.getenv("CAISSON_TRACE") != null) {
            for (StackTraceElement frame : getCause().getStackTrace()) {
                console.errorDetail("at " + frame);
            }
        }
        return exitCode;
    }
}
