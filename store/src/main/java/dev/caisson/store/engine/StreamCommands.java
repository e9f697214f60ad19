package dev.caisson.store.engine;

import dev.caisson.store.data.Slice;
import dev.caisson.store.data.StreamEntry;
import dev.caisson.store.data.StreamValue;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Numbers;
import dev.caisson.store.resp.RespWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** XADD, XRANGE and their kin, without consumer groups. */
final class StreamCommands {
    private static final byte[] XADD = Expiries.bytes("XADD");
    private static final byte[] XTRIM = Expiries.bytes("XTRIM");
    private static final byte[] MAXLEN = Expiries.bytes("MAXLEN");
    private static final byte[] EXACTLY = Expiries.bytes("=");

    /** Entries that XINFO STREAM FULL shows where COUNT is not given. */
    private static final long FULL_ENTRIES = 10;

    private StreamCommands() {}

    static void register(CommandTable.Builder t) {
        stream(t, "XADD", -5, "O(1)", "Appends a new message to a stream. Creates the key if it doesn't exist.")
                .key(1)
                .write()
                .denyOom()
                .fast()
                .run(StreamCommands::xadd);
        stream(t, "XLEN", 2, "O(1)", "Return the number of messages in a stream.")
                .key(1)
                .read()
                .fast()
                .watchable()
                .run(StreamCommands::xlen);
        stream(t, "XRANGE", -4, "O(N)", "Returns the messages from a stream within a range of IDs.")
                .key(1)
                .read()
                .watchable()
                .run(c -> xrange(c, false));
        stream(t, "XREVRANGE", -4, "O(N)", "Returns the messages from a stream within a range of IDs in reverse order.")
                .key(1)
                .read()
                .watchable()
                .run(c -> xrange(c, true));
        stream(
                        t,
                        "XREAD",
                        -4,
                        "O(N)",
                        "Returns messages from multiple streams with IDs greater than the ones requested.")
                .keys(Reading::keys)
                .read()
                .flags(Command.HOME | Command.BLOCKING)
                .run(StreamCommands::xread);
        stream(t, "XDEL", -3, "O(1)", "Returns the number of messages after removing them from a stream.")
                .key(1)
                .write()
                .fast()
                .run(StreamCommands::xdel);
        stream(t, "XTRIM", -4, "O(N)", "Deletes messages from the beginning of a stream.")
                .key(1)
                .write()
                .run(StreamCommands::xtrim);
        stream(t, "XSETID", -3, "O(1)", "An internal command for replicating stream values.")
                .key(1)
                .write()
                .denyOom()
                .fast()
                .run(StreamCommands::xsetid);
        t.add("XINFO")
                .arity(-2)
                .category("stream")
                .docs("stream", "5.0.0", "Depends on subcommand.", "A container for stream introspection commands.");
        t.add("XINFO", "STREAM")
                .arity(-3)
                .key(2)
                .read()
                .category("stream")
                .docs("stream", "5.0.0", "O(1)", "Returns information about a stream.")
                .run(StreamCommands::xinfo);
    }

    private static Command.Builder stream(
            CommandTable.Builder t, String name, int arity, String complexity, String summary) {
        return t.add(name).arity(arity).category("stream").docs("stream", "5.0.0", complexity, summary);
    }

    private static @Nullable StreamValue find(Call c, int arg) {
        return c.value(arg, StreamValue.class);
    }

    private static StreamId lastId(StreamValue stream) {
        return new StreamId(stream.lastMs(), stream.lastSeq());
    }

    // ---- writing

    private static void xadd(Call c) {
        Trim trim = Trim.read(c, true);
        int at = trim.next();
        String wanted = at < c.count() ? c.args.text(at) : "";
        boolean anySeq = wanted.endsWith("-*");
        StreamId given = wanted.equals("*")
                ? StreamId.LEAST
                : StreamId.parse(anySeq ? wanted.substring(0, wanted.length() - 2) : wanted, 0);
        int parts = c.count() - at - 1;
        if (parts < 2 || parts % 2 != 0) {
            throw Errors.arity(c.command.fullName());
        }
        if (!wanted.equals("*") && !anySeq && given.equals(StreamId.LEAST)) {
            throw new ErrorReply("ERR The ID specified in XADD must be greater than 0-0");
        }
        StreamValue stream = find(c, 1);
        if (stream == null && !trim.creates()) {
            c.out.nil();
            return;
        }
        StreamId last = stream == null ? StreamId.LEAST : lastId(stream);
        if (last.equals(StreamId.GREATEST)) {
            throw new ErrorReply("ERR The stream has exhausted the last possible ID, unable to add more items");
        }
        StreamId id = wanted.equals("*") ? following(last, c.now()) : anySeq ? within(last, given) : given;
        if (StreamValue.compare(id.ms(), id.seq(), last.ms(), last.seq()) <= 0) {
            throw new ErrorReply("ERR The ID specified in XADD is equal or smaller than the target stream top item");
        }
        if (stream == null) {
            stream = (StreamValue) c.putValue(1, new StreamValue(c.values()));
        }
        stream.append(id.ms(), id.seq(), parts / 2, new Parts(c.args, at + 1));
        log(c, at, id);
        c.changed(1, "xadd", Event.STREAM);
        if (trim.run(stream) > 0) {
            logTrim(c, stream);
            c.changed(1, "xtrim", Event.STREAM);
        }
        c.out.bulk(id.bytes());
    }

    /** The id that the time gives, or the one after the last where that is later. */
    private static StreamId following(StreamId last, long now) {
        return Long.compareUnsigned(now, last.ms()) > 0 ? new StreamId(now, 0) : last.next();
    }

    /** The next id with the given first number; not greater than {@code last} if there is none. */
    private static StreamId within(StreamId last, StreamId given) {
        if (given.ms() != last.ms()) {
            return given;
        }
        return last.seq() == -1 ? last : last.next();
    }

    private static void log(Call c, int idArg, StreamId id) {
        byte[][] log = new byte[3 + c.count() - idArg - 1][];
        log[0] = XADD;
        log[1] = c.args.copy(1);
        log[2] = id.bytes();
        for (int i = 3; i < log.length; i++) {
            log[i] = c.args.copy(idArg + i - 2);
        }
        c.logAs(log);
    }

    /** What a trim left is logged, not what it was asked: blocks may be cut otherwise where the log is applied. */
    private static void logTrim(Call c, StreamValue stream) {
        c.logAs(XTRIM, c.args.copy(1), MAXLEN, EXACTLY, Numbers.format(stream.size()));
    }

    private static void xtrim(Call c) {
        Trim trim = Trim.read(c, false);
        StreamValue stream = find(c, 1);
        long removed = stream == null ? 0 : trim.run(stream);
        if (stream != null && removed > 0) {
            logTrim(c, stream);
            c.changed(1, "xtrim", Event.STREAM);
        }
        c.out.integer(removed);
    }

    private static void xdel(Call c) {
        StreamValue stream = find(c, 1);
        if (stream == null) {
            c.out.integer(0);
            return;
        }
        StreamId[] ids = new StreamId[c.count() - 2];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = StreamId.parse(c.args, i + 2, 0);
        }
        int removed = 0;
        for (StreamId id : ids) {
            removed += stream.delete(id.ms(), id.seq()) ? 1 : 0;
        }
        if (removed > 0) {
            c.changed(1, "xdel", Event.STREAM);
        }
        c.out.integer(removed);
    }

    private static void xsetid(Call c) {
        StreamId id = StreamId.parse(c.args, 2, 0);
        long added = -1;
        StreamId deleted = StreamId.LEAST;
        for (int i = 3; i < c.count(); i += 2) {
            boolean more = i + 1 < c.count();
            if (more && c.args.is(i, "ENTRIESADDED")) {
                added = c.args.integer(i + 1);
                if (added < 0) {
                    throw new ErrorReply("ERR entries_added must be positive");
                }
            } else if (more && c.args.is(i, "MAXDELETEDID")) {
                deleted = StreamId.parse(c.args, i + 1, 0);
                if (StreamValue.compare(id.ms(), id.seq(), deleted.ms(), deleted.seq()) < 0) {
                    throw new ErrorReply(
                            "ERR The ID specified in XSETID is smaller than the provided" + " max_deleted_entry_id");
                }
            } else {
                throw ErrorReply.SYNTAX;
            }
        }
        StreamValue stream = find(c, 1);
        if (stream == null) {
            throw ErrorReply.NO_SUCH_KEY;
        }
        check(stream, id, added);
        stream.lastId(id.ms(), id.seq());
        if (added >= 0) {
            stream.entriesAdded(added);
        }
        if (!deleted.equals(StreamId.LEAST)) {
            stream.maxDeletedId(deleted.ms(), deleted.seq());
        }
        c.changed(1, "xsetid", Event.STREAM);
        c.out.ok();
    }

    private static void check(StreamValue stream, StreamId id, long added) {
        if (StreamValue.compare(id.ms(), id.seq(), stream.maxDeletedMs(), stream.maxDeletedSeq()) < 0) {
            throw new ErrorReply("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
        }
        if (stream.size() == 0) {
            return;
        }
        StreamId[] top = new StreamId[1];
        stream.range(0, 0, -1, -1, true, entry -> {
            top[0] = new StreamId(entry.ms(), entry.seq());
            return false;
        });
        if (StreamValue.compare(id.ms(), id.seq(), top[0].ms(), top[0].seq()) < 0) {
            throw new ErrorReply("ERR The ID specified in XSETID is smaller than the target stream top item");
        }
        if (added >= 0 && stream.size() > added) {
            throw new ErrorReply("ERR The entries_added specified in XSETID is smaller than the target stream length");
        }
    }

    // ---- reading

    private static void xlen(Call c) {
        StreamValue stream = find(c, 1);
        c.out.integer(stream == null ? 0 : stream.size());
    }

    private static void xrange(Call c, boolean backward) {
        StreamId first = StreamId.first(c.args, backward ? 3 : 2);
        StreamId last = StreamId.last(c.args, backward ? 2 : 3);
        long count = -1;
        for (int i = 4; i < c.count(); i += 2) {
            if (!c.args.is(i, "COUNT") || i + 1 == c.count()) {
                throw ErrorReply.SYNTAX;
            }
            count = Math.max(0, c.args.integer(i + 1));
        }
        StreamValue stream = find(c, 1);
        if (stream == null) {
            c.out.array(0);
        } else if (count == 0) {
            c.out.nilArray();
        } else {
            entries(c, c.out, stream, new Span(first, last, backward, count < 0 ? Long.MAX_VALUE : count));
        }
    }

    /** Entries from one id to another, both inclusive, at most {@code count}. */
    private record Span(StreamId first, StreamId last, boolean backward, long count) {}

    /** Writes entries as an array of their own. */
    private static void entries(Call c, RespWriter out, StreamValue stream, Span span) {
        int mark = out.mark();
        int[] written = {0};
        Slice field = new Slice();
        Slice value = new Slice();
        stream.range(span.first.ms(), span.first.seq(), span.last.ms(), span.last.seq(), span.backward, entry -> {
            c.work(++written[0]);
            write(out, entry, field, value);
            return written[0] < span.count;
        });
        out.arrayAt(mark, written[0]);
    }

    private static void write(RespWriter out, StreamEntry entry, Slice field, Slice value) {
        out.array(2).bulk(new StreamId(entry.ms(), entry.seq()).bytes()).array(2 * entry.fields());
        while (entry.next(field, value)) {
            out.bulk(field.bytes(), field.offset(), field.length());
            out.bulk(value.bytes(), value.offset(), value.length());
        }
    }

    private static void xread(Call c) {
        Reading reading = Reading.of(c);
        if (reading.reply(c, c.out)) {
            return;
        }
        if (reading.blockMillis() < 0 || c.isNested()) {
            c.out.nilArray();
            return;
        }
        Map<Key, StreamId> after = new HashMap<>();
        long shards = 0;
        for (int k = 0; k < reading.keys; k++) {
            after.putIfAbsent(new Key(c.args.copy(reading.firstKey + k)), reading.after[k]);
            shards |= 1L << c.shard(reading.firstKey + k).index;
        }
        BlockingCommands.park(
                c,
                new Waiter(
                        c.session,
                        new Entries(after, reading.count),
                        c.args.detach(),
                        List.copyOf(after.keySet()),
                        shards,
                        reading.blockMillis()));
    }

    /** The entries of one stream after some id, for who waits for them; taking them leaves them where they are. */
    private record Entries(Map<Key, StreamId> after, long count) implements BlockingCommands.Pop {
        @Override
        public boolean isThere(Shard shard, Key key, Call call) {
            StreamValue stream = stream(shard, key, call);
            StreamId from = after.get(key);
            return stream != null
                    && from != null
                    && StreamValue.compare(stream.lastMs(), stream.lastSeq(), from.ms(), from.seq()) > 0
                    && Reading.has(stream, from.next());
        }

        @Override
        public long shards(Call call, Waiter waiter, Key key) {
            return 1L << call.shardOf(key).index;
        }

        @Override
        public void take(Call call, Waiter waiter, Key key, RespWriter out) {
            StreamValue stream = stream(call.shardOf(key), key, call);
            StreamId from = after.get(key);
            if (stream == null || from == null) {
                throw new IllegalStateException("nothing is there");
            }
            if (out.protocol() == 2) {
                out.array(1).array(2);
            } else {
                out.map(1);
            }
            out.bulk(key.bytes());
            entries(call, out, stream, new Span(from.next(), StreamId.GREATEST, false, count));
        }

        private static @Nullable StreamValue stream(Shard shard, Key key, Call call) {
            Object item = shard.peek(key.bytes(), 0, key.bytes().length);
            return item instanceof Node node && node.value instanceof StreamValue stream && !call.expired(item)
                    ? stream
                    : null;
        }

        @Override
        public boolean wantsArray() {
            return true;
        }
    }

    /** What XREAD asks. */
    static final class Reading {
        private final int firstKey;
        private final int keys;
        private final long count;
        private final long blockMillis;
        private final StreamId[] after;

        private Reading(int firstKey, long count, long blockMillis, StreamId[] after) {
            this.firstKey = firstKey;
            this.keys = after.length;
            this.count = count;
            this.blockMillis = blockMillis;
            this.after = after;
        }

        /** Where STREAMS stands, or -1. */
        private static int streams(Args args) {
            for (int i = 1; i < args.count(); i++) {
                if (args.is(i, "STREAMS")) {
                    return i;
                }
                i += args.is(i, "COUNT") || args.is(i, "BLOCK") ? 1 : 0;
            }
            return -1;
        }

        /** Finds the keys of XREAD. */
        static void keys(Args args, Command.KeyPositions into) {
            int streams = streams(args);
            int rest = args.count() - streams - 1;
            for (int i = 1; streams > 0 && rest % 2 == 0 && i <= rest / 2; i++) {
                into.key(streams + i);
            }
        }

        /** Reads the arguments; {@code $} and {@code +} become ids. */
        static Reading of(Call c) {
            long count = 0;
            long block = -1;
            int i = 1;
            for (; i < c.count() && !c.args.is(i, "STREAMS"); i += 2) {
                boolean more = i + 1 < c.count();
                if (more && c.args.is(i, "BLOCK")) {
                    block = Counts.atLeast(c, i + 1, Long.MIN_VALUE, "ERR timeout is not an integer or out of range");
                    if (block < 0) {
                        throw new ErrorReply("ERR timeout is negative");
                    }
                } else if (more && c.args.is(i, "COUNT")) {
                    count = Math.max(0, c.args.integer(i + 1));
                } else if (more && c.args.is(i, "GROUP") || c.args.is(i, "NOACK")) {
                    throw new ErrorReply("ERR The " + c.args.text(i).toUpperCase(Locale.ROOT)
                            + " option is only supported by XREADGROUP. You called XREAD instead.");
                } else {
                    throw refused(c.args, i);
                }
            }
            int rest = c.count() - i - 1;
            if (rest < 1) {
                throw ErrorReply.SYNTAX;
            }
            if (rest % 2 != 0) {
                throw new ErrorReply("ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be"
                        + " specified.");
            }
            StreamId[] after = new StreamId[rest / 2];
            for (int k = 0; k < after.length; k++) {
                after[k] = after(c, i + 1 + k, i + 1 + after.length + k);
            }
            return new Reading(i + 1, count == 0 ? Long.MAX_VALUE : count, block, after);
        }

        private static ErrorReply refused(Args args, int option) {
            for (String each : List.of("GROUP", "NOACK")) {
                if (args.is(option, each)) {
                    return new ErrorReply("ERR The " + each
                            + " option is only supported by XREADGROUP. You called XREAD" + " instead.");
                }
            }
            return ErrorReply.SYNTAX;
        }

        private static StreamId after(Call c, int key, int id) {
            StreamValue stream = find(c, key);
            if (c.args.is(id, "$")) {
                return stream == null ? StreamId.LEAST : lastId(stream);
            }
            if (c.args.is(id, "+")) {
                return beforeTop(stream);
            }
            if (c.args.is(id, ">")) {
                throw new ErrorReply(
                        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group>"
                                + " <consumer> option.");
            }
            return StreamId.parse(c.args, id, 0);
        }

        /** The id just before the last entry, so that this one is read. */
        private static StreamId beforeTop(@Nullable StreamValue stream) {
            StreamId[] before = {stream == null ? StreamId.LEAST : lastId(stream)};
            if (stream != null) {
                stream.range(0, 0, -1, -1, true, entry -> {
                    before[0] = entry.seq() != 0
                            ? new StreamId(entry.ms(), entry.seq() - 1)
                            : new StreamId(entry.ms() - 1, -1);
                    return false;
                });
            }
            return before[0];
        }

        /** How long to wait, 0 for ever; -1 not to wait. */
        long blockMillis() {
            return blockMillis;
        }

        /** Writes what there is; returns false, and writes nothing, if that is nothing. */
        boolean reply(Call c, RespWriter out) {
            int mark = out.mark();
            int streams = 0;
            for (int k = 0; k < keys; k++) {
                StreamValue stream = find(c, firstKey + k);
                StreamId from = after[k];
                if (stream == null
                        || StreamValue.compare(stream.lastMs(), stream.lastSeq(), from.ms(), from.seq()) <= 0
                        || !has(stream, from.next())) {
                    continue;
                }
                if (out.protocol() == 2) {
                    out.array(2);
                }
                out.bulk(c.args.bytes(), c.args.offset(firstKey + k), c.args.length(firstKey + k));
                entries(c, out, stream, new Span(from.next(), StreamId.GREATEST, false, count));
                streams++;
            }
            if (streams > 0 && out.protocol() == 2) {
                out.arrayAt(mark, streams);
            } else if (streams > 0) {
                out.mapAt(mark, streams);
            }
            return streams > 0;
        }

        private static boolean has(StreamValue stream, StreamId first) {
            boolean[] any = {false};
            stream.range(first.ms(), first.seq(), -1, -1, false, entry -> {
                any[0] = true;
                return false;
            });
            return any[0];
        }
    }

    // ---- looking inside

    private static void xinfo(Call c) {
        boolean full = c.count() > 3;
        long count = FULL_ENTRIES;
        if (full && (!c.args.is(3, "FULL") || (c.count() != 4 && c.count() != 6))) {
            throw misused(c);
        }
        if (c.count() == 6) {
            if (!c.args.is(4, "COUNT")) {
                throw misused(c);
            }
            count = c.args.integer(5);
            count = count < 0 ? FULL_ENTRIES : count == 0 ? Long.MAX_VALUE : count;
        }
        StreamValue stream = find(c, 2);
        if (stream == null) {
            throw ErrorReply.NO_SUCH_KEY;
        }
        RespWriter out = c.out;
        out.map(full ? 9 : 10);
        out.bulk("length").integer(stream.size());
        out.bulk("radix-tree-keys").integer(stream.blocks());
        out.bulk("radix-tree-nodes").integer(stream.blocks() + 1L);
        out.bulk("last-generated-id").bulk(lastId(stream).bytes());
        out.bulk("max-deleted-entry-id").bulk(new StreamId(stream.maxDeletedMs(), stream.maxDeletedSeq()).bytes());
        out.bulk("entries-added").integer(stream.entriesAdded());
        StreamId[] first = {StreamId.LEAST};
        stream.range(0, 0, -1, -1, false, entry -> {
            first[0] = new StreamId(entry.ms(), entry.seq());
            return false;
        });
        out.bulk("recorded-first-entry-id").bulk(first[0].bytes());
        if (full) {
            out.bulk("entries");
            entries(c, out, stream, new Span(StreamId.LEAST, StreamId.GREATEST, false, count));
            out.bulk("groups").array(0);
        } else {
            out.bulk("groups").integer(0);
            end(out.bulk("first-entry"), stream, false);
            end(out.bulk("last-entry"), stream, true);
        }
    }

    private static ErrorReply misused(Call c) {
        return new ErrorReply(
                "ERR unknown subcommand or wrong number of arguments for '" + c.args.text(1) + "'. Try XINFO HELP.");
    }

    private static void end(RespWriter out, StreamValue stream, boolean last) {
        if (stream.size() == 0) {
            out.nil();
            return;
        }
        Slice field = new Slice();
        Slice value = new Slice();
        stream.range(0, 0, -1, -1, last, entry -> {
            write(out, entry, field, value);
            return false;
        });
    }

    /** Fields and values among the arguments. */
    private record Parts(Args args, int first) implements StreamValue.Parts {
        @Override
        public byte[] bytes(int i) {
            return args.bytes();
        }

        @Override
        public int offset(int i) {
            return args.offset(first + i);
        }

        @Override
        public int length(int i) {
            return args.length(first + i);
        }
    }
}
