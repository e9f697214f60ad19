package dev.caisson.store.engine;

import dev.caisson.store.data.HashValue;
import dev.caisson.store.data.ListValue;
import dev.caisson.store.data.SetValue;
import dev.caisson.store.data.Slice;
import dev.caisson.store.data.SliceVisitor;
import dev.caisson.store.data.SortedSetValue;
import dev.caisson.store.data.StreamEntry;
import dev.caisson.store.data.StreamValue;
import dev.caisson.store.data.Value;
import dev.caisson.store.resp.Numbers;
import dev.caisson.store.resp.RespWriter;
import org.jspecify.annotations.Nullable;

/** Writes entries as the commands that make them anew, for snapshots. */
final class EntryCommands {
    /** Elements of one command; a value of more takes several. */
    private static final int ELEMENTS_MAX = 512;

    private EntryCommands() {}

    static void grant(RespWriter out, Leases.Lease lease) {
        out.array(4).bulk("LEASE.GRANT").bulkInteger(lease.millis).bulk("ID").bulk(lease.id.bytes());
    }

    static void write(RespWriter out, Object item, Leases.@Nullable Attached leases) {
        byte[] key = Keyspace.key(item);
        if (item instanceof Node node) {
            value(out, key, node.value);
            if (node.expireAt >= 0) {
                out.array(3).bulk("PEXPIREAT").bulk(key).bulkInteger(node.expireAt);
            }
        } else {
            string(out, key, (byte[]) item);
        }
        if (leases != null) {
            if (leases.whole != null) {
                out.array(3).bulk("LEASE.ATTACH").bulk(leases.whole.bytes()).bulk(key);
            }
            leases.fields.forEach((field, lease) -> out.array(6)
                    .bulk("LEASE.ATTACH")
                    .bulk(lease.bytes())
                    .bulk(key)
                    .bulk("FIELDS")
                    .bulk("1")
                    .bulk(field.bytes()));
        }
    }

    private static void string(RespWriter out, byte[] key, byte[] entry) {
        long at = StringEntry.expireAt(entry);
        out.array(at >= 0 ? 5 : 3).bulk("SET").bulk(key);
        out.bulk(entry, StringEntry.valueOffset(entry), StringEntry.valueLength(entry));
        if (at >= 0) {
            out.bulk("PXAT").bulkInteger(at);
        }
    }

    private static void value(RespWriter out, byte[] key, Value value) {
        switch (value) {
            case HashValue hash -> hash(out, key, hash);
            case ListValue list -> {
                Parts parts = new Parts(out, "RPUSH", key, 1, list.size());
                list.forEach(0, list.size(), parts);
            }
            case SetValue set -> set.forEach(new Parts(out, "SADD", key, 1, set.size()));
            case SortedSetValue sorted -> {
                Parts parts = new Parts(out, "ZADD", key, 2, sorted.size());
                sorted.forEach(0, sorted.size(), false, (bytes, offset, length, score) -> {
                    parts.next();
                    out.bulk(Numbers.format(score)).bulk(bytes, offset, length);
                });
            }
            case StreamValue stream -> stream(out, key, stream);
            default -> throw new IllegalStateException("nobody knows how to write a " + value.type());
        }
    }

    /** Begins a command anew after each {@link #ELEMENTS_MAX} elements. */
    private static final class Parts implements SliceVisitor {
        private final RespWriter out;
        private final String name;
        private final byte[] key;
        private final int width;
        private int left;
        private int inCommand;

        Parts(RespWriter out, String name, byte[] key, int width, int elements) {
            this.out = out;
            this.name = name;
            this.key = key;
            this.width = width;
            this.left = elements;
        }

        /** The caller writes one element after this. */
        void next() {
            if (inCommand == 0) {
                inCommand = Math.min(left, ELEMENTS_MAX);
                left -= inCommand;
                out.array(2 + inCommand * width).bulk(name).bulk(key);
            }
            inCommand--;
        }

        @Override
        public void visit(byte[] bytes, int offset, int length) {
            next();
            out.bulk(bytes, offset, length);
        }
    }

    /** Fields whose time has come and that nobody has removed yet are written, too: the log may say that they go. */
    private static void hash(RespWriter out, byte[] key, HashValue hash) {
        Parts parts = new Parts(out, "HSET", key, 2, hash.size());
        hash.forEach(0, (bytes, field, fieldLength, value, valueLength) -> {
            parts.next();
            out.bulk(bytes, field, fieldLength).bulk(bytes, value, valueLength);
        });
        if (hash.nextExpiry() != HashValue.NEVER) {
            hash.forEach(0, (bytes, field, fieldLength, value, valueLength) -> {
                long at = hash.expiry(bytes, field, fieldLength, 0);
                if (at != HashValue.NEVER) {
                    out.array(6).bulk("HPEXPIREAT").bulk(key).bulkInteger(at);
                    out.bulk("FIELDS").bulk("1").bulk(bytes, field, fieldLength);
                }
            });
        }
    }

    private static void stream(RespWriter out, byte[] key, StreamValue stream) {
        stream.range(0, 0, -1, -1, false, entry -> {
            entry(out, key, entry);
            return true;
        });
        String last = id(stream.lastMs(), stream.lastSeq());
        if (stream.size() == 0) {
            out.array(5).bulk("XADD").bulk(key).bulk(last).bulk("f").bulk("v");
            out.array(3).bulk("XDEL").bulk(key).bulk(last);
        }
        out.array(7).bulk("XSETID").bulk(key).bulk(last);
        out.bulk("ENTRIESADDED").bulkInteger(stream.entriesAdded());
        out.bulk("MAXDELETEDID").bulk(id(stream.maxDeletedMs(), stream.maxDeletedSeq()));
    }

    private static void entry(RespWriter out, byte[] key, StreamEntry entry) {
        Slice field = new Slice();
        Slice value = new Slice();
        out.array(3 + 2 * entry.fields()).bulk("XADD").bulk(key).bulk(id(entry.ms(), entry.seq()));
        while (entry.next(field, value)) {
            out.bulk(field.bytes(), field.offset(), field.length());
            out.bulk(value.bytes(), value.offset(), value.length());
        }
    }

    private static String id(long ms, long seq) {
        return Long.toUnsignedString(ms) + "-" + Long.toUnsignedString(seq);
    }
}
