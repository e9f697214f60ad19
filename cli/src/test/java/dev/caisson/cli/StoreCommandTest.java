package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The options of {@code caisson store}. */
class StoreCommandTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "100, 100",
        "7b, 7",
        "1k, 1000",
        "1kb, 1024",
        "3M, 3000000",
        "3MB, 3145728",
        "2g, 2000000000",
        "2Gb, 2147483648"
    })
    void memoryIsWrittenAsInRedis(String text, long bytes) {
        assertThat(MemorySize.parse(text).bytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"0, 0 B", "1023, 1023 B", "1024, 1.0 KB", "1536, 1.5 KB", "104857600, 100 MB", "4398046511104, 4096 GB"
    })
    void memoryIsPrintedForPeople(long bytes, String text) {
        assertThat(new MemorySize(bytes)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "mb", "1.5gb", "-1", "1tb", "1 gb", "999999999999999999gb"})
    void whatIsNoMemoryIsRefused(String text) {
        Cli refused = Cli.run("store", "--maxmemory", text);
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("--maxmemory").doesNotContain("Exception");
    }

    @Test
    void moreMemoryThanTheHeapIsRefusedWithWhatToDo() {
        Cli refused = Cli.run("store", "--maxmemory", "1024gb");
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("more than the heap").contains("CAISSON_JAVA_OPTS=-Xmx2097152m");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--port=65536", "--port=-1", "--loops=0", "--loops=65"})
    void numbersOutOfRangeAreRefused(String option) {
        Cli refused = Cli.run("store", option);
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("not " + option.substring(option.indexOf('=') + 1));
    }

    @Test
    void aPolicyThatDoesNotExistIsRefusedWithThoseThatDo() {
        Cli refused = Cli.run("store", "--maxmemory-policy", "lru");
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("lru").contains("noeviction").contains("allkeys-lru");
        assertThat(Cli.run("completion", "bash").out()).contains("allkeys-lru");
    }

    @Test
    void anAddressThatOthersReachNeedsAPassword() {
        Cli refused = Cli.run("store", "--port", "0", "--host", "0.0.0.0");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err())
                .contains("0.0.0.0")
                .contains("without a password")
                .doesNotContain("Exception");
    }

    @Test
    void anAddressOfAnotherMachineIsNotCalledTaken() {
        Cli refused = Cli.run("store", "--port", "0", "--host", "192.0.2.1", "--password", "x");
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err()).contains("192.0.2.1").doesNotContain("taken").doesNotContain("\tat ");
    }

    @Test
    void passwordsAreNotEmptyAndComeFromOnePlace(@TempDir Path folder) throws Exception {
        Path empty = Files.createFile(folder.resolve("empty"));
        assertThat(Cli.run("store", "--password", "").err()).contains("--password is empty");
        assertThat(Cli.run("store", "--password-file", empty.toString()).err()).contains("empty");
        assertThat(Cli.run("store", "--password-file", folder.resolve("none").toString())
                        .err())
                .contains("cannot read the password")
                .doesNotContain("Exception:");
        assertThat(Cli.run("store", "--password", "a", "--password-file", empty.toString())
                        .exitCode())
                .isEqualTo(2);
    }

    @Test
    void anUnknownDurabilityIsRefused(@TempDir Path folder) {
        Cli refused = Cli.run("store", "--dir", folder.toString(), "--durability", "sometimes");
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("always, everysec or no, not 'sometimes'");
    }

    @Test
    void repairLooksAndCuts(@TempDir Path folder) throws Exception {
        Path segment = folder.resolve("log-00000000000000000001.seg");
        Files.write(segment, new byte[100]);
        Cli looked = Cli.run("store", "repair", folder.toString());
        assertThat(looked.exitCode()).isEqualTo(1);
        assertThat(looked.out()).contains(segment.toString()).contains("--cut");
        assertThat(segment).exists();

        Cli cut = Cli.run("store", "repair", folder.toString(), "--cut");
        assertThat(cut.exitCode()).isZero();
        assertThat(cut.out()).contains("set " + segment + " aside").contains("up to record 0");
        assertThat(segment).doesNotExist();
    }

    @Test
    void repairOfNoFolderIsRefused(@TempDir Path folder) {
        Cli refused = Cli.run("store", "repair", folder.resolve("none").toString());
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err()).contains("there is no folder");
    }
}
