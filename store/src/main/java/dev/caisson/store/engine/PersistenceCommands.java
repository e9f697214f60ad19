package dev.caisson.store.engine;

import dev.caisson.store.resp.ErrorReply;

/** BGSAVE, LASTSAVE, BGREWRITEAOF: what a snapshot is begun by. SAVE is refused, because a loop must not wait. */
final class PersistenceCommands {
    private PersistenceCommands() {}

    static void register(CommandTable.Builder t) {
        t.add("BGSAVE")
                .arity(-1)
                .category("admin", "dangerous")
                .docs("server", "1.0.0", "O(1)", "Writes a snapshot in the background.")
                .run(PersistenceCommands::save);
        t.add("SAVE")
                .arity(1)
                .category("admin", "dangerous")
                .docs("server", "1.0.0", "O(1)", "Refused: BGSAVE does it without holding up a loop.")
                .run(c -> {
                    throw new ErrorReply(
                            "ERR SAVE would hold up a loop; BGSAVE writes a snapshot in the background, and INFO"
                                    + " persistence tells when it is done");
                });
        t.add("BGREWRITEAOF")
                .arity(1)
                .category("admin", "dangerous")
                .docs("server", "1.0.0", "O(1)", "Writes a snapshot in the background, which makes the log short.")
                .run(PersistenceCommands::rewrite);
        t.add("LASTSAVE")
                .arity(1)
                .fast()
                .category("admin", "dangerous")
                .docs("server", "1.0.0", "O(1)", "Returns the time of the last snapshot, or of the start, in seconds.")
                .run(PersistenceCommands::last);
    }

    private static void save(Call c) {
        if (c.count() > 2 || c.count() == 2 && !c.args.is(1, "SCHEDULE")) {
            throw ErrorReply.SYNTAX;
        }
        begin(c);
        c.out.simple("Background saving started");
    }

    private static void rewrite(Call c) {
        begin(c);
        c.out.simple("Background append only file rewriting started");
    }

    private static void begin(Call c) {
        Persistence persistence = c.server().persistence();
        if (persistence.isSaving()) {
            throw new ErrorReply("ERR Background save already in progress");
        }
        persistence.save();
    }

    private static void last(Call c) {
        long millis = c.server().persistence().lastSaveMillis();
        c.out.integer((millis == 0 ? c.server().startedAtMillis() : millis) / 1000);
    }
}
