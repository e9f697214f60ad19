package dev.caisson.store.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Redis keeps its own contract: what the suite asks for is asked of Redis, too, and nothing there is chance. */
class RedisAgainstRedisIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void theInstalledRedisAnswersAsRecorded() throws Exception {
        String executable = RedisServer.installed().orElse("");
        assumeTrue(!executable.isEmpty(), "no redis-server on the PATH: the recordings are not held against it");
        String version = RedisServer.version(executable);
        assumeTrue(
                ContractFile.parse("", java.util.List.of("recorded from redis 7.0.0"))
                        .within(version),
                "redis-server " + version + " is older than the recordings");
        try (var suite = new ContractSuite(() -> RedisServer.open(executable), PATIENCE)) {
            for (ContractFile file : Recordings.all()) {
                for (ContractCase contractCase : file.cases()) {
                    if (file.within(version) && !contractCase.uses(Comparator.OWN)) {
                        suite.play(contractCase);
                    }
                }
            }
            assertThat(suite.plays()).isGreaterThan(3000);
            assertThat(suite.failures()).isEmpty();
        }
    }
}
