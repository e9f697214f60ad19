package dev.caisson.store.data;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A hash: fields with values, some of them with a time of expiry. Times are milliseconds since 1970; a field whose time is
 * at or before {@code now} is not there for any reader, but takes memory and counts in {@link #size} until it is removed or
 * {@link #removeExpired} comes to it (as in Redis).
 *
 * <p>Arguments are slices and are copied. What visitors get is good during the call only. Not thread-safe.
 */
public final class HashValue implements Value {
    /* Implementation note. Small: field, value, field, value ... in one Packed; once a field expires: field, value, time (8
     * bytes, or none) ..., soonest first and those without a time last, as Redis has them. Beyond the limits of the settings, and for good: a table of one array per field, and a heap of
     * those that expire. Exactly one of packed and table is set. */

    /** The expiry of a field that does not expire. */
    public static final long NEVER = Long.MAX_VALUE;

    /** The expiry of a field that is not there. */
    public static final long ABSENT = -1;

    private static final int OWN_BYTES = HeapSizes.object(4 * HeapSizes.REFERENCE + 2 * 4 + 8);
    private static final int RANDOM_TRIES = 32;

    /** What the heap may hold beyond as many entries, or bytes, as the hash itself. */
    private static final int STALE_ENTRIES = 16;

    private static final int STALE_BYTES = 4 * 1024;
    private static final byte[] NO_TIME = {};

    private final ValueSettings settings;
    private @Nullable Packed packed = new Packed();
    private @Nullable Fields table;
    private @Nullable ExpiryHeap expiring;
    private int stride = 2;
    private int timed; // fields with a time, expired ones too
    private long entryBytes; // table only: heap bytes of the entries

    /** An empty hash. */
    public HashValue(ValueSettings settings) {
        this.settings = settings;
    }

    /** Fields, with those that are expired but not yet removed. */
    @Override
    public int size() {
        return packed != null ? packed.count() / stride : fields().size();
    }

    /** Heap bytes of everything in here. O(1). */
    @Override
    public long memory() {
        long own = OWN_BYTES + (expiring == null ? 0 : expiring.memory());
        return packed != null ? own + packed.memory() : own + fields().memory() + entryBytes;
    }

    @Override
    public String type() {
        return "hash";
    }

    /** Redis's name of the present form. */
    @Override
    public String encoding() {
        return packed == null ? "hashtable" : stride == 2 ? "listpack" : "listpackex";
    }

    /** Finds the value of a field. */
    public boolean get(byte[] field, int offset, int length, long now, Slice value) {
        if (packed != null) {
            int at = packed.find(stride, field, offset, length);
            if (at < 0 || expiryAt(packed, at) <= now) {
                return false;
            }
            int next = packed.next(at);
            value.set(packed.bytes(), packed.start(next), packed.length(next));
            return true;
        }
        byte[] entry = fields().find(field, offset, length, hash(field, offset, length));
        if (entry == null || FieldEntry.expiry(entry) <= now) {
            return false;
        }
        int start = FieldEntry.valueStart(entry);
        value.set(entry, start, entry.length - start);
        return true;
    }

    /** When a field expires: a time, {@link #NEVER}, or {@link #ABSENT}. */
    public long expiry(byte[] field, int offset, int length, long now) {
        long expiry = ABSENT;
        if (packed != null) {
            int at = packed.find(stride, field, offset, length);
            expiry = at < 0 ? ABSENT : expiryAt(packed, at);
        } else {
            byte[] entry = fields().find(field, offset, length, hash(field, offset, length));
            expiry = entry == null ? ABSENT : FieldEntry.expiry(entry);
        }
        return expiry <= now ? ABSENT : expiry;
    }

    /**
     * Sets a field and its expiry, {@link #NEVER} for none. The slices are not of this hash.
     *
     * @return whether the field is new at {@code now}
     */
    public boolean put(
            byte[] fields,
            int field,
            int fieldLength,
            byte[] values,
            int value,
            int valueLength,
            long expiry,
            long now) {
        Packed small = packed;
        if (small != null) {
            if (Math.max(fieldLength, valueLength) <= settings.hashMaxPackedBytes()) {
                if (expiry != NEVER) {
                    widen(small);
                }
                int at = small.find(stride, fields, field, fieldLength);
                boolean created = at < 0 || expiryAt(small, at) <= now;
                if (at < 0) {
                    insert(small, fields, field, fieldLength, values, value, valueLength, expiry);
                } else {
                    small.replace(small.next(at), values, value, valueLength);
                    setTime(small, at, expiry);
                }
                if (small.count() / stride > settings.hashMaxPackedEntries()) {
                    unpack(small);
                }
                return created;
            }
            unpack(small);
        }
        byte[] entry = FieldEntry.of(fields, field, fieldLength, values, value, valueLength, expiry);
        long position = fields().locate(fields, field, fieldLength, hash(fields, field, fieldLength));
        if (position < 0) {
            add(fields(), entry);
            return true;
        }
        return replace(fields(), position, entry) <= now;
    }

    /**
     * Gives a field that is there another expiry, {@link #NEVER} for none.
     *
     * @return whether it is there
     */
    public boolean expire(byte[] field, int offset, int length, long expiry, long now) {
        Packed small = packed;
        if (small != null) {
            int at = small.find(stride, field, offset, length);
            if (at < 0 || expiryAt(small, at) <= now) {
                return false;
            }
            if (stride == 2 && expiry == NEVER) {
                return true;
            }
            widen(small);
            setTime(small, small.find(stride, field, offset, length), expiry);
            return true;
        }
        long position = fields().locate(field, offset, length, hash(field, offset, length));
        if (position < 0 || FieldEntry.expiry(fields().at(position)) <= now) {
            return false;
        }
        byte[] former = fields().at(position);
        if (FieldEntry.expiry(former) != expiry) {
            int value = FieldEntry.valueStart(former);
            int from = FieldEntry.fieldStart(former);
            replace(
                    fields(),
                    position,
                    FieldEntry.of(former, from, value - from, former, value, former.length - value, expiry));
        }
        return true;
    }

    /** Removes a field that is there; returns whether it was. */
    public boolean remove(byte[] field, int offset, int length, long now) {
        Packed small = packed;
        if (small != null) {
            int at = small.find(stride, field, offset, length);
            return at >= 0 && expiryAt(small, at) > now && removeAt(small, at) > now;
        }
        long position = fields().locate(field, offset, length, hash(field, offset, length));
        return position >= 0 && FieldEntry.expiry(fields().at(position)) > now && removeAt(fields(), position) > now;
    }

    /** No field expires before this time; {@link #NEVER} if none does. */
    public long nextExpiry() {
        if (packed != null) {
            return timed == 0 ? NEVER : expiryAt(packed, 0);
        }
        return timed == 0 || expiring == null ? NEVER : expiring.soonest();
    }

    /**
     * Removes fields that are expired, at most {@code limit}.
     *
     * @param visitor gets each before it goes
     * @return how many
     */
    public int removeExpired(long now, int limit, SliceVisitor visitor) {
        int removed = 0;
        Packed small = packed;
        if (small != null) {
            while (removed < limit && nextExpiry() <= now) {
                visitor.visit(small.bytes(), small.start(0), small.length(0));
                removeAt(small, 0);
                removed++;
            }
            return removed;
        }
        while (removed < limit && expiring != null && expiring.soonest() <= now) {
            byte[] entry = expiring.first();
            if (entry != null && isCurrent(entry)) {
                int field = FieldEntry.fieldStart(entry);
                int length = FieldEntry.fieldLength(entry);
                visitor.visit(entry, field, length);
                removeAt(fields(), fields().locate(entry, field, length, hash(entry, field, length)));
                removed++;
            }
            if (expiring != null && expiring.size() > 0 && expiring.first() == entry) {
                expiring.removeFirst();
            }
        }
        return removed;
    }

    /** Visits every field that is there. */
    public void forEach(long now, FieldVisitor visitor) {
        if (packed != null) {
            Packed small = packed;
            for (int at = 0; at < small.end(); at = after(small, at)) {
                if (expiryAt(small, at) > now) {
                    visit(small, at, visitor);
                }
            }
        } else {
            fields().forEach(entry -> visit(entry, now, visitor));
        }
    }

    /** One step of a walk, as {@link Table#scan}; a small hash is one step. */
    public long scan(long cursor, long now, FieldVisitor visitor) {
        if (packed != null) {
            forEach(now, visitor);
            return 0;
        }
        return fields().scan(cursor, entry -> visit(entry, now, visitor));
    }

    /**
     * Visits one field, each as likely as any other.
     *
     * @return false if no field is there
     */
    public boolean random(RandomGenerator random, long now, FieldVisitor visitor) {
        if (size() == 0) {
            return false;
        }
        if (packed != null && timed == 0) {
            visit(packed, packed.index(random.nextInt(size()) * stride), visitor);
            return true;
        }
        if (packed == null) {
            for (int i = 0; i < RANDOM_TRIES; i++) {
                byte[] entry = fields().random(random);
                if (entry != null && FieldEntry.expiry(entry) > now) {
                    visit(entry, now, visitor);
                    return true;
                }
            }
        }
        int[] there = {0};
        forEach(now, (bytes, field, fieldLength, value, valueLength) -> there[0]++);
        if (there[0] == 0) {
            return false;
        }
        int[] until = {random.nextInt(there[0])};
        forEach(now, (bytes, field, fieldLength, value, valueLength) -> {
            if (until[0]-- == 0) {
                visitor.visit(bytes, field, fieldLength, value, valueLength);
            }
        });
        return true;
    }

    /** A hash of its own with the same content. */
    @Override
    public HashValue copy() {
        HashValue copy = new HashValue(settings);
        copy.stride = stride;
        if (packed != null) {
            copy.packed = packed.copy();
            copy.timed = timed;
            return copy;
        }
        Fields fields = new Fields(settings.hashing(), size());
        copy.packed = null;
        copy.table = fields;
        fields().forEach(entry -> copy.add(fields, entry));
        return copy;
    }

    /** The same for the same fields, values and times in any order, form and process. O(size). */
    @Override
    public long digest() {
        long[] sum = {0};
        forEach(
                Long.MIN_VALUE,
                (bytes, field, fieldLength, value, valueLength) ->
                        sum[0] += Hashing.mix(Hashing.digest(bytes, field, fieldLength)
                                + Long.rotateLeft(Hashing.digest(bytes, value, valueLength), 21)
                                + Hashing.mix(expiry(bytes, field, fieldLength, Long.MIN_VALUE))));
        return sum[0];
    }

    private void visit(Packed small, int at, FieldVisitor visitor) {
        int next = small.next(at);
        visitor.visit(small.bytes(), small.start(at), small.length(at), small.start(next), small.length(next));
    }

    private static void visit(byte[] entry, long now, FieldVisitor visitor) {
        if (FieldEntry.expiry(entry) > now) {
            int value = FieldEntry.valueStart(entry);
            visitor.visit(
                    entry, FieldEntry.fieldStart(entry), FieldEntry.fieldLength(entry), value, entry.length - value);
        }
    }

    // The small form.

    private int after(Packed small, int at) {
        int next = small.next(small.next(at));
        return stride == 2 ? next : small.next(next);
    }

    private static int timeAt(Packed small, int at) {
        return small.next(small.next(at));
    }

    private long expiryAt(Packed small, int at) {
        return stride == 2 ? NEVER : time(small, timeAt(small, at));
    }

    private static long time(Packed small, int at) {
        return small.length(at) == 0 ? NEVER : (long) FieldEntry.LONG.get(small.bytes(), small.start(at));
    }

    /** Gives the field at {@code at} another time, and with it another place. */
    private void setTime(Packed small, int at, long expiry) {
        if (expiryAt(small, at) == expiry) {
            return;
        }
        byte[] field = bytes(small, at);
        byte[] value = bytes(small, small.next(at));
        removeAt(small, at);
        insert(small, field, 0, field.length, value, 0, value.length, expiry);
    }

    private static byte[] bytes(Packed small, int at) {
        int start = small.start(at);
        return Arrays.copyOfRange(small.bytes(), start, start + small.length(at));
    }

    /** Adds a field where its time belongs. */
    private void insert(
            Packed small,
            byte[] fields,
            int field,
            int fieldLength,
            byte[] values,
            int value,
            int valueLength,
            long expiry) {
        int at = small.end();
        if (expiry != NEVER) {
            at = 0;
            while (at < small.end() && expiryAt(small, at) <= expiry) {
                at = after(small, at);
            }
        }
        if (stride == 3) {
            byte[] time = expiry == NEVER ? NO_TIME : new byte[8];
            if (expiry != NEVER) {
                FieldEntry.LONG.set(time, 0, expiry);
                timed++;
            }
            small.insert(at, time, 0, time.length);
        }
        small.insert(at, values, value, valueLength);
        small.insert(at, fields, field, fieldLength);
    }

    private long removeAt(Packed small, int at) {
        long expiry = expiryAt(small, at);
        small.removeRange(at, after(small, at), stride);
        if (expiry != NEVER) {
            timed--;
        }
        return expiry;
    }

    /** Gives each field room for a time. */
    private void widen(Packed small) {
        if (stride == 2) {
            for (int at = 0; at < small.end(); ) {
                at = timeAt(small, at);
                small.insert(at, NO_TIME, 0, 0);
                at = small.next(at);
            }
            stride = 3;
        }
    }

    private void unpack(Packed small) {
        Fields fields = new Fields(settings.hashing(), size() + 1);
        timed = 0;
        for (int at = 0; at < small.end(); at = after(small, at)) {
            int value = small.next(at);
            byte[] bytes = small.bytes();
            add(
                    fields,
                    FieldEntry.of(
                            bytes,
                            small.start(at),
                            small.length(at),
                            bytes,
                            small.start(value),
                            small.length(value),
                            expiryAt(small, at)));
        }
        packed = null;
        table = fields;
    }

    // The large form.

    private Fields fields() {
        if (table == null) {
            throw new IllegalStateException("a packed hash has no table");
        }
        return table;
    }

    private int hash(byte[] bytes, int offset, int length) {
        return settings.hashing().hash(bytes, offset, length);
    }

    private void add(Fields fields, byte[] entry) {
        fields.insert(entry, fields.hash(entry));
        entryBytes += HeapSizes.bytes(entry.length);
        watch(entry);
    }

    private long replace(Fields fields, long position, byte[] entry) {
        byte[] former = fields.replaceAt(position, entry);
        entryBytes += HeapSizes.bytes(entry.length) - HeapSizes.bytes(former.length);
        watch(entry);
        forget(former);
        return FieldEntry.expiry(former);
    }

    private long removeAt(Fields fields, long position) {
        byte[] former = fields.removeAt(position);
        entryBytes -= HeapSizes.bytes(former.length);
        forget(former);
        return FieldEntry.expiry(former);
    }

    private void watch(byte[] entry) {
        long expiry = FieldEntry.expiry(entry);
        if (expiry != NEVER) {
            timed++;
            if (expiring == null) {
                expiring = new ExpiryHeap();
            }
            expiring.add(expiry, entry);
        }
    }

    private void forget(byte[] entry) {
        if (FieldEntry.expiry(entry) == NEVER) {
            return;
        }
        timed--;
        if (timed == 0) {
            expiring = null;
        } else if (expiring != null) {
            expiring.disown(entry);
            if (expiring.size() > 2 * timed + STALE_ENTRIES || expiring.staleBytes() > entryBytes + STALE_BYTES) {
                expiring.retain(this::isCurrent);
            }
        }
    }

    private boolean isCurrent(byte[] entry) {
        int field = FieldEntry.fieldStart(entry);
        int length = FieldEntry.fieldLength(entry);
        return fields().find(entry, field, length, hash(entry, field, length)) == entry;
    }

    private static final class Fields extends Table<byte[]> {
        private final Hashing hashing;

        Fields(Hashing hashing, int expected) {
            super(expected);
            this.hashing = hashing;
        }

        @Override
        protected boolean matches(byte[] entry, byte[] bytes, int offset, int length) {
            int start = FieldEntry.fieldStart(entry);
            return FieldEntry.fieldLength(entry) == length
                    && Arrays.equals(entry, start, start + length, bytes, offset, offset + length);
        }

        @Override
        protected int hash(byte[] entry) {
            return hashing.hash(entry, FieldEntry.fieldStart(entry), FieldEntry.fieldLength(entry));
        }
    }
}
