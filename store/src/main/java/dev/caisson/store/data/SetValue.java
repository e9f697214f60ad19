package dev.caisson.store.data;

import dev.caisson.store.resp.Numbers;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A set of byte strings. Arguments are slices and are copied; what visitors get is good during the call only. Not
 * thread-safe.
 */
public final class SetValue implements Value {
    /* Implementation note. Three forms; a set goes to a later one when it must and never back:
     *
     *      integers in order, 2, 4 or 8 bytes each --> one Packed --> a table of one array per member
     *
     * Exactly one of integers, packed and table is set. */

    private static final VarHandle SHORT = view(short[].class);
    private static final VarHandle INT = view(int[].class);
    private static final VarHandle LONG = view(long[].class);
    private static final int OWN_BYTES = HeapSizes.object(4 * HeapSizes.REFERENCE + 4 + 4 + 8);
    private static final byte[] NONE = {};

    private final ValueSettings settings;
    private byte @Nullable [] integers = NONE;
    private int width = 2; // bytes of an integer
    private int integerCount;
    private @Nullable Packed packed;
    private @Nullable Members table;
    private long memberBytes; // table only: heap bytes of the members

    /** An empty set. */
    public SetValue(ValueSettings settings) {
        this(settings, 0);
    }

    /** An empty set that will have about {@code expected} members, so that it begins in the form it will end in. */
    public SetValue(ValueSettings settings, int expected) {
        this.settings = settings;
        if (expected > settings.setMaxIntegers()) {
            integers = null;
            table = new Members(settings.hashing(), expected);
        }
    }

    /** The number of members. */
    @Override
    public int size() {
        return integers != null
                ? integerCount
                : packed != null ? packed.count() : members().size();
    }

    /** Heap bytes of everything in here. O(1). */
    @Override
    public long memory() {
        if (integers != null) {
            return OWN_BYTES + (integers == NONE ? 0 : HeapSizes.bytes(integers.length));
        }
        return OWN_BYTES + (packed != null ? packed.memory() : members().memory() + memberBytes);
    }

    @Override
    public String type() {
        return "set";
    }

    /** Redis's name of the present form. */
    @Override
    public String encoding() {
        return integers != null ? "intset" : packed != null ? "listpack" : "hashtable";
    }

    /** Whether the slice is a member. */
    public boolean contains(byte[] bytes, int offset, int length) {
        if (integers != null) {
            return Numbers.isInteger(bytes, offset, length)
                    && place(integers, Numbers.parseInteger(bytes, offset, length)) >= 0;
        }
        if (packed != null) {
            return packed.find(1, bytes, offset, length) >= 0;
        }
        return members().find(bytes, offset, length, hash(bytes, offset, length)) != null;
    }

    /** Adds a member; returns whether it is new. */
    public boolean add(byte[] bytes, int offset, int length) {
        if (integers != null) {
            if (Numbers.isInteger(bytes, offset, length)) {
                return addInteger(integers, Numbers.parseInteger(bytes, offset, length));
            }
            if (integerCount < settings.setMaxPackedEntries() && length <= settings.setMaxPackedBytes()) {
                pack();
            } else {
                unpack();
            }
        }
        if (packed != null) {
            if (packed.find(1, bytes, offset, length) >= 0) {
                return false;
            }
            if (packed.count() < settings.setMaxPackedEntries() && length <= settings.setMaxPackedBytes()) {
                packed.append(bytes, offset, length);
                return true;
            }
            unpack();
        }
        int hash = hash(bytes, offset, length);
        if (members().find(bytes, offset, length, hash) != null) {
            return false;
        }
        memberBytes += HeapSizes.bytes(length);
        members().insert(Arrays.copyOfRange(bytes, offset, offset + length), hash);
        return true;
    }

    /** Removes a member; returns whether it was there. */
    public boolean remove(byte[] bytes, int offset, int length) {
        if (integers != null) {
            int place = Numbers.isInteger(bytes, offset, length)
                    ? place(integers, Numbers.parseInteger(bytes, offset, length))
                    : -1;
            if (place >= 0) {
                removeInteger(integers, place);
            }
            return place >= 0;
        }
        if (packed != null) {
            int at = packed.find(1, bytes, offset, length);
            if (at >= 0) {
                packed.remove(at);
            }
            return at >= 0;
        }
        long position = members().locate(bytes, offset, length, hash(bytes, offset, length));
        if (position >= 0) {
            members().removeAt(position);
            memberBytes -= HeapSizes.bytes(length);
        }
        return position >= 0;
    }

    /** Visits every member; integers in their order. */
    public void forEach(SliceVisitor visitor) {
        if (integers != null) {
            for (int i = 0; i < integerCount; i++) {
                visitInteger(integers, i, visitor);
            }
        } else if (packed != null) {
            Packed small = packed;
            for (int at = 0; at < small.end(); at = small.next(at)) {
                visitor.visit(small.bytes(), small.start(at), small.length(at));
            }
        } else {
            members().forEach(member -> visitor.visit(member, 0, member.length));
        }
    }

    /** One step of a walk, as {@link Table#scan}; a small set is one step. */
    public long scan(long cursor, SliceVisitor visitor) {
        if (table == null) {
            forEach(visitor);
            return 0;
        }
        return table.scan(cursor, member -> visitor.visit(member, 0, member.length));
    }

    /** Visits one member, each as likely as any other; none if the set is empty. */
    public void random(RandomGenerator random, SliceVisitor visitor) {
        if (size() == 0) {
            return;
        }
        if (integers != null) {
            visitInteger(integers, random.nextInt(integerCount), visitor);
        } else if (packed != null) {
            int at = packed.index(random.nextInt(packed.count()));
            visitor.visit(packed.bytes(), packed.start(at), packed.length(at));
        } else {
            byte[] member = members().random(random);
            if (member != null) {
                visitor.visit(member, 0, member.length);
            }
        }
    }

    /** A set of its own with the same members. */
    @Override
    public SetValue copy() {
        SetValue copy = new SetValue(settings);
        copy.integers = integers == null ? null : Arrays.copyOf(integers, integerCount * width);
        copy.width = width;
        copy.integerCount = integerCount;
        if (packed != null) {
            copy.packed = packed.copy();
        } else if (table != null) {
            Members members = new Members(settings.hashing(), size());
            table.forEach(member -> members.insert(member, members.hash(member)));
            copy.table = members;
            copy.memberBytes = memberBytes;
        }
        return copy;
    }

    /** The same for the same members in any order, form and process. O(size). */
    @Override
    public long digest() {
        long[] sum = {0};
        forEach((bytes, offset, length) -> sum[0] += Hashing.mix(Hashing.digest(bytes, offset, length)));
        return sum[0];
    }

    private Members members() {
        if (table == null) {
            throw new IllegalStateException("a small set has no table");
        }
        return table;
    }

    private int hash(byte[] bytes, int offset, int length) {
        return settings.hashing().hash(bytes, offset, length);
    }

    /** From integers to packed. */
    private void pack() {
        Packed small = new Packed();
        forEach(small::append);
        integers = null;
        packed = small;
    }

    /** From either small form to the table. */
    private void unpack() {
        Members members = new Members(settings.hashing(), size() + 1);
        forEach((bytes, offset, length) -> {
            memberBytes += HeapSizes.bytes(length);
            members.insert(Arrays.copyOfRange(bytes, offset, offset + length), hash(bytes, offset, length));
        });
        integers = null;
        packed = null;
        table = members;
    }

    // Integers.

    private boolean addInteger(byte[] array, long value) {
        int place = place(array, value);
        if (place >= 0) {
            return false;
        }
        int index = -place - 1;
        int needed = value == (short) value ? 2 : value == (int) value ? 4 : 8;
        int to = Math.max(width, needed);
        byte[] target = array;
        if (to != width || (integerCount + 1) * width > array.length) {
            target = new byte[(integerCount + 1 + integerCount / 4) * to];
            for (int i = 0; i < integerCount; i++) {
                set(target, to, i < index ? i : i + 1, get(array, width, i));
            }
        } else {
            System.arraycopy(array, index * width, array, (index + 1) * width, (integerCount - index) * width);
        }
        set(target, to, index, value);
        integers = target;
        width = to;
        integerCount++;
        if (integerCount > settings.setMaxIntegers()) {
            unpack();
        }
        return true;
    }

    private void removeInteger(byte[] array, int index) {
        integerCount--;
        System.arraycopy(array, (index + 1) * width, array, index * width, (integerCount - index) * width);
        if (integerCount * width < array.length / 2) {
            integers = Arrays.copyOf(array, integerCount * width);
        }
    }

    /** The index of a value, or -1 - the index at which it belongs. */
    private int place(byte[] array, long value) {
        int low = 0;
        int high = integerCount - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long found = get(array, width, middle);
            if (found == value) {
                return middle;
            }
            if (found < value) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -low - 1;
    }

    private void visitInteger(byte[] array, int index, SliceVisitor visitor) {
        byte[] text = Numbers.format(get(array, width, index));
        visitor.visit(text, 0, text.length);
    }

    private static long get(byte[] array, int width, int index) {
        return switch (width) {
            case 2 -> (short) SHORT.get(array, 2 * index);
            case 4 -> (int) INT.get(array, 4 * index);
            default -> (long) LONG.get(array, 8 * index);
        };
    }

    private static void set(byte[] array, int width, int index, long value) {
        switch (width) {
            case 2 -> SHORT.set(array, 2 * index, (short) value);
            case 4 -> INT.set(array, 4 * index, (int) value);
            default -> LONG.set(array, 8 * index, value);
        }
    }

    private static VarHandle view(Class<?> arrays) {
        return MethodHandles.byteArrayViewVarHandle(arrays, ByteOrder.LITTLE_ENDIAN)
                .withInvokeExactBehavior();
    }

    private static final class Members extends Table<byte[]> {
        private final Hashing hashing;

        Members(Hashing hashing, int expected) {
            super(expected);
            this.hashing = hashing;
        }

        @Override
        protected boolean matches(byte[] member, byte[] bytes, int offset, int length) {
            return Arrays.equals(member, 0, member.length, bytes, offset, offset + length);
        }

        @Override
        protected int hash(byte[] member) {
            return hashing.hash(member, 0, member.length);
        }
    }
}
