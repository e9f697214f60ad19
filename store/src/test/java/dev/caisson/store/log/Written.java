package dev.caisson.store.log;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Folders with a log in them, and what comes back. */
final class Written {
    private Written() {}

    static LogOptions options(Sync sync) {
        Random salts = new Random(11);
        return LogOptions.defaults().sync(sync).clocked(() -> 0, salts::nextLong);
    }

    /** Writes records with these texts, each forced by itself, and leaves the log unsealed. */
    static LogWriter write(LogFiles files, LogOptions options, long after, List<String> texts) {
        Tickets tickets = Tickets.after(after);
        LogWriter writer = new LogWriter(files, options, tickets, new LogMeter(bytes -> {}));
        Batch batch = new Batch();
        long time = 0;
        for (String text : texts) {
            add(batch, text);
            tickets.append(batch, time);
            for (int i = 0; i < 4; i++) {
                time += LogWriter.SECOND_NANOS;
                writer.step(time);
            }
        }
        return writer;
    }

    static void add(Batch batch, String text) {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        batch.begin(1_700_000_000_000L, 42);
        batch.put(payload, 0, payload.length);
        batch.end();
    }

    static List<String> texts(int count) {
        List<String> texts = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            texts.add("record " + i + " " + "x".repeat(i % 7 * 5));
        }
        return texts;
    }

    /** What recovery gives: blocks and records as texts. */
    static final class Collected implements RecoverySink {
        final List<String> texts = new ArrayList<>();
        final List<Long> indices = new ArrayList<>();

        @Override
        public void block(byte[] bytes, int offset, int length) {
            texts.add(new String(bytes, offset, length, StandardCharsets.UTF_8));
        }

        @Override
        public void apply(LogRecord logged) {
            indices.add(logged.index());
            block(logged.bytes(), logged.offset(), logged.length());
        }
    }

    static List<String> read(LogFiles files) throws IOException {
        Collected collected = new Collected();
        Recovery.run(files, collected);
        return collected.texts;
    }
}
