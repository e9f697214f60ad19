package dev.caisson.gateway.generic;

import java.time.Duration;

/**
 * What a catalog takes from a server or a file before it gives up: descriptors are input like any other.
 *
 * @param deadline of one look-up, all its questions together
 * @param maxFiles files held
 * @param maxBytes of all files held, as sent
 * @param maxSymbols services, methods, messages, enums and extensions held
 * @param maxImportDepth of one file's longest chain of imports
 */
public record CatalogLimits(Duration deadline, int maxFiles, long maxBytes, int maxSymbols, int maxImportDepth) {
    /** 10 s, 4,096 files, 64 MiB, 500,000 symbols, 256 imports deep. */
    public static final CatalogLimits DEFAULT =
            new CatalogLimits(Duration.ofSeconds(10), 4_096, 64L << 20, 500_000, 256);

    /** Refuses what is not positive. */
    public CatalogLimits {
        if (deadline.isNegative() || deadline.isZero()) {
            throw new IllegalArgumentException("deadline must be positive: " + deadline);
        }
        if (maxFiles < 1 || maxBytes < 1 || maxSymbols < 1 || maxImportDepth < 1) {
            throw new IllegalArgumentException("limits must be positive: files " + maxFiles + ", bytes " + maxBytes
                    + ", symbols " + maxSymbols + ", import depth " + maxImportDepth);
        }
    }

    /** The same with another deadline. */
    public CatalogLimits withDeadline(Duration other) {
        return new CatalogLimits(other, maxFiles, maxBytes, maxSymbols, maxImportDepth);
    }
}
