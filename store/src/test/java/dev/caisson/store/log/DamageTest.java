package dev.caisson.store.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random damage anywhere: what is read is a beginning of what was written, or nothing is. */
class DamageTest {
    private static final int ROUNDS = 4_000;

    private static byte[] damaged(byte[] bytes, Random random) {
        byte[] copy = bytes.clone();
        switch (random.nextInt(6)) {
            case 0 -> copy[random.nextInt(copy.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> copy = Arrays.copyOf(copy, random.nextInt(copy.length));
            case 2 -> {
                int from = random.nextInt(copy.length);
                Arrays.fill(copy, from, from + random.nextInt(copy.length - from), (byte) 0);
            }
            case 3 -> {
                int at = random.nextInt(copy.length - 3);
                Binary.putInt(copy, at, random.nextBoolean() ? Integer.MAX_VALUE : random.nextInt());
            }
            case 4 -> {
                int length = random.nextInt(copy.length / 2);
                System.arraycopy(
                        bytes,
                        random.nextInt(copy.length - length),
                        copy,
                        random.nextInt(copy.length - length),
                        length);
            }
            default -> {
                byte[] tail = new byte[1 + random.nextInt(100)];
                random.nextBytes(tail);
                int length = copy.length;
                copy = Arrays.copyOf(copy, length + tail.length);
                System.arraycopy(tail, 0, copy, length, tail.length);
            }
        }
        return copy;
    }

    @Test
    void neverGivesAWrongRecord() throws IOException {
        Random random = new Random(20);
        List<String> texts = Written.texts(40);
        PowerCutFiles whole = new PowerCutFiles(random, nanos -> {});
        Written.write(whole, Written.options(Sync.ALWAYS).segmentBytes(900), 0, texts);
        int refused = 0;
        int shorter = 0;
        for (int round = 0; round < ROUNDS; round++) {
            PowerCutFiles files = whole.copy();
            List<String> names = files.list();
            String name = names.get(random.nextInt(names.size()));
            files.replace(name, damaged(files.bytes(name), random));
            try {
                List<String> found = Written.read(files);
                assertThat(found).as("round " + round).isEqualTo(texts.subList(0, found.size()));
                assertThat(Written.read(files)).as("round " + round + ", again").isEqualTo(found);
                shorter += found.size() < texts.size() ? 1 : 0;
            } catch (CorruptLogException corrupt) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(ROUNDS / 4);
        assertThat(shorter).isGreaterThan(10);
    }

    @Test
    void neverGivesAWrongBlock() throws IOException {
        Random random = new Random(21);
        PowerCutFiles whole = new PowerCutFiles(random, nanos -> {});
        try (SnapshotFile.Writing file = SnapshotFile.Writing.begin(whole, 9, 5)) {
            for (String text : Written.texts(20)) {
                byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
                file.block(bytes, bytes.length, 1);
            }
            file.finish();
        }
        String name = SnapshotFile.name(9);
        for (int round = 0; round < ROUNDS; round++) {
            PowerCutFiles files = whole.copy();
            byte[] damaged = damaged(files.bytes(name), random);
            boolean same = Arrays.equals(damaged, files.bytes(name));
            files.replace(name, damaged);
            SnapshotFile.Damage damage = SnapshotFile.read(files, 9, (bytes, offset, length) -> {});
            assertThat(damage == null).as("round " + round).isEqualTo(same);
        }
    }

    /** What a client stores may look like records; without the file's salt it does not count as one. */
    @Test
    void aPayloadThatLooksLikeRecordsProvesNothing() throws IOException {
        PowerCutFiles files = new PowerCutFiles(new Random(3), nanos -> {});
        ByteBuffer forged = ByteBuffer.allocate(400 * Segment.RECORD_HEADER);
        for (int i = 0; i < 400; i++) {
            forged.put(Segment.seal(1, Binary.salt(0)));
        }
        Tickets tickets = Tickets.after(0);
        LogWriter writer = new LogWriter(files, Written.options(Sync.ALWAYS), tickets, new LogMeter(bytes -> {}));
        Batch batch = new Batch();
        batch.begin(1, 1);
        batch.put(forged.array(), 0, forged.capacity());
        batch.end();
        tickets.append(batch, 0);
        writer.step(0);
        byte[] bytes = files.bytes(Segment.name(1)).clone();
        files.replace(Segment.name(1), Arrays.copyOf(bytes, bytes.length - 1));

        Recovered recovered = Recovery.run(files, new Written.Collected());

        assertThat(recovered.last()).isZero();
        assertThat(recovered.cutBytes()).isPositive();
    }
}
