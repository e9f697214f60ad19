package dev.caisson.store.engine;

import java.util.Map;
import java.util.concurrent.CompletionStage;

/** What commands may ask of the log and its snapshots. Any thread. */
public interface Persistence {
    /** A store in memory: nothing is ever written, and saving is done at once. */
    Persistence NONE = new Persistence() {
        @Override
        public CompletionStage<String> save() {
            return java.util.concurrent.CompletableFuture.completedStage("");
        }

        @Override
        public boolean isSaving() {
            return false;
        }

        @Override
        public long lastSaveMillis() {
            return 0;
        }

        @Override
        public Map<String, Object> figures() {
            return Map.of();
        }
    };

    /** Begins a snapshot; completes, on any thread, with the reason why it failed, or with nothing. Not while one is written. */
    CompletionStage<String> save();

    /** Whether a snapshot is being written. */
    boolean isSaving();

    /** When the last snapshot was finished, milliseconds since 1970; 0 for never. */
    long lastSaveMillis();

    /** What INFO shows, in its order. */
    Map<String, Object> figures();
}
