package dev.caisson.store.log;

import dev.caisson.store.log.PowerCutFiles.PowerCut;
import dev.caisson.store.log.PowerCutFiles.Trouble;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A store's log in virtual time, on a folder whose power is cut, its process killed and its disk in trouble, several lives
 * long; after each life everything that is recovered is compared with everything that was appended and acknowledged.
 *
 * <p>One thread, one seed: what fails, fails again.
 */
final class PowerCutSimulation {
    /** What the log promised and did not keep. */
    static final class Lost extends AssertionError {
        private static final long serialVersionUID = 1;

        Lost(String what) {
            super(what);
        }
    }

    private static final int LIVES = 4;
    private static final int EVENTS_MAX = 120;
    private static final int STEPS_MAX = 8;
    private static final long MILLI = 1_000_000;
    private static final long TWO_SECONDS = 2_000 * MILLI;

    private final Random random;
    private final Sync sync;
    private final Trouble trouble;
    private final LogOptions options;
    private final PowerCutFiles files;
    private final boolean slowDisk;

    private long now = 1_000 * MILLI;

    /** What was appended: the payload of the record with index i + 1, and when its answer went out; -1 for not. */
    private final List<byte[]> appended = new ArrayList<>();

    private final List<Long> answered = new ArrayList<>();

    private Tickets tickets;
    private LogWriter writer;
    private final Batch batch = new Batch();
    private long dueAt;

    /** What happened, for a test that wants to know that everything did. */
    int cuts;

    int kills;
    int failures;
    int snapshots;
    int tornTails;
    long answers;

    /** Which files to run on; a test gives ones that cheat. */
    interface Disk {
        PowerCutFiles make(Random random, java.util.function.LongConsumer spend);
    }

    PowerCutSimulation(long seed, Sync sync, Trouble trouble, Disk disk) {
        random = new Random(seed);
        this.sync = sync;
        this.trouble = trouble;
        slowDisk = random.nextInt(4) == 0;
        files = disk.make(random, nanos -> now += nanos);
        options = LogOptions.defaults()
                .sync(sync)
                .segmentBytes(500 + random.nextInt(8_000))
                .retryEvery(Duration.ofMillis(50))
                .clocked(() -> now, random::nextLong);
    }

    void run() {
        for (int life = 0; life < LIVES; life++) {
            recover();
            live();
        }
        recover();
    }

    // ---- a life

    private void live() {
        tickets = Tickets.after(appended.size());
        LogMeter meter = new LogMeter(bytes -> {});
        writer = new LogWriter(files, options, tickets, meter);
        dueAt = now;
        files.trouble(trouble);
        files.forcesTakeUpTo(slowDisk ? 3_000 * MILLI : 100 * MILLI, this::meanwhile);
        if (random.nextInt(3) > 0) {
            files.cutIn(1 + random.nextInt(200));
        }
        boolean orderly = false;
        try {
            int events = random.nextInt(EVENTS_MAX);
            for (int i = 0; i < events; i++) {
                event();
            }
            if (random.nextInt(4) == 0) {
                writer.finish();
                answer();
                orderly = true;
            }
        } catch (PowerCut cut) {
            orderly = false;
        } catch (IOException disk) {
            orderly = false;
        }
        failures += (int) meter.failures();
        files.trouble(Trouble.NONE);
        files.forcesTakeUpTo(0, () -> {});
        if (orderly || random.nextInt(4) == 0) {
            kills++;
            files.restart();
            if (random.nextBoolean()) {
                recover(); // what a new process reads is what it may lose again
                cuts++;
                files.cut();
            }
        } else {
            cuts++;
            files.cut();
        }
    }

    private void event() {
        switch (random.nextInt(8)) {
            case 0, 1, 2, 3 -> append();
            case 4 -> now += random.nextLong(20 * MILLI);
            case 5 -> now += random.nextLong(700 * MILLI);
            case 6 -> answer();
            default -> {
                if (random.nextInt(8) == 0) {
                    snapshot();
                }
            }
        }
        turn();
        answer();
    }

    /** The log's thread, as long as something is due. */
    private void turn() {
        for (int steps = 0; steps < STEPS_MAX && (dueAt <= now || !writer.gathering() && !tickets.isEmpty()); steps++) {
            long wait = writer.step(now);
            dueAt = wait > Long.MAX_VALUE - now ? Long.MAX_VALUE : now + wait;
            if (writer.failure() != null) {
                return; // it sleeps until the next try
            }
        }
    }

    /** What event loops do while a force takes its time. */
    private void meanwhile() {
        for (int i = random.nextInt(4) - 2; i > 0; i--) {
            append();
            now += random.nextLong(200 * MILLI);
            answer();
        }
    }

    private void append() {
        if (writer.failure() != null) {
            return;
        }
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            byte[] payload = new byte[8 + random.nextInt(random.nextInt(10) == 0 ? 3_000 : 60)];
            random.nextBytes(payload);
            Binary.putLong(payload, 0, appended.size() + 1);
            appended.add(payload);
            answered.add(-1L);
            batch.begin(now / MILLI, 7);
            batch.put(payload, 0, payload.length);
            batch.end();
        }
        if (tickets.append(batch, now) == 0) { // the log is closing: nobody gets an answer
            for (int i = 0; i < count; i++) {
                appended.removeLast();
                answered.removeLast();
            }
        }
    }

    private void answer() {
        for (int i = answered.size() - 1; i >= 0 && answered.get(i) < 0; i--) {
            if (writer.fate(i + 1, now) == Fate.KEPT) {
                answered.set(i, now);
                answers++;
            }
        }
    }

    private void snapshot() {
        long index = tickets.last();
        writer.cutAfter(index);
        dueAt = now;
        for (int tries = 0; tries < 50 && (writer.durable() < index || !writer.cutIsDone(index)); tries++) {
            turn();
            now += 60 * MILLI;
        }
        if (writer.durable() < index) {
            return;
        }
        try (SnapshotFile.Writing file = SnapshotFile.Writing.begin(files, index, random.nextLong())) {
            for (int i = 0; i < index; i++) {
                byte[] payload = appended.get(i);
                byte[] block = new byte[4 + payload.length];
                Binary.putInt(block, 0, payload.length);
                System.arraycopy(payload, 0, block, 4, payload.length);
                file.block(block, block.length, 1);
            }
            file.finish();
            snapshots++;
            Snapshot.deleteOlder(files, index, writer.cutIsDone(index));
        } catch (IOException disk) {
            failures++;
        }
    }

    // ---- after a life

    private void recover() {
        List<byte[]> found = new ArrayList<>();
        for (int attempt = 0; ; attempt++) {
            found.clear();
            boolean calm = attempt > 5;
            files.trouble(calm ? Trouble.NONE : trouble);
            if (!calm && random.nextInt(3) == 0) {
                files.cutIn(1 + random.nextInt(30));
            }
            try {
                Recovered recovered = Recovery.run(files, collecting(found));
                if (recovered.last() != found.size()) {
                    throw new Lost("recovery says " + recovered + " and gave " + found.size() + " records");
                }
                tornTails += recovered.cutBytes() > 0 ? 1 : 0;
                break;
            } catch (PowerCut again) {
                files.cut();
            } catch (CorruptLogException refused) {
                throw new Lost("refused: " + refused.getMessage());
            } catch (IOException disk) {
                if (calm) {
                    throw new Lost("no recovery: " + disk);
                }
            }
        }
        files.restart();
        compare(found);
        // Life goes on from what was found.
        while (appended.size() > found.size()) {
            appended.removeLast();
            answered.removeLast();
        }
        for (int i = 0; i < answered.size(); i++) {
            answered.set(i, 0L); // it was read back: from now on it may never be lost
        }
    }

    private static RecoverySink collecting(List<byte[]> found) {
        return new RecoverySink() {
            @Override
            public void block(byte[] bytes, int offset, int length) {
                found.add(Arrays.copyOfRange(bytes, offset + 4, offset + 4 + Binary.intAt(bytes, offset)));
            }

            @Override
            public void apply(LogRecord logged) {
                if (logged.index() != found.size() + 1) {
                    throw new Lost("record " + logged.index() + " after " + found.size());
                }
                found.add(Arrays.copyOfRange(logged.bytes(), logged.offset(), logged.offset() + logged.length()));
            }
        };
    }

    private void compare(List<byte[]> found) {
        if (found.size() > appended.size()) {
            throw new Lost(found.size() + " records came back of " + appended.size());
        }
        for (int i = 0; i < found.size(); i++) {
            if (!Arrays.equals(found.get(i), appended.get(i))) {
                throw new Lost("record " + (i + 1) + " came back as another");
            }
        }
        long firstLost = Long.MAX_VALUE;
        long lastLost = 0;
        for (int i = found.size(); i < appended.size(); i++) {
            long at = answered.get(i);
            if (at >= 0) {
                firstLost = Math.min(firstLost, at);
                lastLost = Math.max(lastLost, at);
            }
        }
        if (firstLost == Long.MAX_VALUE) {
            return;
        }
        String what = "records from " + (found.size() + 1) + " on were acknowledged and are lost";
        if (sync == Sync.ALWAYS) {
            throw new Lost(what);
        }
        if (sync == Sync.EVERYSEC && lastLost - firstLost > TWO_SECONDS) {
            throw new Lost(what + ", over " + (lastLost - firstLost) / MILLI + " ms");
        }
        if (sync == Sync.EVERYSEC && !slowDisk && trouble != Trouble.ALL && now - firstLost > TWO_SECONDS) {
            throw new Lost(what + ", since " + (now - firstLost) / MILLI + " ms");
        }
    }
}
