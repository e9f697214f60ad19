package dev.caisson.gateway.generic;

import io.grpc.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A service, method or type could not be looked up. The message says what, of which thing, and the next step. */
public final class CatalogException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Why a look-up failed. */
    public enum Code {
        /** There is no service, method or type of that name; {@link #suggestions()} has the nearest ones. */
        UNKNOWN_NAME(Status.Code.NOT_FOUND),
        /** The server offers reflection in neither version. */
        NO_REFLECTION(Status.Code.FAILED_PRECONDITION),
        /** The reflection call itself failed; {@link #status()} is its status. */
        CALL_FAILED(Status.Code.UNAVAILABLE),
        /** The descriptors contradict themselves: not decodable, a missing or circular import, an undefined type. */
        BAD_DESCRIPTORS(Status.Code.INTERNAL),
        /** The descriptors exceed a limit of {@link CatalogLimits}. */
        TOO_LARGE(Status.Code.RESOURCE_EXHAUSTED);

        private final Status.Code status;

        Code(Status.Code status) {
            this.status = status;
        }
    }

    private final Code code;
    private final List<String> suggestions;
    private final transient @Nullable Status callStatus;

    CatalogException(Code code, String message, @Nullable Throwable cause) {
        this(code, message, List.of(), null, cause);
    }

    CatalogException(Code code, String message) {
        this(code, message, null);
    }

    private CatalogException(
            Code code,
            String message,
            List<String> suggestions,
            @Nullable Status callStatus,
            @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
        this.suggestions = suggestions;
        this.callStatus = callStatus;
    }

    /** "There is no {what} {name} {where}", with the nearest of the names there are. */
    static CatalogException unknown(String what, String name, String where, Iterable<String> known) {
        List<String> nearest = NearestNames.of(name, known);
        String message = "there is no " + what + " " + shorten(name) + " " + where + NearestNames.question(nearest);
        return new CatalogException(Code.UNKNOWN_NAME, message, nearest, null, null);
    }

    static CatalogException callFailed(String message, Status status, Throwable cause) {
        return new CatalogException(Code.CALL_FAILED, message, List.of(), status, cause);
    }

    /** Why. */
    public Code code() {
        return code;
    }

    /** The nearest names there are, nearest first; at most three; empty unless a name was unknown. */
    public List<String> suggestions() {
        return suggestions;
    }

    /** The gRPC status to answer with: the reflection call's own where that failed, else by {@link #code()}. */
    public Status status() {
        Status known = callStatus != null ? callStatus : code.status.toStatus();
        return known.withDescription(getMessage()).withCause(this);
    }

    /** A name for a message, cut to what one reads. */
    static String shorten(String name) {
        return name.length() <= 200 ? name : name.substring(0, 200) + "…";
    }
}
