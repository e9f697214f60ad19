package dev.caisson.store.resp;

/**
 * What a reader takes from its peer before it gives up. Memory follows the bytes that arrive, whatever lengths they
 * declare, so these bound the damage and not the cost.
 *
 * @param maxBulkBytes the longest single argument or bulk reply, bytes (Redis: {@code proto-max-bulk-len})
 * @param maxArguments the most arguments of a request, and the most elements of one aggregate reply
 * @param maxInlineBytes the longest line: an inline request, a length, a simple reply; bytes
 * @param maxQueryBytes the most bytes held for requests that were not taken yet (Redis: {@code client-query-buffer-limit})
 * @param maxDepth how deep replies may nest
 */
public record RespLimits(int maxBulkBytes, int maxArguments, int maxInlineBytes, int maxQueryBytes, int maxDepth) {
    /** Redis's own: 512 MiB, 1,048,576 arguments, 64 KiB, 1 GiB; and a depth of 64. */
    public static final RespLimits REDIS = new RespLimits(512 << 20, 1024 * 1024, 64 << 10, 1 << 30, 64);

    /** The most that a limit may be: what one array holds with room for a read, bytes. */
    public static final int LARGEST_BYTES = 1 << 30;

    public RespLimits {
        if (maxBulkBytes < 1 || maxArguments < 1 || maxInlineBytes < 32 || maxQueryBytes < 1 || maxDepth < 1) {
            throw new IllegalArgumentException("limits must be positive, and a line's at least 32 bytes: bulk "
                    + maxBulkBytes + ", arguments " + maxArguments + ", line " + maxInlineBytes + ", query "
                    + maxQueryBytes + ", depth " + maxDepth);
        }
        if (Math.max(Math.max(maxBulkBytes, maxInlineBytes), maxQueryBytes) > LARGEST_BYTES) {
            throw new IllegalArgumentException("no limit may be more than " + LARGEST_BYTES + " bytes: bulk "
                    + maxBulkBytes + ", line " + maxInlineBytes + ", query " + maxQueryBytes);
        }
    }

    /** These limits with another longest argument, bytes. */
    public RespLimits withMaxBulkBytes(int bytes) {
        return new RespLimits(bytes, maxArguments, maxInlineBytes, maxQueryBytes, maxDepth);
    }

    /** These limits with other most held bytes. */
    public RespLimits withMaxQueryBytes(int bytes) {
        return new RespLimits(maxBulkBytes, maxArguments, maxInlineBytes, bytes, maxDepth);
    }
}
