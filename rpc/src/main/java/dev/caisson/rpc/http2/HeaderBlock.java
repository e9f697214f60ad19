package dev.caisson.rpc.http2;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A decoded header list, in wire order. Shared between streams when the decoder meets the same block again, so nobody may
 * write to its arrays. Except for {@link #attachment}, immutable; belongs to the thread of its connection.
 *
 * <p>The checks of RFC 9113, sections 8.2 and 8.3 that do not depend on the kind of message are done once, while decoding
 * ({@link #malformed}); the others are {@link #checkRequest}, {@link #checkResponse} and {@link #checkTrailers}. A
 * malformed message is a stream error of type PROTOCOL_ERROR (section 8.1.1).
 */
public final class HeaderBlock {
    private static final byte[][] NOTHING = new byte[0][];
    private static final byte[] CONNECT = "CONNECT".getBytes(ISO_8859_1);
    private static final byte[] TRAILERS = "trailers".getBytes(ISO_8859_1);

    private final byte[][] fields; // name, value, name, value ...
    private final int pseudoCount;
    private final int pseudoKinds;
    private final int listSize;
    private final boolean tooLarge;
    private final @Nullable String malformed;

    private byte @Nullable [][] metadata;
    private @Nullable String requestProblem;
    private boolean requestChecked;
    private @Nullable Object attachment;

    private HeaderBlock(
            byte[][] fields,
            int pseudoCount,
            int pseudoKinds,
            int listSize,
            boolean tooLarge,
            @Nullable String malformed) {
        this.fields = fields;
        this.pseudoCount = pseudoCount;
        this.pseudoKinds = pseudoKinds;
        this.listSize = listSize;
        this.tooLarge = tooLarge;
        this.malformed = malformed;
    }

    /** A block of these names and values in turn, checked as a decoded one is. */
    public static HeaderBlock of(byte[]... namesAndValues) {
        if (namesAndValues.length % 2 != 0) {
            throw new IllegalArgumentException("a name without a value: " + namesAndValues.length + " arrays");
        }
        Collector collector = new Collector(Integer.MAX_VALUE);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            byte[] name = Header.intern(namesAndValues[i]);
            byte[] value = namesAndValues[i + 1];
            collector.add(name, value, Header.kindOf(name), Header.validValue(value));
        }
        return collector.take();
    }

    /** How many fields, pseudo-headers included. */
    public int size() {
        return fields.length >> 1;
    }

    /** The name of field {@code i}; a constant of {@link Header} if it is well known. */
    public byte[] name(int i) {
        return fields[2 * i];
    }

    /** The value of field {@code i}. */
    public byte[] value(int i) {
        return fields[2 * i + 1];
    }

    /** The value of the first field with this name, which must be a constant of {@link Header}; null if there is none. */
    @SuppressWarnings("ReferenceEquality") // well-known names are one array each
    public byte @Nullable [] value(byte[] internedName) {
        for (int i = 0; i < fields.length; i += 2) {
            if (fields[i] == internedName) {
                return fields[i + 1];
            }
        }
        return null;
    }

    /** How many pseudo-headers stand in front. */
    public int pseudoCount() {
        return pseudoCount;
    }

    /** All fields behind the pseudo-headers: name, value, name, value ... One shared array: copy it before changing it. */
    public byte[][] metadata() {
        byte[][] result = metadata;
        if (result == null) {
            result = pseudoCount == 0 ? fields : Arrays.copyOfRange(fields, 2 * pseudoCount, fields.length);
            metadata = result;
        }
        return result;
    }

    /** The size of the list as RFC 7541, section 4.1 counts it: names, values and 32 bytes each. */
    public int listSize() {
        return listSize;
    }

    /**
     * Whether the list was longer than the decoder's limit. The fields up to the limit are here, the others are lost; the
     * connection goes on (RFC 9113, section 10.5.1).
     */
    public boolean tooLarge() {
        return tooLarge;
    }

    /** Whether the list breaks a rule that holds for any message. */
    public boolean malformed() {
        return malformed != null;
    }

    /** Which rule is broken, and by which field; empty if none is. */
    public String malformedReason() {
        return malformed == null ? "" : malformed;
    }

    /** What is wrong with this as the head of a request (RFC 9113, section 8.3.1); null if nothing is. */
    public @Nullable String checkRequest() {
        if (!requestChecked) {
            requestProblem = malformed != null ? malformed : requestProblem();
            requestChecked = true;
        }
        return requestProblem;
    }

    private @Nullable String requestProblem() {
        if ((pseudoKinds & Header.PSEUDO_STATUS) != 0) {
            return "a request with :status (RFC 9113, 8.3)";
        }
        byte[] method = value(Header.METHOD);
        if (method == null || method.length == 0) {
            return "a request without :method (RFC 9113, 8.3.1)";
        }
        boolean connect = Arrays.equals(method, CONNECT);
        int wanted = connect ? Header.PSEUDO_AUTHORITY : Header.PSEUDO_SCHEME | Header.PSEUDO_PATH;
        int unwanted = connect ? Header.PSEUDO_SCHEME | Header.PSEUDO_PATH : 0;
        if ((pseudoKinds & wanted) != wanted || (pseudoKinds & unwanted) != 0) {
            return connect
                    ? "CONNECT takes :authority and neither :scheme nor :path (RFC 9113, 8.5)"
                    : "a request without :scheme or :path (RFC 9113, 8.3.1)";
        }
        byte[] path = value(Header.PATH);
        if (path != null && path.length == 0) {
            return "a request with an empty :path (RFC 9113, 8.3.1)";
        }
        return null;
    }

    /** What is wrong with this as the head of a response (RFC 9113, section 8.3.2); null if nothing is. */
    public @Nullable String checkResponse() {
        if (malformed != null) {
            return malformed;
        }
        if (pseudoKinds != Header.PSEUDO_STATUS) {
            return "a response takes :status and no other pseudo-header (RFC 9113, 8.3.2)";
        }
        return status() < 0 ? "a :status that is not three digits (RFC 9110, 15)" : null;
    }

    /** What is wrong with this as trailers (RFC 9113, section 8.1); null if nothing is. */
    public @Nullable String checkTrailers() {
        if (malformed != null) {
            return malformed;
        }
        return pseudoKinds != 0 ? "trailers with a pseudo-header (RFC 9113, 8.1)" : null;
    }

    /** The HTTP status code, 100 to 999; -1 if there is none or it is no three-digit number. */
    public int status() {
        byte[] value = value(Header.STATUS);
        if (value == null || value.length != 3) {
            return -1;
        }
        int status = 0;
        for (byte b : value) {
            if (b < '0' || b > '9') {
                return -1;
            }
            status = 10 * status + b - '0';
        }
        return status < 100 ? -1 : status;
    }

    /** What the connection's owner keeps beside a block that comes again and again, such as the method it names. */
    public @Nullable Object attachment() {
        return attachment;
    }

    /** Replaces the attachment. */
    public void attachment(@Nullable Object newAttachment) {
        attachment = newAttachment;
    }

    /** The list as text, one field after the other. For messages of tests and tools: it shows secrets. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < size(); i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(Header.text(name(i)))
                    .append(": ")
                    .append(Header.text(value(i)));
        }
        return text.append(tooLarge ? ", ...]" : "]").toString();
    }

    /** Gathers the fields of one block and checks each. Reused by its decoder. */
    static final class Collector {
        private static final int INITIAL_FIELDS = 16;
        private static final int KEPT_FIELDS = 128; // a longer scratch array is not kept

        private final int maxListSize;
        private byte[][] fields = new byte[2 * INITIAL_FIELDS][];
        private int used;
        private int pseudoCount;
        private int pseudoKinds;
        private long listSize;
        private boolean tooLarge;
        private @Nullable String malformed;

        Collector(int maxListSize) {
            this.maxListSize = maxListSize;
        }

        /** Whether the limit is passed: more fields will not be kept, so their strings need not be made. */
        boolean tooLarge() {
            return tooLarge;
        }

        /** Counts a field whose strings were not made. */
        void drop() {
            tooLarge = true;
        }

        void add(byte[] name, byte[] value, int kind, boolean validValue) {
            listSize += (long) name.length + value.length + HpackEntry.OVERHEAD_BYTES;
            if (listSize > maxListSize) {
                tooLarge = true;
            }
            if (tooLarge) {
                return;
            }
            if (kind != Header.REGULAR || !validValue) {
                check(name, value, kind, validValue);
            }
            if (used == fields.length) {
                fields = Arrays.copyOf(fields, 2 * used);
            }
            fields[used++] = name;
            fields[used++] = value;
        }

        private void check(byte[] name, byte[] value, int kind, boolean validValue) {
            if ((kind & Header.PSEUDO) != 0) {
                if (used != 2 * pseudoCount) {
                    complain("a pseudo-header after a regular field (RFC 9113, 8.3)", name);
                } else if ((pseudoKinds & kind) != 0) {
                    complain("a pseudo-header twice (RFC 9113, 8.3)", name);
                }
                if (used == 2 * pseudoCount) {
                    pseudoCount++;
                }
                pseudoKinds |= kind;
            } else if (kind == Header.BAD_NAME) {
                complain(
                        name.length > 0 && name[0] == ':'
                                ? "an unknown pseudo-header (RFC 9113, 8.3)"
                                : "a name with characters that are not allowed (RFC 9113, 8.2.1)",
                        name);
            } else if (kind == Header.CONNECTION_SPECIFIC) {
                complain("a field that speaks of an HTTP/1.1 connection (RFC 9113, 8.2.2)", name);
            } else if (kind == Header.TRAILERS_ONLY_VALUE && !isTrailers(value)) {
                complain("te with a value other than trailers (RFC 9113, 8.2.2)", name);
            }
            if (!validValue) {
                complain("a value with NUL, CR or LF (RFC 9113, 8.2.1)", name);
            }
        }

        private void complain(String what, byte[] name) {
            if (malformed == null) {
                String shown = name.length > 64 ? Header.text(Arrays.copyOf(name, 64)) + "..." : Header.text(name);
                malformed = what + ": \"" + shown.replaceAll("[^ -~]", "?") + "\"";
            }
        }

        private static boolean isTrailers(byte[] value) {
            return Arrays.equals(value, TRAILERS) || Header.text(value).trim().equalsIgnoreCase("trailers");
        }

        /** The block gathered, and ready for the next one. */
        HeaderBlock take() {
            HeaderBlock block = new HeaderBlock(
                    used == 0 ? NOTHING : Arrays.copyOf(fields, used),
                    pseudoCount,
                    pseudoKinds,
                    (int) Math.min(listSize, Integer.MAX_VALUE),
                    tooLarge,
                    malformed);
            reset();
            return block;
        }

        void reset() {
            if (fields.length > 2 * KEPT_FIELDS) {
                fields = new byte[2 * INITIAL_FIELDS][];
            } else {
                Arrays.fill(fields, 0, used, null);
            }
            used = 0;
            pseudoCount = 0;
            pseudoKinds = 0;
            listSize = 0;
            tooLarge = false;
            malformed = null;
        }
    }
}
