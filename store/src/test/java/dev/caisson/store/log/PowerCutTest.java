package dev.caisson.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.store.log.PowerCutFiles.Trouble;
import dev.caisson.store.log.PowerCutSimulation.Disk;
import dev.caisson.store.log.PowerCutSimulation.Lost;
import java.io.IOException;
import java.util.Random;
import java.util.function.LongConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Thousands of power cuts, and proof that these tests would notice a log that cheats. */
class PowerCutTest {
    private static final int SEEDS = 800;

    /** A cheat must be found within so many seeds. */
    private static final int SEEDS_FOR_A_CHEAT = 500;

    /** Held, because the JDK forgets the level of a logger that nobody holds. */
    private static final Logger TOLD = Logger.getLogger("dev.caisson.store");

    /** Each failure of a disk is told, and there are tens of thousands. */
    @BeforeAll
    static void tellNobody() {
        TOLD.setLevel(Level.OFF);
    }

    @AfterAll
    static void tellAgain() {
        TOLD.setLevel(null);
    }

    private static final class Total {
        int cuts;
        int kills;
        int failures;
        int snapshots;
        int tornTails;
        long answers;
    }

    private static Total run(Sync sync, Trouble trouble, int seeds, Disk disk) {
        Total total = new Total();
        for (int i = 0; i < seeds; i++) {
            long seed = sync.name().length() * 1_000_000L + i;
            PowerCutSimulation one = new PowerCutSimulation(seed, sync, trouble, disk);
            try {
                one.run();
            } catch (Lost lost) {
                throw new Lost("seed " + seed + ", " + sync + ": " + lost.getMessage());
            }
            total.cuts += one.cuts;
            total.kills += one.kills;
            total.failures += one.failures;
            total.snapshots += one.snapshots;
            total.tornTails += one.tornTails;
            total.answers += one.answers;
        }
        return total;
    }

    @ParameterizedTest
    @EnumSource(Sync.class)
    void losesNothingThatItPromisedToKeep(Sync sync) {
        Total total = run(sync, Trouble.SHORT_WRITES, SEEDS, PowerCutFiles::new);

        assertThat(total.cuts).isGreaterThan(SEEDS);
        assertThat(total.kills).isGreaterThan(SEEDS / 4);
        assertThat(total.snapshots).isGreaterThan(SEEDS / 4);
        assertThat(total.tornTails).isGreaterThan(SEEDS / 20);
        assertThat(total.answers).isGreaterThan(SEEDS * 20L);
    }

    @ParameterizedTest
    @EnumSource(Sync.class)
    void losesNothingThatItPromisedToKeepOnADiskInTrouble(Sync sync) {
        Total total = run(sync, Trouble.ALL, SEEDS, PowerCutFiles::new);

        assertThat(total.failures).isGreaterThan(SEEDS);
        assertThat(total.answers).isGreaterThan(SEEDS * 10L);
    }

    @Test
    void aLogThatNeverForcesIsFound() {
        assertFound("never forces", (random, spend) -> new PowerCutFiles(random, spend) {
            @Override
            void persist(Inodes file) {}
        });
    }

    @Test
    void aLogThatNeverForcesItsFolderIsFound() {
        assertFound("never forces its folder", (random, spend) -> new PowerCutFiles(random, spend) {
            @Override
            public void forceFolder() {}
        });
    }

    @Test
    void aLogThatBelievesAForceThatFailedIsFound() {
        assertFound("does not hear of failures", Believing::new);
    }

    /** A force fails as a real one does, and says that all is well. */
    private static final class Believing extends PowerCutFiles {
        Believing(Random random, LongConsumer spend) {
            super(random, spend);
        }

        @Override
        public LogFile create(String name) throws IOException {
            LogFile real = super.create(name);
            return new ForwardingFile(real) {
                @Override
                public void force() {
                    try {
                        real.force();
                    } catch (IOException swallowed) {
                        assertThat(swallowed).isNotNull();
                    }
                }
            };
        }
    }

    private static void assertFound(String cheat, Disk disk) {
        for (Sync sync : new Sync[] {Sync.ALWAYS, Sync.EVERYSEC}) {
            Lost found = null;
            try {
                run(sync, Trouble.ALL, SEEDS_FOR_A_CHEAT, disk);
            } catch (Lost lost) {
                found = lost;
            }
            assertThat(found).as("a log that " + cheat + ", with " + sync).isNotNull();
        }
    }
}
