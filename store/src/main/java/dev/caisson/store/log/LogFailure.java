package dev.caisson.store.log;

/**
 * Why the log takes no more records for now.
 *
 * @param reason what failed, of which file, for people
 * @param upTo records up to this index that were not durable before are {@link Fate#DOUBTFUL}
 */
public record LogFailure(String reason, long upTo) {}
