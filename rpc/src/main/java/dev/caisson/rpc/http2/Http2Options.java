package dev.caisson.rpc.http2;

/**
 * What one end of a connection allows its peer. Immutable.
 *
 * @param maxConcurrentStreams streams the peer may have open at once; one more is refused with REFUSED_STREAM
 * @param streamWindow bytes the peer may send on a stream before we take them (RFC 9113 section 6.9), at least 65,535
 * @param connectionWindow the same for the whole connection, at least 65,535
 * @param maxFrameSize largest frame payload accepted, 16,384 to 16,777,215 bytes
 * @param maxHeaderListSize largest header list accepted, in bytes as RFC 9113 section 6.5.2 counts them
 * @param maxResets streams reset, by the peer or because of its errors, allowed in {@link #FLOOD_WINDOW_NANOS}; one more
 *     ends the connection with ENHANCE_YOUR_CALM (CVE-2023-44487, CVE-2025-8671)
 * @param maxIdleFrames frames that move nothing (PING, SETTINGS, PRIORITY, empty DATA, unneeded WINDOW_UPDATE, unknown
 *     types) allowed in {@link #FLOOD_WINDOW_NANOS} between two that do, in either direction; one more ends the
 *     connection with ENHANCE_YOUR_CALM (CVE-2019-9512 and kin)
 * @param maxReplyBytes bytes of unsent output at which a peer that asks and does not read is cut off
 */
public record Http2Options(
        int maxConcurrentStreams,
        int streamWindow,
        int connectionWindow,
        int maxFrameSize,
        int maxHeaderListSize,
        int maxResets,
        int maxIdleFrames,
        long maxReplyBytes) {
    /** The span over which resets, and frames that move nothing, are counted: 30 s. */
    public static final long FLOOD_WINDOW_NANOS = 30_000_000_000L;

    /** CONTINUATION frames in one header block; one more is a flood (CVE-2024-27316 and kin). */
    public static final int MAX_CONTINUATIONS = 64;

    /** RFC 9113 section 6.9.2. */
    public static final int DEFAULT_WINDOW = 65_535;

    /** RFC 9113 section 4.2. */
    public static final int DEFAULT_FRAME_SIZE = 16_384;

    /** What servers and channels use unless told otherwise. */
    public static final Http2Options DEFAULT =
            new Http2Options(1_000, 256 * 1024, 8 * 1024 * 1024, DEFAULT_FRAME_SIZE, 8 * 1024, 4_096, 10_000, 4 << 20);

    public Http2Options {
        require(maxConcurrentStreams >= 0, "maxConcurrentStreams", maxConcurrentStreams);
        require(streamWindow >= DEFAULT_WINDOW, "streamWindow", streamWindow);
        require(connectionWindow >= DEFAULT_WINDOW, "connectionWindow", connectionWindow);
        require(maxFrameSize >= DEFAULT_FRAME_SIZE && maxFrameSize <= 0xffffff, "maxFrameSize", maxFrameSize);
        require(maxHeaderListSize > 0, "maxHeaderListSize", maxHeaderListSize);
        require(maxResets > 0, "maxResets", maxResets);
        require(maxIdleFrames > 0, "maxIdleFrames", maxIdleFrames);
        require(maxReplyBytes > 0, "maxReplyBytes", maxReplyBytes);
    }

    private static void require(boolean fact, String what, long value) {
        if (!fact) {
            throw new IllegalArgumentException(what + " out of range: " + value);
        }
    }

    public Http2Options withMaxConcurrentStreams(int streams) {
        return new Http2Options(
                streams,
                streamWindow,
                connectionWindow,
                maxFrameSize,
                maxHeaderListSize,
                maxResets,
                maxIdleFrames,
                maxReplyBytes);
    }

    public Http2Options withMaxHeaderListSize(int bytes) {
        return new Http2Options(
                maxConcurrentStreams,
                streamWindow,
                connectionWindow,
                maxFrameSize,
                bytes,
                maxResets,
                maxIdleFrames,
                maxReplyBytes);
    }

    public Http2Options withWindows(int stream, int connection) {
        return new Http2Options(
                maxConcurrentStreams,
                stream,
                connection,
                maxFrameSize,
                maxHeaderListSize,
                maxResets,
                maxIdleFrames,
                maxReplyBytes);
    }
}
