package dev.caisson.store.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RecoveryTest {
    private final PowerCutFiles files = new PowerCutFiles(new Random(5), nanos -> {});

    private static final String FIRST = Segment.name(1);

    private void flip(String name, int at) throws IOException {
        byte[] bytes = files.bytes(name).clone();
        bytes[at] ^= 0x10;
        files.replace(name, bytes);
    }

    private void shorten(String name, int by) throws IOException {
        byte[] bytes = files.bytes(name);
        files.replace(name, Arrays.copyOf(bytes, bytes.length - by));
    }

    @Test
    void givesTheSameTwice() throws IOException {
        List<String> texts = Written.texts(50);
        Written.write(files, Written.options(Sync.ALWAYS).segmentBytes(400), 0, texts);

        assertThat(Written.read(files)).isEqualTo(texts);
        assertThat(Written.read(files)).isEqualTo(texts);
        assertThat(Segment.among(files.list()).size()).isGreaterThan(5);
    }

    @Test
    void cutsATornTailAndSaysSo() throws IOException {
        List<String> texts = Written.texts(5);
        Written.write(files, Written.options(Sync.ALWAYS), 0, texts);
        shorten(FIRST, 3);
        Written.Collected collected = new Written.Collected();

        Recovered recovered = Recovery.run(files, collected);

        assertThat(collected.texts).isEqualTo(texts.subList(0, 4));
        assertThat(recovered.cutBytes()).isPositive();
        assertThat(recovered.warnings()).singleElement().asString().contains("torn", FIRST, "before record 5");
        assertThat(Recovery.run(files, new Written.Collected()).warnings()).isEmpty();
    }

    @Test
    void continuesAfterATornTailWithTheNextIndex() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(5));
        shorten(FIRST, 3);
        Recovered recovered = Recovery.run(files, new Written.Collected());
        Written.write(files, Written.options(Sync.ALWAYS), recovered.last(), List.of("again"));

        assertThat(Written.read(files)).hasSize(5).endsWith("again");
    }

    @Test
    void refusesDamageThatWasForcedOnce() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(5));
        flip(FIRST, FileHeader.BYTES + Segment.RECORD_HEADER + 1);
        byte[] before = files.bytes(FIRST).clone();

        assertThatThrownBy(() -> Written.read(files))
                .isInstanceOfSatisfying(CorruptLogException.class, refused -> {
                    assertThat(refused.file()).isEqualTo(FIRST);
                    assertThat(refused.offset()).isEqualTo(FileHeader.BYTES);
                })
                .hasMessageContaining("folder/" + FIRST)
                .hasMessageContaining("./caisson store repair folder");
        assertThat(files.bytes(FIRST)).isEqualTo(before);
    }

    @Test
    void refusesDamageInASealedTail() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(2)).finish();
        flip(FIRST, files.bytes(FIRST).length - Segment.RECORD_HEADER - 1);

        assertThatThrownBy(() -> Written.read(files)).isInstanceOf(CorruptLogException.class);
    }

    @Test
    void refusesDamageInASegmentThatOthersFollow() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS).segmentBytes(200), 0, Written.texts(20));
        shorten(FIRST, 1);

        assertThatThrownBy(() -> Written.read(files)).isInstanceOf(CorruptLogException.class);
    }

    @Test
    void refusesAMissingSegment() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS).segmentBytes(200), 0, Written.texts(20));
        files.delete(FIRST);

        assertThatThrownBy(() -> Written.read(files))
                .isInstanceOf(CorruptLogException.class)
                .hasMessageContaining("records from 1 on are missing");
    }

    @Test
    void refusesAnotherFormatVersion() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(2));
        byte[] bytes = files.bytes(FIRST).clone();
        Binary.putInt(bytes, 8, 9);
        files.replace(FIRST, bytes);

        assertThatThrownBy(() -> Written.read(files)).hasMessageContaining("version 9");
    }

    @Test
    void keepsACopyOfReadableRecordsBehindATornOne() throws IOException {
        Written.write(files, Written.options(Sync.NO), 0, Written.texts(5)); // never forced: anything may be torn
        flip(FIRST, FileHeader.BYTES + Segment.RECORD_HEADER + 1);

        Recovered recovered = Recovery.run(files, new Written.Collected());

        assertThat(recovered.last()).isZero();
        assertThat(files.list()).anyMatch(name -> name.startsWith(Recovery.CUT));
        assertThat(recovered.warnings()).singleElement().asString().contains("A copy is in");
    }

    @Test
    void readsTheNewestSnapshotAndWhatFollows() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(5));
        snapshot(3, "three");

        Written.Collected collected = new Written.Collected();
        Recovered recovered = Recovery.run(files, collected);

        assertThat(recovered.snapshot()).isEqualTo(3);
        assertThat(recovered.records()).isEqualTo(2);
        assertThat(collected.texts)
                .containsExactly(
                        "three", Written.texts(5).get(3), Written.texts(5).get(4));
        assertThat(collected.indices).containsExactly(4L, 5L);
    }

    @Test
    void readsAnOlderSnapshotIfTheLogMakesUpForTheDamagedOne() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(5));
        snapshot(2, "two");
        snapshot(4, "four");
        flip(SnapshotFile.name(4), FileHeader.BYTES + 17);

        Written.Collected collected = new Written.Collected();
        Recovered recovered = Recovery.run(files, collected);

        assertThat(collected.texts).startsWith("two").hasSize(4);
        assertThat(recovered.warnings()).singleElement().asString().contains(SnapshotFile.name(4));
    }

    @Test
    void refusesADamagedSnapshotThatNothingMakesUpFor() throws IOException {
        Written.write(files, Written.options(Sync.ALWAYS), 4, List.of("five"));
        snapshot(4, "four");
        shorten(SnapshotFile.name(4), 1);

        assertThatThrownBy(() -> Written.read(files))
                .isInstanceOf(CorruptLogException.class)
                .hasMessageContaining(SnapshotFile.name(4));
        assertThatThrownBy(() -> Repair.cut(files)).hasMessageContaining("only snapshot");
    }

    private void snapshot(long index, String text) throws IOException {
        try (SnapshotFile.Writing file = SnapshotFile.Writing.begin(files, index, 77)) {
            file.block(text.getBytes(java.nio.charset.StandardCharsets.UTF_8), text.length(), 1);
            file.finish();
        }
    }

    @Test
    void repairLooksWithoutTouching() throws Exception {
        Written.write(files, Written.options(Sync.ALWAYS), 0, Written.texts(5));
        flip(FIRST, FileHeader.BYTES + Segment.RECORD_HEADER + 1);
        byte[] before = files.bytes(FIRST).clone();

        Repair.Report report = Repair.inspect(files);

        assertThat(report.damage()).isNotNull();
        assertThat(report.done()).isEmpty();
        assertThat(files.bytes(FIRST)).isEqualTo(before);
        assertThat(files.list()).containsExactly(FIRST);
    }

    @Test
    void repairCutsAtTheDamageAndKeepsWhatItCuts() throws Exception {
        List<String> texts = Written.texts(30);
        Written.write(files, Written.options(Sync.ALWAYS).segmentBytes(400), 0, texts);
        String second = Segment.among(files.list()).higherEntry(1L).getValue();
        long first = Segment.among(List.of(second)).firstKey();
        int kept = FileHeader.BYTES
                + Segment.RECORD_HEADER
                + texts.get((int) first - 1).length();
        int size = files.bytes(second).length;
        flip(second, kept + 5);

        Repair.Report report = Repair.cut(files);

        assertThat(report.damage()).isNull();
        assertThat(report.recovered().last()).isEqualTo(first);
        assertThat(Written.read(files)).isEqualTo(texts.subList(0, (int) first));
        assertThat(files.bytes(Recovery.cutName(second, kept))).hasSize(size - kept);
        assertThat(files.list().stream()
                        .filter(name -> name.startsWith(Recovery.CUT))
                        .count())
                .isGreaterThan(2);
    }
}
