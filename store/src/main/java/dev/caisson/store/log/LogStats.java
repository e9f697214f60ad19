package dev.caisson.store.log;

import java.time.Duration;

/**
 * The log's figures at one moment.
 *
 * @param sync the policy
 * @param lastIndex the index of the newest record
 * @param durableIndex up to where everything is forced
 * @param appendedBytes appended since the log was opened
 * @param unsafeBytes kept in memory until they are safe
 * @param bytesSinceSnapshot what recovery would have to read after the newest snapshot
 * @param forces how often records were forced since the log was opened
 * @param longestForce the longest of them
 * @param failures how often a write or force failed
 * @param failure why records are refused now; empty if they are not
 */
public record LogStats(
        Sync sync,
        long lastIndex,
        long durableIndex,
        long appendedBytes,
        long unsafeBytes,
        long bytesSinceSnapshot,
        long forces,
        Duration longestForce,
        long failures,
        String failure) {}
