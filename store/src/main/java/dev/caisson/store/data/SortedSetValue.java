package dev.caisson.store.data;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A sorted set: members with a score, ordered by score and then by their bytes, unsigned. Everything that asks for a range
 * asks for ranks: {@link #below} and {@link #belowLex} tell how many members stand before a bound, so a count is a
 * difference, and visits and removals take ranks. Scores are never NaN.
 *
 * <p>Arguments are slices and are copied. What visitors get is good during the call only. Not thread-safe.
 */
public final class SortedSetValue implements Value {
    /* Implementation note. Small: one Packed in order, an entry being 8 bytes of score and the member. Beyond the limits of
     * the settings, and for good: a Ranks (skip list) for the order and a table for the members, both of the same nodes.
     * Exactly one of packed and ranks is set, and table with ranks. */

    /** What {@link #put} did. */
    public enum Change {
        ADDED,
        UPDATED,
        NONE
    }

    private static final int OWN_BYTES = HeapSizes.object(4 * HeapSizes.REFERENCE + 8);
    private static final int SCORE_BYTES = 8;

    private final ValueSettings settings;
    private @Nullable Packed packed = new Packed();
    private @Nullable Ranks ranks;
    private @Nullable Members table;
    private long nodeBytes; // large only: heap bytes of nodes and members

    /** An empty sorted set. */
    public SortedSetValue(ValueSettings settings) {
        this.settings = settings;
    }

    /** The number of members. */
    @Override
    public int size() {
        return packed != null ? packed.count() : ranks().size();
    }

    /** Heap bytes of everything in here. O(1). */
    @Override
    public long memory() {
        return OWN_BYTES
                + (packed != null
                        ? packed.memory()
                        : Ranks.OWN_BYTES + members().memory() + nodeBytes);
    }

    @Override
    public String type() {
        return "zset";
    }

    /** Redis's name of the present form. */
    @Override
    public String encoding() {
        return packed != null ? "listpack" : "skiplist";
    }

    /** The score of a member, or NaN if it is not there. */
    public double score(byte[] bytes, int offset, int length) {
        if (packed != null) {
            int at = find(packed, bytes, offset, length);
            return at < 0 ? Double.NaN : score(packed, at);
        }
        Ranks.Node node = members().find(bytes, offset, length, hash(bytes, offset, length));
        return node == null ? Double.NaN : node.score;
    }

    /** Adds a member or gives it another score. */
    public Change put(byte[] bytes, int offset, int length, double given) {
        double score = given == 0 ? 0 : given; // one zero only, as in Redis's packed form
        Packed small = packed;
        if (small != null) {
            int at = find(small, bytes, offset, length);
            if (at >= 0 && score(small, at) == score) {
                return Change.NONE;
            }
            if (at >= 0
                    || (small.count() < settings.sortedSetMaxPackedEntries()
                            && length <= settings.sortedSetMaxPackedBytes())) {
                if (at >= 0) {
                    small.remove(at);
                }
                insert(small, bytes, offset, length, score);
                return at >= 0 ? Change.UPDATED : Change.ADDED;
            }
            unpack(small);
        }
        int hash = hash(bytes, offset, length);
        Ranks.Node node = members().find(bytes, offset, length, hash);
        if (node == null) {
            add(ranks(), members(), Arrays.copyOfRange(bytes, offset, offset + length), hash, score);
            return Change.ADDED;
        }
        if (node.score == score) {
            return Change.NONE;
        }
        ranks().move(node, score);
        return Change.UPDATED;
    }

    /** Removes a member; returns whether it was there. */
    public boolean remove(byte[] bytes, int offset, int length) {
        if (packed != null) {
            int at = find(packed, bytes, offset, length);
            if (at >= 0) {
                packed.remove(at);
            }
            return at >= 0;
        }
        long position = members().locate(bytes, offset, length, hash(bytes, offset, length));
        if (position < 0) {
            return false;
        }
        Ranks.Node node = members().removeAt(position);
        ranks().remove(node);
        nodeBytes -= node.memory();
        return true;
    }

    /** How many members stand before this one, or -1 if it is not there. */
    public int rank(byte[] bytes, int offset, int length) {
        if (packed != null) {
            int rank = 0;
            for (int at = 0; at < packed.end(); at = packed.next(at)) {
                if (compare(packed, at, bytes, offset, length) == 0) {
                    return rank;
                }
                rank++;
            }
            return -1;
        }
        Ranks.Node node = members().find(bytes, offset, length, hash(bytes, offset, length));
        return node == null ? -1 : ranks().rank(node);
    }

    /** How many members have a score less than {@code score}, or, if {@code inclusive}, at most it. */
    public int below(double score, boolean inclusive) {
        if (packed == null) {
            return ranks().below(score, inclusive);
        }
        int below = 0;
        for (int at = 0; at < packed.end(); at = packed.next(at)) {
            double found = score(packed, at);
            if (inclusive ? found > score : found >= score) {
                break;
            }
            below++;
        }
        return below;
    }

    /**
     * How many members come before the slice, or, if {@code inclusive}, are at most it. Means something only where all
     * scores are equal.
     */
    public int belowLex(byte[] bytes, int offset, int length, boolean inclusive) {
        if (packed == null) {
            return ranks().belowLex(bytes, offset, length, inclusive);
        }
        int below = 0;
        for (int at = 0; at < packed.end(); at = packed.next(at)) {
            int order = compare(packed, at, bytes, offset, length);
            if (inclusive ? order > 0 : order >= 0) {
                break;
            }
            below++;
        }
        return below;
    }

    /** Visits the members of ranks {@code from} to before {@code to}, 0 <= from <= to <= size, last first if backward. */
    public void forEach(int from, int to, boolean backward, ScoreVisitor visitor) {
        if (from >= to) {
            return;
        }
        Packed small = packed;
        if (small != null) {
            int at = small.index(backward ? to - 1 : from);
            for (int i = from; i < to; i++) {
                visit(small, at, visitor);
                if (i < to - 1) {
                    at = backward ? small.previous(at) : small.next(at);
                }
            }
            return;
        }
        Ranks.@Nullable Node node = ranks().at(backward ? to - 1 : from);
        for (int i = from; i < to && node != null; i++) {
            visitor.visit(node.member, 0, node.member.length, node.score);
            node = backward ? node.previous : node.next;
        }
    }

    /** Removes the members of ranks {@code from} to before {@code to}, 0 <= from <= to <= size. */
    public void removeRanks(int from, int to) {
        if (from >= to) {
            return;
        }
        if (packed != null) {
            packed.removeRange(packed.index(from), packed.index(to), to - from);
            return;
        }
        Ranks.@Nullable Node node = ranks().at(from);
        for (int i = from; i < to && node != null; i++) {
            Ranks.Node next = node.next;
            byte[] member = node.member;
            remove(member, 0, member.length);
            node = next;
        }
    }

    /** One step of a walk, as {@link Table#scan}; a small set is one step. */
    public long scan(long cursor, ScoreVisitor visitor) {
        if (packed != null) {
            forEach(0, size(), false, visitor);
            return 0;
        }
        return members().scan(cursor, node -> visitor.visit(node.member, 0, node.member.length, node.score));
    }

    /** Visits one member, each as likely as any other; none if the set is empty. */
    public void random(RandomGenerator random, ScoreVisitor visitor) {
        if (size() == 0) {
            return;
        }
        int rank = random.nextInt(size());
        forEach(rank, rank + 1, false, visitor);
    }

    /** A sorted set of its own with the same members. */
    @Override
    public SortedSetValue copy() {
        SortedSetValue copy = new SortedSetValue(settings);
        if (packed != null) {
            copy.packed = packed.copy();
            return copy;
        }
        Members members = new Members(settings.hashing(), size());
        Ranks order = new Ranks();
        copy.packed = null;
        copy.ranks = order;
        copy.table = members;
        for (Ranks.@Nullable Node node = ranks().at(0); node != null; node = node.next) {
            copy.add(order, members, node.member, hash(node.member, 0, node.member.length), node.score);
        }
        return copy;
    }

    /** The same for the same members and scores, in any form and process. O(size). */
    @Override
    public long digest() {
        long[] sum = {0};
        forEach(
                0,
                size(),
                false,
                (bytes, offset, length, score) -> sum[0] += Hashing.mix(
                        Hashing.digest(bytes, offset, length) + Hashing.mix(Double.doubleToRawLongBits(score) + 1)));
        return sum[0];
    }

    /** Checks the skip list, for tests. */
    void verify() {
        if (ranks != null) {
            ranks.verify();
            members().verify();
        }
    }

    // The small form.

    private static double score(Packed small, int at) {
        return Double.longBitsToDouble((long) FieldEntry.LONG.get(small.bytes(), small.start(at)));
    }

    private static void visit(Packed small, int at, ScoreVisitor visitor) {
        visitor.visit(small.bytes(), small.start(at) + SCORE_BYTES, small.length(at) - SCORE_BYTES, score(small, at));
    }

    private static int compare(Packed small, int at, byte[] bytes, int offset, int length) {
        int start = small.start(at);
        return Arrays.compareUnsigned(
                small.bytes(), start + SCORE_BYTES, start + small.length(at), bytes, offset, offset + length);
    }

    private static int find(Packed small, byte[] bytes, int offset, int length) {
        for (int at = 0; at < small.end(); at = small.next(at)) {
            if (small.length(at) == SCORE_BYTES + length && compare(small, at, bytes, offset, length) == 0) {
                return at;
            }
        }
        return -1;
    }

    private static void insert(Packed small, byte[] bytes, int offset, int length, double score) {
        int at = 0;
        while (at < small.end()) {
            double found = score(small, at);
            if (found > score || (found == score && compare(small, at, bytes, offset, length) > 0)) {
                break;
            }
            at = small.next(at);
        }
        int start = small.open(at, SCORE_BYTES + length);
        FieldEntry.LONG.set(small.bytes(), start, Double.doubleToRawLongBits(score + 0.0)); // no -0 here, as in Redis
        System.arraycopy(bytes, offset, small.bytes(), start + SCORE_BYTES, length);
    }

    private void unpack(Packed small) {
        Members members = new Members(settings.hashing(), size() + 1);
        Ranks order = new Ranks();
        forEach(0, small.count(), false, (bytes, offset, length, score) -> {
            byte[] member = Arrays.copyOfRange(bytes, offset, offset + length);
            add(order, members, member, hash(member, 0, length), score);
        });
        packed = null;
        ranks = order;
        table = members;
    }

    // The large form.

    private Ranks ranks() {
        if (ranks == null) {
            throw new IllegalStateException("a packed sorted set has no skip list");
        }
        return ranks;
    }

    private Members members() {
        if (table == null) {
            throw new IllegalStateException("a packed sorted set has no table");
        }
        return table;
    }

    private int hash(byte[] bytes, int offset, int length) {
        return settings.hashing().hash(bytes, offset, length);
    }

    private void add(Ranks order, Members members, byte[] member, int hash, double score) {
        Ranks.Node node = order.insert(member, score, hash);
        members.insert(node, hash);
        nodeBytes += node.memory();
    }

    private static final class Members extends Table<Ranks.Node> {
        private final Hashing hashing;

        Members(Hashing hashing, int expected) {
            super(expected);
            this.hashing = hashing;
        }

        @Override
        protected boolean matches(Ranks.Node node, byte[] bytes, int offset, int length) {
            return Arrays.equals(node.member, 0, node.member.length, bytes, offset, offset + length);
        }

        @Override
        protected int hash(Ranks.Node node) {
            return hashing.hash(node.member, 0, node.member.length);
        }
    }
}
